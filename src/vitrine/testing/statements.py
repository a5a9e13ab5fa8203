"""Counts the statements that a database executes, through SQLAlchemy and through SQLite's own driver alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from vitrine.platform.database import Database

_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE", "--")


@contextmanager
def recorded(database: Database) -> Iterator[list[str]]:
    """The SELECTs and changes that any thread executes on *database* meanwhile."""
    statements: list[str] = []

    def note(statement: str) -> None:
        if not statement.lstrip().startswith(_CONTROL):
            statements.append(statement)

    if database.is_sqlite:
        with _traced(database, note):
            yield statements
        return

    def before(_db: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        note(statement)

    sa.event.listen(database.engine, "before_cursor_execute", before)
    try:
        yield statements
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", before)


@contextmanager
def _traced(database: Database, note: Any) -> Iterator[None]:
    """SQLite's trace, on the connections that are open and on those that are opened meanwhile."""
    connections = [connection.connection.driver_connection for connection in database._opened]

    def opened(driver: Any, _record: Any) -> None:
        connections.append(driver)
        driver.set_trace_callback(note)

    for driver in connections:
        driver.set_trace_callback(note)  # type: ignore[union-attr]
    sa.event.listen(database.engine, "connect", opened)
    try:
        yield
    finally:
        sa.event.remove(database.engine, "connect", opened)
        for driver in connections:
            driver.set_trace_callback(None)  # type: ignore[union-attr]
