"""All rows of a database as of one instant, copied between SQLite and PostgreSQL in either direction."""

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from vitrine.errors import Conflict, Unavailable
from vitrine.operations import inventory
from vitrine.platform import migrate
from vitrine.platform.database import Database, UnitOfWork
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
        new.db.exec_driver_sql("PRAGMA defer_foreign_keys=ON" if target.is_sqlite else "SET CONSTRAINTS ALL DEFERRED")
        for table in metadata.sorted_tables:
            batch: list[dict[str, Any]] = []
            for row in inventory.stream(old, sa.select(table).order_by(*table.primary_key.columns)):
                batch.append(dict(row._mapping))
                if len(batch) >= inventory.BATCH_ROWS:
                    new.db.execute(table.insert(), batch)
                    batch = []
            if batch:
                new.db.execute(table.insert(), batch)
        advance_ids(new, highest_given(old))


def highest_given(work: UnitOfWork) -> dict[str, int]:
    """The highest id that each table has ever given. It may be higher than any in its rows: ids of deleted rows remain
    in logs and addresses, and none may be given again after a restore."""
    highest = {}
    for table in _numbered():
        in_rows = work.db.scalar(sa.select(sa.func.max(table.c.id))) or 0
        if work.driver is not None:
            query = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :table")
        else:
            query = sa.text("SELECT pg_sequence_last_value(pg_get_serial_sequence(:table, 'id'))")
        highest[table.name] = max(in_rows, work.db.scalar(query, {"table": table.name}) or 0)
    return highest


def advance_ids(work: UnitOfWork, highest: dict[str, int]) -> None:
    """Make the tables go on after these ids."""
    for table, number in highest.items():
        if number == 0:
            continue
        values = {"table": table, "number": number}
        if work.driver is not None:
            work.db.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :table"), {"table": table})
            work.db.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :number)"), values)
        else:
            work.db.execute(sa.text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :number)"), values)


def _numbered() -> list[sa.Table]:
    return [table for table in metadata.sorted_tables if [column.name for column in table.primary_key] == ["id"]]
