"""Refusals of applications."""

from vitrine.accounts.errors import RecentAuthRequired
from vitrine.errors import Conflict, Forbidden, Invalid, NotFound


class NoSuchApplication(NotFound):
    """The application is unknown or somebody else's; the answer is the same (07 P5, must 1)."""

    code = "no_such_application"


class NotOpen(Forbidden):
    """Only owners and test users may use the application: its owner chose so, or it is not approved yet."""

    code = "not_open"


class PersonNeeded(RecentAuthRequired):
    """The action needs a person with recent authentication; the call came with a token (docs/decisions/0080)."""


class ActsForAnother(Forbidden):
    """The application acts for a person by its secret alone; only that person may see or replace the secret."""

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
