"""Writes many rows fast: by the driver on SQLite, by COPY on PostgreSQL, with secondary indexes made at the end."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from vitrine.platform.schema import metadata, to_micros

Row = tuple[Any, ...]
# One writer, and a file that is made again if the machine stops.
_FAST = ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "cache_size=-400000", "foreign_keys=OFF")


class BulkWriter(Protocol):
    """Rows of fixed columns, by table. Nobody else may use the database meanwhile."""

    def instant(self, at: datetime) -> Any:
        """How the driver takes an instant."""

    def flag(self, value: bool) -> Any:
        """How the driver takes a truth value."""

    def write(self, table: str, columns: Sequence[str], rows: list[Row]) -> None: ...

    def close(self) -> None:
        """Make the indexes again, analyse the tables and commit."""


class SqliteWriter:
    def __init__(self, path: Path, tables: Sequence[str]) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in _FAST:
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        marks = ", ".join("?" * len(tables))
        self._indexes = self._db.execute(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})",
            list(tables),
        ).fetchall()
        for name, _sql in self._indexes:
            self._db.execute(f"DROP INDEX {name}")
        self._db.execute("BEGIN")

    def instant(self, at: datetime) -> int:
        return to_micros(at)

    def flag(self, value: bool) -> int:
        return int(value)

    def write(self, table: str, columns: Sequence[str], rows: list[Row]) -> None:
        marks = ", ".join("?" * len(columns))
        self._db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)

    def close(self) -> None:
        self._db.execute("COMMIT")
        for _name, sql in self._indexes:
            self._db.execute(sql)
        for pragma in ("locking_mode=NORMAL", "journal_mode=WAL"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        self._db.close()


class PostgresqlWriter:
    def __init__(self, url: str, tables: Sequence[str]) -> None:
        import psycopg

        address = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._db = psycopg.connect(address, options="-c timezone=UTC")
        self._indexes = self._db.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname LIKE 'ix_%%'",
            [list(tables)],
        ).fetchall()
        self._tables = tables
        for name, _definition in self._indexes:
            self._db.execute(f'DROP INDEX "{name}"'.encode())

    def instant(self, at: datetime) -> datetime:
        return at

    def flag(self, value: bool) -> bool:
        return value

    def write(self, table: str, columns: Sequence[str], rows: list[Row]) -> None:
        with self._db.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def close(self) -> None:
        for _name, definition in self._indexes:
            self._db.execute(definition.encode())
        for table in self._tables:
            if "id" in metadata.tables[table].columns:
                newest = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
                self._db.execute(newest.encode())
        self._db.commit()
        self._db.autocommit = True
        self._db.execute("ANALYZE")
        self._db.close()


def writer_of(url: str, folder: Path, tables: Sequence[str]) -> BulkWriter:
    """*url* is the setting `database_url`; empty is SQLite in *folder*."""
    return PostgresqlWriter(url, tables) if url else SqliteWriter(folder / "vitrine.sqlite3", tables)
