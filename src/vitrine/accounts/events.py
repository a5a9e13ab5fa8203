"""Events of accounts for other capabilities."""

from dataclasses import dataclass

from vitrine.accounts.model import UserId


@dataclass(frozen=True, slots=True)
class AccountCreated:
    user_id: UserId


@dataclass(frozen=True, slots=True)
class AccountClosed:
    """The account was closed for good. Its credentials have ended; its row stays, so that no number is given twice."""

    user_id: UserId
    closed_by: UserId | None
