"""Events of accounts for the layers above."""

from dataclasses import dataclass

from vitrine.accounts.model import UserId


@dataclass(frozen=True, slots=True)
class AccountClosed:
    user_id: UserId
