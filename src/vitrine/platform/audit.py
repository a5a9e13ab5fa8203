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
    """One line; *details* never holds a secret. *who* is None when nobody is signed in yet."""
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
    """What happened. *user_id* and *application_id* say who did it, None where nobody was signed in or the command line
    was used; *object* is what it was done to."""

    id: int
    at: datetime
    user_id: int | None
    application_id: int | None
    action: str
    object: str
    details: dict[str, Any] | None
    address: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: from *since* on, before *until*, whose action begins with *action*, older than the line *before*."""

    since: datetime | None = None
    until: datetime | None = None
    action: str = ""
    before: int | None = None


_AT_ONCE = 1000


def lines(work: UnitOfWork, wanted: Wanted, limit: int | None = None) -> Iterator[Line]:
    """The newest first, a thousand in memory at once. The caller asks for the right: these lines tell of everybody."""
    one = audit_log.c
    found = sa.select(*(one[name] for name in Line.__dataclass_fields__)).order_by(one.id.desc()).limit(limit)
    if wanted.since is not None:
        found = found.where(one.at >= wanted.since)
    if wanted.until is not None:
        found = found.where(one.at < wanted.until)
    if wanted.action:
        found = found.where(one.action.startswith(wanted.action, autoescape=True))
    if wanted.before is not None:
        found = found.where(one.id < wanted.before)
    for row in work.db.execute(found, execution_options={"yield_per": _AT_ONCE}):
        yield Line(*row)
