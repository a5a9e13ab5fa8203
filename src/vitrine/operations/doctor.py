"""Doctor: check an instance for damage. Its checks only read, and work beside a running server."""

import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from vitrine.applications.tables import application_secrets
from vitrine.errors import DomainError, Invalid, NotFound
from vitrine.jobs import store as jobs
from vitrine.library import counts
from vitrine.library import store as library
from vitrine.library.tables import records
from vitrine.media.storage import BlobStore, open_store
from vitrine.operations import inventory
from vitrine.operations.configuration import load_settings
from vitrine.operations.export import comparing
from vitrine.operations.export.layout import is_export
from vitrine.operations.findings import FAULT, OK, WARNING, Finding
from vitrine.operations.manifest import MANIFEST, read_manifest
from vitrine.platform import migrate
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.tables import audit_log
from vitrine.schema import metadata
from vitrine.search.tantivy_index import EmbeddedIndex
from vitrine.settings import Settings

MOST_REPORTED = 20
LEAST_BYTES, FEW_BYTES = 100 * 2**20, 2 * 2**30
LEFT_AFTER = timedelta(days=14)
SILENT_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Instance:
    settings: Settings
    database: Database
    store: BlobStore
    deep: bool


Check = Callable[[Instance], Iterator[Finding]]


def key(instance: Instance) -> Iterator[Finding]:
    path = instance.settings.data_dir / "server.key"
    if not path.exists():
        yield Finding("key", FAULT, "server.key is missing: no secret can be shown again. Put it back from a backup.")
        return
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding("key", FAULT, "server.key can be read by others: chmod 600 server.key.")
    vault = Vault.in_folder(instance.settings.data_dir)
    with instance.database.read() as work:
        encrypted = work.db.scalar(sa.select(application_secrets.c.sealed).limit(1))
    try:
        if encrypted is not None:
            vault.decrypt(encrypted)
    except ValueError:
        yield Finding("key", FAULT, "server.key is not the one that encrypted the secrets.")
    else:
        yield Finding("key", OK, "server.key decrypts the secrets.")


def database(instance: Instance) -> Iterator[Finding]:
    with instance.database.read() as work:
        if instance.database.is_sqlite:
            pragma = "integrity_check" if instance.deep else "quick_check"
            faults = [row[0] for row in work.db.exec_driver_sql(f"PRAGMA {pragma}") if row[0] != "ok"]
            violations = work.db.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(MOST_REPORTED)
            if faults:
                yield Finding("database", FAULT, f"The database is damaged: {faults[0]}. Restore a backup.")
            for row in violations:
                yield Finding("database", FAULT, f"A row of {row[0]} refers to a row of {row[2]} that does not exist.")
            if faults or violations:
                return
        differences = migrate.differences(work.db, metadata)
    if differences:
        yield Finding("database", FAULT, f"The tables differ from what this program needs: {differences[0]}.")
    else:
        yield Finding("database", OK, "The database is intact and every reference is valid.")


def documents(instance: Instance) -> Iterator[Finding]:
    """Every file that a row names exists with the right size; --deep also checks its digest. Files that belong to no
    record are harmless while the sweep deletes them after a week. Rows and files are read side by side, once."""
    count = missing = damaged = young = old = 0
    with instance.database.read() as work:
        for entry in inventory.compared(work, instance.store):
            if not entry.is_referenced:
                assert entry.blob is not None
                age = work.now - entry.blob.modified
                young, old = young + (age >= timedelta(0)), old + (age >= LEFT_AFTER)
                continue
            count += 1
            fault = _fault(instance, entry)
            if fault:
                missing, damaged = missing + (fault == "missing"), damaged + (fault != "missing")
                if missing + damaged <= MOST_REPORTED:
                    text = f"{entry.sha256} is {fault}. Restore it from a backup, or add it again."
                    yield Finding("documents", FAULT, text)
    if missing + damaged > MOST_REPORTED:
        yield Finding("documents", FAULT, f"{missing} files are missing and {damaged} damaged in all.")
    if not missing + damaged:
        yield Finding("documents", OK, f"{count} files are present" + (" and unchanged." if instance.deep else "."))
    text = f"{young} files belong to no record; the sweep deletes those older than a week."
    yield Finding("orphans", WARNING if old else OK, text)


def _fault(instance: Instance, entry: inventory.Compared) -> str:
    """What is wrong with a file that a row refers to; empty if nothing is. What the listing does not have is asked for
    once more: it may be newer than the listing."""
    try:
        actual = entry.blob.size if entry.blob is not None else instance.store.size(entry.sha256)
        if entry.row_size is not None and actual != entry.row_size:
            return f"damaged ({actual} bytes instead of {entry.row_size})"
        if instance.deep:
            with instance.store.open(entry.sha256) as reader:
                if inventory.stream_digest(reader) != entry.sha256:
                    return "damaged (other bytes)"
    except NotFound:
        return "missing"
    return ""


def work_to_do(instance: Instance) -> Iterator[Finding]:
    with instance.database.read() as work:
        waiting, dead, last_seen = jobs.waiting(work), jobs.dead(work, MOST_REPORTED), jobs.last_seen(work)
        states = library.rendition_states(work)
        now = work.now
    for number, kind, error in dead:
        yield Finding("jobs", WARNING, f"Job {number} ({kind}) was abandoned: {error[:200]}")
    if states.get("waiting") and not waiting:
        yield Finding("jobs", WARNING, f"{states['waiting']} renditions are waiting, but no job will make them.")
    if last_seen is None or now - last_seen > SILENT_AFTER:
        yield Finding(
            "worker",
            WARNING,
            f"No worker has been seen since {last_seen}." if last_seen else "No worker has been seen yet.",
        )
    else:
        yield Finding("worker", OK, "A worker is alive.")
    yield Finding("jobs", OK, f"{sum(waiting.values())} jobs wait; {states.get('failed', 0)} renditions failed.")


def index(instance: Instance) -> Iterator[Finding]:
    engine = EmbeddedIndex(instance.settings.data_dir / "index")
    with instance.database.read() as work:
        record_count = int(work.db.scalar(sa.select(sa.func.count()).select_from(records)) or 0)
        queued = sum(count for kind, count in jobs.waiting(work).items() if kind.startswith("search."))
    indexed = None if engine.needs_rebuild() else engine.count()
    engine.close()
    if indexed == record_count:
        yield Finding("index", OK, f"All {record_count} records can be found.")
    elif queued:
        yield Finding(
            "index", WARNING, f"{indexed or 0} of {record_count} records can be found; {queued} changes wait."
        )
    elif indexed is None:
        yield Finding("index", WARNING, "There is no search index yet: the worker builds it when it starts.")
    else:
        yield Finding("index", FAULT, f"{indexed} of {record_count} records can be found: run vitrine reindex.")


def collection_counts(instance: Instance) -> Iterator[Finding]:
    """The stored number of records of each collection against the records themselves."""
    with instance.database.read() as work:
        wrong = counts.differences(work)
    for collection, missing in sorted(wrong.items())[:MOST_REPORTED]:
        fault = f"{abs(missing)} too {'small' if missing > 0 else 'large'}"
        text = f"The number of records of collection {collection} is {fault}: run vitrine doctor --repair."
        yield Finding("counts", FAULT, text)
    if not wrong:
        yield Finding("counts", OK, "The numbers of records of all collections are right.")


def machine(instance: Instance) -> Iterator[Finding]:
    free = shutil.disk_usage(instance.settings.data_dir).free
    state = FAULT if free < LEAST_BYTES else WARNING if free < FEW_BYTES else OK
    yield Finding("disk", state, f"{free // 2**20} MiB are free.")
    try:
        instance.store.probe()
    except DomainError as refusal:
        yield Finding("disk", FAULT, f"The store takes no file: {refusal.why or refusal.detail}.")
    with instance.database.read() as work:
        yield from _clock(work)
    parts = urlsplit(instance.settings.base_url)
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        yield Finding("base_url", WARNING, f"{instance.settings.base_url} is not encrypted: use https.")
    else:
        yield Finding("base_url", OK, f"People reach this instance at {instance.settings.base_url}.")


def _clock(work: UnitOfWork) -> Iterator[Finding]:
    newest = work.db.scalar(sa.select(sa.func.max(audit_log.c.at)))
    if newest is not None and newest - work.now > timedelta(minutes=5):
        yield Finding("clock", FAULT, f"The clock went back: a row was written at {newest}. Set the clock.")
    else:
        yield Finding("clock", OK, "The clock has not gone back.")


CHECKS: tuple[Check, ...] = (key, database, documents, work_to_do, index, collection_counts, machine)


def examine(settings: Settings, *, deep: bool) -> list[Finding]:
    """All findings. A check that cannot run is itself a fault and does not hide the others."""
    database = inventory.open_existing(settings)
    findings: list[Finding] = []
    try:
        try:
            inventory.require_newest(database)
            instance = Instance(settings, database, open_store(settings.blobs_url, settings.data_dir), deep)
        except (DomainError, sa.exc.DBAPIError, sqlite3.Error) as failure:
            return [Finding("database", FAULT, str(failure)[:300])]
        for check in CHECKS:
            try:
                findings.extend(check(instance))
            except (DomainError, OSError, sa.exc.DBAPIError, sqlite3.Error) as failure:
                findings.append(Finding(check.__name__, FAULT, f"This could not be checked: {str(failure)[:300]}"))
    finally:
        database.close()
    return findings


def repair(settings: Settings) -> int:
    """Put right what can be computed again: the numbers of records of collections. Safe beside a running server;
    returns the number of collections that were wrong."""
    database = inventory.open_existing(settings)
    try:
        inventory.require_newest(database)
        with database.write() as work:
            return counts.repair(work)
    finally:
        database.close()


def compare(settings: Settings, other: Path, passphrase: str | None = None) -> list[Finding]:
    """The differences between the instance of *settings* and *other*: an export, a backup or the folder of another
    instance. Credentials of an export are compared if there is its *passphrase*."""
    if is_export(other):
        return _compare_with_export(settings, other, passphrase)
    if passphrase is not None:
        raise Invalid("Only an export has a passphrase.", field="passphrase_file")
    differences = inventory.differences(contents_in(settings), contents_of(other))
    if not differences:
        return [Finding("compare", OK, f"{other} has the same contents.")]
    return [Finding("compare", FAULT, difference) for difference in differences]


def _compare_with_export(settings: Settings, folder: Path, passphrase: str | None) -> list[Finding]:
    findings = [Finding("compare", FAULT, sentence) for sentence in comparing.differences(settings, folder, passphrase)]
    if findings:
        return findings
    compared = "" if passphrase is not None else "; credentials were not compared"
    return [Finding("compare", OK, f"{folder} has the same contents{compared}.")]


def contents_of(source: Path) -> inventory.Contents:
    """The contents of a backup (folder or file) or of another instance. The environment belongs to the instance under
    examination, so it is ignored here: its database_url would compare that instance with itself."""
    if source.is_file() or (source / MANIFEST).exists():
        return read_manifest(source).contents
    return contents_in(load_settings(source, environ={}))


def contents_in(settings: Settings) -> inventory.Contents:
    """The contents of the instance of *settings*."""
    database = inventory.open_existing(settings)
    try:
        inventory.require_newest(database)
        with database.read() as work:
            return inventory.contents(work)
    finally:
        database.close()
