"""Refusals of accounts, with names worth catching."""

from vitrine.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable


class WrongCredentials(Forbidden):
    """Login or password is wrong; which one is never said."""

    code = "wrong_credentials"


class WrongCode(Forbidden):
    """The second step of signing in failed."""

    code = "wrong_code"


class AccountLocked(Unavailable):
    """Too many failed sign-ins; `retry_after_s` says when the account may try again."""

    code = "account_locked"


class LoginTaken(Conflict):
    code = "login_taken"


class WeakPassword(Invalid):
    code = "weak_password"


class RecentAuthRequired(Forbidden):
    """The password must be given again before this (design 5.4)."""

    code = "sign_in_again"


class LinkUsed(NotFound):
    """A link of a letter that was used, is too old, or was never made: which one is not said."""

    code = "link_used"


class ProviderDown(Unavailable):
    """The sign-in provider of another organisation does not answer, or not in a way that can be used."""

    code = "provider_down"


class ProviderRefused(Forbidden):
    """A sign-in through a provider that opens no account here. *reason* is a key of REASONS in
    `accounts.identity_providers.service`."""

    code = "provider_refused"

    def __init__(self, reason: str, *, why: str = "") -> None:
        super().__init__("You could not be signed in this way.", why=why or reason)
        self.reason = reason
