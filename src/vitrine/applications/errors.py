"""Refusals of applications."""

from vitrine.errors import Forbidden, Invalid, NotFound


class NoSuchApplication(NotFound):
    """Unknown, or somebody else's: both look the same (07 P5, must 1)."""

    code = "no_such_application"


class NotOpen(Forbidden):
    """Only owners and test users may use it: its owner chose so, or an administrator has not approved it."""

    code = "not_open"


class BadApplication(Invalid):
    """One or more fields of the form are wrong; `faults` maps each to a sentence."""

    code = "bad_application"

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__(" ".join(faults.values()), field=next(iter(faults)))
        self.faults = faults
