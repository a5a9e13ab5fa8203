"""Rows with no more in them than their table requires."""

import itertools
from datetime import date
from typing import Any

import sqlalchemy as sa

from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import Instant, Json
from vitrine.schema import metadata

_numbers = itertools.count(1)


def insert_minimal(work: UnitOfWork, table_name: str, /, **values: Any) -> int:
    """Insert a row and return its number (0 if its table has none). What *values* omits and the table requires is made
    up, parents included."""
    table = metadata.tables[table_name]
    row = dict(values)
    for column in table.columns:
        is_numbered = column.primary_key and column.name == "id"
        if column.name not in row and not is_numbered and not column.nullable and column.server_default is None:
            row[column.name] = _value(work, column)
    inserted = work.db.execute(table.insert().values(row))
    return int(inserted.inserted_primary_key[0]) if "id" in table.primary_key.columns else 0  # type: ignore[index]


def _value(work: UnitOfWork, column: sa.Column[Any]) -> Any:
    for key in column.foreign_keys:
        return insert_minimal(work, key.column.table.name)
    number = next(_numbers)
    if isinstance(column.type, Instant):
        return work.now
    if isinstance(column.type, Json):
        return {}
    if isinstance(column.type, sa.LargeBinary):
        return number.to_bytes(32, "big")
    if isinstance(column.type, sa.Date):
        return date(2026, 1, 1)
    if isinstance(column.type, sa.Boolean):
        return False
    return number if isinstance(column.type, sa.Integer) else f"{number:x}"  # within the shortest column of text
