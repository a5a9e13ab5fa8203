"""Values of registration."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from vitrine.accounts.model import UserId
from vitrine.accounts.rights import READER, Right


class State(StrEnum):
    """What a person is told about a request (06 section 18)."""

    PENDING = "pending"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Rule:
    """Rights that people with a confirmed address like *pattern* get at once. `*` is any text, as in `*@museum.org`."""

    pattern: str
    rights: Right

    def matches(self, email: str) -> bool:
        return fnmatchcase(email.casefold(), self.pattern.casefold())

    def as_json(self) -> dict[str, Any]:
        return {"pattern": self.pattern, "rights": int(self.rights)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Rule":
        return cls(value["pattern"], Right(value["rights"]))


Rules = tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class OpenCollection:
    """An enabled collection that takes requests. *rules* is None if neither it nor its databox has a list."""

    base_id: int
    databox_id: int
    number: int
    name: str
    rules: Rules | None = None

    def rights_for(self, email: str) -> Right | None:
        """What a new person with this confirmed address gets at once: by the first rule that fits; what readers get
        where there is no list at all (06 section 18)."""
        if self.rules is None:
            return READER
        return next((rule.rights for rule in self.rules if rule.matches(email)), None)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a collection or databox says about requests. *is_open* None: what the databox says."""

    is_open: bool | None
    rules: Rules | None


@dataclass(frozen=True, slots=True)
class Demand:
    """The state of a person's request for a collection."""

    base_id: int
    databox_id: int
    number: int
    state: State


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A request as those see it who decide."""

    id: int
    user_id: UserId
    login: str
    display_name: str
    email: str | None
    base_id: int
    created: datetime
