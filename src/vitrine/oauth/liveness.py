"""Whether a token still opens anything: the one rule for calls, introspection and refreshing."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from vitrine.platform.schema import from_micros


class TokenState(NamedTuple):
    """The columns that decide, in the order of their statements: four of the token, and those of what it hangs on.

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
    """False when somebody ended it: consent withdrawn, application or person suspended or gone."""
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
    if idle_limit_s is not None:
        return _idle_end(state, idle_limit_s)
    return None if expires is None else instant(expires)


def _idle_end(state: TokenState, limit_s: int) -> datetime:
    _, _, last_used, created, *_ = state
    return instant(last_used or created) + timedelta(seconds=limit_s)


def instant(value: Any) -> datetime:
    """An instant of a raw row."""
    aware: datetime = from_micros(value) if isinstance(value, int) else value
    return aware
