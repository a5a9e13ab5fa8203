"""Refusals of applications."""

from vitrine.errors import Invalid, NotFound


class NoSuchApplication(NotFound):
    """Unknown, or somebody else's: both look the same (07 P5, must 1)."""

    code = "no_such_application"


class BadApplication(Invalid):
    """One or more fields of the form are wrong; `faults` maps each to a sentence."""

    code = "bad_application"

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__(" ".join(faults.values()), field=next(iter(faults)))
        self.faults = faults
