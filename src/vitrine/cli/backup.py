"""vitrine backup: a copy of a running instance that is whole, checked, and can be taken up again when interrupted.

The database is copied as it is at one instant; the documents that its rows name are copied afterwards, since they never
change and the sweep rests meanwhile. Nothing stands under the name asked for before everything was checked.
See docs/decisions/0032-backup.md for the form.
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
from vitrine.library.jobs import rest_sweep
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
class Copied:
    """What became of the documents: how many, their bytes, and the digests of those that are missing or damaged."""

    many: int = 0
    size: int = 0
    missing: list[str] = field(default_factory=list)


def make(settings: Settings, target: Path, *, link: bool, show: bool = True) -> dict[str, Any]:
    """Write a backup to *target* and return its manifest. Raises Conflict (something is there) or Unavailable."""
    if target.exists():
        raise Conflict(f"{target} is there already; choose another name.", field="target")
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
            f"The backup could not be written ({failure.strerror}). Run the same command to go on with it.",
            why=f"{type(failure).__name__} {failure.errno}",
        ) from failure
    return manifest


def _fill(settings: Settings, folder: Path, *, link: bool, show: bool) -> dict[str, Any]:
    (folder / MANIFEST).unlink(missing_ok=True)
    database = inventory.open_as_it_is(settings)
    store = open_store(settings.blobs_url, settings.data_dir)
    try:
        revision = inventory.require_newest(database)
        with database.write() as work:
            rest_sweep(work, work.now + SWEEP_RESTS)
        snapshot(database, folder / ROWS)
        copied, held = _copy_documents(database, store, folder, link=link, show=show)
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
        "contents": held.as_dict(),
        "documents": {"count": copied.many, "bytes": copied.size, "missing": copied.missing},
        "files": {name: inventory.file_digest(folder / name) for name in files},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    for name in (*files, MANIFEST):
        _sync(folder / name)
    return manifest


# -- rows --------------------------------------------------------------------------------------------------------------


def snapshot(database: Database, target: Path) -> None:
    """All rows at one instant, as an SQLite file of the same schema, whatever database they come from."""
    for stale in target.parent.glob(target.name + "*"):
        stale.unlink()
    target.touch(mode=0o600)
    if database.is_sqlite:
        _snapshot_sqlite(str(database.engine.url.database), target)
    else:
        copy = Database(f"sqlite:///{target}")
        migrate.upgrade(copy)
        copy_rows(database, copy)
        copy.close()
    with sqlite3.connect(target) as check:
        check.execute("PRAGMA journal_mode=DELETE")
        faults = (
            check.execute("PRAGMA integrity_check").fetchall() + check.execute("PRAGMA foreign_key_check").fetchall()
        )
    check.close()
    if faults != [("ok",)]:
        raise Conflict("The database is damaged; vitrine doctor says more.", why=str(faults[:5]))


def _snapshot_sqlite(source: str, target: Path) -> None:
    # All pages in one step: one read transaction, during which writers go on. Several steps would begin anew at each
    # change and never end on a busy server.
    reader, writer = sqlite3.connect(source), sqlite3.connect(target)
    try:
        reader.backup(writer, pages=-1)
    except sqlite3.Error as failure:
        raise Unavailable(f"The database could not be copied: {failure}.") from failure
    finally:
        writer.close()
        reader.close()


def copy_rows(source: Database, target: Database) -> None:
    """Every row of every table, into a database that has the tables and nothing in them."""
    with source.read() as old, target.write() as new:
        if target.is_sqlite:
            new.db.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in metadata.sorted_tables:
            batch: list[dict[str, Any]] = []
            for row in inventory.stream(old, sa.select(table).order_by(*table.primary_key.columns)):
                batch.append(dict(row._mapping))
                if len(batch) >= inventory.AT_ONCE:
                    new.db.execute(table.insert(), batch)
                    batch = []
            if batch:
                new.db.execute(table.insert(), batch)
        if not target.is_sqlite:
            for table in metadata.sorted_tables:
                _go_on_counting(new.db, table)


def _go_on_counting(db: sa.Connection, table: sa.Table) -> None:
    """On PostgreSQL the next row's number comes from a sequence, which copied rows have not moved."""
    if [one.name for one in table.primary_key.columns] != ["id"]:
        return
    name = db.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, "id")))
    highest = db.scalar(sa.select(sa.func.max(table.c.id)))
    if name is not None and highest is not None:
        db.execute(sa.select(sa.func.setval(name, highest)))


# -- documents ---------------------------------------------------------------------------------------------------------


def _copy_documents(
    database: Database, store: BlobStore, folder: Path, *, link: bool, show: bool
) -> tuple[Copied, inventory.Contents]:
    frozen = Database(f"sqlite:///{folder / ROWS}")
    copied = Copied()
    try:
        with frozen.read() as work:
            held = inventory.contents(work)
            wanted = click.progressbar(
                inventory.referenced(work), length=held.blobs[0], label="Copying", show_pos=True, hidden=not show
            )
            with wanted as every, (folder / BLOBS).open("w") as names:
                for sha256, _ in every:
                    _copy_document(store, folder, sha256, copied, names, link=link)
                    if copied.many % 1000 == 0:
                        with database.write() as later:
                            rest_sweep(later, later.now + SWEEP_RESTS)
    finally:
        frozen.close()
    with sqlite3.connect(folder / ROWS) as plain:
        plain.execute("PRAGMA journal_mode=DELETE")
    plain.close()
    _drop_others(folder)
    return copied, held


def _copy_document(store: BlobStore, folder: Path, sha256: str, copied: Copied, names: Any, *, link: bool) -> None:
    path = place(folder, sha256)
    if not path.exists() or inventory.file_digest(path) != sha256:
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _fetch(store, sha256, path, link=link)
        except NotFound:
            copied.missing.append(sha256)
            return
    copied.many += 1
    copied.size += path.stat().st_size
    names.write(f"{sha256} {path.stat().st_size}\n")


def _fetch(store: BlobStore, sha256: str, path: Path, *, link: bool) -> None:
    """Copy a document and digest it on the way; a damaged one is missing. Raises NotFound."""
    if link and isinstance(store, HasPaths):
        with suppress(OSError):  # another file system: copied below
            os.link(store.path(sha256), path)
            if inventory.file_digest(path) == sha256:
                return
            path.unlink()
    fresh = path.with_suffix(".part")
    digest = hashlib.sha256()
    with store.open(sha256) as reader, fresh.open("wb") as writer:
        while piece := reader.read(CHUNK):
            digest.update(piece)
            writer.write(piece)
        writer.flush()
        os.fsync(writer.fileno())
    if digest.hexdigest() != sha256:
        fresh.unlink()
        raise NotFound("The file is damaged in the store.", why=f"blob {sha256}")
    fresh.chmod(0o440)
    fresh.replace(path)


def place(folder: Path, sha256: str) -> Path:
    return folder / "blobs" / sha256[:2] / sha256[2:4] / sha256


def listed(folder: Path) -> Iterable[tuple[str, int]]:
    with (folder / BLOBS).open() as lines:
        for line in lines:
            sha256, _, size = line.strip().partition(" ")
            yield sha256, int(size)


def _drop_others(folder: Path) -> None:
    """What an interrupted run copied and no row names any more."""
    every = {sha256 for sha256, _ in listed(folder)}
    for path in (folder / "blobs").rglob("*"):
        if path.is_file() and path.name not in every:
            path.unlink()


# -- files -------------------------------------------------------------------------------------------------------------


def _copy_private(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as writer:
        writer.write(source.read_bytes())


def _pack(folder: Path, target: Path) -> None:
    fresh = target.with_name(target.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.add(folder / MANIFEST, MANIFEST)  # first, so that it can be read without the rest
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path.name != MANIFEST:
                    archive.add(path, str(path.relative_to(folder)))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--link", is_flag=True, help="Link documents instead of copying them, on the same file system.")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def backup(target: Path, link: bool, data: Path, as_json: bool) -> None:
    """Write a checked copy of a running instance to TARGET: a folder, or one file when the name ends in .tar."""
    manifest = make(load(data), target, link=link, show=not as_json)
    documents = manifest["documents"]
    if as_json:
        click.echo(json.dumps(manifest))
    else:
        click.echo(f"{documents['count']} documents ({documents['bytes']} bytes) and all rows are in {target}.")
        click.echo("It holds the server key: whoever reads it can open the secrets. Keep it closed.", err=True)
    if documents["missing"]:
        raise Conflict(f"{len(documents['missing'])} documents are missing or damaged; vitrine doctor names them.")
