"""Rows that are deleted when their time is over.

They are looked for in a snapshot, by an index, and deleted by key in short transactions that ask again whether their
time is over: nobody waits for the write lock while the worker only looks, and a killed worker has finished every batch
that it began. See docs/decisions/0101-the-sweep-knows-its-candidates.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

import sqlalchemy as sa

from vitrine.platform import supervision
from vitrine.platform.database import Database, UnitOfWork

BATCH_ROWS = 500


@dataclass(frozen=True, slots=True)
class Expiry:
    """The rows of *table* for which *is_over* holds, a condition that an index answers."""

    table: sa.Table
    is_over: Callable[[UnitOfWork], sa.ColumnElement[bool]]

    def find(self, work: UnitOfWork, limit: int) -> list[tuple[Any, ...]]:
        """The primary keys of at most *limit* such rows."""
        keys = sa.select(*self.table.primary_key.columns).where(self.is_over(work)).limit(limit)
        return [tuple(row) for row in work.db.execute(keys)]

    def delete(self, work: UnitOfWork, keys: Sequence[tuple[Any, ...]]) -> int:
        """Delete those of *keys* for which the condition still holds; returns how many."""
        columns = list(self.table.primary_key.columns)
        key = columns[0] if len(columns) == 1 else sa.tuple_(*columns)
        wanted: list[Any] = [row[0] for row in keys] if len(columns) == 1 else list(keys)
        return work.db.execute(self.table.delete().where(key.in_(wanted), self.is_over(work))).rowcount


def delete_expired(database: Database, expiry: Expiry, stop: Event, batch_rows: int = BATCH_ROWS) -> int:
    """Delete batch after batch until none is left or *stop* is set; returns how many rows. Raises Unavailable."""
    deleted = 0
    while not stop.is_set():
        keys = database.reading(lambda work: expiry.find(work, batch_rows))
        if not keys:
            break
        with database.write() as work:
            deleted += expiry.delete(work, keys)
        supervision.beat()
        if len(keys) < batch_rows:
            break
    return deleted
