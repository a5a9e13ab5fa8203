"""The contents of an instance as counts and digests: backups record them and `doctor` compares them."""

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import sqlalchemy as sa

from vitrine.errors import Conflict
from vitrine.library import structure_store
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
TRANSIENT_COLUMNS = frozenset({"last_used", "last_address", "last_connection"})
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


def referenced(work: UnitOfWork) -> Iterator[tuple[str, int | None]]:
    """(digest, size if a row has it) of every blob that a row refers to, ordered by digest."""
    parts = [
        sa.select(column.label("sha256"), _size_column(column.table).label("size")).where(column.is_not(None))
        for column in _blob_columns()
    ]
    references = sa.union_all(*parts).subquery()
    statement = (
        sa.select(references.c.sha256, sa.func.max(references.c.size))
        .group_by(references.c.sha256)
        .order_by(references.c.sha256)
    )
    pictures: list[tuple[str, int | None]] = [
        (sha256, None) for sha256 in sorted(structure_store.overlay_pictures(work))
    ]
    last = ""
    for sha256, size in heapq.merge(stream(work, statement), pictures, key=lambda row: str(row[0])):
        if sha256 != last:
            yield sha256, size
        last = sha256


def unreferenced(work: UnitOfWork, digests: list[str]) -> list[str]:
    """Those of *digests* that no row refers to."""
    used = structure_store.overlay_pictures(work)
    for column in _blob_columns():
        used.update(work.db.scalars(sa.select(column).where(column.in_(digests))))
    return [sha256 for sha256 in digests if sha256 not in used]


def _blob_columns() -> Iterator[sa.Column[Any]]:
    """Every column that refers to a blob: its name ends with `sha256`, so new ones are found too. References in JSON
    (pictures of watermarks and stamps) come from `structure_store.overlay_pictures`."""
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
