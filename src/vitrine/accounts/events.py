"""Events of accounts for other capabilities."""

from dataclasses import dataclass
from datetime import datetime

from vitrine.accounts.model import UserId


@dataclass(frozen=True, slots=True)
class AccountCreated:
    user_id: UserId


@dataclass(frozen=True, slots=True)
class AccountClosed:
    """The account was closed for good. Its credentials have ended; its row stays, so that no number is given twice."""

    user_id: UserId
    closed_by: UserId | None


@dataclass(frozen=True, slots=True)
class AccountUnused:
    """Nobody has used an account since *last_active*: its owner was told, or it was suspended."""

    user_id: UserId
    last_active: datetime
    is_suspended: bool
