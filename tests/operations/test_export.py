"""Everything of an instance goes into an export and comes back equal."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from vitrine.accounts import User
from vitrine.errors import Conflict, Unavailable
from vitrine.jobs.tables import jobs
from vitrine.library.tables import renditions
from vitrine.media.storage import open_store
from vitrine.operations import backup, doctor, inventory
from vitrine.operations.export import import_bag, write_bag, writing
from vitrine.operations.export.kinds import KINDS, LEFT_OUT
from vitrine.operations.export.layout import head_of
from vitrine.operations.findings import OK
from vitrine.platform import migrate
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database
from vitrine.schema import metadata
from vitrine.settings import Settings
from vitrine.testing import feed_factory
from vitrine.testing import media_factory as make
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.postgresql import PostgreSQL
from vitrine.testing.random_rows import RandomRows
from vitrine.testing.s3 import S3
from vitrine.testing.server import PASSWORD, Server

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def ada(server: Server) -> User:
    return feed_factory.publisher(server, "ada", email="ada@example.com")


@pytest.fixture
def filled(server: Server, ada: User, tmp_path: Path) -> Server:
    """Two pictures with renditions, a basket with a vote, a feed with an entry, an application."""
    keys = [server.add(make.jpeg(tmp_path / f"{n}.jpg", 320 + n, 240, seed=n), ada) for n in range(2)]
    world, bob = BasketWorld(server), server.user("bob", email="bob@example.com")
    basket = world.create(ada, keys)
    world.share(ada, basket, bob)
    feed_factory.publish(server, ada, feed_factory.add_feed(server, ada, public=True).id, keys)
    return server


def compared(settings: Settings, folder: Path, passphrase: str | None = None) -> list[str]:
    return [finding.text for finding in doctor.compare(settings, folder, passphrase) if finding.state != OK]


def there(tmp_path: Path, **more: str) -> Settings:
    return Settings(data_dir=tmp_path / "there", base_url="http://dam.test", **more)  # type: ignore[arg-type]


def rows_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "data" / "rows").iterdir()}


def addresses(server: Server, token: str) -> list[str]:
    embed = server.get("/records/1/1/embed/", token)["embed"]
    return [rendition["permalink"]["url"] for rendition in embed]


def test_every_table_is_exported_or_has_its_reason() -> None:
    exported = {kind.table_name for kind in KINDS}
    assert exported | set(LEFT_OUT) == set(metadata.tables)
    assert exported.isdisjoint(LEFT_OUT)
    assert all(LEFT_OUT.values())
    assert len({kind.name for kind in KINDS}) == len({kind.path for kind in KINDS}) == len(KINDS)


def test_every_column_of_an_exported_table_is_exported_or_left_out_by_name() -> None:
    for table in {kind.table_name for kind in KINDS}:
        parts = [kind for kind in KINDS if kind.table_name == table]
        named = {column.name for kind in parts for column in kind.columns}
        left_out = set(metadata.tables[table].columns.keys()) - named
        assert left_out <= {"delegation_id", "code_id"}, table


def test_what_signs_people_in_is_in_no_plain_file() -> None:
    for kind in KINDS:
        secret = {"sealed", "password_hash", "digest", "public_key", "credential"} & {c.name for c in kind.columns}
        assert not secret or kind.is_secret, kind.name


@pytest.mark.both_databases
@pytest.mark.both_stores
def test_an_instance_comes_back_equal(
    filled: Server, ada: User, tmp_path: Path, s3: S3, postgresql: PostgreSQL
) -> None:
    token = filled.token(ada)
    old = {address: filled.http.get(address).content for address in addresses(filled, token)}
    exported = write_bag(filled.settings, tmp_path / "bag", passphrase=PASSPHRASE)
    assert exported.missing == 0
    assert exported.files >= 8
    assert compared(filled.settings, tmp_path / "bag", PASSPHRASE) == []
    external = {"database_url": postgresql.empty()} if filled.settings.database_url else {}
    if filled.settings.blobs_url:
        external["blobs_url"] = s3.bucket()
    target = there(tmp_path, **external)
    import_bag(target, tmp_path / "bag", passphrase=PASSPHRASE)
    assert compared(target, tmp_path / "bag", PASSPHRASE) == []
    faults = [finding for finding in doctor.examine(target, deep=True) if finding.state == "fault"]
    assert faults == []
    restored = Server.of(tmp_path / "there", **external)
    try:
        restored.work()
        assert {address: restored.http.get(address).content for address in old} == old
        assert addresses(restored, token) == list(old)
        assert restored.get("/search/?query=", token)["available_results"] == 2
        assert restored.services.vault.instance_id() == filled.services.vault.instance_id()
        new = restored.add(make.jpeg(tmp_path / "new.jpg", 400, 300, seed=9), ada, filled.photographs)
        assert new.number == 3
        restored.browser(ada)  # signs in with the old password
    finally:
        restored.close()


def test_renditions_are_taken_as_they_are_and_those_that_wait_are_made(filled: Server, tmp_path: Path) -> None:
    with filled.services.database.write() as work:
        work.db.execute(renditions.update().where(renditions.c.id == 1).values(state="waiting", sha256=None))
        record = work.db.scalar(sa.select(renditions.c.record_id).where(renditions.c.id == 1))
    write_bag(filled.settings, tmp_path / "bag")
    import_bag(there(tmp_path), tmp_path / "bag")
    with opened(there(tmp_path)) as database, database.read() as work:
        queued = work.db.execute(sa.select(jobs.c.kind, jobs.c.payload)).all()
    assert [tuple(row) for row in queued] == [("renditions.make", {"record_id": record})]


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    database = inventory.open_existing(settings)
    try:
        yield database
    finally:
        database.close()


# -- credentials -------------------------------------------------------------------------------------------------------


def test_without_credentials_nobody_can_sign_in_until_invited(filled: Server, ada: User, tmp_path: Path) -> None:
    token = filled.token(ada)
    exported = write_bag(filled.settings, tmp_path / "bag")
    assert not exported.has_credentials
    assert not (tmp_path / "bag" / "data" / "credentials").exists()
    import_bag(there(tmp_path), tmp_path / "bag", invite=True)
    assert compared(there(tmp_path), tmp_path / "bag") == []
    with opened(there(tmp_path)) as database, database.read() as work:
        mails = work.db.execute(sa.select(jobs.c.payload).where(jobs.c.kind == "mail.send")).scalars().all()
    assert sorted(mail["to"] for mail in mails) == ["ada@example.com", "bob@example.com"]
    restored = Server.of(tmp_path / "there")
    try:
        assert restored.call("GET", "/api/v1/me/", token).status_code == 401
        form = restored.http.post(
            "/api/oauthv2/token", data={"grant_type": "password", "username": "ada", "password": PASSWORD}
        )
        assert form.status_code in (400, 401)
    finally:
        restored.close()


def test_credentials_are_unreadable_without_the_passphrase(filled: Server, ada: User, tmp_path: Path) -> None:
    token = filled.token(ada)
    write_bag(filled.settings, tmp_path / "bag", passphrase=PASSPHRASE)
    key = (filled.settings.data_dir / "server.key").read_bytes().strip()
    with filled.services.database.read() as work:
        hashed = work.db.execute(sa.text("SELECT password_hash FROM users WHERE login = 'ada'")).scalar_one()
    for path in (tmp_path / "bag").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret in content for secret in (token.encode(), key, hashed.encode())), path.name
    import_bag(there(tmp_path), tmp_path / "bag")  # without the passphrase: all but the credentials
    assert compared(there(tmp_path), tmp_path / "bag") == []
    assert "only in the export" in " ".join(compared(there(tmp_path), tmp_path / "bag", PASSPHRASE))


def test_a_target_with_a_key_of_its_own_keeps_it_and_seals_secrets_under_it(
    filled: Server, ada: User, tmp_path: Path
) -> None:
    token = filled.token(ada)
    write_bag(filled.settings, tmp_path / "bag", passphrase=PASSPHRASE)
    own = Vault.in_folder(tmp_path / "there")
    import_bag(there(tmp_path), tmp_path / "bag", passphrase=PASSPHRASE)
    assert Vault.in_folder(tmp_path / "there").instance_id() == own.instance_id()
    assert compared(there(tmp_path), tmp_path / "bag", PASSPHRASE) == []
    restored = Server.of(tmp_path / "there")
    try:
        assert restored.call("GET", "/api/v1/me/", token).status_code == 200
    finally:
        restored.close()


# -- every value of every column ---------------------------------------------------------------------------------------


@pytest.mark.both_databases
@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.generate],  # a smaller number is no simpler instance
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32))
def test_random_rows_of_every_kind_survive(
    seed: int, database_url: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    folder = tmp_path_factory.mktemp("random")
    addresses = [""] * 2
    if database_url:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        addresses = [server.empty(), server.empty()]
    source = Settings(data_dir=folder / "here", database_url=addresses[0])
    target = Settings(data_dir=folder / "there", database_url=addresses[1])
    fill_randomly(source, seed)
    write_bag(source, folder / "bag", passphrase=PASSPHRASE)
    lines = head_of((folder / "bag" / "data" / "export.json").read_bytes()).lines
    assert [name for name, count in lines.items() if not count] == []
    import_bag(target, folder / "bag", passphrase=PASSPHRASE)
    assert compared(target, folder / "bag", PASSPHRASE) == []
    write_bag(target, folder / "again")
    assert rows_of(folder / "again") == rows_of(folder / "bag")


def fill_randomly(settings: Settings, seed: int, each: int = 8) -> None:
    """Random rows, and the files that they name."""
    settings.data_dir.mkdir()
    database = Database(settings.database_url) if settings.database_url else Database.in_folder(settings.data_dir)
    migrate.upgrade(database)
    store, files = open_store("", settings.data_dir), []
    for number in range(3):
        path = settings.data_dir / f"file {number}"
        path.write_bytes(f"{seed} {number}".encode())
        with store.spool(path, 1000) as spooled:
            files.append(store.keep(spooled).sha256)
    with database.write() as work:
        RandomRows(work, Vault.in_folder(settings.data_dir), files, seed).fill(each)
    database.close()


# -- what differs ------------------------------------------------------------------------------------------------------


def change(server: Server, statement: str) -> None:
    with server.services.database.write() as work:
        work.db.execute(sa.text(statement))


@pytest.mark.both_databases
def test_compare_names_what_differs(filled: Server, tmp_path: Path) -> None:
    write_bag(filled.settings, tmp_path / "bag")
    change(filled, "UPDATE records SET title = 'Other' WHERE id = 1")
    change(filled, "DELETE FROM basket_participants")
    change(filled, "INSERT INTO stamps (name, value) VALUES ('transient', 1)")
    change(filled, "UPDATE users SET last_connection = NULL")
    assert compared(filled.settings, tmp_path / "bag") == [
        "records 1: title differ",
        "basket_participants 1: only in the export",
    ]


def test_highest_ids_go_along(filled: Server, tmp_path: Path) -> None:
    change(filled, "DELETE FROM baskets")
    write_bag(filled.settings, tmp_path / "bag")
    import_bag(there(tmp_path), tmp_path / "bag")
    with opened(there(tmp_path)) as database, database.read() as work:
        assert work.db.execute(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'baskets'")).scalar() == 1


# -- refusals before anything is written -------------------------------------------------------------------------------


def test_an_existing_target_is_left_alone(filled: Server, tmp_path: Path) -> None:
    (tmp_path / "bag").mkdir()
    with pytest.raises(Conflict, match="already exists"):
        write_bag(filled.settings, tmp_path / "bag")


def test_an_instance_that_is_not_empty_is_left_alone(filled: Server, tmp_path: Path) -> None:
    write_bag(filled.settings, tmp_path / "bag")
    before = sorted(path.name for path in filled.settings.data_dir.iterdir())
    with pytest.raises(Conflict, match="is not empty: it has blobs"):
        import_bag(filled.settings, tmp_path / "bag")
    assert sorted(path.name for path in filled.settings.data_dir.iterdir()) == before


def test_too_little_room_is_told_before_anything_is_copied(
    filled: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 10 * 2**20

    write_bag(filled.settings, tmp_path / "bag")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: Usage)
    with pytest.raises(Unavailable, match="10 MiB are free"):
        write_bag(filled.settings, tmp_path / "other")
    assert not (tmp_path / "other.part" / "data").exists()
    with pytest.raises(Unavailable, match="10 MiB are free"):
        import_bag(there(tmp_path), tmp_path / "bag")


def test_a_full_disk_tells_what_to_do_and_the_export_goes_on(
    filled: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, count = backup.fetch, iter(range(100))

    def full(*arguments: object, **more: object) -> None:
        if next(count) == 3:
            raise OSError(28, "No space left on device")
        fetch(*arguments, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(writing, "fetch", full)
        with pytest.raises(Unavailable, match=r"No space left on device.*it goes on"):
            write_bag(filled.settings, tmp_path / "bag")
    assert not (tmp_path / "bag").exists()
    write_bag(filled.settings, tmp_path / "bag")
    assert compared(filled.settings, tmp_path / "bag") == []
    assert not (tmp_path / "bag.part").exists()


def test_a_file_that_the_store_lost_is_named(filled: Server, tmp_path: Path) -> None:
    with filled.services.database.read() as work:
        sha256 = work.db.execute(sa.text("SELECT sha256 FROM records WHERE id = 1")).scalar_one()
    (filled.settings.data_dir / "blobs" / sha256[:2] / sha256[2:4] / sha256).unlink()
    assert write_bag(filled.settings, tmp_path / "bag").missing == 1
    assert json.loads((tmp_path / "bag" / "data" / "missing.jsonl").read_bytes()) == {"sha256": sha256}
    assert import_bag(there(tmp_path), tmp_path / "bag").missing == 1
    assert compared(there(tmp_path), tmp_path / "bag") == []


@pytest.mark.parametrize("command", [write_bag, import_bag])
def test_two_at_once_are_refused(filled: Server, tmp_path: Path, command: Callable[..., object]) -> None:
    write_bag(filled.settings, tmp_path / "bag")
    arguments = (filled.settings, tmp_path / "other") if command is write_bag else (there(tmp_path), tmp_path / "bag")
    busy = tmp_path / ("other.part" if command is write_bag else "there")
    busy.mkdir()
    with writing.locked(busy), pytest.raises(Conflict, match="Another command is writing"):
        command(*arguments)


def test_a_bag_is_one_of_the_standard(filled: Server, tmp_path: Path) -> None:
    exported = write_bag(filled.settings, tmp_path / "bag")
    info = dict(line.split(": ", 1) for line in (tmp_path / "bag" / "bag-info.txt").read_text().splitlines())
    payload = [path for path in (tmp_path / "bag" / "data").rglob("*") if path.is_file()]
    octets = sum(path.stat().st_size for path in payload)
    assert info["Payload-Oxum"] == f"{octets}.{len(payload)}"
    listed = [line.split("  ")[1] for line in (tmp_path / "bag" / "manifest-sha256.txt").read_text().splitlines()]
    assert sorted(listed) == sorted(str(path.relative_to(tmp_path / "bag")) for path in payload)
    assert exported.files == sum(path.startswith("data/files/") for path in listed)
