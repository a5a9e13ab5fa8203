"""Files of a disk become records: each one says what became of it, and none is taken twice."""

import os
from pathlib import Path

import pytest

from vitrine.accounts import COMMAND, NOBODY, Actor
from vitrine.errors import DomainError, Invalid, Unavailable
from vitrine.library.ingest import Ingest
from vitrine.library.model import CollectionId
from vitrine.operations.file_import import NAME_GUESSED, FileImport, FileResult, FileState, Plan, files_in
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files to import; the instance is beside it."""
    path = tmp_path / "files"
    path.mkdir()
    return path


def import_of(server: Server) -> FileImport:
    library = server.services.library
    return FileImport(server.services.database, library.ingest, library.quarantine, library.changes)


def results(server: Server, *paths: Path, actor: Actor = COMMAND) -> list[FileResult]:
    return list(import_of(server).run(actor, files_in(paths), Plan(CollectionId(server.photographs.id))))


def test_an_import_can_be_run_again(server: Server, folder: Path) -> None:
    first = make.jpeg(folder / "a.jpg", 320, 240)
    assert [result.state for result in results(server, folder)] == [FileState.ADDED]
    make.jpeg(folder / "b.jpg", 320, 240, seed=2)
    assert [(result.path.name, result.state) for result in results(server, folder)] == [
        ("a.jpg", FileState.EXISTS), ("b.jpg", FileState.ADDED),
    ]  # fmt: skip
    assert first.exists(), "the files stay where they are"


def test_whoever_may_not_add_is_refused_before_the_first_file(server: Server, folder: Path) -> None:
    make.jpeg(folder / "a.jpg", 320, 240)
    with pytest.raises(DomainError):
        results(server, folder, actor=NOBODY)
    assert [result.state for result in results(server, folder)] == [FileState.ADDED], "nothing was added by that"


def test_a_refused_file_does_not_end_the_import(server: Server, folder: Path) -> None:
    (folder / "a.jpg").write_bytes(b"")
    make.jpeg(folder / "b.jpg", 320, 240)
    empty, added = results(server, folder)
    assert (empty.state, added.state) == (FileState.REFUSED, FileState.ADDED)
    assert empty.detail
    assert empty.needs_attention
    assert not added.needs_attention


def test_a_full_disk_ends_the_import(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make.jpeg(folder / "a.jpg", 320, 240)

    def full(*_arguments: object, **_options: object) -> None:
        raise Unavailable("The disk is full.")

    monkeypatch.setattr(Ingest, "take", full)
    with pytest.raises(Unavailable):
        results(server, folder)


def test_a_name_that_is_not_utf8_is_pointed_out(server: Server, folder: Path) -> None:
    path = make.jpeg(folder / "a.jpg", 320, 240)
    path.rename(os.fsdecode(os.fsencode(folder) + b"/Ch\xe2teau.jpg"))
    (result,) = results(server, folder)
    assert (result.state, result.detail, result.needs_attention) == (FileState.ADDED, NAME_GUESSED, True)


def test_hidden_files_and_links_are_left_out(folder: Path) -> None:
    for name in ("b.txt", "a.txt", ".hidden", "folder/c.txt", ".folder/d.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    (folder / "link.txt").symlink_to(folder / "a.txt")
    names = [source.relative for source in files_in((folder,))]
    assert names == ["a.txt", "b.txt", "folder/c.txt"]


def test_folders_without_files_are_a_mistake(folder: Path) -> None:
    (folder / ".hidden").write_text("x")
    with pytest.raises(Invalid, match="no files"):
        list(files_in((folder,)))


def test_scripts_read_the_same_states_as_before() -> None:
    assert [state.value for state in FileState] == ["added", "there", "waits", "refused", "updated", "unlisted"]
