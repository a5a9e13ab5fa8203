"""vitrine doctor: is everything there and right? Looks only, changes nothing; works beside a running server."""

import json
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import click
import sqlalchemy as sa

from vitrine.applications.tables import application_secrets
from vitrine.cli import inventory
from vitrine.cli.backup import MANIFEST
from vitrine.cli.opening import data_option, load, refuse_foreign
from vitrine.cli.restore import read_manifest
from vitrine.errors import Conflict, DomainError, NotFound
from vitrine.jobs import store as jobs
from vitrine.library import store as library
from vitrine.library.tables import records
from vitrine.media.storage import BlobStore, open_store
from vitrine.platform import migrate
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.tables import audit_log
from vitrine.schema import metadata
from vitrine.search.embedded import EmbeddedIndex
from vitrine.settings import Settings

OK, WARNING, FAULT = "ok", "warning", "fault"
TOLD = 20
LEAST_BYTES, FEW_BYTES = 100 * 2**20, 2 * 2**30
LEFT_AFTER, ORPHAN_BATCH = timedelta(days=14), 500
SILENT_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, its state (ok, warning or fault) and a sentence that says what to do."""

    check: str
    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Patient:
    settings: Settings
    database: Database
    store: BlobStore
    deep: bool


Check = Callable[[Patient], Iterator[Finding]]


def key(patient: Patient) -> Iterator[Finding]:
    path = patient.settings.data_dir / "server.key"
    if not path.exists():
        yield Finding("key", FAULT, "server.key is missing: no secret can be shown again. Put it back from a backup.")
        return
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding("key", FAULT, "server.key can be read by others: chmod 600 server.key.")
    vault = Vault.in_folder(patient.settings.data_dir)
    with patient.database.read() as work:
        sealed = work.db.scalar(sa.select(application_secrets.c.sealed).limit(1))
    try:
        if sealed is not None:
            vault.decrypt(sealed)
    except ValueError:
        yield Finding("key", FAULT, "server.key is not the one under which the secrets were sealed.")
    else:
        yield Finding("key", OK, "server.key opens the secrets.")


def database(patient: Patient) -> Iterator[Finding]:
    with patient.database.read() as work:
        if patient.database.is_sqlite:
            pragma = "integrity_check" if patient.deep else "quick_check"
            faults = [row[0] for row in work.db.exec_driver_sql(f"PRAGMA {pragma}") if row[0] != "ok"]
            broken = work.db.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if faults:
                yield Finding("database", FAULT, f"The database is damaged: {faults[0]}. Restore a backup.")
            for row in broken[:TOLD]:
                yield Finding("database", FAULT, f"A row of {row[0]} refers to a row of {row[2]} that is not there.")
            if faults or broken:
                return
        wrong = migrate.differences(work.db, metadata)
    if wrong:
        yield Finding("database", FAULT, f"The tables differ from what this program needs: {wrong[0]}.")
    else:
        yield Finding("database", OK, "The database is whole and every reference leads somewhere.")


def documents(patient: Patient) -> Iterator[Finding]:
    """Every file that a row names is there, with its size; with --deep its digest is made again."""
    many = missing = wrong = 0
    with patient.database.read() as work:
        for sha256, size in inventory.referenced(work):
            many += 1
            fault = _look_at(patient, sha256, size)
            if fault:
                missing, wrong = missing + (fault == "missing"), wrong + (fault != "missing")
                if missing + wrong <= TOLD:
                    yield Finding(
                        "documents", FAULT, f"{sha256} is {fault}. Restore it from a backup, or add it again."
                    )
    if missing + wrong > TOLD:
        yield Finding("documents", FAULT, f"{missing} files are missing and {wrong} damaged in all.")
    if not missing + wrong:
        yield Finding("documents", OK, f"{many} files are there" + (" and unchanged." if patient.deep else "."))


def orphans(patient: Patient) -> Iterator[Finding]:
    """Files that belong to no record: harmless, as long as the sweep takes them after its week."""
    young, old = _orphans(patient, timedelta(0)), _orphans(patient, LEFT_AFTER)
    text = f"{young} files belong to no record; the sweep takes those older than a week."
    yield Finding("orphans", WARNING if old else OK, text)


def _orphans(patient: Patient, age: timedelta) -> int:
    every = patient.store.older_than(age)
    many = 0
    while batch := list(islice(every, ORPHAN_BATCH)):
        with patient.database.read() as work:
            many += len(inventory.unreferenced(work, batch))
    return many


def _look_at(patient: Patient, sha256: str, size: int | None) -> str:
    try:
        found = patient.store.size(sha256)
        if size is not None and found != size:
            return f"damaged ({found} bytes instead of {size})"
        if patient.deep:
            with patient.store.open(sha256) as reader:
                if inventory.stream_digest(reader) != sha256:
                    return "damaged (other bytes)"
    except NotFound:
        return "missing"
    return ""


def work_to_do(patient: Patient) -> Iterator[Finding]:
    with patient.database.read() as work:
        waiting, dead, seen = jobs.waiting(work), jobs.dead(work, TOLD), jobs.last_seen(work)
        states = library.rendition_states(work)
        now = work.now
    for number, kind, error in dead:
        yield Finding("jobs", WARNING, f"Job {number} ({kind}) was given up: {error[:200]}")
    if states.get("waiting") and not waiting:
        yield Finding("jobs", WARNING, f"{states['waiting']} renditions wait and no job will make them.")
    if seen is None or now - seen > SILENT_AFTER:
        yield Finding("worker", WARNING, f"No worker has shown itself since {seen or 'ever'}.")
    else:
        yield Finding("worker", OK, "A worker is alive.")
    yield Finding("jobs", OK, f"{sum(waiting.values())} jobs wait; {states.get('failed', 0)} renditions failed.")


def index(patient: Patient) -> Iterator[Finding]:
    engine = EmbeddedIndex(patient.settings.data_dir / "index")
    with patient.database.read() as work:
        many = int(work.db.scalar(sa.select(sa.func.count()).select_from(records)) or 0)
        on_the_way = sum(count for kind, count in jobs.waiting(work).items() if kind.startswith("search."))
    found = None if engine.needs_rebuild() else engine.count()
    engine.close()
    if found == many:
        yield Finding("index", OK, f"All {many} records can be found.")
    elif on_the_way:
        yield Finding("index", WARNING, f"{found or 0} of {many} records can be found; {on_the_way} changes wait.")
    elif found is None:
        yield Finding("index", WARNING, "There is no search index yet: the worker builds it at its start.")
    else:
        yield Finding("index", FAULT, f"{found} of {many} records can be found: run vitrine reindex.")


def machine(patient: Patient) -> Iterator[Finding]:
    free = shutil.disk_usage(patient.settings.data_dir).free
    state = FAULT if free < LEAST_BYTES else WARNING if free < FEW_BYTES else OK
    yield Finding("disk", state, f"{free // 2**20} MiB are free.")
    try:
        patient.store.probe()
    except DomainError as refusal:
        yield Finding("disk", FAULT, f"The store takes no file: {refusal.why or refusal.detail}.")
    with patient.database.read() as work:
        yield from _clock(work)
    parts = urlsplit(patient.settings.base_url)
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        yield Finding("base_url", WARNING, f"{patient.settings.base_url} is not encrypted: use https.")
    else:
        yield Finding("base_url", OK, f"People reach this instance at {patient.settings.base_url}.")


def _clock(work: UnitOfWork) -> Iterator[Finding]:
    newest = work.db.scalar(sa.select(sa.func.max(audit_log.c.at)))
    if newest is not None and newest - work.now > timedelta(minutes=5):
        yield Finding("clock", FAULT, f"The clock went back: something was written at {newest}. Set the clock.")
    else:
        yield Finding("clock", OK, "The clock has not gone back.")


CHECKS: tuple[Check, ...] = (key, database, documents, orphans, work_to_do, index, machine)


def examine(settings: Settings, *, deep: bool) -> list[Finding]:
    """Everything that was found. A check that cannot run is a fault of its own and does not hide the others."""
    opened = inventory.open_as_it_is(settings)
    found: list[Finding] = []
    try:
        try:
            inventory.require_newest(opened)
            patient = Patient(settings, opened, open_store(settings.blobs_url, settings.data_dir), deep)
        except (DomainError, sa.exc.DBAPIError, sqlite3.Error) as failure:
            return [Finding("database", FAULT, str(failure)[:300])]
        for check in CHECKS:
            try:
                found.extend(check(patient))
            except (DomainError, OSError, sa.exc.DBAPIError, sqlite3.Error) as failure:
                found.append(Finding(check.__name__, FAULT, f"This could not be looked at: {str(failure)[:300]}"))
    finally:
        opened.close()
    return found


def contents_of(place: Path) -> inventory.Contents:
    """What a backup (folder or file) or another instance holds. The environment speaks of the instance that is looked
    at, not of this one: its database_url here would compare an instance with itself."""
    if place.is_file() or (place / MANIFEST).exists():
        held = read_manifest(place)["contents"]
        tables = {name: (int(many), str(digest)) for name, (many, digest) in held["tables"].items()}
        return inventory.Contents(held["revision"], tables, (held["blobs"][0], held["blobs"][1]))
    return contents_in(load(place, environ={}))


def contents_in(settings: Settings) -> inventory.Contents:
    """What the instance of *settings* holds."""
    opened = inventory.open_as_it_is(settings)
    try:
        inventory.require_newest(opened)
        with opened.read() as work:
            return inventory.contents(work)
    finally:
        opened.close()


@click.command()
@data_option
@click.option("--deep", is_flag=True, help="Make the digest of every document again: reads all bytes.")
@click.option(
    "--compare",
    "other",
    type=click.Path(exists=True, path_type=Path),
    help="Say whether another instance, or a backup, holds the same.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a machine-readable result.")
def doctor(data: Path, deep: bool, other: Path | None, as_json: bool) -> None:
    """Look whether everything is there and right; exits with 1 when something is not."""
    refuse_foreign(data)
    settings = load(data)
    found = examine(settings, deep=deep)
    if other is not None:
        unlike = inventory.differences(contents_in(settings), contents_of(other))
        found += [Finding("compare", FAULT, one) for one in unlike]
        if not unlike:
            found.append(Finding("compare", OK, f"{other} holds the same."))
    tell(found, as_json=as_json)


def tell(found: list[Finding], *, as_json: bool) -> None:
    """Print findings. Raises Conflict when one of them is a fault."""
    faults = sum(1 for one in found if one.state == FAULT)
    if as_json:
        click.echo(json.dumps({"ok": not faults, "checks": [asdict(one) for one in found]}))
    else:
        for one in found:
            click.echo(f"{one.state:8} {one.check:10} {one.text}")
    if faults:
        raise Conflict(f"{faults} faults were found.")
