"""Contract 06 section 17.7, row download: a selection as one zip, with the right checked on each document."""

import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from vitrine.accounts import COMMAND, Right, User, Via
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.library.model import RecordKey
from vitrine.library.sharing.downloads import safe, unique
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server, Visitor
from vitrine.web.library.download import PIECE, archive


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


def ask(visitor: Visitor, *keys: RecordKey | str) -> Any:
    form = visitor.form("/upload/") or visitor.form("/account/")
    chosen = {f"record[{at}]": key for at, key in enumerate(map(_text, keys))}
    return visitor.client.post("/library/download", data={**form, **chosen})


def _text(key: RecordKey | str) -> str:
    return key if isinstance(key, str) else f"{key.databox}/{key.number}"


def unzipped(answer: Any) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def test_originals_under_their_names(server: Server, ada: User, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    files = [make.jpeg(tmp_path / "a.jpg", seed=1), make.jpeg(tmp_path / "b" / "A.JPG", seed=2)]
    keys = [server.add(file, ada) for file in files]
    answer = ask(server.browser(ada), *keys, keys[0])
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith('attachment; filename="Vitrine-2')
    assert answer.headers["cache-control"] == "no-store"
    assert unzipped(answer) == {"a.jpg": files[0].read_bytes(), "A (2).JPG": files[1].read_bytes()}
    with server.services.database.read() as work:
        line = work.db.exec_driver_sql("SELECT details FROM audit_log WHERE action = 'records.downloaded'").scalar()
    assert '"files":2' in str(line)


def test_each_document_asks_for_its_own_right(server: Server, ada: User, tmp_path: Path) -> None:
    """The original, else the overlaid preview, else listed as left out; hidden documents are not listed at all."""
    first = server.add(make.jpeg(tmp_path / "first.jpg", 1600, 900, seed=1), ada)
    other = server.add(make.jpeg(tmp_path / "other.jpg", 1600, 900, seed=2), ada, server.archive)
    rights: dict[int, Right] = {
        server.photographs.id: ALL_RIGHTS,
        server.archive.id: Right.actif | Right.candwnldpreview,
    }
    bob = server.user("bob", rights)
    files = unzipped(ask(server.browser(bob), first, other))
    assert list(files) == ["first.jpg", "other-preview.jpg"]
    with server.services.database.read() as work:
        _, preview = server.services.library.records.rendition_without_check(work, other, "preview")
    with server.services.media.store.open(preview.sha256 or "") as file:
        plain = file.read()
    assert files["other-preview.jpg"] != plain, "the watermark is on it"
    server.regrant(bob, server.archive, Right.actif)
    files = unzipped(ask(server.browser(bob), first, other))
    assert list(files) == ["first.jpg", "NOT-INCLUDED.txt"]
    assert b"other.jpg" in files["NOT-INCLUDED.txt"]
    server.regrant(bob, server.archive, Right(0))
    assert list(unzipped(ask(server.browser(bob), first, other, "1/9999"))) == ["first.jpg"]


def test_what_cannot_be_marked_is_left_out_and_named(server: Server, ada: User, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing more")
    held = StoredRecord(tmp_path / "broken.jpg", "image/jpeg")
    broken = add_record(server.services, server.photographs, "image", {"document": held, "preview": held})
    fine = server.add(make.jpeg(tmp_path / "fine.jpg", seed=1), ada)
    bob = server.user("bob", READER)
    files = unzipped(ask(server.browser(bob), broken, fine))
    assert set(files) == {"fine-preview.jpg", "NOT-INCLUDED.txt"}
    assert b"broken" in files["NOT-INCLUDED.txt"]
    assert not any(b"nothing more" in content for content in files.values())


def test_refusals(server: Server, ada: User, tmp_path: Path) -> None:
    key = server.add(make.jpeg(tmp_path / "a.jpg"), ada)
    visitor = server.browser(ada)
    assert ask(visitor).status_code == 400
    assert ask(visitor, "1/9999").status_code == 409
    for odd in ("1", "a/b", "1/2/3", "../1/1", "1/" + "9" * 40):
        assert ask(visitor, odd).status_code in (400, 404, 409), odd
    assert ask(visitor, *(f"1/{number}" for number in range(1, 502))).status_code == 400
    assert visitor.client.post("/library/download", data={"record[]": _text(key)}).status_code in (400, 403)
    stranger = server.user("eve", rights=None)
    assert ask(server.browser(stranger), key).status_code == 409
    assert server.http.get("/library/download").status_code == 302


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "_._etc_passwd"),
        ("a\\b:c?.jpg", "a_b_c_.jpg"),
        ("CON.txt", "_CON.txt"),
        (" .hidden. ", "hidden"),
        ("", "document"),
        ("x" * 300 + ".jpeg", "x" * 146 + ".jpeg"),
        ("été à Pékin.jpg", "été à Pékin.jpg"),
    ],
)
def test_names_are_safe_everywhere(name: str, kept: str) -> None:
    assert safe(name) == kept


def test_names_are_unique_whatever_their_case() -> None:
    taken: set[str] = set()
    assert [unique(name, taken) for name in ("a.jpg", "A.JPG", "a.jpg", "a (2).jpg", "b", "b")] == [
        "a.jpg", "A (2).JPG", "a (3).jpg", "a (2) (2).jpg", "b", "b (2)",
    ]  # fmt: skip


@pytest.fixture
def large(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    with (tmp_path / "large.bin").open("wb") as file:
        for at in range(96):
            file.write(bytes([at]) * 2**20)
    held = StoredRecord(tmp_path / "large.bin", "application/octet-stream")
    return add_record(server.services, server.photographs, "unknown", {"document": held}, creator=ada.id)


def test_memory_does_not_grow_with_the_files(server: Server, ada: User, large: RecordKey) -> None:
    services = server.services
    with services.database.read() as work:
        actor = services.accounts.users.actor_of(work, services.accounts.users.get(work, ada.id), Via.SESSION)
        plan = services.library.downloads.plan(work, actor, [large])
    tracemalloc.start()
    size = sum(len(part) for part in archive(services, plan, ""))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 96 * 2**20
    assert peak < 8 * 2**20


def test_a_client_that_goes_away_ends_the_reading(
    server: Server, large: RecordKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = server.services
    store = services.media.store
    opened: list[BinaryIO] = []
    original_open = store.open

    def recorded(sha256: str) -> BinaryIO:
        opened.append(original_open(sha256))
        return opened[-1]

    monkeypatch.setattr(store, "open", recorded)
    with services.database.read() as work:
        plan = services.library.downloads.plan(work, COMMAND, [large])
    parts = archive(services, plan, "")
    read = sum(len(next(parts)) for _ in range(8))
    assert read <= 9 * PIECE
    assert [file.closed for file in opened] == [False]
    parts.close()
    assert [file.closed for file in opened] == [True]
