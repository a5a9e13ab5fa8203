"""Export and import are killed with SIGKILL, at the real command, and go on when it is run again."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vitrine.errors import Conflict
from vitrine.operations import doctor
from vitrine.operations.export import import_bag, importing, write_bag
from vitrine.operations.findings import OK
from vitrine.operations.snapshot import copy_rows
from vitrine.settings import Settings
from vitrine.testing.postgresql import PostgreSQL
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server

MANY = 300
PASSPHRASE = "correct horse battery staple"
# The command, which kills itself like a power cut before the call number *at* of a function.
KILLED = """
import importlib, os, signal, sys
module, owner, name, at = sys.argv[1:5]
calls = iter(range(1, int(at) + 1))
holder = importlib.import_module(module)
holder = getattr(holder, owner) if owner else holder
original = getattr(holder, name)
def call(*arguments, **more):
    if next(calls) == int(at):
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **more)
setattr(holder, name, call)
sys.argv = ["vitrine", *sys.argv[5:]]
from vitrine.cli.main import main
main()
"""
EXPORT = "vitrine.operations.export"
EXPORT_KILLS = [
    (f"{EXPORT}.writing", "_Run", "write", "20"),  # rows
    (f"{EXPORT}.writing", "", "fetch", "100"),  # files
    (f"{EXPORT}.writing", "", "_manifest", "1"),  # all is there but the tags
]
IMPORT_KILLS = [
    (f"{EXPORT}.loading", "", "_put", "5"),  # within a transaction of rows
    (f"{EXPORT}.importing", "_Import", "_keep", "100"),  # files
    (f"{EXPORT}.importing", "_Import", "_place_rows", "1"),  # all but the database is in its place
]


def fill(server: Server, folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        path = folder / f"{number}.txt"
        path.write_text(f"Text {number}")
        files = {"document": StoredRecord(path, "text/plain")}
        add_record(server.services, server.photographs, "document", files, title=f"Text {number}")


def run(kill: tuple[str, str, str, str] | None, *arguments: object) -> None:
    command = ["-c", KILLED, *kill] if kill else ["-m", "vitrine"]
    done = subprocess.run([sys.executable, *command, *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode == (-signal.SIGKILL if kill else 0), done.stderr.decode()


@pytest.mark.slow
def test_killed_three_times_each_way_nothing_is_lost(tmp_path: Path) -> None:
    check_kills(tmp_path, MANY)


def check_kills(tmp_path: Path, count: int) -> None:
    """Export *count* records and import them, both killed three times."""
    server = Server(tmp_path / "here")
    server.user("ada")
    fill(server, tmp_path / "texts", count)
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE + "\n")
    options = ("--with-credentials", "--passphrase-file", secret, "--json")
    for kill in (*EXPORT_KILLS, None):
        assert not (tmp_path / "bag").exists()
        run(kill, "export", tmp_path / "bag", "--data", tmp_path / "here", *options)
    assert not (tmp_path / "bag.part").exists()
    for kill in (*IMPORT_KILLS, None):
        assert not (tmp_path / "there" / "vitrine.sqlite3").exists()
        run(kill, "import-archive", tmp_path / "bag", "--data", tmp_path / "there", *options)
    assert not (tmp_path / "there" / ".importing").exists()
    there = Settings(data_dir=tmp_path / "there")
    for settings in (server.settings, there):
        assert [finding.state for finding in doctor.compare(settings, tmp_path / "bag", PASSPHRASE)] == [OK]
    assert [finding for finding in doctor.examine(there, deep=True) if finding.state == "fault"] == []
    server.close()


class Killed(BaseException):
    """What no `except` of ours catches."""


def small(folder: Path) -> Path:
    server = Server(folder / "here")
    server.user("ada")
    fill(server, folder / "texts", 3)
    server.close()
    write_bag(server.settings, folder / "bag")
    return folder / "bag"


def test_what_was_copied_to_postgresql_is_not_copied_again(
    tmp_path: Path, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    bag = small(tmp_path)
    there = Settings(data_dir=tmp_path / "there", database_url=postgresql.empty())
    for when in ("before", "after"):

        def copy(source: object, target: object, when: str = when, original: object = copy_rows) -> None:
            if when == "after":
                original(source, target)  # type: ignore[operator]
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(importing, "copy_rows", copy)
            with pytest.raises(Killed):
                import_bag(there, bag)
    import_bag(there, bag)
    assert [finding.state for finding in doctor.compare(there, bag)] == [OK]


def test_an_import_that_was_begun_is_finished_with_the_same_options_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bag, there = small(tmp_path), Settings(data_dir=tmp_path / "there")

    def killed(_self: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(importing._Import, "_place", killed)
        with pytest.raises(Killed):
            import_bag(there, bag)
    with pytest.raises(Conflict, match="run it again to finish it"):
        import_bag(there, bag, invite=True)
    (tmp_path / "there" / "vitrine.sqlite3").touch()  # somebody started a server meanwhile
    with pytest.raises(Conflict, match="Another instance was made"):
        import_bag(there, bag)
    (tmp_path / "there" / "vitrine.sqlite3").unlink()
    import_bag(there, bag)
    assert [finding.state for finding in doctor.compare(there, bag)] == [OK]
