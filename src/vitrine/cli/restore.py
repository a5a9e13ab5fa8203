"""vitrine restore: an instance out of a backup, into an empty folder, after everything in it was checked."""

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
from vitrine.cli.backup import FORM, KEY, MANIFEST, ROWS, copy_rows, listed, place
from vitrine.cli.opening import CONFIGURATION, data_option, load
from vitrine.errors import Conflict, Invalid, Unavailable
from vitrine.jobs import store as jobs
from vitrine.media.storage import open_store
from vitrine.platform import migrate
from vitrine.platform.database import Database
from vitrine.settings import Settings

WAS = "from-backup"
STAGING = ".restoring"
OVERLOOKED = (STAGING, "lost+found")


def read_manifest(place: Path) -> dict[str, Any]:
    """The manifest of a backup, a folder or one file. Raises Invalid for what is no backup of ours, or of a form that
    this program does not know."""
    try:
        manifest: dict[str, Any] = json.loads(_manifest_text(place))
    except (OSError, ValueError, KeyError, tarfile.TarError):
        raise Invalid(f"{place} is not a backup: it has no readable {MANIFEST}.", field="source") from None
    if manifest.get("form") != FORM:
        raise Invalid(f"This backup has the form {manifest.get('form')}; this program reads {FORM}.", field="source")
    return manifest


def _manifest_text(place: Path) -> bytes:
    if place.is_dir():
        return (place / MANIFEST).read_bytes()
    with tarfile.open(place) as archive:
        member = archive.extractfile(MANIFEST)
        return member.read() if member is not None else b""


def verify(folder: Path, *, show: bool = True) -> dict[str, Any]:
    """The manifest, when every file and every document is what it says. Raises Invalid otherwise."""
    manifest = read_manifest(folder)
    for name, digest in manifest["files"].items():
        path = folder / Path(name).name
        if not path.is_file() or inventory.file_digest(path) != digest:
            raise Invalid(f"The backup is damaged: {name} is not what it was.", field="source")
    count = manifest["documents"]["count"]
    seen = 0
    with click.progressbar(listed(folder), length=count, label="Checking", show_pos=True, hidden=not show) as every:
        for sha256, size in every:
            path = place(folder, sha256)
            if not path.is_file() or path.stat().st_size != size or inventory.file_digest(path) != sha256:
                raise Invalid(f"The backup is damaged: the document {sha256} is not what it was.", field="source")
            seen += 1
    if seen != count:
        raise Invalid(f"The backup is damaged: it lists {seen} documents, not {count}.", field="source")
    return manifest


def run(settings: Settings, source: Path, *, show: bool = True) -> dict[str, Any]:
    """Restore into the folder of *settings*. Raises Conflict (not empty), Invalid (damaged) or Unavailable (disk).

    A folder that is there already is kept, with its owner and mode: it may be a mount, or belong to the server's user.
    What is in the making stands in STAGING below it, on the same file system; the database comes out of there last, so
    that there is an instance only when all of it is in its place."""
    data = settings.data_dir
    if data.exists() and any(one.name not in OVERLOOKED for one in data.iterdir()):
        raise Conflict(f"{data} is not empty; a backup is restored into an empty folder only.", field="data")
    if settings.database_url:
        _require_empty(settings.database_url)
    staging = data / STAGING
    was_there, done = data.exists(), False
    try:
        data.mkdir(mode=0o750, parents=True, exist_ok=True)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        unpacked = _unpacked(source, staging)
        manifest = verify(unpacked, show=show)
        _place(settings, unpacked, staging, manifest, moved=unpacked != source)
        shutil.rmtree(staging / "unpacked", ignore_errors=True)
        _hand_over(staging, data)
        for one in sorted(staging.iterdir(), key=lambda one: one.name == ROWS):
            one.rename(data / one.name)
        done = True
    except OSError as failure:
        raise Unavailable(
            f"The backup could not be restored ({failure.strerror}); nothing was left behind."
        ) from failure
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if not done and settings.database_url:
            _emptied(settings.database_url)
        if not was_there:
            with suppress(OSError):  # not empty: it was restored
                data.rmdir()
    return manifest


def _hand_over(staging: Path, data: Path) -> None:
    """Everything to the owner of the folder, when root restores for somebody else."""
    to = data.stat()
    if os.geteuid() != 0 or to.st_uid == 0:
        return
    for one in (staging, *staging.rglob("*")):
        os.chown(one, to.st_uid, to.st_gid, follow_symlinks=False)


def _require_empty(url: str) -> None:
    database = Database(url)
    try:
        with database.read() as work:
            if sa.inspect(work.db).get_table_names():
                raise Conflict("The database that database_url names is not empty.", field="database_url")
    finally:
        database.close()


def _emptied(url: str) -> None:
    """Take the tables away again, in a database that had none when this restore began."""
    database = Database(url)
    try:
        with database.write() as work:
            there = sa.MetaData()
            there.reflect(work.db)
            there.drop_all(work.db)
    finally:
        database.close()


def _unpacked(source: Path, staging: Path) -> Path:
    if source.is_dir():
        return source
    into = staging / "unpacked"
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                _take_out(archive, member, into)
    except (tarfile.TarError, FileNotFoundError) as failure:
        raise Invalid(f"{source} is not a backup: {failure}.", field="source") from None
    return into


def _take_out(archive: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    """One plain file below *into*. Python's own filter for this came with 3.11.4, and Debian 12 has 3.11.2."""
    reader = archive.extractfile(member) if member.isreg() else None
    path = into / member.name
    if reader is None or Path(member.name).is_absolute() or ".." in path.parts:
        raise Invalid(f"The backup holds {member.name!r}, which no backup of ours does.", field="source")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)


def _place(settings: Settings, folder: Path, staging: Path, manifest: dict[str, Any], *, moved: bool) -> None:
    for name in manifest["files"]:
        if name in (KEY, ROWS):
            shutil.copyfile(folder / name, staging / name)
            (staging / name).chmod(0o600)
        elif name == CONFIGURATION:
            # It may name the old machine's database: it is kept beside, for a person to read, and not obeyed.
            shutil.copyfile(folder / name, staging / f"{CONFIGURATION}.{WAS}")
            (staging / f"{CONFIGURATION}.{WAS}").chmod(0o600)
    store = open_store(settings.blobs_url, staging)
    for sha256, size in listed(folder):
        path = place(folder, sha256)
        if moved and not settings.blobs_url:
            final = place(staging, sha256)
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
        with local.write() as work:  # nobody works here yet, whoever showed themselves there
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
    """Make an instance in an empty folder out of the backup SOURCE, after checking all of it."""
    manifest = run(load(data), source, show=not as_json)
    if as_json:
        click.echo(json.dumps(manifest))
        return
    click.echo(f"The instance is in {data}; its worker builds the search index at its first start.")
    if CONFIGURATION in manifest["files"]:
        click.echo(f"Its settings stand in {CONFIGURATION}.{WAS}: read them, then rename the file.")
    if manifest["documents"]["missing"]:
        click.echo(f"{len(manifest['documents']['missing'])} documents were missing when it was made.", err=True)
