"""vitrine restore: restore a backup into an empty folder, after checking all of it."""

import json
import os
import shutil
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from vitrine.cli import inventory
from vitrine.cli.backup import FORM, KEY, MANIFEST, ROWS, blob_path, copy_rows, listed_blobs
from vitrine.cli.opening import CONFIGURATION, data_option, load
from vitrine.errors import Conflict, Invalid, Unavailable
from vitrine.jobs import store as jobs
from vitrine.media.storage import open_store
from vitrine.platform import migrate
from vitrine.platform.database import Database
from vitrine.settings import Settings

KEPT_SUFFIX = "from-backup"
STAGING = ".restoring"
IGNORED_NAMES = (STAGING, "lost+found")


def read_manifest(source: Path) -> dict[str, Any]:
    """The manifest of a backup (folder or file). Raises Invalid if it is not a backup of Vitrine, or of an unknown
    format."""
    try:
        manifest: dict[str, Any] = json.loads(_manifest_text(source))
    except (OSError, ValueError, KeyError, tarfile.TarError):
        raise Invalid(f"{source} is not a backup: it has no readable {MANIFEST}.", field="source") from None
    if manifest.get("form") != FORM:
        raise Invalid(f"This backup has the form {manifest.get('form')}; this program reads {FORM}.", field="source")
    return manifest


def _manifest_text(source: Path) -> bytes:
    if source.is_dir():
        return (source / MANIFEST).read_bytes()
    with tarfile.open(source) as archive:
        member = archive.extractfile(MANIFEST)
        return member.read() if member is not None else b""


def verify(folder: Path, *, show: bool = True) -> dict[str, Any]:
    """Check every file and document of a backup and return its manifest. Raises Invalid if one is wrong."""
    manifest = read_manifest(folder)
    for name, digest in manifest["files"].items():
        path = folder / Path(name).name
        if not path.is_file() or inventory.file_digest(path) != digest:
            raise Invalid(f"The backup is damaged: {name} has changed.", field="source")
    count = manifest["documents"]["count"]
    count_listed = 0
    with click.progressbar(
        listed_blobs(folder), length=count, label="Checking", show_pos=True, hidden=not show
    ) as blobs:
        for sha256, size in blobs:
            path = blob_path(folder, sha256)
            if not path.is_file() or path.stat().st_size != size or inventory.file_digest(path) != sha256:
                raise Invalid(f"The backup is damaged: the document {sha256} has changed.", field="source")
            count_listed += 1
    if count_listed != count:
        raise Invalid(f"The backup is damaged: it lists {count_listed} documents, not {count}.", field="source")
    return manifest


def run(settings: Settings, source: Path, *, show: bool = True) -> dict[str, Any]:
    """Restore into the folder of *settings*. Raises Conflict (not empty), Invalid (damaged) or Unavailable (disk).

    An existing folder is kept with its owner and mode: it may be a mount, or belong to the server's user. The instance
    is prepared in STAGING below it, on the same file system; the database is moved last, so an instance exists only
    when all of it is in place."""
    data = settings.data_dir
    if data.exists() and any(entry.name not in IGNORED_NAMES for entry in data.iterdir()):
        raise Conflict(f"{data} is not empty; a backup can only be restored into an empty folder.", field="data")
    if settings.database_url:
        _require_empty(settings.database_url)
    staging = data / STAGING
    was_there, is_done = data.exists(), False
    try:
        data.mkdir(mode=0o750, parents=True, exist_ok=True)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        unpacked = _unpack(source, staging)
        manifest = verify(unpacked, show=show)
        _place(settings, unpacked, staging, manifest, moved=unpacked != source)
        shutil.rmtree(staging / "unpacked", ignore_errors=True)
        _set_owner(staging, data)
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
        if not was_there:
            with suppress(OSError):  # not empty: the restore succeeded
                data.rmdir()
    return manifest


def _set_owner(staging: Path, data: Path) -> None:
    """Give everything to the owner of the folder, if root restores for another user."""
    to = data.stat()
    if os.geteuid() != 0 or to.st_uid == 0:
        return
    for path in (staging, *staging.rglob("*")):
        os.chown(path, to.st_uid, to.st_gid, follow_symlinks=False)


def _require_empty(url: str) -> None:
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
            for member in archive:
                _extract(archive, member, into)
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


def _place(settings: Settings, folder: Path, staging: Path, manifest: dict[str, Any], *, moved: bool) -> None:
    for name in manifest["files"]:
        if name in (KEY, ROWS):
            shutil.copyfile(folder / name, staging / name)
            (staging / name).chmod(0o600)
        elif name == CONFIGURATION:
            # It may name the old machine's database: it is kept under another name, for a person to read, and not
            # applied.
            shutil.copyfile(folder / name, staging / f"{CONFIGURATION}.{KEPT_SUFFIX}")
            (staging / f"{CONFIGURATION}.{KEPT_SUFFIX}").chmod(0o600)
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
    _rows(settings, staging)


def _rows(settings: Settings, staging: Path) -> None:
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


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def restore(source: Path, data: Path, as_json: bool) -> None:
    """Restore the backup SOURCE into an empty folder, after checking all of it."""
    manifest = run(load(data), source, show=not as_json)
    if as_json:
        click.echo(json.dumps(manifest))
        return
    click.echo(f"The instance is in {data}; its worker builds the search index when it first starts.")
    if CONFIGURATION in manifest["files"]:
        click.echo(f"Its settings are in {CONFIGURATION}.{KEPT_SUFFIX}: read them, then rename the file.")
    if manifest["documents"]["missing"]:
        click.echo(f"{len(manifest['documents']['missing'])} documents were missing when it was made.", err=True)
