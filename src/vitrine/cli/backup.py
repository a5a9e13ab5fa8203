"""vitrine backup: a complete, checked copy of a running instance. An interrupted backup can be continued.

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
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from vitrine import __version__
from vitrine.cli import inventory
from vitrine.cli.opening import CONFIGURATION, data_option, load
from vitrine.errors import Conflict, NotFound, Unavailable
from vitrine.library.jobs import pause_sweep
from vitrine.media.storage import BlobStore, HasPaths, open_store
from vitrine.platform import migrate
from vitrine.platform.database import Database
from vitrine.schema import metadata
from vitrine.settings import Settings

FORM = 1
MANIFEST, ROWS, BLOBS, KEY = "manifest.json", "vitrine.sqlite3", "blobs.txt", "server.key"
CHUNK = 1 << 20
SWEEP_RESTS = timedelta(hours=2)


@dataclass(slots=True)
class CopyResult:
    """The result of copying documents: their number, their bytes, and the digests of missing or damaged ones."""

    count: int = 0
    size: int = 0
    missing: list[str] = field(default_factory=list)


def make(settings: Settings, target: Path, *, link: bool, show: bool = True) -> dict[str, Any]:
    """Write a backup to *target* and return its manifest. Raises Conflict (the target exists) or Unavailable."""
    if target.exists():
        raise Conflict(f"{target} already exists; choose another name.", field="target")
    is_file = target.suffix == ".tar"
    folder = target.with_name(target.name + ".part")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        manifest = _fill(settings, folder, link=link, show=show)
        if is_file:
            _pack(folder, target)
            shutil.rmtree(folder)
        else:
            folder.rename(target)
            _sync(target.parent)
    except OSError as failure:
        raise Unavailable(
            f"The backup could not be written ({failure.strerror}). Run the same command to continue it.",
            why=f"{type(failure).__name__} {failure.errno}",
        ) from failure
    return manifest


def _fill(settings: Settings, folder: Path, *, link: bool, show: bool) -> dict[str, Any]:
    (folder / MANIFEST).unlink(missing_ok=True)
    database = inventory.open_existing(settings)
    store = open_store(settings.blobs_url, settings.data_dir)
    try:
        revision = inventory.require_newest(database)
        with database.write() as work:
            pause_sweep(work, work.now + SWEEP_RESTS)
        snapshot(database, folder / ROWS)
        copied, contents = _copy_documents(database, store, folder, link=link, show=show)
    finally:
        database.close()
    files = [ROWS, BLOBS]
    for name in (KEY, CONFIGURATION):
        if (settings.data_dir / name).exists():
            _copy_private(settings.data_dir / name, folder / name)
            files.append(name)
    manifest = {
        "form": FORM,
        "version": __version__,
        "revision": revision,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "contents": contents.as_dict(),
        "documents": {"count": copied.count, "bytes": copied.size, "missing": copied.missing},
        "files": {name: inventory.file_digest(folder / name) for name in files},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    for name in (*files, MANIFEST):
        _sync(folder / name)
    return manifest


# -- rows --------------------------------------------------------------------------------------------------------------


def snapshot(database: Database, target: Path) -> None:
    """Copy all rows as of one instant into an SQLite file of the same schema, from either database."""
    for old_file in target.parent.glob(target.name + "*"):
        old_file.unlink()
    target.touch(mode=0o600)
    if database.is_sqlite:
        _snapshot_sqlite(str(database.engine.url.database), target)
    else:
        copy = Database(f"sqlite:///{target}")
        migrate.upgrade(copy)
        copy_rows(database, copy)
        copy.close()
    with sqlite3.connect(target) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        faults = (
            connection.execute("PRAGMA integrity_check").fetchall()
            + connection.execute("PRAGMA foreign_key_check").fetchall()
        )
    connection.close()
    if faults != [("ok",)]:
        raise Conflict("The database is damaged; run vitrine doctor for details.", why=str(faults[:5]))


def _snapshot_sqlite(source: str, target: Path) -> None:
    # All pages in one step: one read transaction, which does not block writers. Several steps would restart at each
    # change and never finish on a busy server.
    reader, writer = sqlite3.connect(source), sqlite3.connect(target)
    try:
        reader.backup(writer, pages=-1)
    except sqlite3.Error as failure:
        raise Unavailable(f"The database could not be copied: {failure}.") from failure
    finally:
        writer.close()
        reader.close()


def copy_rows(source: Database, target: Database) -> None:
    """Copy every row of every table into a database with empty tables."""
    with source.read() as old, target.write() as new:
        if target.is_sqlite:
            new.db.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in metadata.sorted_tables:
            batch: list[dict[str, Any]] = []
            for row in inventory.stream(old, sa.select(table).order_by(*table.primary_key.columns)):
                batch.append(dict(row._mapping))
                if len(batch) >= inventory.BATCH_ROWS:
                    new.db.execute(table.insert(), batch)
                    batch = []
            if batch:
                new.db.execute(table.insert(), batch)
        if not target.is_sqlite:
            for table in metadata.sorted_tables:
                _advance_sequence(new.db, table)


def _advance_sequence(db: sa.Connection, table: sa.Table) -> None:
    """On PostgreSQL a sequence gives the next row's number; copied rows have not advanced it."""
    if [column.name for column in table.primary_key.columns] != ["id"]:
        return
    name = db.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, "id")))
    highest = db.scalar(sa.select(sa.func.max(table.c.id)))
    if name is not None and highest is not None:
        db.execute(sa.select(sa.func.setval(name, highest)))


# -- documents ---------------------------------------------------------------------------------------------------------


def _copy_documents(
    database: Database, store: BlobStore, folder: Path, *, link: bool, show: bool
) -> tuple[CopyResult, inventory.Contents]:
    frozen = Database(f"sqlite:///{folder / ROWS}")
    copied = CopyResult()
    try:
        with frozen.read() as work:
            contents = inventory.contents(work)
            bar = click.progressbar(
                inventory.referenced(work), length=contents.blobs[0], label="Copying", show_pos=True, hidden=not show
            )
            with bar as blobs, (folder / BLOBS).open("w") as names:
                for sha256, _ in blobs:
                    _copy_document(store, folder, sha256, copied, names, link=link)
                    if copied.count % 1000 == 0:
                        with database.write() as sweep_work:
                            pause_sweep(sweep_work, sweep_work.now + SWEEP_RESTS)
    finally:
        frozen.close()
    with sqlite3.connect(folder / ROWS) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    _delete_unlisted(folder)
    return copied, contents


def _copy_document(store: BlobStore, folder: Path, sha256: str, copied: CopyResult, names: Any, *, link: bool) -> None:
    path = blob_path(folder, sha256)
    if not path.exists() or inventory.file_digest(path) != sha256:
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _fetch(store, sha256, path, link=link)
        except NotFound:
            copied.missing.append(sha256)
            return
    copied.count += 1
    copied.size += path.stat().st_size
    names.write(f"{sha256} {path.stat().st_size}\n")


def _fetch(store: BlobStore, sha256: str, path: Path, *, link: bool) -> None:
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


def blob_path(folder: Path, sha256: str) -> Path:
    return folder / "blobs" / sha256[:2] / sha256[2:4] / sha256


def listed_blobs(folder: Path) -> Iterable[tuple[str, int]]:
    with (folder / BLOBS).open() as lines:
        for line in lines:
            sha256, _, size = line.strip().partition(" ")
            yield sha256, int(size)


def _delete_unlisted(folder: Path) -> None:
    """Delete files that an interrupted run copied and that no row names any more."""
    listed_digests = {sha256 for sha256, _ in listed_blobs(folder)}
    for path in (folder / "blobs").rglob("*"):
        if path.is_file() and path.name not in listed_digests:
            path.unlink()


# -- files -------------------------------------------------------------------------------------------------------------


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
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path.name != MANIFEST:
                    archive.add(path, str(path.relative_to(folder)))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--link", is_flag=True, help="Link documents instead of copying them (same file system only).")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def backup(target: Path, link: bool, data: Path, as_json: bool) -> None:
    """Write a checked copy of a running instance to TARGET: a folder, or one file if the name ends in .tar."""
    manifest = make(load(data), target, link=link, show=not as_json)
    documents = manifest["documents"]
    if as_json:
        click.echo(json.dumps(manifest))
    else:
        click.echo(f"{documents['count']} documents ({documents['bytes']} bytes) and all rows are in {target}.")
        click.echo(
            "It contains the server key: anyone who reads it can decrypt the secrets. Protect it.",
            err=True,
        )
    if documents["missing"]:
        raise Conflict(f"{len(documents['missing'])} documents are missing or damaged; vitrine doctor names them.")
