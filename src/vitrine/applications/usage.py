"""The calls of an application, as its owner sees them: requests, failures by route, requests and people per day.

Read from the request log, which has no bodies, queries or path values (design 5.9) and is kept for 30 days.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import EPOCH
from vitrine.platform.tables import request_log

KEPT = timedelta(days=30)
PER_PAGE = 50
_DAY_US = 86_400_000_000
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


def _of(work: UnitOfWork, application_id: int, route: str = "", family: str = "") -> list[Any]:
    wanted: list[Any] = [request_log.c.application_id == application_id, request_log.c.at > work.now - KEPT]
    if route:
        wanted.append(request_log.c.route == route)
    if family in FAMILIES:
        low = FAMILIES[family]
        wanted.append(request_log.c.status.between(low, low + 99))
    return wanted


def calls(
    work: UnitOfWork, application_id: int, *, route: str = "", family: str = "", before: int | None = None
) -> tuple[list[Call], int | None]:
    """A page of calls, the newest first, and the value of *before* for the next page."""
    wanted = _of(work, application_id, route, family)
    if before is not None:
        wanted.append(request_log.c.id < before)
    rows = work.db.execute(
        sa.select(request_log.c.id, *_CALL).where(*wanted).order_by(request_log.c.id.desc()).limit(PER_PAGE + 1)
    ).all()
    more = rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else None
    return [Call(*row[1:]) for row in rows[:PER_PAGE]], more


def routes(work: UnitOfWork, application_id: int) -> list[str]:
    patterns = work.db.scalars(sa.select(request_log.c.route).where(*_of(work, application_id)).distinct())
    return sorted(patterns)


def failures(work: UnitOfWork, application_id: int, limit: int = 20) -> list[Failure]:
    rows = work.db.execute(
        sa.select(
            request_log.c.method, request_log.c.route, request_log.c.status, sa.func.count(),
            sa.func.max(request_log.c.at, type_=request_log.c.at.type),
        )
        .where(*_of(work, application_id), request_log.c.status >= 400)
        .group_by(request_log.c.method, request_log.c.route, request_log.c.status)
        .order_by(sa.func.count().desc(), request_log.c.route)
        .limit(limit)
    )  # fmt: skip
    return [Failure(*row) for row in rows]


def answered(work: UnitOfWork, application_id: int) -> list[Answered]:
    """Successful calls by route."""
    rows = work.db.execute(
        sa.select(
            request_log.c.method, request_log.c.route, sa.func.count(),
            sa.func.max(request_log.c.at, type_=request_log.c.at.type),
        )
        .where(*_of(work, application_id), request_log.c.status < 400)
        .group_by(request_log.c.method, request_log.c.route)
    )  # fmt: skip
    return [Answered(*row) for row in rows]


def days(work: UnitOfWork, application_id: int, count: int = 30) -> list[Day]:
    """The last *count* days in UTC, the oldest first, including days without calls."""
    if work.db.dialect.name == "sqlite":
        day: Any = sa.cast(request_log.c.at, sa.BigInteger).op("/")(sa.literal(_DAY_US, sa.BigInteger))
    else:
        day = sa.func.floor(sa.extract("epoch", request_log.c.at) / 86_400)
    rows = work.db.execute(
        sa.select(
            day.label("day"), sa.func.count(), sa.func.sum(sa.case((request_log.c.status >= 400, 1), else_=0)),
            sa.func.count(request_log.c.account_id.distinct()),
        )
        .where(*_of(work, application_id))
        .group_by(sa.text("1"))
    )  # fmt: skip
    by_day = {int(row[0]): row for row in rows}
    today = (work.now.astimezone(UTC) - EPOCH).days
    series = []
    for number in range(today - count + 1, today + 1):
        row = by_day.get(number)
        date_ = (EPOCH + timedelta(days=number)).date()
        series.append(Day(date_, int(row[1]), int(row[2]), int(row[3])) if row else Day(date_, 0, 0, 0))
    return series


def summaries(work: UnitOfWork, ids: list[int], since: timedelta) -> dict[int, Summary]:
    """Requests and failures within *since*, and the last call on record, by application."""
    if not ids:
        return {}
    recent = request_log.c.at > work.now - since
    rows = work.db.execute(
        sa.select(
            request_log.c.application_id,
            sa.func.sum(sa.case((recent, 1), else_=0)),
            sa.func.sum(sa.case((sa.and_(recent, request_log.c.status >= 400), 1), else_=0)),
            sa.func.max(request_log.c.at, type_=request_log.c.at.type),
        )
        .where(request_log.c.application_id.in_(ids))
        .group_by(request_log.c.application_id)
    )
    return {row[0]: Summary(int(row[1]), int(row[2]), row[3]) for row in rows}


def purge(work: UnitOfWork, limit: int = 1000) -> int:
    """Delete lines older than 30 days, in a small batch; returns how many."""
    old = sa.select(request_log.c.id).where(request_log.c.at < work.now - KEPT).limit(limit)
    return work.db.execute(request_log.delete().where(request_log.c.id.in_(old))).rowcount
