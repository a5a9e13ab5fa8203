"""Refusals of accounts."""

from vitrine.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable


class WrongCredentials(Forbidden):
    """Login or password is wrong. The answer never says which."""

    code = "wrong_credentials"


class WrongCode(Forbidden):
    """The second step of signing in failed."""

    code = "wrong_code"


class PuzzleRequired(Forbidden):
    """After failed sign-ins a form must solve a puzzle first, or be sent after a while."""

    code = "puzzle_required"


class AccountLocked(Unavailable):
    """Too many failed sign-ins; `retry_after_s` says when the account may try again."""

    code = "account_locked"


class TooManyMails(Unavailable):
    """This caller asked for too many mails; `retry_after_s` says when the next one is sent."""

    code = "too_many_mails"


class LoginTaken(Conflict):
    code = "login_taken"


class WeakPassword(Invalid):
    code = "weak_password"


class RecentAuthRequired(Forbidden):
    """The action needs recent authentication (design 5.4)."""

    code = "sign_in_again"


class MayNotManage(Forbidden):
    """The actor does not manage the users of these collections, or would reach further than their own rights."""

    code = "may_not_manage"


class LinkUsed(NotFound):
    """A link in a mail was used, has expired or never existed. The answer does not say which."""

    code = "link_used"


class ProviderDown(Unavailable):
    """The identity provider does not answer, or its answer cannot be used."""

    code = "provider_down"


class ProviderRefused(Forbidden):
    """A sign-in through an identity provider opens no account here. *reason* is a key of REASONS in
    `accounts.identity_providers.service`."""

    code = "provider_refused"

    def __init__(self, reason: str, *, why: str = "") -> None:
        super().__init__("You could not be signed in this way.", why=why or reason)
        self.reason = reason
