import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from vitrine.errors import Invalid, NotFound, Unavailable
from vitrine.platform import logging
from vitrine.platform.crypto import BASE62, Vault, derived_secret, is_mistyped, new_secret, random_base62
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.schema import Instant, from_micros, to_micros
from vitrine.platform.tables import stamps
from vitrine.settings import load
from vitrine.testing.postgresql import PostgreSQL
from vitrine.testing.template import copied_database


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Database]:
    database = Database(database_url) if database_url else copied_database(tmp_path)
    yield database
    database.close()


def count(database: Database) -> int:
    with database.read() as work:
        return int(work.db.exec_driver_sql("SELECT count(*) FROM stamps").scalar() or 0)


@pytest.mark.both_databases
def test_a_failed_unit_of_work_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as work:
        work.db.execute(stamps.insert().values(name="a", value=1))
        raise RuntimeError
    assert count(database) == 0


@pytest.mark.both_databases
def test_listeners_share_the_transaction_and_afterwards_means_after_the_commit(database: Database) -> None:
    class Happened:
        pass

    counts: list[int] = []

    def note(work: UnitOfWork, _event: object) -> None:
        work.db.execute(stamps.insert().values(name="b", value=1))

    database.listen(Happened, note)
    with database.write() as work:
        work.emit(Happened())
        work.after_commit(lambda: counts.append(count(database)))
    assert counts == [1]


@pytest.mark.both_databases
def test_nested_units_of_work_in_one_thread_are_a_bug(database: Database) -> None:
    with database.read(), pytest.raises(RuntimeError), database.read():
        raise AssertionError


@pytest.mark.both_databases
def test_a_locked_database_is_unavailable_and_not_a_crash(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with database.write():
            inside.set()
            leave.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(5)
    with database.read() as work:
        # The next write takes the same connection: of this thread on SQLite, the only free one of the pool elsewhere.
        work.db.exec_driver_sql("PRAGMA busy_timeout=50" if database.is_sqlite else "SET lock_timeout=50")
    with pytest.raises(Unavailable) as refusal, database.write():
        raise AssertionError
    assert refusal.value.retry_after_s
    leave.set()
    holder.join()
    assert count(database) == 0


def test_values_that_postgresql_cannot_keep_are_refusals(postgresql: PostgreSQL) -> None:
    with postgresql.database() as address:
        database = Database(address)
        with pytest.raises(Invalid, match="too long"), database.write() as work:
            work.db.execute(stamps.insert().values(name="x" * 41, value=1))
        with pytest.raises(Invalid, match="character"), database.write() as work:
            work.db.execute(stamps.insert().values(name="a\0b", value=1))
        with pytest.raises(NotFound), database.read() as work:
            work.db.execute(stamps.select().where(stamps.c.value == 2**70))
        with pytest.raises(ProgrammingError), database.read() as work:
            work.db.exec_driver_sql("SELECT nothing FROM nowhere")
        assert count(database) == 0
        database.close()


def test_a_server_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
    with pytest.raises(Unavailable), database.read():
        raise AssertionError


@pytest.mark.parametrize("url", ["mysql://x", "not an address", "postgresql://x/y"])
def test_an_address_of_another_kind_of_database_is_refused_at_start(url: str) -> None:
    with pytest.raises(Invalid, match="database_url"):
        Database(url)


@pytest.mark.both_databases
def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    results: list[int] = []
    with database.write() as work:
        work.db.execute(stamps.insert().values(name="c", value=1))
        reader = threading.Thread(target=lambda: results.append(count(database)))
        reader.start()
        reader.join(3)
    assert results == [0], "the reader saw the state before the change, at once"


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001 - Hypothesis adds the zone
def test_instants_survive_exactly(instant: datetime) -> None:
    assert from_micros(to_micros(instant)) == instant


def test_a_naive_instant_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="time zone"):
        Instant().process_bind_param(datetime(2026, 1, 1), database.engine.dialect)  # noqa: DTZ001 - the point


@given(st.sampled_from(["at", "cs", "pat", "ac"]), st.integers(0, 35), st.sampled_from("0aZ"))
def test_a_mistyped_secret_is_noticed(kind: str, place: int, letter: str) -> None:
    secret = new_secret(kind)
    assert not is_mistyped(secret)
    at = len(secret) - 36 + place
    wrong = secret[:at] + letter + secret[at + 1 :]
    assert is_mistyped(wrong) == (wrong != secret)
    assert is_mistyped(secret[:-1])


def test_imported_secrets_of_any_form_are_looked_up() -> None:
    assert not is_mistyped("9b1e6d0c4f7a42358e2b7c5d1a60f394")


def test_the_server_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    first, second = Vault.in_folder(tmp_path), Vault.in_folder(tmp_path)
    assert (tmp_path / "server.key").stat().st_mode & 0o777 == 0o600
    assert second.decrypt(first.encrypt("secret")) == "secret"
    assert first.derive("a") != first.derive("b")
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match="another server key"):
        Vault.in_folder(tmp_path / "other").decrypt(first.encrypt("secret"))
    assert len(first.instance_id()) == 32


def test_a_secret_never_reaches_a_log_line() -> None:
    token = new_secret("at")
    line = logging.hide_secrets(
        None, "info", {"event": f"got {token}", "access_token": "x", "url": "/a?oauth_token=abc&b=1"}
    )
    assert token not in str(line)
    assert "abc" not in str(line)
    assert line["access_token"] == logging.HIDDEN


def test_all_faults_of_settings_are_told_together(tmp_path: Path) -> None:
    file = tmp_path / "vitrine.toml"
    file.write_text('timezone = "Nowhere"\nbase_url = "ftp://x"\n')
    with pytest.raises(Invalid) as refusal:
        load({}, file)
    assert "timezone" in refusal.value.detail
    assert "base_url" in refusal.value.detail
    with pytest.raises(Invalid, match="VITRINE_TITEL is not a setting"):
        load({"VITRINE_TITEL": "x"})


def test_settings_of_earlier_releases_keep_their_names(tmp_path: Path) -> None:
    file = tmp_path / "vitrine.toml"
    file.write_text('old_habits = "allow"\n')
    assert load({}, file).deprecated_features == "allow"
    assert load({"VITRINE_OLD_HABITS": "refuse"}, file).deprecated_features == "refuse"
    both = {"VITRINE_OLD_HABITS": "refuse", "VITRINE_DEPRECATED_FEATURES": "allow"}
    with pytest.raises(Invalid, match="has both old_habits and deprecated_features"):
        load(both)


def test_settings_come_from_file_environment_and_command_in_that_order(tmp_path: Path) -> None:
    file = tmp_path / "vitrine.toml"
    file.write_text('title = "File"\nlog_level = "error"\ntrusted_proxies = ["10.0.0.1"]\n')
    settings = load(
        {"VITRINE_TITLE": "Environment", "VITRINE_DEMO": "yes", "VITRINE_TOKEN": "x"}, file, log_level="debug"
    )
    assert (settings.title, settings.log_level, settings.demo, settings.trusted_proxies) == (
        "Environment",
        "debug",
        True,
        ("10.0.0.1",),
    )
    assert timedelta(days=settings.session_days) == timedelta(days=14)


def test_what_a_command_assumes_gives_way_to_what_somebody_said(tmp_path: Path) -> None:
    assumed = {"base_url": "http://127.0.0.1:8000"}
    file = tmp_path / "vitrine.toml"
    file.write_text('base_url = "https://dam.example.org"\n')
    assert load({}, file, otherwise=assumed).base_url == "https://dam.example.org"
    assert load({"VITRINE_BASE_URL": "https://b.example"}, file, otherwise=assumed).base_url == "https://b.example"
    assert load({}, otherwise={"base_url": "http://127.0.0.1:21"}).base_url == "http://127.0.0.1:21"


@pytest.mark.parametrize("content", [b'title = "open', b"\xff\xfe"])
def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "vitrine.toml"
    file.write_bytes(content)
    with pytest.raises(Invalid, match=r"vitrine\.toml cannot be read"):
        load({}, file)


def test_the_data_folder_is_made_closed_to_others(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path / "new")
    with database.write() as work:
        work.db.exec_driver_sql("CREATE TABLE t (n INTEGER)")
    assert (tmp_path / "new").stat().st_mode & 0o007 == 0
    assert {file.stat().st_mode & 0o077 for file in (tmp_path / "new").iterdir()} == {0}
    database.close()


def test_a_failing_statement_does_not_tell_its_values(tmp_path: Path) -> None:
    """Design section 8: the values would be in the log, among them digests, addresses and hashes."""
    database = Database.in_folder(tmp_path)
    with pytest.raises(SQLAlchemyError) as refusal, database.read() as work:
        work.db.execute(sa.text("SELECT * FROM nowhere WHERE x = :value"), {"value": "very-private"})
    assert "very-private" not in str(refusal.value)
    database.close()


def test_a_traceback_in_the_log_shows_no_local_variables(tmp_path: Path) -> None:
    script = (
        "from vitrine.platform import logging\n"
        "logging.configure(as_json=False)\n"
        "def fails(value):\n"
        "    hidden = 'the ' + value + ' of somebody'\n"
        "    raise RuntimeError('broke')\n"
        "try:\n"
        "    fails('password')\n"
        "except RuntimeError:\n"
        "    logging.get().exception('it.broke')\n"
    )
    (tmp_path / "script.py").write_text(script)
    result = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "RuntimeError: broke" in result.stderr
    assert "the password of somebody" not in result.stderr


def test_secrets_are_base62_of_the_length_asked_for() -> None:
    for length in (1, 2, 7, 30, 32, 64):
        values = {random_base62(length) for _ in range(50)}
        assert all(len(value) == length and set(value) <= set(BASE62) for value in values)
    assert set("".join(random_base62(30) for _ in range(200))) == set(BASE62), "every digit comes up"


def test_a_derived_secret_is_the_same_for_ever() -> None:
    """Successors of refresh tokens issued before an upgrade must be found after it."""
    assert derived_secret("rt", bytes(range(32))) == "vit_rt_flDIBkGwcRKRL9GXCgaFM3UNu2jQTC2OFmqj"
