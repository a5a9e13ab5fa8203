"""The work of each statement that the product runs, counted without a clock.

SQLite: the steps of its virtual machine, foreign keys and triggers included (`sqlite3_progress_handler` with one step),
and the rows behind a bare `count(*)`, which its virtual machine walks in a single step. PostgreSQL: the shared buffers
of the plan (`EXPLAIN (ANALYZE, BUFFERS)`, in a savepoint that is rolled back), and for changes the rows that their
foreign keys read, which no plan shows, as buffers of ROWS_A_BUFFER.
"""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, event

_LIST = re.compile(r"\((\s*(\?|%\(\w+\)s(::\w+)?|:\w+|NULL)\s*,?)+\)")
_ROWS = re.compile(r"(\(…\)\s*,\s*)+\(…\)")
_SPACES = re.compile(r"\s+")
_MEASURED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_CHANGES = ("INSERT", "UPDATE", "DELETE")
# A check in a table of a page or two reads it whole: its rows are no work of their own.
ROWS_A_BUFFER = 40
_INDEXES = "SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(%s)"
_ROWS_READ = "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) FROM pg_stat_xact_user_tables"


@lru_cache(maxsize=10_000)
def plain(statement: str) -> str:
    """The text of a statement, the same for lists of any length."""
    return _ROWS.sub("(…)", _LIST.sub("(…)", _SPACES.sub(" ", statement.strip())))


@dataclass(slots=True)
class StatementWork:
    """*units* are steps or buffers. *probes* counts searches of indexes: a larger table may cost each of them one level
    of its tree more."""

    runs: int = 0
    units: int = 0
    probes: int = 0


@dataclass(slots=True)
class WorkCounter:
    """The work of statements by their text."""

    by_statement: dict[str, StatementWork] = field(default_factory=lambda: defaultdict(StatementWork))

    def add(self, statement: str, *, runs: int = 0, units: int = 0, probes: int = 0) -> None:
        if statement.lstrip()[:6].upper().startswith(_MEASURED):
            work = self.by_statement[plain(statement)]
            work.runs += runs
            work.units += units
            work.probes += probes

    def take(self) -> dict[str, StatementWork]:
        """What was added since the last call."""
        taken, self.by_statement = dict(self.by_statement), defaultdict(StatementWork)
        return taken


@contextmanager
def counted() -> Iterator[WorkCounter]:
    """Every connection that any engine opens meanwhile counts its work into the counter."""
    counter = WorkCounter()

    def connect(dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        if dialect.name == "sqlite":
            options["factory"] = _connection_class(counter)

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if connection.dialect.name == "postgresql" and statement.lstrip()[:6].upper().startswith(_MEASURED):
            many = parameters if isinstance(parameters, list) else [parameters]
            _explain(counter, connection.connection.dbapi_connection, statement, many)

    event.listen(Engine, "do_connect", connect)
    event.listen(Engine, "before_cursor_execute", explain)
    try:
        yield counter
    finally:
        event.remove(Engine, "do_connect", connect)
        event.remove(Engine, "before_cursor_execute", explain)


# -- SQLite ------------------------------------------------------------------------------------------------------------


class _Connection(sqlite3.Connection):
    """Counts the steps of its statements. One thread uses it at a time, as the product does."""

    counter: WorkCounter

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.steps = 0
        self._walked: dict[str, list[str]] = {}
        self.set_progress_handler(self._step, 1)

    def _step(self) -> int:
        self.steps += 1
        return 0

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or _Cursor)

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> Any:
        return self.cursor().executemany(sql, parameters)

    def rows_walked(self, sql: str, parameters: Any) -> int:
        """The rows that *sql* counts in one step of the virtual machine."""
        if sql not in self._walked:
            self._walked[sql] = list(self._counted_tables(sql, parameters))
        return sum(self._plainly(f"SELECT count(*) FROM {table}")[0][0] for table in self._walked[sql])

    def _counted_tables(self, sql: str, parameters: Any) -> Iterator[str]:
        steps = self._plainly(f"EXPLAIN {sql}", parameters)
        roots = {step[2]: step[3] for step in steps if step[1] == "OpenRead"}
        for step in steps:
            if step[1] == "Count":
                yield self._plainly("SELECT tbl_name FROM sqlite_master WHERE rootpage = ?", (roots[step[2]],))[0][0]

    def _plainly(self, sql: str, parameters: Any = ()) -> list[Any]:
        before = self.steps
        try:
            return super().cursor(sqlite3.Cursor).execute(sql, parameters).fetchall()
        finally:
            self.steps = before


class _Cursor(sqlite3.Cursor):
    connection: _Connection
    _sql = ""

    def _counted(self, call: Callable[..., Any], *arguments: Any, runs: int = 0) -> Any:
        before = self.connection.steps
        try:
            return call(*arguments)
        finally:
            self.connection.counter.add(self._sql, runs=runs, units=self.connection.steps - before)

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        self._sql = sql
        outcome = self._counted(super().execute, sql, parameters, runs=1)
        if "count(" in sql:
            self.connection.counter.add(sql, units=self.connection.rows_walked(sql, parameters))
        return outcome

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Any:
        self._sql = sql
        return self._counted(super().executemany, sql, parameters, runs=1)

    def fetchone(self) -> Any:
        return self._counted(super().fetchone)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        rows: list[Any] = self._counted(super().fetchmany, self.arraysize if size is None else size)
        return rows

    def fetchall(self) -> list[Any]:
        rows: list[Any] = self._counted(super().fetchall)
        return rows

    def __next__(self) -> Any:
        return self._counted(super().__next__)


def _connection_class(counter: WorkCounter) -> type[_Connection]:
    return type("CountingConnection", (_Connection,), {"counter": counter})


# -- PostgreSQL --------------------------------------------------------------------------------------------------------


def _explain(counter: WorkCounter, connection: Any, statement: str, parameters: list[Any]) -> None:
    is_change = statement.lstrip()[:6].upper().startswith(_CHANGES)
    with connection.cursor() as cursor:
        for values in parameters:
            cursor.execute("SAVEPOINT counted")
            before = _rows_read(cursor) if is_change else 0
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}", values or None)
            (document,) = cursor.fetchone()
            read = _rows_read(cursor) - before if is_change else 0
            cursor.execute("ROLLBACK TO SAVEPOINT counted")
            cursor.execute("RELEASE SAVEPOINT counted")
            plan = (json.loads(document) if isinstance(document, str) else document)[0]["Plan"]
            units = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] + read // ROWS_A_BUFFER
            counter.add(statement, runs=1, units=units, probes=_probes(plan) + _entries(cursor, plan))


def _rows_read(cursor: Any) -> int:
    cursor.execute(_ROWS_READ)
    return int(cursor.fetchone()[0])


def _probes(plan: dict[str, Any]) -> int:
    """How often the plan searched an index from its root."""
    searches = int(plan.get("Index Searches", 1) * plan["Actual Loops"]) if "Index Name" in plan else 0
    return searches + sum(_probes(child) for child in plan.get("Plans", ()))


def _entries(cursor: Any, plan: dict[str, Any]) -> int:
    """How many entries of indexes a change made: each is a search from the root."""
    if plan.get("Operation") not in ("Insert", "Update"):
        return 0
    cursor.execute(_INDEXES, [plan["Relation Name"]])
    (indexes,) = cursor.fetchone()
    return int(indexes * sum(child["Actual Rows"] * child["Actual Loops"] for child in plan.get("Plans", ())))
