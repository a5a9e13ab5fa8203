"""Backup: a complete, checked copy of a running instance. An interrupted backup can be continued.

The database is copied as of one instant. The documents that its rows name are copied afterwards: they never change, and
the sweep pauses meanwhile. The target name exists only after everything was checked. See docs/decisions/0032-backup.md
for the format.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from vitrine import __version__
from vitrine.errors import Conflict, NotFound, Unavailable
from vitrine.library.sweep import pause_sweep
from vitrine.media.storage import BlobStore, HasPaths, open_store
from vitrine.operations import inventory
from vitrine.operations.configuration import CONFIGURATION
from vitrine.operations.manifest import (
    BLOBS,
    KEY,
    MANIFEST,
    ROWS,
    CopiedDocuments,
    Manifest,
    blob_path,
    files_below,
    listed_blobs,
)
from vitrine.operations.progress import Progress, silent
from vitrine.operations.snapshot import snapshot
from vitrine.platform.database import Database
from vitrine.settings import Settings

CHUNK = 1 << 20
SWEEP_PAUSE, RENEWED_AFTER = timedelta(hours=2), 1000


@dataclass(slots=True)
class _Copied:
    """What has been copied so far."""

    count: int = 0
    size: int = 0
    missing: list[str] = field(default_factory=list)


def create(settings: Settings, target: Path, *, link: bool = False, progress: Progress = silent) -> Manifest:
    """Write a backup to *target*: a folder, or one file if the name ends in .tar. With *link*, documents are linked
    instead of copied where possible. Raises Conflict (the target exists) or Unavailable."""
    if target.exists():
        raise Conflict(f"{target} already exists; choose another name.", field="target")
    is_file = target.suffix == ".tar"
    folder = target.with_name(target.name + ".part")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        manifest = _fill(settings, folder, link=link, progress=progress)
        if is_file:
            _pack(folder, target)
            shutil.rmtree(folder)
        else:
            folder.rename(target)
            sync(target.parent)
    except OSError as failure:
        raise Unavailable(
            f"The backup could not be written ({failure.strerror}). Run the same command to continue it.",
            why=f"{type(failure).__name__} {failure.errno}",
        ) from failure
    return manifest


def _fill(settings: Settings, folder: Path, *, link: bool, progress: Progress) -> Manifest:
    (folder / MANIFEST).unlink(missing_ok=True)
    database = inventory.open_existing(settings)
    store = open_store(settings.blobs_url, settings.data_dir)
    try:
        revision = inventory.require_newest(database)
        with database.write() as work:
            pause_sweep(work, work.now + SWEEP_PAUSE)
        snapshot(database, folder / ROWS)
        documents, contents = _copy_documents(database, store, folder, link=link, progress=progress)
    finally:
        database.close()
    names = [ROWS, BLOBS, *_copy_private_files(settings.data_dir, folder)]
    created = datetime.now(UTC).isoformat(timespec="seconds")
    digests = {name: inventory.file_digest(folder / name) for name in names}
    manifest = Manifest(__version__, revision, created, contents, documents, digests)
    (folder / MANIFEST).write_text(json.dumps(manifest.as_dict(), indent=2) + "\n")
    for name in (*names, MANIFEST):
        sync(folder / name)
    return manifest


# -- documents ---------------------------------------------------------------------------------------------------------


def _copy_documents(
    database: Database, store: BlobStore, folder: Path, *, link: bool, progress: Progress
) -> tuple[CopiedDocuments, inventory.Contents]:
    frozen = Database(f"sqlite:///{folder / ROWS}")
    copied = _Copied()
    try:
        with frozen.read() as work:
            contents = inventory.contents(work)
            with progress("Copying", contents.blobs[0]) as advance, (folder / BLOBS).open("w") as blob_list:
                for sha256, _ in inventory.referenced(work):
                    _copy_document(store, folder, sha256, copied, blob_list, link=link)
                    advance(1)
                    if copied.count % RENEWED_AFTER == 0:
                        with database.write() as sweep_work:
                            pause_sweep(sweep_work, sweep_work.now + SWEEP_PAUSE)
    finally:
        frozen.close()
    with sqlite3.connect(folder / ROWS) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    _delete_unlisted(folder)
    return CopiedDocuments(copied.count, copied.size, tuple(copied.missing)), contents


def _copy_document(
    store: BlobStore, folder: Path, sha256: str, copied: _Copied, blob_list: TextIO, *, link: bool
) -> None:
    path = blob_path(folder, sha256)
    if not path.exists() or inventory.file_digest(path) != sha256:
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fetch(store, sha256, path, link=link)
        except NotFound:
            copied.missing.append(sha256)
            return
    copied.count += 1
    copied.size += path.stat().st_size
    blob_list.write(f"{sha256} {path.stat().st_size}\n")


def fetch(store: BlobStore, sha256: str, path: Path, *, link: bool) -> None:
    """Copy a document and check its digest. A damaged one counts as missing. Raises NotFound."""
    if link and isinstance(store, HasPaths):
        with suppress(OSError):  # another file system: copied below
            os.link(store.path(sha256), path)
            if inventory.file_digest(path) == sha256:
                return
            path.unlink()
    partial = path.with_suffix(".part")
    digest = hashlib.sha256()
    with store.open(sha256) as reader, partial.open("wb") as writer:
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    if digest.hexdigest() != sha256:
        partial.unlink()
        raise NotFound("The file is damaged in the store.", why=f"blob {sha256}")
    partial.chmod(0o440)
    partial.replace(path)


def _delete_unlisted(folder: Path) -> None:
    """Delete files that an interrupted run copied and that no row names any more. Both the list and the folders are in
    the order of digests, so neither is kept in memory."""
    listed = (sha256 for sha256, _ in listed_blobs(folder))
    current = next(listed, None)
    for path in files_below(folder / "blobs"):
        while current is not None and current < path.name:
            current = next(listed, None)
        if current != path.name:
            path.unlink()


# -- files -------------------------------------------------------------------------------------------------------------


def _copy_private_files(data: Path, folder: Path) -> list[str]:
    """Copy the key and the settings file; return the names of those that exist."""
    names = [name for name in (KEY, CONFIGURATION) if (data / name).exists()]
    for name in names:
        _copy_private(data / name, folder / name)
    return names


def _copy_private(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as writer:
        writer.write(source.read_bytes())


def _pack(folder: Path, target: Path) -> None:
    temporary = target.with_name(target.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.add(folder / MANIFEST, MANIFEST)  # first, so it can be read without the rest
            for path in files_below(folder):
                if path.name != MANIFEST:
                    archive.add(path, str(path.relative_to(folder)))
                    # It keeps an entry and an inode for each document: for reading, and for links among them.
                    archive.members, archive.inodes = [], {}  # type: ignore[attr-defined]
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
    sync(target.parent)


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
