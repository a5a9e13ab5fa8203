"""Events of accounts for the layers above. Emitted in the transaction of the change."""

from dataclasses import dataclass

from vitrine.accounts.model import UserId


@dataclass(frozen=True, slots=True)
class AccountClosed:
    """An account is closed for good: what others keep of the person ends."""

    user_id: UserId
