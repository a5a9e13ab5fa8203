"""Audit lines: who changed or saw what matters, written in the transaction of the change (design 5.9)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from vitrine.platform.database import UnitOfWork
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


def _known_actions() -> sa.Select[tuple[str]]:
    """The actions in the log: one look-up in the index for each, however many lines there are."""
    first = sa.select(sa.func.min(audit_log.c.action).label("action"))
    known = first.cte("known", recursive=True)
    following = sa.select(sa.func.min(audit_log.c.action)).where(audit_log.c.action > known.c.action)
    known = known.union_all(sa.select(following.scalar_subquery()).where(known.c.action.is_not(None)))
    return sa.select(known.c.action).where(known.c.action.is_not(None))


_KNOWN_ACTIONS = _known_actions()


def _actions_like(work: UnitOfWork, beginning: str) -> list[str]:
    folded = beginning.casefold()
    return [row.action for row in work.db.execute(_KNOWN_ACTIONS) if row.action.casefold().startswith(folded)]


def _lines_of(work: UnitOfWork, criteria: AuditFilter, limit: int | None) -> sa.Select[Any]:
    """The newest lines. With a limit, each action gives its own newest by the index, and the newest of those remain:
    a filter on several actions would read all lines of all of them."""
    columns = audit_log.c
    conditions: list[sa.ColumnElement[bool]] = []
    if criteria.since is not None:
        conditions.append(columns.at >= criteria.since)
    if criteria.until is not None:
        conditions.append(columns.at < criteria.until)
    if criteria.before is not None:
        conditions.append(columns.id < criteria.before)
    selected = sa.select(*(columns[name] for name in Line.__dataclass_fields__)).where(*conditions)
    if not criteria.action:
        return selected.order_by(columns.id.desc()).limit(limit)
    actions = _actions_like(work, criteria.action)
    if limit is None or not actions:
        return selected.where(columns.action.in_(actions)).order_by(columns.id.desc()).limit(limit)
    newest = [
        sa.select(
            selected.where(columns.action == action)
            .order_by(columns.id.desc())
            .limit(limit)
            .subquery(f"newest_{place}")
        )
        for place, action in enumerate(actions)
    ]
    merged = sa.union_all(*newest).subquery("newest")
    return sa.select(merged).order_by(merged.c.id.desc()).limit(limit)


def lines(work: UnitOfWork, criteria: AuditFilter, limit: int | None = None) -> Iterator[Line]:
    """The lines, newest first, a thousand in memory at a time. The caller must check the right: lines concern
    everybody."""
    statement = _lines_of(work, criteria, limit)
    for row in work.db.execute(statement, execution_options={"yield_per": _BATCH_ROWS}):
        yield Line(*row)
