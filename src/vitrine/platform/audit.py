"""Audit lines: who changed or saw what matters, written in the transaction of the change (design 5.9)."""

from typing import Any, Protocol

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
