"""The calls of an application, as its owner sees them: requests, failures by route, requests and people per day.

Numbers are read from the counts of `usage_rollup`, single calls from the request log, which has no bodies, queries or
path values (design 5.9) and is kept for a bounded time and number of lines (docs/decisions/0100).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from vitrine.applications.tables import usage_hours, usage_people, usage_routes
from vitrine.applications.usage_rollup import hour_of
from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import Expiry
from vitrine.platform.tables import request_log

KEPT_DAYS = 30
PER_PAGE = 50
# How many lines a page of calls looks at, at most: a filter that fits few of them must not read the whole log.
LOOKED_AT = 5_000
FAMILIES = {"2xx": 200, "3xx": 300, "4xx": 400, "5xx": 500}


@dataclass(frozen=True, slots=True)
class Call:
    at: datetime
    method: str
    route: str
    status: int
    duration_us: int
    request_id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Calls of one route that ended with one status."""

    method: str
    route: str
    status: int
    count: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """The successful calls of one route."""

    method: str
    route: str
    count: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    requests: int
    failures: int
    people: int


@dataclass(frozen=True, slots=True)
class Summary:
    requests: int
    failures: int
    last: datetime | None


_CALL = [request_log.c[name] for name in Call.__dataclass_fields__]


@dataclass(frozen=True, slots=True)
class Calls:
    """A page of calls, the newest first. *next_before* is the value of *before* for the next page, None on the last.
    *is_partial*: the page ended because it had looked at LOOKED_AT lines, so there may be more that fit."""

    calls: list[Call]
    next_before: int | None
    is_partial: bool


def first_day(work: UnitOfWork) -> date:
    """The first of the 30 days in UTC that are shown, today included."""
    return work.now.astimezone(UTC).date() - timedelta(days=KEPT_DAYS - 1)


def first_hour(work: UnitOfWork) -> datetime:
    """The instant at which `first_day` begins."""
    return datetime.combine(first_day(work), datetime.min.time(), UTC)


def day_ago(work: UnitOfWork) -> datetime:
    """The beginning of the hour in which the last 24 hours begin: counts are kept by hour."""
    return hour_of(work.now - timedelta(days=1))


def calls(
    work: UnitOfWork, application_id: int, *, route: str = "", family: str = "", before: int | None = None
) -> Calls:
    own = [request_log.c.application_id == application_id]
    if before is not None:
        own.append(request_log.c.id < before)
    newest_first = sa.select(request_log.c.id).where(*own).order_by(request_log.c.id.desc())
    last_looked_at = work.db.scalar(newest_first.limit(1).offset(LOOKED_AT - 1)) if route or family else None
    wanted: list[Any] = list(own)
    if last_looked_at is not None:
        wanted.append(request_log.c.id >= last_looked_at)
    if route:
        wanted.append(request_log.c.route == route)
    if family in FAMILIES:
        low = FAMILIES[family]
        wanted.append(request_log.c.status.between(low, low + 99))
    rows = work.db.execute(
        sa.select(request_log.c.id, *_CALL).where(*wanted).order_by(request_log.c.id.desc()).limit(PER_PAGE + 1)
    ).all()
    page = [Call(*row[1:]) for row in rows[:PER_PAGE]]
    if len(rows) > PER_PAGE:
        return Calls(page, rows[PER_PAGE - 1].id, is_partial=False)
    return Calls(page, last_looked_at, is_partial=last_looked_at is not None)


def _routes_of(work: UnitOfWork, application_id: int) -> list[Any]:
    return [usage_routes.c.application_id == application_id, usage_routes.c.day >= first_day(work)]


def routes(work: UnitOfWork, application_id: int) -> list[str]:
    patterns = work.db.scalars(sa.select(usage_routes.c.route).where(*_routes_of(work, application_id)).distinct())
    return sorted(patterns)


_COUNT = sa.func.sum(usage_routes.c.calls)
_LAST = sa.func.max(usage_routes.c.last_at, type_=usage_routes.c.last_at.type)


def failures(work: UnitOfWork, application_id: int, limit: int = 20) -> list[Failure]:
    columns = (usage_routes.c.method, usage_routes.c.route, usage_routes.c.status)
    rows = work.db.execute(
        sa.select(*columns, _COUNT, _LAST)
        .where(*_routes_of(work, application_id), usage_routes.c.status >= 400)
        .group_by(*columns)
        .order_by(_COUNT.desc(), *columns)
        .limit(limit)
    )
    return [Failure(*row[:3], int(row[3]), row[4]) for row in rows]


def answered(work: UnitOfWork, application_id: int) -> list[Answered]:
    """Successful calls by route: at most as many as there are routes."""
    columns = (usage_routes.c.method, usage_routes.c.route)
    rows = work.db.execute(
        sa.select(*columns, _COUNT, _LAST)
        .where(*_routes_of(work, application_id), usage_routes.c.status < 400)
        .group_by(*columns)
    )
    return [Answered(row[0], row[1], int(row[2]), row[3]) for row in rows]


def days(work: UnitOfWork, application_id: int) -> list[Day]:
    """The last 30 days in UTC, the oldest first, including days without calls."""
    hours = work.db.execute(
        sa.select(usage_hours.c.hour, usage_hours.c.calls, usage_hours.c.failures, usage_hours.c.people).where(
            usage_hours.c.application_id == application_id, usage_hours.c.hour >= first_hour(work)
        )
    )
    by_day: dict[date, Day] = {}
    for hour, requests, failed, people in hours:
        day = by_day.get(hour.date(), Day(hour.date(), 0, 0, 0))
        by_day[day.day] = Day(day.day, day.requests + requests, day.failures + failed, day.people + people)
    series = [first_day(work) + timedelta(days=number) for number in range(KEPT_DAYS)]
    return [by_day.get(day, Day(day, 0, 0, 0)) for day in series]


def summaries(work: UnitOfWork, ids: list[int], since: datetime) -> dict[int, Summary]:
    """Requests and failures from *since* on, which is the beginning of an hour, and the last call on record, by
    application."""
    if not ids:
        return {}
    recent = usage_hours.c.hour >= since
    rows = work.db.execute(
        sa.select(
            usage_hours.c.application_id,
            sa.func.sum(sa.case((recent, usage_hours.c.calls), else_=0)),
            sa.func.sum(sa.case((recent, usage_hours.c.failures), else_=0)),
            sa.func.max(usage_hours.c.last_at, type_=usage_hours.c.last_at.type),
        )
        .where(usage_hours.c.application_id.in_(ids))
        .group_by(usage_hours.c.application_id)
    )
    return {row[0]: Summary(int(row[1]), int(row[2]), row[3]) for row in rows}


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the request log is kept: lines of the last *days*, and of those the newest *rows*."""

    days: int
    rows: int

    def expiries(self) -> tuple[Expiry, ...]:
        """Older lines, and counts that no page shows any more."""
        return (
            Expiry(request_log, lambda work: request_log.c.at < work.now - timedelta(days=self.days)),
            Expiry(request_log, lambda _work: request_log.c.id <= _NEWEST_LINE - self.rows),
            Expiry(usage_hours, lambda work: usage_hours.c.hour < first_hour(work)),
            Expiry(usage_routes, lambda work: usage_routes.c.day < first_day(work)),
            Expiry(usage_people, lambda work: usage_people.c.day < first_day(work)),
        )


_NEWEST_LINE = sa.select(sa.func.max(request_log.c.id)).scalar_subquery()
