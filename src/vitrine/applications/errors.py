"""Refusals of applications."""

from vitrine.accounts.errors import RecentAuthRequired
from vitrine.errors import Conflict, Forbidden, Invalid, NotFound


class NoSuchApplication(NotFound):
    """Unknown, or somebody else's: both look the same (07 P5, must 1)."""

    code = "no_such_application"


class NotOpen(Forbidden):
    """Only owners and test users may use it: its owner chose so, or an administrator has not approved it."""

    code = "not_open"


class PersonNeeded(RecentAuthRequired):
    """Only a person who signed in lately may do this; the call came with a token (docs/decisions/0080)."""


class ActsForAnother(Forbidden):
    """The application acts for somebody by its secret alone: only they may see or replace it."""

    code = "acts_for_another"


class NoSecret(Conflict):
    """Every client secret of the application has ended."""

    code = "no_secret"


class BadApplication(Invalid):
    """One or more fields of the form are wrong; `faults` maps each to a sentence."""

    code = "bad_application"

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__(" ".join(faults.values()), field=next(iter(faults)))
        self.faults = faults
