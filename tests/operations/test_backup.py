"""Backups of running instances: complete, checked, continued, restored elsewhere, and equal according to doctor."""

import json
import os
import shutil
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from vitrine.accounts import User
from vitrine.errors import Conflict, Invalid, NotFound, Unavailable
from vitrine.jobs import store as jobs
from vitrine.library.sweep import Sweeper
from vitrine.library.tables import records
from vitrine.media.storage import BlobStore
from vitrine.operations import backup, doctor, inventory, manifest, restore
from vitrine.operations import findings as reports
from vitrine.operations.findings import WARNING, Finding
from vitrine.operations.manifest import Manifest
from vitrine.operations.progress import Advance
from vitrine.settings import Settings
from vitrine.testing import media_factory as make
from vitrine.testing.postgresql import PostgreSQL
from vitrine.testing.s3 import S3
from vitrine.testing.server import Server
from vitrine.testing.shell import vitrine


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def filled(server: Server, ada: User, tmp_path: Path) -> Server:
    for n in range(3):
        server.add(make.jpeg(tmp_path / f"{n}.jpg", 320 + n, 240, seed=n), ada)
    server.token(ada)
    return server


def back_up(server: Server, target: Path, *, link: bool = False) -> Manifest:
    return backup.create(server.settings, target, link=link)


def restore_to(source: Path, data: Path, **settings: str) -> Settings:
    target = Settings(data_dir=data, **settings)  # type: ignore[arg-type]
    restore.restore_into(target, source)
    return target


def instance_contents(settings: Settings) -> inventory.Contents:
    database = inventory.open_existing(settings)
    with database.read() as work:
        contents = inventory.contents(work)
    database.close()
    return contents


def faults(settings: Settings) -> list[Finding]:
    return reports.faults(doctor.examine(settings, deep=True))


@pytest.mark.both_databases
@pytest.mark.both_stores
@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_a_restored_backup_is_the_same_instance(filled: Server, tmp_path: Path, name: str) -> None:
    back_up(filled, tmp_path / name)
    restored = restore_to(tmp_path / name, tmp_path / "there")
    assert inventory.differences(instance_contents(filled.settings), instance_contents(restored)) == []
    assert faults(restored) == []
    for file in ("server.key", "vitrine.sqlite3"):
        assert (restored.data_dir / file).stat().st_mode & 0o777 == 0o600
    assert (restored.data_dir / "server.key").read_text() == (filled.settings.data_dir / "server.key").read_text()


def test_documents_and_secrets_work_after_the_move(filled: Server, tmp_path: Path, ada: User) -> None:
    token = filled.token(ada)
    back_up(filled, tmp_path / "copy")
    restore_to(tmp_path / "copy", tmp_path / "there")
    restored = Server.of(tmp_path / "there")
    try:
        restored.work()
        assert restored.get("/search/?query=", token)["available_results"] == 3
        embed = restored.get("/records/1/1/embed/", token)["embed"]
        address = next(rendition for rendition in embed if rendition["name"] == "document")["permalink"]["url"]
        assert restored.http.get(address).status_code == 200
    finally:
        restored.close()


def test_an_instance_moves_from_sqlite_to_postgresql_and_s3(
    filled: Server, tmp_path: Path, postgresql: PostgreSQL, s3: S3, ada: User
) -> None:
    back_up(filled, tmp_path / "copy")
    external = {"database_url": postgresql.empty(), "blobs_url": s3.bucket()}
    restored = restore_to(tmp_path / "copy", tmp_path / "there", **external)
    assert inventory.differences(instance_contents(filled.settings), instance_contents(restored)) == []
    assert faults(restored) == []
    restored_server = Server.of(tmp_path / "there", **external)
    try:
        restored_server.add(
            make.jpeg(tmp_path / "new.jpg", 400, 300, seed=9), ada, filled.photographs
        )  # numbering continues
    finally:
        restored_server.close()
    with pytest.raises(Conflict, match="not empty"):
        restore_to(tmp_path / "copy", tmp_path / "again", **external)


@pytest.mark.both_databases
def test_a_story_whose_cover_is_a_later_record_is_restored(
    filled: Server, tmp_path: Path, postgresql: PostgreSQL
) -> None:
    with filled.services.database.write() as work:
        work.db.execute(records.update().where(records.c.id == 1).values(is_story=True, cover_record_id=3))
    back_up(filled, tmp_path / "copy")
    external = {"database_url": postgresql.empty()} if filled.settings.database_url else {}
    restored = restore_to(tmp_path / "copy", tmp_path / "there", **external)
    assert inventory.differences(instance_contents(filled.settings), instance_contents(restored)) == []
    assert faults(restored) == []


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
        written = back_up(filled, tmp_path / "copy")
        before = len(added)
        while len(added) < before + 1:
            stop.wait(0.05)
    finally:
        stop.set()
        uploading.join()
    restored = restore_to(tmp_path / "copy", tmp_path / "there")
    assert faults(restored) == []
    assert inventory.differences(instance_contents(restored), doctor.contents_of(tmp_path / "copy")) == []
    assert 5 <= written.contents.tables["records"][0] <= before + 4, "one instant of it"


def test_a_document_deleted_meanwhile_is_in_the_backup(
    filled: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep pauses while a backup copies the documents of its snapshot."""
    copy = backup._copy_documents

    def slow(*args: object, **options: object) -> object:
        with filled.services.database.write() as work:
            work.db.exec_driver_sql("DELETE FROM records")
        assert Sweeper(filled.services.database, filled.services.media).sweep(timedelta(0)) == 0
        return copy(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(backup, "_copy_documents", slow)
    assert back_up(filled, tmp_path / "copy").documents.missing == ()


def test_an_interrupted_backup_goes_on_and_has_its_name_only_when_whole(
    filled: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = backup.fetch
    fetched: list[str] = []

    def full(store: BlobStore, sha256: str, path: Path, *, link: bool) -> None:
        if len(fetched) == 4:
            raise OSError(28, "No space left on device")
        fetch(store, sha256, path, link=link)
        fetched.append(sha256)

    monkeypatch.setattr(backup, "fetch", full)
    with pytest.raises(Unavailable, match="continue"):
        back_up(filled, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    with pytest.raises(Invalid):
        restore_to(tmp_path / "copy.part", tmp_path / "there")
    assert not (tmp_path / "there").exists()
    # One of the four files is damaged, so it is copied again.
    spoilt = manifest.blob_path(tmp_path / "copy.part", fetched[0])
    spoilt.chmod(0o600)
    spoilt.write_bytes(b"half")
    monkeypatch.setattr(backup, "fetch", fetch)
    back_up(filled, tmp_path / "copy")
    assert not (tmp_path / "copy.part").exists()
    assert faults(restore_to(tmp_path / "copy", tmp_path / "there")) == []


def test_a_damaged_backup_is_not_restored(filled: Server, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "copy")
    document = next(path for path in (tmp_path / "copy" / "blobs").rglob("*") if path.is_file())
    for path in (document, tmp_path / "copy" / "vitrine.sqlite3", tmp_path / "copy" / "server.key"):
        content = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
        with pytest.raises(Invalid, match="damaged"):
            restore_to(tmp_path / "copy", tmp_path / "there")
        assert not (tmp_path / "there").exists()
        path.write_bytes(content)
    document.unlink()
    with pytest.raises(Invalid, match="damaged"):
        restore_to(tmp_path / "copy", tmp_path / "there")


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside-of-it", "blobs/link"])
def test_an_archive_that_reaches_outside_is_not_unpacked(filled: Server, tmp_path: Path, name: str) -> None:
    back_up(filled, tmp_path / "copy.tar")
    with tarfile.open(tmp_path / "copy.tar", "a") as archive:
        member = tarfile.TarInfo(name)
        if name.endswith("link"):
            member.type, member.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(member)
    with pytest.raises(Invalid, match="no backup of ours"):
        restore_to(tmp_path / "copy.tar", tmp_path / "there")
    assert not (tmp_path / "there").exists()
    assert not (tmp_path / "outside").exists()


def test_nothing_is_overwritten(filled: Server, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "copy")
    with pytest.raises(Conflict):
        back_up(filled, tmp_path / "copy")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "notes.txt").write_text("other")
    with pytest.raises(Conflict, match="not empty"):
        restore_to(tmp_path / "copy", tmp_path / "there")
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["notes.txt"]


def test_an_existing_folder_is_filled_and_stays_what_it_is(filled: Server, tmp_path: Path) -> None:
    """It may be a mount or a container's volume, or belong to the server's user, so it cannot be replaced."""
    back_up(filled, tmp_path / "copy.tar")
    folder = tmp_path / "there"
    (folder / "lost+found").mkdir(parents=True)
    (folder / ".restoring" / "blobs").mkdir(parents=True)  # a restore that was killed
    folder.chmod(0o710)
    before = folder.stat()
    settings = restore_to(tmp_path / "copy.tar", folder)
    assert (folder.stat().st_ino, folder.stat().st_mode) == (before.st_ino, before.st_mode)
    assert faults(settings) == []
    assert not (folder / ".restoring").exists()
    with pytest.raises(Conflict, match="not empty"):
        restore_to(tmp_path / "copy.tar", folder)


def test_a_restore_that_fails_leaves_an_existing_folder_empty(filled: Server, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "copy")
    (tmp_path / "copy" / "server.key").write_text("other")
    (tmp_path / "there").mkdir()
    with pytest.raises(Invalid, match="damaged"):
        restore_to(tmp_path / "copy", tmp_path / "there")
    assert list((tmp_path / "there").iterdir()) == []


def test_a_restore_that_fails_leaves_an_empty_database_for_the_next(
    filled: Server, tmp_path: Path, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(filled, tmp_path / "copy")
    url = postgresql.empty()

    def full(_staging: Path, _data: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(Unavailable, match="nothing was left behind"):
        patched.setattr(restore, "set_owner", full)
        restore_to(tmp_path / "copy", tmp_path / "there", database_url=url)
    assert not (tmp_path / "there").exists()
    assert faults(restore_to(tmp_path / "copy", tmp_path / "there", database_url=url)) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can restore for somebody else")
def test_what_root_restores_belongs_to_the_owner_of_the_folder(filled: Server, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "copy")
    (tmp_path / "there").mkdir()
    os.chown(tmp_path / "there", 8606, 8607)
    restore_to(tmp_path / "copy", tmp_path / "there")
    owners = {(path.lstat().st_uid, path.lstat().st_gid) for path in (tmp_path / "there").rglob("*")}
    assert owners == {(8606, 8607)}


def test_a_restored_instance_has_no_worker_yet(filled: Server, tmp_path: Path) -> None:
    with filled.services.database.write() as work:
        jobs.record_heartbeat(work, filled.worker.owner, work.now)
    back_up(filled, tmp_path / "copy")
    findings = doctor.examine(restore_to(tmp_path / "copy", tmp_path / "there"), deep=False)
    assert [finding.state for finding in findings if finding.check == "worker"] == [WARNING]
    assert not (tmp_path / "there" / "index").exists(), "a check leaves nothing behind"


def test_the_old_settings_are_kept_but_not_obeyed(filled: Server, tmp_path: Path) -> None:
    (filled.settings.data_dir / "vitrine.toml").write_text('title = "Old machine"\n')
    back_up(filled, tmp_path / "copy")
    folder = restore_to(tmp_path / "copy", tmp_path / "there").data_dir
    assert not (folder / "vitrine.toml").exists()
    assert "Old machine" in (folder / "vitrine.toml.from-backup").read_text()


class Recorder:
    """A `Progress` that remembers what it was told."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, int, int]] = []

    @contextmanager
    def __call__(self, label: str, total: int, /) -> Iterator[Advance]:
        steps: list[int] = []
        try:
            yield steps.append
        finally:
            self.parts.append((label, total, sum(steps)))


def test_progress_counts_every_document(filled: Server, tmp_path: Path) -> None:
    recorder = Recorder()
    manifest = backup.create(filled.settings, tmp_path / "copy", progress=recorder)
    count = manifest.documents.count
    assert count > 10
    restore.restore_into(Settings(data_dir=tmp_path / "there"), tmp_path / "copy", progress=recorder)
    assert recorder.parts == [("Copying", count, count), ("Checking", count, count)]


def test_progress_ends_when_the_operation_fails(filled: Server, tmp_path: Path) -> None:
    """A command's bar must not stay on the line of the refusal."""
    recorder = Recorder()
    back_up(filled, tmp_path / "copy")
    documents = sorted(path for path in (tmp_path / "copy" / "blobs").rglob("*") if path.is_file())
    documents[2].unlink()
    with pytest.raises(Invalid, match="damaged"):
        restore.restore_into(Settings(data_dir=tmp_path / "there"), tmp_path / "copy", progress=recorder)
    assert recorder.parts == [("Checking", len(documents), 2)]


def test_linked_documents_take_no_room(filled: Server, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "copy", link=True)
    document = next(path for path in (tmp_path / "copy" / "blobs").rglob("*") if path.is_file())
    assert document.stat().st_nlink == 2


def test_a_missing_document_is_told_and_the_rest_is_kept(filled: Server, tmp_path: Path) -> None:
    digest = next(iter(filled.services.media.store.older_than(timedelta(0))))
    filled.services.media.delete_blob(digest)
    with pytest.raises(NotFound):
        filled.services.media.store.size(digest)
    assert back_up(filled, tmp_path / "copy").documents.missing == (digest,)
    assert [finding.check for finding in faults(restore_to(tmp_path / "copy", tmp_path / "there"))] == ["documents"]


def test_the_comparison_reads_files_and_does_not_compare_an_instance_with_itself(
    filled: Server, tmp_path: Path, postgresql: PostgreSQL
) -> None:
    back_up(filled, tmp_path / "copy.tar")
    data, restored_data, url = str(filled.settings.data_dir), str(tmp_path / "there"), postgresql.empty()
    restore_run = vitrine("restore", str(tmp_path / "copy.tar"), "--data", restored_data, VITRINE_DATABASE_URL=url)
    assert restore_run.returncode == 0, restore_run.stderr
    unchanged = vitrine(
        "doctor", "--data", restored_data, "--compare", str(tmp_path / "copy.tar"), VITRINE_DATABASE_URL=url
    )
    assert unchanged.returncode == 0, unchanged.stdout
    with filled.services.database.write() as work:  # the old instance continues
        work.db.exec_driver_sql("DELETE FROM permalinks")
    comparison = vitrine("doctor", "--data", restored_data, "--compare", data, "--json", VITRINE_DATABASE_URL=url)
    states = [check["state"] for check in json.loads(comparison.stdout)["checks"] if check["check"] == "compare"]
    assert states == ["fault"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused")
@pytest.mark.parametrize("command", ["doctor", "worker", "serve", "migrate", "reindex"])
def test_root_does_not_write_into_somebody_elses_instance(tmp_path: Path, command: str) -> None:
    """The server could not read the files that root writes."""
    os.chown(tmp_path, 8606, 8606)
    refused = vitrine(command, "--data", str(tmp_path))
    assert refused.returncode == 1
    assert "runuser -u" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_commands_end_with_a_status(filled: Server, tmp_path: Path) -> None:
    data, restored_data = str(filled.settings.data_dir), str(tmp_path / "there")
    backup_run = vitrine("backup", str(tmp_path / "copy"), "--data", data)
    assert backup_run.returncode == 0, backup_run.stderr
    assert "server key" in backup_run.stderr
    assert vitrine("restore", str(tmp_path / "copy"), "--data", restored_data).returncode == 0
    comparison = vitrine("doctor", "--data", restored_data, "--compare", data, "--json")
    assert comparison.returncode == 0, comparison.stdout
    assert json.loads(comparison.stdout)["ok"] is True
    shutil.rmtree(tmp_path / "there" / "blobs")
    damaged = vitrine("doctor", "--data", restored_data, "--json")
    assert damaged.returncode == 1
    assert {"documents"} == {
        check["check"] for check in json.loads(damaged.stdout)["checks"] if check["state"] == "fault"
    }
    assert vitrine("doctor", "--data", str(tmp_path / "nowhere")).returncode == 1
    assert vitrine("restore", str(tmp_path / "copy"), "--data", data).returncode == 1
