"""Whether a token is valid: one rule for API calls, introspection and refreshing."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from vitrine.platform.schema import from_micros


class TokenState(NamedTuple):
    """The columns that decide, in the order of the statements: four of the token, then those of its account,
    application and user.

    Instants are as the database has them: microseconds, or aware where the database has a type of its own. For the
    functions here a plain tuple in this order will do: the check of each call makes nothing else of its row."""

    expires: Any
    idle_limit_s: int | None
    last_used: Any
    created: Any
    account_revoked: Any
    application_activated: Any
    application_deleted: Any
    user_deleted: Any
    user_locked: Any


def is_live(state: TokenState, now: datetime) -> bool:
    return is_open(state) and not is_over(state, now)


def is_open(state: TokenState) -> bool:
    """False if consent was withdrawn, or application or person is suspended or deleted."""
    _, _, _, _, revoked, activated, application_deleted, user_deleted, locked = state
    ended = revoked is not None or application_deleted is not None or user_deleted is not None or locked
    return bool(activated) and not ended


def is_over(state: TokenState, now: datetime) -> bool:
    """True when its time is over, or it was not used for too long."""
    expires, idle_limit_s = state[0], state[1]
    if expires is not None and instant(expires) <= now:
        return True
    return idle_limit_s is not None and _idle_end(state, idle_limit_s) <= now


def ends(state: TokenState) -> datetime | None:
    """When its time will be over unless it is used before; None for never."""
    expires, idle_limit_s = state[0], state[1]
    idle_end = None if idle_limit_s is None else _idle_end(state, idle_limit_s)
    if expires is None:
        return idle_end
    return instant(expires) if idle_end is None else min(idle_end, instant(expires))


def _idle_end(state: TokenState, limit_s: int) -> datetime:
    _, _, last_used, created, *_ = state
    return instant(last_used or created) + timedelta(seconds=limit_s)


def instant(value: Any) -> datetime:
    """An instant from a raw row, as an aware datetime."""
    aware: datetime = from_micros(value) if isinstance(value, int) else value
    return aware
