"""Prepared statements for hot paths: written with SQLAlchemy Core, executed by the driver.

Execution by Core costs 40 to 80 microseconds more than by the driver, which matters for statements of every API call. A
Prepared compiles its statement once. On SQLite it binds and converts values itself; elsewhere Core does. The statement
and its results are the same on both.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Delete, Select, Table, Update
from sqlalchemy.dialects import sqlite

from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.schema import Instant, Json, from_micros

_DIALECT = sqlite.dialect()
_NO_ROW: tuple[Any, ...] = ()
Convert = Callable[[Any], Any]


def one_row(work: UnitOfWork, driver: sqlite3.Connection, sql: str, bound: Sequence[Any]) -> tuple[Any, ...] | None:
    """The first row of *sql* as the driver gives it, or None; from memory while nobody changed the database since."""
    memory = work.memory
    if memory is None:
        first_row: tuple[Any, ...] | None = driver.execute(sql, bound).fetchone()
        return first_row
    key = (sql, *bound)
    row: tuple[Any, ...] | None = memory.get(key)
    if row is None:
        row = driver.execute(sql, bound).fetchone() or _NO_ROW  # that there is none is remembered too
        memory.put(key, row)
    return row or None


def _converter(kind: Any) -> Convert | None:
    if isinstance(kind, Instant):
        return from_micros  # the decorator's nested calls are most of its cost
    processor: Convert | None = kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
    return processor


def _binder(kind: Any) -> Convert | None:
    """How a value is bound; `Instant` and `Json` without the decorator's nested calls."""
    if isinstance(kind, Instant | Json):
        return partial(kind.process_bind_param, dialect=_DIALECT)
    processor: Convert | None = kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return processor


class Prepared:
    """One SELECT whose parameters are named bindparams."""

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        compiled = statement.compile(dialect=_DIALECT)
        self._sql = str(compiled)
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        converters = [_converter(column.type) for column in statement.selected_columns]
        self._converters: list[tuple[int, Convert]] = [
            (place, convert) for place, convert in enumerate(converters) if convert is not None
        ]

    def all(self, work: UnitOfWork, **values: Any) -> list[Any]:
        """Every row as a sequence of converted values."""
        if work.driver is None:
            return list(work.db.execute(self._statement, values))
        rows = work.driver.execute(self._sql, self._bound(values)).fetchall()
        return [self._converted(row) for row in rows]

    def first(self, work: UnitOfWork, **values: Any) -> Any:
        """The first row, or None."""
        if work.driver is None:
            return work.db.execute(self._statement, values).first()
        row = self._one(work, work.driver, self._bound(values))
        return None if row is None else self._converted(row)

    def cached_raw(self, work: UnitOfWork, *values: Any) -> list[tuple[Any, ...]]:
        """`all_raw` for the few rows that many calls ask for: remembered while nobody changes the database."""
        if work.memory is None:
            return self.all_raw(work, values)
        key = (self._sql, *values)
        rows: list[tuple[Any, ...]] | None = work.memory.get(key)
        if rows is None:
            rows = self.all_raw(work, values)
            work.memory.put(key, rows)
        return rows

    def all_raw(self, work: UnitOfWork, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Every row as the database gives it; *values* for the bindparams in their order in the statement."""
        remaining = iter(values)
        bound = [self._fixed[name] if name in self._fixed else next(remaining) for name in self._names]
        if work.driver is None:
            named = dict(zip(self._names, bound, strict=True))
            return [tuple(row) for row in work.db.execute(self._statement, named)]
        return work.driver.execute(self._sql, bound).fetchall()

    def raw(self, work: UnitOfWork, **values: Any) -> tuple[Any, ...] | None:
        """The first row as the database gives it: a key for what was made of the same row before. See `converted`."""
        if work.driver is None:
            row = work.db.execute(self._statement, values).first()
            return None if row is None else tuple(row)
        return self._one(work, work.driver, self._bound(values))

    def _one(self, work: UnitOfWork, driver: sqlite3.Connection, bound: Sequence[Any]) -> tuple[Any, ...] | None:
        return one_row(work, driver, self._sql, bound)

    def converted(self, work: UnitOfWork, row: tuple[Any, ...]) -> Any:
        """A row of `raw` with its values converted."""
        return row if work.driver is None else self._converted(row)

    def _bound(self, values: dict[str, Any]) -> list[Any]:
        all_values = {**self._fixed, **values} if self._fixed else values
        return [all_values[name] for name in self._names]

    def _converted(self, row: tuple[Any, ...]) -> list[Any]:
        values = list(row)
        for place, convert in self._converters:
            if values[place] is not None:
                values[place] = convert(values[place])
        return values


class PreparedInsert:
    """One INSERT of fixed columns, for rows that are written on hot paths: Core's own way through a statement and its
    cache key costs more than the row."""

    def __init__(self, table: Table, *columns: str) -> None:
        self._statement = table.insert()
        self._columns = columns
        self._names = frozenset(columns)
        # Names of our own tables, never of a caller.
        marks = ", ".join("?" * len(columns))
        self._sql = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        binders = [(place, _binder(table.c[name].type)) for place, name in enumerate(columns)]
        self._binders: list[tuple[int, Convert]] = [(place, bind) for place, bind in binders if bind is not None]

    def add(self, work: UnitOfWork, values: Mapping[str, Any]) -> int:
        """Insert a row and return its number. Columns that *values* omits are NULL. Raises ValueError for a column that
        the statement does not name, so no value is lost."""
        if not values.keys() <= self._names:
            raise ValueError(f"no such columns: {sorted(values.keys() - self._names)}")
        if work.driver is None:
            return inserted_id(work.db.execute(self._statement, dict(values)))
        row = list(map(values.get, self._columns))
        for place, bind in self._binders:
            if row[place] is not None:
                row[place] = bind(row[place])
        row_id = work.driver.execute(self._sql, row).lastrowid
        assert row_id is not None
        return row_id


class PreparedChange:
    """One UPDATE or DELETE whose values are named bindparams."""

    def __init__(self, statement: Update | Delete) -> None:
        self._statement = statement
        compiled = statement.compile(dialect=_DIALECT)
        self._sql = str(compiled)
        binds = compiled.binds
        self._values: list[tuple[str, Convert | None, Any]] = [
            (name, _binder(binds[name].type), binds[name].value) for name in compiled.positiontup or ()
        ]

    def run(self, work: UnitOfWork, **values: Any) -> int:
        """Execute the change and return the number of rows affected."""
        if work.driver is None:
            return work.db.execute(self._statement, values).rowcount
        row = []
        for name, bind, default in self._values:
            value = values.get(name, default)
            row.append(value if value is None or bind is None else bind(value))
        return work.driver.execute(self._sql, row).rowcount
