"""What an instance holds, as numbers and digests: what a backup writes down and what `doctor` compares."""

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

# What changes while nothing of value does: work in progress, sign-ins, logs, marks of use.
PASSING_TABLES = frozenset({"jobs", "workers", "request_log", "sessions", "sign_in_failures", "mailed_links", "stamps"})
PASSING_COLUMNS = frozenset({"last_used", "last_address", "last_connection"})
AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Contents:
    """*tables*: rows and digest by name. *blobs*: how many files the rows refer to, and a digest of that list."""

    revision: str
    tables: dict[str, tuple[int, str]]
    blobs: tuple[int, str]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def open_as_it_is(settings: Settings) -> Database:
    """The database without bringing it to the newest schema. Raises Conflict when there is none."""
    if not settings.database_url and not (settings.data_dir / "vitrine.sqlite3").exists():
        raise Conflict(f"There is no instance in {settings.data_dir}.", field="data")
    return Database(settings.database_url) if settings.database_url else Database.in_folder(settings.data_dir)


def require_newest(database: Database) -> str:
    """The revision, when it is the one of this program. Raises Conflict."""
    with database.read() as work:
        found = migrate.revision(work.db)
    if found != migrate.newest():
        raise Conflict(
            f"The schema is at revision {found or 'none'}, not {migrate.newest()}: run vitrine migrate first."
        )
    return found


def contents(work: UnitOfWork) -> Contents:
    """One snapshot's contents. Reads every row once and keeps none."""
    tables = {
        table.name: _digest_of(work, table) for table in metadata.sorted_tables if table.name not in PASSING_TABLES
    }
    many, digest = 0, hashlib.sha256()
    for sha256, _ in referenced(work):
        many += 1
        digest.update(sha256.encode())
    return Contents(migrate.revision(work.db), tables, (many, digest.hexdigest()))


def _digest_of(work: UnitOfWork, table: sa.Table) -> tuple[int, str]:
    columns = [one for one in table.columns if one.name not in PASSING_COLUMNS]
    many, digest = 0, hashlib.sha256()
    for row in stream(work, sa.select(*columns).order_by(*table.primary_key.columns)):
        many += 1
        digest.update(msgspec.json.encode([_plain(one) for one in row]))
    return many, digest.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return to_micros(value) if hasattr(value, "tzinfo") else value


def stream(work: UnitOfWork, statement: sa.Select[Any]) -> Iterator[Any]:
    """Rows of a long answer, a thousand in memory at once."""
    yield from work.db.execute(statement, execution_options={"yield_per": AT_ONCE})


def referenced(work: UnitOfWork) -> Iterator[tuple[str, int | None]]:
    """(digest, size where a row knows it) of every blob that any row needs, in the order of digests."""
    parts = [
        sa.select(column.label("sha256"), _size_beside(column.table).label("size")).where(column.is_not(None))
        for column in _naming_blobs()
    ]
    every = sa.union_all(*parts).subquery()
    wanted = sa.select(every.c.sha256, sa.func.max(every.c.size)).group_by(every.c.sha256).order_by(every.c.sha256)
    marks: list[tuple[str, int | None]] = [(one, None) for one in sorted(structure_store.mark_pictures(work))]
    last = ""
    for sha256, size in heapq.merge(stream(work, wanted), marks, key=lambda row: str(row[0])):
        if sha256 != last:
            yield sha256, size
        last = sha256


def unreferenced(work: UnitOfWork, digests: list[str]) -> list[str]:
    """Those of *digests* that no row needs."""
    used = structure_store.mark_pictures(work)
    for column in _naming_blobs():
        used.update(work.db.scalars(sa.select(column).where(column.in_(digests))))
    return [one for one in digests if one not in used]


def _naming_blobs() -> Iterator[sa.Column[Any]]:
    """Every column that names a blob ends so; a new one is found without being told here. What JSON names besides
    (pictures of watermarks and stamps) is asked of `structure_store.mark_pictures`."""
    for table in metadata.sorted_tables:
        yield from (column for column in table.columns if column.name.endswith("sha256"))


def _size_beside(table: Any) -> Any:
    return table.c.size if "size" in table.c else sa.null()


def file_digest(path: Path) -> str:
    with path.open("rb") as reader:
        return stream_digest(reader)


def stream_digest(reader: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := reader.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()


def differences(mine: Contents, theirs: Contents) -> list[str]:
    """Sentences about what is not the same; none when everything is."""
    if mine.revision != theirs.revision:
        return [f"the schemas differ: {mine.revision} here, {theirs.revision} there"]
    found = []
    for name in sorted(set(mine.tables) | set(theirs.tables)):
        here, there = mine.tables.get(name, (0, "")), theirs.tables.get(name, (0, ""))
        if here[0] != there[0]:
            found.append(f"{name}: {here[0]} rows here, {there[0]} there")
        elif here != there:
            found.append(f"{name}: {here[0]} rows on both sides, with other values")
    if mine.blobs != theirs.blobs:
        found.append(f"files: {mine.blobs[0]} here, {theirs.blobs[0]} there, or others")
    return found
