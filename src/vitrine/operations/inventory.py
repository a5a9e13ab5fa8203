"""The contents of an instance as counts and digests: backups record them and `doctor` compares them."""

import hashlib
import heapq
import itertools
from collections.abc import Container, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import sqlalchemy as sa

from vitrine.errors import Conflict, Unavailable
from vitrine.library import structure_store
from vitrine.media.storage import BlobStore, Listed
from vitrine.platform import migrate
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.schema import to_micros
from vitrine.schema import metadata
from vitrine.settings import Settings

# What changes without a change of content: jobs, sessions, logs, last-use times, numbers of records.
TRANSIENT_TABLES = frozenset(
    {
        "jobs",
        "workers",
        "tasks",
        "request_log",
        "usage_hours",
        "usage_routes",
        "usage_people",
        "sessions",
        "sign_in_failures",
        "mailed_links",
        "stamps",
        "collection_counts",
        "collection_count_deltas",
    }
)
TRANSIENT_COLUMNS = frozenset({"last_used", "last_address", "last_connection", "last_active", "inactivity_warned"})
BATCH_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Contents:
    """*tables*: rows and digest by name. *blobs*: how many files the rows refer to, and a digest of that list."""

    revision: str
    tables: dict[str, tuple[int, str]]
    blobs: tuple[int, str]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def open_existing(settings: Settings) -> Database:
    """Open the database without upgrading its schema. Raises Conflict if there is none."""
    if not settings.database_url and not (settings.data_dir / "vitrine.sqlite3").exists():
        raise Conflict(f"There is no instance in {settings.data_dir}.", field="data")
    return Database(settings.database_url) if settings.database_url else Database.in_folder(settings.data_dir)


def require_newest(database: Database) -> str:
    """Return the revision. Raises Conflict if this program needs another one."""
    with database.read() as work:
        revision = migrate.revision(work.db)
    if revision != migrate.newest():
        raise Conflict(
            f"The schema is at revision {revision or 'none'}, not {migrate.newest()}: run vitrine migrate first."
        )
    return revision


def contents(work: UnitOfWork) -> Contents:
    """The contents of one snapshot. Reads every row once and keeps none in memory."""
    tables = {
        table.name: _digest_of(work, table) for table in metadata.sorted_tables if table.name not in TRANSIENT_TABLES
    }
    count, digest = 0, hashlib.sha256()
    for sha256, _ in referenced(work):
        count += 1
        digest.update(sha256.encode())
    return Contents(migrate.revision(work.db), tables, (count, digest.hexdigest()))


def _digest_of(work: UnitOfWork, table: sa.Table) -> tuple[int, str]:
    columns = [column for column in table.columns if column.name not in TRANSIENT_COLUMNS]
    count, digest = 0, hashlib.sha256()
    for row in stream(work, sa.select(*columns).order_by(*table.primary_key.columns)):
        count += 1
        digest.update(msgspec.json.encode([_to_json(value) for value in row]))
    return count, digest.hexdigest()


def _to_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return to_micros(value) if hasattr(value, "tzinfo") else value


def stream(work: UnitOfWork, statement: sa.Select[Any]) -> Iterator[Any]:
    """The rows of a long result, a thousand in memory at a time."""
    yield from work.db.execute(statement, execution_options={"yield_per": BATCH_ROWS})


def referenced(work: UnitOfWork, *, without: Container[str] = ()) -> Iterator[tuple[str, int | None]]:
    """(digest, size if a row has it) of every blob that a row refers to, ordered by digest; rows of the tables
    *without* do not count.

    Each column is read in the order of its index and the columns are merged, so that nothing is sorted or grouped in
    memory. Every such column has an index (a test looks)."""
    columns = [
        stream(work, sa.select(column, _size_column(column.table)).where(column.is_not(None)).order_by(column))
        for column in _blob_columns()
        if column.table.name not in without
    ]
    pictures = [(sha256, None) for sha256 in sorted(structure_store.pictures(work))]
    rows = heapq.merge(*columns, pictures, key=_digest_first)
    for sha256, same in itertools.groupby(rows, key=_digest_first):
        yield sha256, max((row[1] for row in same if row[1] is not None), default=None)


def _digest_first(row: Sequence[Any]) -> str:
    return str(row[0])


@dataclass(frozen=True, slots=True)
class Compared:
    """A digest that rows refer to, that the store has, or both. *row_size* is None for a row without a size and where
    there is no row; *blob* is None where the store lists none."""

    sha256: str
    is_referenced: bool
    row_size: int | None
    blob: Listed | None


def compared(work: UnitOfWork, store: BlobStore) -> Iterator[Compared]:
    """Rows and blobs side by side, by two ordered streams: nothing is kept in memory. Raises Unavailable if the store
    does not list its blobs in the order of digests, which S3 promises."""
    rows = ((sha256, size, None) for sha256, size in referenced(work))
    blobs = ((blob.sha256, None, blob) for blob in _in_order(store.listing()))
    for sha256, both in itertools.groupby(heapq.merge(rows, blobs, key=_digest_first), key=_digest_first):
        entries = list(both)
        blob = next((entry[2] for entry in entries if entry[2] is not None), None)
        row = next((entry for entry in entries if entry[2] is None), None)
        yield Compared(sha256, row is not None, row[1] if row else None, blob)


def _in_order(blobs: Iterator[Listed]) -> Iterator[Listed]:
    last = ""
    for blob in blobs:
        if blob.sha256 <= last:
            raise Unavailable("The store does not list its files in order.", why=f"{blob.sha256} after {last}")
        last = blob.sha256
        yield blob


def _blob_columns() -> Iterator[sa.Column[Any]]:
    """Every column that refers to a blob: its name ends with `sha256`, so new ones are found too. References in JSON
    (pictures of watermarks, stamps, logos and icons) come from `structure_store.pictures`."""
    for table in metadata.sorted_tables:
        yield from (column for column in table.columns if column.name.endswith("sha256"))


def _size_column(table: Any) -> Any:
    return table.c.size if "size" in table.c else sa.null()


def file_digest(path: Path) -> str:
    with path.open("rb") as reader:
        return stream_digest(reader)


def stream_digest(reader: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := reader.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def differences(left: Contents, right: Contents) -> list[str]:
    """One sentence for each difference; empty if there is none."""
    if left.revision != right.revision:
        return [f"the schemas differ: {left.revision} here, {right.revision} there"]
    sentences = []
    for name in sorted(set(left.tables) | set(right.tables)):
        left_table, right_table = left.tables.get(name, (0, "")), right.tables.get(name, (0, ""))
        if left_table[0] != right_table[0]:
            sentences.append(f"{name}: {left_table[0]} rows here, {right_table[0]} there")
        elif left_table != right_table:
            sentences.append(f"{name}: {left_table[0]} rows on both sides, with other values")
    if left.blobs != right.blobs:
        sentences.append(f"files: {left.blobs[0]} here, {right.blobs[0]} there, or others")
    return sentences
