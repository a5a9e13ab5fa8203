"""Backups of running instances: whole, checked, taken up again, restored elsewhere, and the same as doctor sees it."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from vitrine.accounts import User
from vitrine.cli import backup, doctor, inventory, restore
from vitrine.errors import Conflict, Invalid, NotFound, Unavailable
from vitrine.jobs import store as jobs
from vitrine.library.jobs import Sweeper
from vitrine.media.storage import BlobStore
from vitrine.settings import Settings
from vitrine.testing import media_factory as make
from vitrine.testing.postgresql import PostgreSQL
from vitrine.testing.s3 import S3
from vitrine.testing.server import Server


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def filled(server: Server, ada: User, tmp_path: Path) -> Server:
    for n in range(3):
        server.add(make.jpeg(tmp_path / f"{n}.jpg", 320 + n, 240, seed=n), ada)
    server.token(ada)
    return server


def back_up(server: Server, target: Path, *, link: bool = False) -> dict[str, object]:
    return backup.make(server.settings, target, link=link, show=False)


def bring_back(source: Path, data: Path, **settings: str) -> Settings:
    made = Settings(data_dir=data, **settings)  # type: ignore[arg-type]
    restore.run(made, source, show=False)
    return made


def held(settings: Settings) -> inventory.Contents:
    database = inventory.open_as_it_is(settings)
    with database.read() as work:
        found = inventory.contents(work)
    database.close()
    return found


def faults(settings: Settings) -> list[doctor.Finding]:
    return [one for one in doctor.examine(settings, deep=True) if one.state == doctor.FAULT]


@pytest.mark.both_databases
@pytest.mark.both_stores
@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_a_restored_backup_is_the_same_instance(filled: Server, tmp_path: Path, name: str) -> None:
    back_up(filled, tmp_path / name)
    there = bring_back(tmp_path / name, tmp_path / "there")
    assert inventory.differences(held(filled.settings), held(there)) == []
    assert faults(there) == []
    for file in ("server.key", "vitrine.sqlite3"):
        assert (there.data_dir / file).stat().st_mode & 0o777 == 0o600
    assert (there.data_dir / "server.key").read_text() == (filled.settings.data_dir / "server.key").read_text()


def test_documents_and_secrets_work_after_the_move(filled: Server, tmp_path: Path, ada: User) -> None:
    token = filled.token(ada)
    back_up(filled, tmp_path / "copy")
    bring_back(tmp_path / "copy", tmp_path / "there")
    moved = Server.of(tmp_path / "there")
    try:
        moved.work()
        assert moved.get("/search/?query=", token)["available_results"] == 3
        embed = moved.get("/records/1/1/embed/", token)["embed"]
        address = next(one for one in embed if one["name"] == "document")["permalink"]["url"]
        assert moved.http.get(address).status_code == 200
    finally:
        moved.close()


def test_an_instance_moves_from_sqlite_to_postgresql_and_s3(
    filled: Server, tmp_path: Path, postgresql: PostgreSQL, s3: S3, ada: User
) -> None:
    back_up(filled, tmp_path / "copy")
    grown = {"database_url": postgresql.empty(), "blobs_url": s3.bucket()}
    there = bring_back(tmp_path / "copy", tmp_path / "there", **grown)
    assert inventory.differences(held(filled.settings), held(there)) == []
    assert faults(there) == []
    moved = Server.of(tmp_path / "there", **grown)
    try:
        moved.add(make.jpeg(tmp_path / "new.jpg", 400, 300, seed=9), ada, filled.photographs)  # numbers go on
    finally:
        moved.close()
    with pytest.raises(Conflict, match="not empty"):
        bring_back(tmp_path / "copy", tmp_path / "again", **grown)


@pytest.mark.both_databases
def test_a_backup_of_a_busy_server_is_whole(filled: Server, ada: User, tmp_path: Path) -> None:
    stop, added = threading.Event(), []

    def upload() -> None:
        n = 100
        while not stop.is_set():
            added.append(filled.add(make.jpeg(tmp_path / f"{n}.jpg", 320, 240, seed=n), ada))
            n += 1

    uploading = threading.Thread(target=upload)
    uploading.start()
    try:
        while len(added) < 2:
            stop.wait(0.05)
        manifest = back_up(filled, tmp_path / "copy")
        before = len(added)
        while len(added) < before + 1:
            stop.wait(0.05)
    finally:
        stop.set()
        uploading.join()
    there = bring_back(tmp_path / "copy", tmp_path / "there")
    assert faults(there) == []
    assert inventory.differences(held(there), doctor.contents_of(tmp_path / "copy")) == []
    contents = manifest["contents"]
    assert isinstance(contents, dict)
    assert 5 <= contents["tables"]["records"][0] <= before + 4, "one instant of it"


def test_a_document_deleted_meanwhile_is_in_the_backup(
    filled: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep rests while a backup copies what rows of its instant name."""
    copy = backup._copy_documents

    def slow(*args: object, **more: object) -> object:
        with filled.services.database.write() as work:
            work.db.exec_driver_sql("DELETE FROM records")
        assert Sweeper(filled.services.database, filled.services.media).sweep(timedelta(0)) == 0
        return copy(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(backup, "_copy_documents", slow)
    manifest = back_up(filled, tmp_path / "copy")
    assert manifest["documents"]["missing"] == []  # type: ignore[index]


def test_an_interrupted_backup_goes_on_and_has_its_name_only_when_whole(
    filled: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = backup._fetch
    fetched: list[str] = []

    def full(store: BlobStore, sha256: str, path: Path, *, link: bool) -> None:
        if len(fetched) == 4:
            raise OSError(28, "No space left on device")
        fetch(store, sha256, path, link=link)
        fetched.append(sha256)

    monkeypatch.setattr(backup, "_fetch", full)
    with pytest.raises(Unavailable, match="go on"):
        back_up(filled, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    with pytest.raises(Invalid):
        bring_back(tmp_path / "copy.part", tmp_path / "there")
    assert not (tmp_path / "there").exists()
    # One of the four was spoilt by the accident: it is copied again.
    spoilt = backup.place(tmp_path / "copy.part", fetched[0])
    spoilt.chmod(0o600)
    spoilt.write_bytes(b"half")
    monkeypatch.setattr(backup, "_fetch", fetch)
    back_up(filled, tmp_path / "copy")
    assert not (tmp_path / "copy.part").exists()
    assert faults(bring_back(tmp_path / "copy", tmp_path / "there")) == []


def test_a_damaged_backup_is_not_restored(filled: Server, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "copy")
    one = next(path for path in (tmp_path / "copy" / "blobs").rglob("*") if path.is_file())
    for path in (one, tmp_path / "copy" / "vitrine.sqlite3", tmp_path / "copy" / "server.key"):
        whole = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
        with pytest.raises(Invalid, match="damaged"):
            bring_back(tmp_path / "copy", tmp_path / "there")
        assert not (tmp_path / "there").exists()
        path.write_bytes(whole)
    one.unlink()
    with pytest.raises(Invalid, match="damaged"):
        bring_back(tmp_path / "copy", tmp_path / "there")


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside-of-it", "blobs/link"])
def test_an_archive_that_reaches_outside_is_not_unpacked(filled: Server, tmp_path: Path, name: str) -> None:
    back_up(filled, tmp_path / "copy.tar")
    with tarfile.open(tmp_path / "copy.tar", "a") as archive:
        member = tarfile.TarInfo(name)
        if name.endswith("link"):
            member.type, member.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(member)
    with pytest.raises(Invalid, match="no backup of ours"):
        bring_back(tmp_path / "copy.tar", tmp_path / "there")
    assert not (tmp_path / "there").exists()
    assert not (tmp_path / "outside").exists()


def test_nothing_is_overwritten(filled: Server, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "copy")
    with pytest.raises(Conflict):
        back_up(filled, tmp_path / "copy")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "letter.txt").write_text("mine")
    with pytest.raises(Conflict, match="not empty"):
        bring_back(tmp_path / "copy", tmp_path / "there")
    assert [one.name for one in (tmp_path / "there").iterdir()] == ["letter.txt"]


def test_an_existing_folder_is_filled_and_stays_what_it_is(filled: Server, tmp_path: Path) -> None:
    """It may be a mount, the volume of a container, or belong to the server's user: it cannot be replaced."""
    back_up(filled, tmp_path / "copy.tar")
    there = tmp_path / "there"
    (there / "lost+found").mkdir(parents=True)
    (there / ".restoring" / "blobs").mkdir(parents=True)  # a restore that was killed
    there.chmod(0o710)
    before = there.stat()
    settings = bring_back(tmp_path / "copy.tar", there)
    assert (there.stat().st_ino, there.stat().st_mode) == (before.st_ino, before.st_mode)
    assert faults(settings) == []
    assert not (there / ".restoring").exists()
    with pytest.raises(Conflict, match="not empty"):
        bring_back(tmp_path / "copy.tar", there)


def test_a_restore_that_fails_leaves_an_existing_folder_empty(filled: Server, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "copy")
    (tmp_path / "copy" / "server.key").write_text("other")
    (tmp_path / "there").mkdir()
    with pytest.raises(Invalid, match="damaged"):
        bring_back(tmp_path / "copy", tmp_path / "there")
    assert list((tmp_path / "there").iterdir()) == []


def test_a_restore_that_fails_leaves_an_empty_database_for_the_next(
    filled: Server, tmp_path: Path, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(filled, tmp_path / "copy")
    url = postgresql.empty()

    def full(_staging: Path, _data: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(Unavailable, match="nothing was left behind"):
        patched.setattr(restore, "_hand_over", full)
        bring_back(tmp_path / "copy", tmp_path / "there", database_url=url)
    assert not (tmp_path / "there").exists()
    assert faults(bring_back(tmp_path / "copy", tmp_path / "there", database_url=url)) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can restore for somebody else")
def test_what_root_restores_belongs_to_the_owner_of_the_folder(filled: Server, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "copy")
    (tmp_path / "there").mkdir()
    os.chown(tmp_path / "there", 8606, 8607)
    bring_back(tmp_path / "copy", tmp_path / "there")
    owners = {(one.lstat().st_uid, one.lstat().st_gid) for one in (tmp_path / "there").rglob("*")}
    assert owners == {(8606, 8607)}


def test_a_restored_instance_has_no_worker_yet(filled: Server, tmp_path: Path) -> None:
    with filled.services.database.write() as work:
        jobs.record_heartbeat(work, filled.worker.owner, work.now)
    back_up(filled, tmp_path / "copy")
    found = doctor.examine(bring_back(tmp_path / "copy", tmp_path / "there"), deep=False)
    assert [one.state for one in found if one.check == "worker"] == [doctor.WARNING]
    assert not (tmp_path / "there" / "index").exists(), "who only looks leaves nothing behind"


def test_the_old_settings_are_kept_but_not_obeyed(filled: Server, tmp_path: Path) -> None:
    (filled.settings.data_dir / "vitrine.toml").write_text('title = "Old machine"\n')
    back_up(filled, tmp_path / "copy")
    there = bring_back(tmp_path / "copy", tmp_path / "there").data_dir
    assert not (there / "vitrine.toml").exists()
    assert "Old machine" in (there / "vitrine.toml.from-backup").read_text()


def test_linked_documents_take_no_room(filled: Server, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "copy", link=True)
    one = next(path for path in (tmp_path / "copy" / "blobs").rglob("*") if path.is_file())
    assert one.stat().st_nlink == 2


def test_a_missing_document_is_told_and_the_rest_is_kept(filled: Server, tmp_path: Path) -> None:
    gone = next(iter(filled.services.media.store.older_than(timedelta(0))))
    filled.services.media.forget(gone)
    with pytest.raises(NotFound):
        filled.services.media.store.size(gone)
    manifest = back_up(filled, tmp_path / "copy")
    assert manifest["documents"]["missing"] == [gone]  # type: ignore[index]
    assert [one.check for one in faults(bring_back(tmp_path / "copy", tmp_path / "there"))] == ["documents"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")}
    return subprocess.run(
        [sys.executable, "-m", "vitrine", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**kept, **environment},
    )


def test_the_comparison_reads_files_and_does_not_compare_an_instance_with_itself(
    filled: Server, tmp_path: Path, postgresql: PostgreSQL
) -> None:
    back_up(filled, tmp_path / "copy.tar")
    data, there, url = str(filled.settings.data_dir), str(tmp_path / "there"), postgresql.empty()
    moved = run("restore", str(tmp_path / "copy.tar"), "--data", there, VITRINE_DATABASE_URL=url)
    assert moved.returncode == 0, moved.stderr
    same = run("doctor", "--data", there, "--compare", str(tmp_path / "copy.tar"), VITRINE_DATABASE_URL=url)
    assert same.returncode == 0, same.stdout
    with filled.services.database.write() as work:  # the old one goes on
        work.db.exec_driver_sql("DELETE FROM permalinks")
    seen = run("doctor", "--data", there, "--compare", data, "--json", VITRINE_DATABASE_URL=url)
    unlike = [one["state"] for one in json.loads(seen.stdout)["checks"] if one["check"] == "compare"]
    assert unlike == ["fault"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused")
@pytest.mark.parametrize("command", ["doctor", "worker", "serve", "migrate", "reindex"])
def test_root_does_not_write_into_somebody_elses_instance(tmp_path: Path, command: str) -> None:
    """What root writes there could not be read by the server any more."""
    os.chown(tmp_path, 8606, 8606)
    refused = run(command, "--data", str(tmp_path))
    assert refused.returncode == 1
    assert "runuser -u" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_commands_end_with_a_status(filled: Server, tmp_path: Path) -> None:
    data, there = str(filled.settings.data_dir), str(tmp_path / "there")
    made = run("backup", str(tmp_path / "copy"), "--data", data)
    assert made.returncode == 0, made.stderr
    assert "server key" in made.stderr
    assert run("restore", str(tmp_path / "copy"), "--data", there).returncode == 0
    seen = run("doctor", "--data", there, "--compare", data, "--json")
    assert seen.returncode == 0, seen.stdout
    assert json.loads(seen.stdout)["ok"] is True
    shutil.rmtree(tmp_path / "there" / "blobs")
    broken = run("doctor", "--data", there, "--json")
    assert broken.returncode == 1
    assert {"documents"} == {one["check"] for one in json.loads(broken.stdout)["checks"] if one["state"] == "fault"}
    assert run("doctor", "--data", str(tmp_path / "nowhere")).returncode == 1
    assert run("restore", str(tmp_path / "copy"), "--data", data).returncode == 1
