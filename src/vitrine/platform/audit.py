"""Audit lines: who changed or saw what matters, written in the transaction of the change (design 5.9)."""

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa

from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import Expiry
from vitrine.platform.prepared import PreparedInsert
from vitrine.platform.tables import audit_log

_LINES = PreparedInsert(audit_log, "at", "user_id", "application_id", "action", "object", "details", "address")


class Who(Protocol):
    """The part of an Actor that an audit line keeps."""

    @property
    def user_id(self) -> int | None: ...
    @property
    def application_id(self) -> int | None: ...
    @property
    def address(self) -> str: ...


def write(
    work: UnitOfWork,
    who: Who | None,
    action: str,
    thing: str,
    details: dict[str, Any] | None = None,
    *,
    address: str = "",
) -> None:
    """Write one line. *details* must not hold a secret. *who* is None if nobody is signed in yet."""
    _LINES.add(
        work,
        {
            "at": work.now,
            "user_id": who.user_id if who else None,
            "application_id": who.application_id if who else None,
            "action": action,
            "object": thing,
            "details": details,
            "address": (who.address if who else "") or address,
        },
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One audit line. *user_id* and *application_id* say who acted; None if nobody was signed in or the command line
    was used. *object* is what the action changed."""

    id: int
    at: datetime
    user_id: int | None
    application_id: int | None
    action: str
    object: str
    details: dict[str, Any] | None
    address: str


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Selects lines: from *since*, before *until*, with an action that begins with *action*, older than the line
    *before*."""

    since: datetime | None = None
    until: datetime | None = None
    action: str = ""
    before: int | None = None


_BATCH_ROWS = 1000
# A line gets its number when it is written, up to a transaction's length after the instant that it bears.
_LONGEST_TRANSACTION = timedelta(hours=1)


def lines(work: UnitOfWork, criteria: AuditFilter, limit: int | None = None) -> Iterator[Line]:
    """The lines, newest first, a thousand in memory at a time. The caller must check the right: lines concern
    everybody.

    With an action, the lines of each action that fits are read by their own index and merged, so a rare action costs no
    more than a frequent one. Days are turned into numbers of lines first, so nothing outside them is read."""
    wanted = _wanted(work, criteria)
    if not criteria.action:
        yield from _lines_of(work, wanted, limit)
        return
    actions = [action for action in _actions(work) if action.casefold().startswith(criteria.action.casefold())]
    by_action = [_lines_of(work, [*wanted, audit_log.c.action == action], limit) for action in actions]
    merged = heapq.merge(*by_action, key=lambda line: -line.id)
    yield from merged if limit is None else itertools.islice(merged, limit)


def _wanted(work: UnitOfWork, criteria: AuditFilter) -> list[sa.ColumnElement[bool]]:
    columns, wanted = audit_log.c, []
    if criteria.since is not None:
        first = _first_after(work, criteria.since - _LONGEST_TRANSACTION)
        wanted += [columns.at >= criteria.since, columns.id >= first if first is not None else sa.false()]
    if criteria.until is not None:
        end = _first_after(work, criteria.until + _LONGEST_TRANSACTION)
        wanted.append(columns.at < criteria.until)
        if end is not None:
            wanted.append(columns.id < end)
    if criteria.before is not None:
        wanted.append(columns.id < criteria.before)
    return wanted


def _first_after(work: UnitOfWork, at: datetime) -> int | None:
    """The number of the first line at or after an instant."""
    number: int | None = work.db.scalar(
        sa.select(audit_log.c.id).where(audit_log.c.at >= at).order_by(audit_log.c.at, audit_log.c.id).limit(1)
    )
    return number


def _lines_of(work: UnitOfWork, wanted: Sequence[sa.ColumnElement[bool]], limit: int | None) -> Iterator[Line]:
    """Page by page, since the rows of several statements are read in turn."""
    columns = [audit_log.c[name] for name in Line.__dataclass_fields__]
    rows_a_page = _BATCH_ROWS if limit is None else min(limit, _BATCH_ROWS)
    statement = sa.select(*columns).where(*wanted).order_by(audit_log.c.id.desc()).limit(rows_a_page)
    left, last = limit, None
    while left is None or left > 0:
        page = statement if last is None else statement.where(audit_log.c.id < last)
        rows = work.db.execute(page).all()
        yield from (Line(*row) for row in rows)
        if len(rows) < rows_a_page:
            return
        last, left = rows[-1].id, None if left is None else left - len(rows)


def _actions(work: UnitOfWork) -> list[str]:
    """Every action that was ever written, by one look into the index for each: they are some dozens."""
    action = audit_log.c.action
    steps = sa.select(sa.func.min(action).label("action")).cte("actions", recursive=True)
    following = sa.select(sa.func.min(action)).where(action > steps.c.action).scalar_subquery()
    steps = steps.union_all(sa.select(following).where(steps.c.action.is_not(None)))
    return list(work.db.scalars(sa.select(steps.c.action).where(steps.c.action.is_not(None))))


def expiries(actions: Sequence[str], kept: timedelta) -> tuple[Expiry, ...]:
    """The lines of these actions whose time is over; all others are kept. No line is looked at that stays."""

    def of_action(action: str) -> Expiry:
        def is_over(work: UnitOfWork) -> sa.ColumnElement[bool]:
            end = work.now - kept
            first_kept = sa.select(audit_log.c.id).where(audit_log.c.at >= end).order_by(audit_log.c.at).limit(1)
            before = audit_log.c.id < first_kept.scalar_subquery()
            return sa.and_(audit_log.c.action == action, before, audit_log.c.at < end)

        return Expiry(audit_log, is_over)

    return tuple(of_action(action) for action in actions)
