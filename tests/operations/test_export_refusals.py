"""An export that was damaged or changed on purpose is refused, by file and line, and nothing of it is left."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vitrine.errors import Invalid
from vitrine.operations.export import import_bag, write_bag
from vitrine.settings import Settings
from vitrine.testing import feed_factory
from vitrine.testing.server import Server

PASSPHRASE = "correct horse battery staple"
Change = Callable[[Path], object]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    server = Server(folder / "data")
    server.user("ada", email="ada@example.com")
    feed_factory.picture(server)
    feed_factory.picture(server, title="Boats")
    server.close()
    write_bag(server.settings, folder / "bag", passphrase=PASSPHRASE)
    return folder / "bag"


@pytest.fixture
def bag(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "bag")
    return tmp_path / "bag"


def seal(bag: Path) -> None:
    """Make the manifests right again, as somebody would who changes an export on purpose."""
    payload = sorted((str(path.relative_to(bag)), path) for path in (bag / "data").rglob("*") if path.is_file())
    (bag / "manifest-sha256.txt").write_text("".join(f"{digest(path)}  {name}\n" for name, path in payload))
    seal_tags(bag)


def seal_tags(bag: Path) -> None:
    names = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt")
    (bag / "tagmanifest-sha256.txt").write_text("".join(f"{digest(bag / name)}  {name}\n" for name in names))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refuse(bag: Path, words: str, *, passphrase: str | None = None) -> None:
    target = bag.parent / "there"
    with pytest.raises(Invalid, match=words):
        import_bag(Settings(data_dir=target), bag, passphrase=passphrase)
    assert not (target / "vitrine.sqlite3").exists()
    assert not (target / "blobs").exists()


def a_file(bag: Path) -> Path:
    return next(path for path in (bag / "data" / "files").rglob("*") if path.is_file())


def edit(name: str, change: Callable[[dict[str, Any]], object], *, line: int = 0) -> Change:
    """Change a line of a kind."""

    def do(bag: Path) -> None:
        path = bag / "data" / "rows" / f"{name}.jsonl"
        lines = path.read_text().splitlines()
        members = json.loads(lines[line])
        change(members)
        lines[line] = json.dumps(members)
        path.write_text("\n".join(lines) + "\n")

    return do


def give(**values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda members: members.update(values)


def rewrite(name: str, change: Callable[[str], str]) -> Change:
    def do(bag: Path) -> None:
        path = bag / "data" / "rows" / f"{name}.jsonl"
        path.write_text(change(path.read_text()))

    return do


def head(**values: Any) -> Change:
    def do(bag: Path) -> None:
        path = bag / "data" / "export.json"
        path.write_text(json.dumps(json.loads(path.read_bytes()) | values))

    return do


def twice(text: str) -> str:
    return text.replace('"id":1,', '"id":1,"id":2,', 1)


LINES: list[tuple[Change, str]] = [
    (edit("users", give(is_owner=True)), r"rows/users.jsonl line 1: Object contains unknown field `is_owner`"),
    (edit("users", lambda members: members.pop("login")), r"users.jsonl line 1: .*missing required field `login`"),
    (edit("users", give(login=7)), r"users.jsonl line 1: Expected `str`, got `int` - at `\$.login`"),
    (edit("users", give(login="x" * 129)), r"users.jsonl line 1: Expected `str` of length <= 128"),
    (edit("users", give(login="a\0b")), r"users.jsonl line 1: .*U\+0000"),
    (edit("users", give(is_admin="yes")), r"users.jsonl line 1: Expected `bool`"),
    (edit("users", give(created="2026-01-01T00:00:00")), r"users.jsonl line 1: .*timezone"),
    (edit("users", give(password_hash="x")), "unknown field `password_hash`"),
    (edit("records", give(id=2**53)), r"records.jsonl line 1: Expected `int` <= 9007199254740991"),
    (edit("records", give(status=2**63)), r"records.jsonl line 1: "),
    (edit("records", give(sha256="../../../etc/passwd")), r"records.jsonl line 1: Expected `str` matching"),
    (edit("records", give(sha256="0" * 64)), "does not have the file 0000"),
    (edit("records", give(id=1), line=1), r"records.jsonl line 2 contradicts another line: UNIQUE"),
    (edit("records", give(collection_id=999)), r"records.jsonl: row 1 refers to a row of collections"),
    (edit("renditions", give(state="stolen")), r"renditions.jsonl line 1: Invalid enum value 'stolen'"),
    (edit("databoxes", give(next_record=1)), "next_record of databox 1 is given already"),
    (edit("databoxes", give(logo={"sha256": "../x", "mime": "", "width": 1, "height": 1, "size": 1})), "line 1"),
    (edit("collections", give(labels=["a"])), r"collections.jsonl line 1: Expected `object`"),
    (rewrite("users", twice), r"users.jsonl line 1: the member id is there twice"),
    (rewrite("users", lambda text: text.rstrip("\n")), r"users.jsonl line 1 is too long, or has no end"),
    (rewrite("users", lambda text: "[" * 100_000 + "\n"), r"users.jsonl line 1: "),
    (rewrite("users", lambda text: "{\n"), r"users.jsonl line 1: "),
    (rewrite("users", lambda text: ""), r"users.jsonl has 0 lines, data/export.json tells of 1"),
    (rewrite("terms_versions", lambda text: text + "\n"), r"terms_versions.jsonl line 1: "),
    (head(format=2), "reads the format 1"),
    (head(lines={}), "the kind .* is missing"),
    (head(lines={"users": 1, "nothing": 1}), "there is no kind nothing"),
    (head(more=1), "unknown field `more`"),
    (head(files={"count": 99, "bytes": 1, "missing": 0}), "tells of 99 files"),
    (head(credentials=None), "lists data/credentials"),
]


@pytest.mark.parametrize(("change", "words"), LINES, ids=[words[:50] for _, words in LINES])
def test_a_changed_line_is_refused(bag: Path, change: Change, words: str) -> None:
    change(bag)
    seal(bag)
    refuse(bag, words)


def outside(bag: Path) -> None:
    entry = f"{'0' * 64}  data/../../outside\n"
    manifest = bag / "manifest-sha256.txt"
    manifest.write_text(manifest.read_text() + entry)
    seal_tags(bag)


def absolute(bag: Path) -> None:
    manifest = bag / "manifest-sha256.txt"
    manifest.write_text(manifest.read_text() + f"{'0' * 64}  /etc/passwd\n")
    seal_tags(bag)


def listed_twice(bag: Path) -> None:
    manifest = bag / "manifest-sha256.txt"
    manifest.write_text(manifest.read_text() + manifest.read_text())
    seal_tags(bag)


def other_name(bag: Path) -> None:
    file = a_file(bag)
    file.chmod(0o600)
    file.write_bytes(b"other bytes")
    seal(bag)


def link_to_a_file(bag: Path) -> None:
    file = a_file(bag)
    file.rename(bag.parent / "outside")
    file.symlink_to(bag.parent / "outside")


def link_to_a_folder(bag: Path) -> None:
    (bag / "data" / "rows").rename(bag.parent / "rows")
    (bag / "data" / "rows").symlink_to(bag.parent / "rows")


def pipe(bag: Path) -> None:
    path = bag / "data" / "rows" / "users.jsonl"
    path.unlink()
    os.mkfifo(path)


def head_is_a_pipe(bag: Path) -> None:
    (bag / "data" / "export.json").unlink()
    os.mkfifo(bag / "data" / "export.json")


def flipped(bag: Path) -> None:
    path = bag / "data" / "rows" / "records.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Harbour", b"Harbor!"))


def unlisted(bag: Path) -> None:
    (bag / "data" / "rows" / "more.jsonl").write_text("{}\n")


def deep(bag: Path) -> None:
    (bag / "data" / "files" / "a" / "b" / "c" / "d" / "e").mkdir(parents=True)


BAGS: list[tuple[Change, str]] = [
    (outside, r"'data/../../outside' is not a path of an export"),
    (absolute, "'/etc/passwd' is not a path of an export"),
    (listed_twice, "is there twice, or not in the order"),
    (other_name, "is not its digest"),
    (link_to_a_file, "is a link"),
    (link_to_a_folder, "'data/rows' is a link"),
    (pipe, "is not a plain file"),
    (head_is_a_pipe, "is not a plain file"),
    (flipped, "data/rows/records.jsonl has changed"),
    (unlisted, "data/rows/more.jsonl is not listed"),
    (deep, "is not a folder of an export"),
    (lambda bag: (bag / "fetch.txt").write_text("http://example.com/x 1 data/x\n"), "'fetch.txt' does not belong"),
    (lambda bag: (bag / "bagit.txt").write_text("BagIt-Version: 0.97\n"), "does not declare BagIt 1.0"),
    (lambda bag: (bag / "manifest-sha256.txt").write_text(""), "manifest-sha256.txt has changed"),
    (lambda bag: (bag / "tagmanifest-sha256.txt").write_text("x\n"), "line 1 is not a digest and a path"),
    (lambda bag: (bag / "tagmanifest-sha256.txt").write_text(""), "must list"),
    (lambda bag: (bag / "tagmanifest-sha256.txt").write_text("x" * 70_000), "is too long"),
    (lambda bag: (bag / "data" / "rows" / "users.jsonl").unlink(), "users.jsonl is missing"),
    (lambda bag: a_file(bag).unlink(), "is missing"),
]


@pytest.mark.parametrize(("change", "words"), BAGS, ids=[words[:50] for _, words in BAGS])
def test_a_changed_bag_is_refused(bag: Path, change: Change, words: str) -> None:
    change(bag)
    refuse(bag, words)


def test_a_link_to_a_bag_and_a_folder_that_is_none_are_refused(bag: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(bag)
    with pytest.raises(Invalid, match="is not the folder of an export"):
        import_bag(Settings(data_dir=tmp_path / "there"), tmp_path / "link")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(Invalid, match=r"damaged or was changed: bagit\.txt"):
        import_bag(Settings(data_dir=tmp_path / "there"), tmp_path / "nothing")


# -- credentials -------------------------------------------------------------------------------------------------------


def test_a_wrong_passphrase_is_refused(bag: Path) -> None:
    refuse(bag, "the passphrase is wrong", passphrase="another horse battery staple")


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (cut, "is not encrypted as an export is"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "the file was changed"),
        (lambda content: content + content, "the file was changed"),
        (lambda content: b"", "is empty"),
        (lambda content: b"\xff\xff\xff\xff" + content, "is not encrypted"),
    ],
)
def test_a_changed_file_of_credentials_is_refused(bag: Path, change: Callable[[bytes], bytes], words: str) -> None:
    path = bag / "data" / "credentials" / "passwords.jsonl.enc"
    path.write_bytes(change(path.read_bytes()))
    seal(bag)
    refuse(bag, words, passphrase=PASSPHRASE)


def test_one_file_of_credentials_is_not_taken_for_another(bag: Path) -> None:
    folder = bag / "data" / "credentials"
    shutil.copy(folder / "passwords.jsonl.enc", folder / "passkeys.jsonl.enc")
    seal(bag)
    refuse(bag, "passkeys.jsonl.enc: the passphrase is wrong, or the file was changed", passphrase=PASSPHRASE)


@pytest.mark.parametrize("parameters", [{"n": 2**30}, {"n": 1}, {"n": 131_071}, {"p": 16}, {"kdf": "md5"}])
def test_a_derivation_that_would_take_all_memory_is_refused(bag: Path, parameters: dict[str, Any]) -> None:
    known = json.loads((bag / "data" / "export.json").read_bytes())["credentials"]
    head(credentials=known | parameters)(bag)
    seal(bag)
    refuse(bag, "encrypted in an unknown way", passphrase=PASSPHRASE)
