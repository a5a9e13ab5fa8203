"""Counts of API calls by hour, route and person, written in the transaction that writes the lines of the request log.

So the counts are exact at every commit, whatever was deleted from the log, and reading them costs the same for a busy
application as for a quiet one. See docs/decisions/0100-usage-is-rolled-up.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from vitrine.applications.tables import usage_hours, usage_people, usage_routes
from vitrine.platform.database import UnitOfWork
from vitrine.platform.deferred_writes import RequestLine
from vitrine.platform.upsert import insert_of

_ROWS_A_STATEMENT = 500  # eight values a row: far from the 32,766 parameters of a statement of SQLite
_ADDED = ("calls", "failures", "people", "duration_us")


@dataclass(slots=True)
class _Sum:
    """Calls that are counted in one row; durations in microseconds."""

    last_at: datetime
    calls: int = 0
    failures: int = 0
    duration_us: int = 0
    longest_us: int = 0

    def add(self, line: RequestLine) -> None:
        self.calls += 1
        self.failures += line.status >= 400
        self.duration_us += line.duration_us
        self.longest_us = max(self.longest_us, line.duration_us)
        self.last_at = max(self.last_at, line.at)

    def values(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "duration_us": self.duration_us,
            "longest_us": self.longest_us,
            "last_at": self.last_at,
        }


def hour_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def add(work: UnitOfWork, lines: Iterable[RequestLine]) -> None:
    """Count the lines; those of no application are nobody's usage. The rows are written in one order everywhere, so
    that two servers cannot block each other for ever."""
    hours: dict[tuple[int, datetime], _Sum] = {}
    routes: dict[tuple[int, date, str, str, int], _Sum] = {}
    accounts: defaultdict[tuple[int, datetime], set[int]] = defaultdict(set)
    for line in lines:
        if line.application_id is None:
            continue
        in_hour = (line.application_id, hour_of(line.at))
        on_route = (line.application_id, in_hour[1].date(), line.method, line.route, line.status)
        hours.setdefault(in_hour, _Sum(line.at)).add(line)
        routes.setdefault(on_route, _Sum(line.at)).add(line)
        if line.account_id is not None:
            accounts[in_hour].add(line.account_id)
    people = {in_hour: _newcomers(work, *in_hour, accounts[in_hour]) for in_hour in sorted(accounts)}
    _upsert(work, usage_hours, [_hour_row(key, hours[key], people.get(key, 0)) for key in sorted(hours)])
    _upsert(work, usage_routes, [_route_row(key, routes[key]) for key in sorted(routes)])


def _hour_row(key: tuple[int, datetime], total: _Sum, people: int) -> dict[str, Any]:
    return {"application_id": key[0], "hour": key[1], "failures": total.failures, "people": people, **total.values()}


def _route_row(key: tuple[int, date, str, str, int], total: _Sum) -> dict[str, Any]:
    return {**dict(zip(usage_routes.primary_key.columns.keys(), key, strict=True)), **total.values()}


def _newcomers(work: UnitOfWork, application_id: int, hour: datetime, account_ids: set[int]) -> int:
    """Note these accounts as callers of the day; how many had not called on it before."""
    insert = insert_of(work)
    day, ordered, new = hour.date(), sorted(account_ids), 0
    for start in range(0, len(ordered), _ROWS_A_STATEMENT):
        rows = [
            {"day": day, "application_id": application_id, "account_id": account_id}
            for account_id in ordered[start : start + _ROWS_A_STATEMENT]
        ]
        statement = insert(usage_people).values(rows).on_conflict_do_nothing()
        new += work.db.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
    return new


def _upsert(work: UnitOfWork, table: sa.Table, rows: list[Mapping[str, Any]]) -> None:
    insert = insert_of(work)(table)
    added, counted = insert.excluded, table.c
    changes: dict[str, Any] = {name: counted[name] + added[name] for name in _ADDED if name in counted}
    for name in ("longest_us", "last_at"):
        changes[name] = sa.case((added[name] > counted[name], added[name]), else_=counted[name])
    statement = insert.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=changes)
    if rows:
        work.db.execute(statement, rows)
