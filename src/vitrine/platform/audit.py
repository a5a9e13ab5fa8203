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


def lines(work: UnitOfWork, criteria: AuditFilter, limit: int | None = None) -> Iterator[Line]:
    """The lines, newest first, a thousand in memory at a time. The caller must check the right: lines concern
    everybody."""
    columns = audit_log.c
    statement = (
        sa.select(*(columns[name] for name in Line.__dataclass_fields__)).order_by(columns.id.desc()).limit(limit)
    )
    if criteria.since is not None:
        statement = statement.where(columns.at >= criteria.since)
    if criteria.until is not None:
        statement = statement.where(columns.at < criteria.until)
    if criteria.action:
        statement = statement.where(columns.action.startswith(criteria.action, autoescape=True))
    if criteria.before is not None:
        statement = statement.where(columns.id < criteria.before)
    for row in work.db.execute(statement, execution_options={"yield_per": _BATCH_ROWS}):
        yield Line(*row)
