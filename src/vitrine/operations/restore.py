"""Restore: put a backup into an empty folder, after checking all of it."""

import os
import shutil
import tarfile
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from vitrine.errors import Conflict, Invalid, Unavailable
from vitrine.jobs import store as jobs
from vitrine.media.storage import open_store
from vitrine.operations import inventory
from vitrine.operations.configuration import CONFIGURATION
from vitrine.operations.manifest import KEY, ROWS, Manifest, blob_path, listed_blobs, read_manifest
from vitrine.operations.progress import Progress, silent
from vitrine.operations.snapshot import copy_rows
from vitrine.platform import migrate
from vitrine.platform.database import Database
from vitrine.settings import Settings

KEPT_CONFIGURATION = f"{CONFIGURATION}.from-backup"
STAGING = ".restoring"
IGNORED_NAMES = (STAGING, "lost+found")


def verify(folder: Path, *, progress: Progress = silent) -> Manifest:
    """Check every file and document of a backup and return its manifest. Raises Invalid if something is damaged."""
    manifest = read_manifest(folder)
    for name, digest in manifest.files.items():
        path = folder / Path(name).name
        if not path.is_file() or inventory.file_digest(path) != digest:
            raise Invalid(f"The backup is damaged: {name} has changed.", field="source")
    count, count_listed = manifest.documents.count, 0
    with progress("Checking", count) as advance:
        for sha256, size in listed_blobs(folder):
            path = blob_path(folder, sha256)
            if not path.is_file() or path.stat().st_size != size or inventory.file_digest(path) != sha256:
                raise Invalid(f"The backup is damaged: the document {sha256} has changed.", field="source")
            count_listed += 1
            advance(1)
    if count_listed != count:
        raise Invalid(f"The backup is damaged: it lists {count_listed} documents, not {count}.", field="source")
    return manifest


def restore_into(settings: Settings, source: Path, *, progress: Progress = silent) -> Manifest:
    """Restore the backup *source* into the folder of *settings*. Raises Conflict (the folder or the database is not
    empty), Invalid (the backup is damaged) or Unavailable (the disk).

    An existing folder is kept with its owner and mode: it may be a mount, or belong to the server's user. The instance
    is prepared in STAGING below it, on the same file system; the database is moved last, so an instance exists only
    when all of it is in place."""
    data = settings.data_dir
    if data.exists() and any(entry.name not in IGNORED_NAMES for entry in data.iterdir()):
        raise Conflict(f"{data} is not empty; a backup can only be restored into an empty folder.", field="data")
    if settings.database_url:
        require_empty(settings.database_url)
    staging = data / STAGING
    existed, is_done = data.exists(), False
    try:
        data.mkdir(mode=0o750, parents=True, exist_ok=True)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        unpacked = _unpack(source, staging)
        manifest = verify(unpacked, progress=progress)
        _place(settings, unpacked, staging, manifest, moved=unpacked != source)
        shutil.rmtree(staging / "unpacked", ignore_errors=True)
        set_owner(staging, data)
        for entry in sorted(staging.iterdir(), key=lambda path: path.name == ROWS):
            entry.rename(data / entry.name)
        is_done = True
    except OSError as failure:
        raise Unavailable(
            f"The backup could not be restored ({failure.strerror}); nothing was left behind."
        ) from failure
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if not is_done and settings.database_url:
            _drop_tables(settings.database_url)
        if not existed:
            with suppress(OSError):  # not empty: the restore succeeded
                data.rmdir()
    return manifest


def set_owner(staging: Path, data: Path) -> None:
    """Give everything to the owner of the folder, if root restores for another user."""
    owner = data.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    for path in (staging, *staging.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def require_empty(url: str) -> None:
    database = Database(url)
    try:
        with database.read() as work:
            if sa.inspect(work.db).get_table_names():
                raise Conflict("The database that database_url names is not empty.", field="database_url")
    finally:
        database.close()


def _drop_tables(url: str) -> None:
    """Drop the tables in a database that had none when this restore began."""
    database = Database(url)
    try:
        with database.write() as work:
            tables = sa.MetaData()
            tables.reflect(work.db)
            tables.drop_all(work.db)
    finally:
        database.close()


def _unpack(source: Path, staging: Path) -> Path:
    if source.is_dir():
        return source
    into = staging / "unpacked"
    try:
        with tarfile.open(source) as archive:
            while (member := archive.next()) is not None:
                _extract(archive, member, into)
                archive.members = []  # type: ignore[attr-defined]  # it keeps an entry for each document
    except (tarfile.TarError, FileNotFoundError) as failure:
        raise Invalid(f"{source} is not a backup: {failure}.", field="source") from None
    return into


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    """Extract one plain file below *into*. Python's own filter for this came with 3.11.4; Debian 12 has 3.11.2."""
    reader = archive.extractfile(member) if member.isreg() else None
    path = into / member.name
    if reader is None or Path(member.name).is_absolute() or ".." in path.parts:
        raise Invalid(f"The backup contains {member.name!r}, which no backup of ours does.", field="source")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)


def _place(settings: Settings, folder: Path, staging: Path, manifest: Manifest, *, moved: bool) -> None:
    for name in manifest.files:
        if name in (KEY, ROWS):
            shutil.copyfile(folder / name, staging / name)
            (staging / name).chmod(0o600)
        elif name == CONFIGURATION:
            # It may name the old machine's database: it is kept under another name, for a person to read, and not
            # applied.
            shutil.copyfile(folder / name, staging / KEPT_CONFIGURATION)
            (staging / KEPT_CONFIGURATION).chmod(0o600)
    store = open_store(settings.blobs_url, staging)
    for sha256, size in listed_blobs(folder):
        path = blob_path(folder, sha256)
        if moved and not settings.blobs_url:
            final = blob_path(staging, sha256)
            final.parent.mkdir(parents=True, exist_ok=True)
            path.rename(final)
            continue
        with store.spool(path, size) as spooled:
            if spooled.sha256 != sha256:
                raise Invalid(f"The backup changed while it was read: {sha256}.", field="source")
            store.keep(spooled)
    _place_rows(settings, staging)


def _place_rows(settings: Settings, staging: Path) -> None:
    local = Database(f"sqlite:///{staging / ROWS}")
    try:
        migrate.upgrade(local)
        with local.write() as work:  # heartbeats of the old machine's workers do not count here
            jobs.delete_unseen_workers(work, work.now)
        if settings.database_url:
            target = Database(settings.database_url)
            migrate.upgrade(target)
            copy_rows(local, target)
            target.close()
    finally:
        local.close()
    if settings.database_url:
        (staging / ROWS).unlink()
