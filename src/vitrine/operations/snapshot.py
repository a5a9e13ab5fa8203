"""All rows of a database as of one instant, copied between SQLite and PostgreSQL in either direction."""

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from vitrine.errors import Conflict, Unavailable
from vitrine.operations import inventory
from vitrine.platform import migrate
from vitrine.platform.database import Database
from vitrine.schema import metadata


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
