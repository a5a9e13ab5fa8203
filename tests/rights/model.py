"""The truth table of contract 06 section 17.7, the column "ask instead", as a reference for tests.

It shares no code with the product: rights are their names on the wire, and every rule is one line of the table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

Key = tuple[int, int]  # (databox_id, record_id)


@dataclass(frozen=True)
class Link:
    """A person's row on a collection (section 17.4)."""

    rights: frozenset[str]
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    mask_and: int = 0
    mask_xor: int = 0


@dataclass(frozen=True)
class Grant:
    """A right on one record (section 17.5); *hd* with its original."""

    hd: bool
    expires: datetime | None = None


@dataclass
class ModelRecord:
    key: Key
    base_id: int
    status: int


@dataclass
class Person:
    links: dict[int, Link] = field(default_factory=dict)
    grants: dict[Key, list[Grant]] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """One person, one record, one instant: the letters of the table."""

    person: Person
    record: ModelRecord
    now: datetime

    @property
    def _link(self) -> Link:
        return self.person.links.get(self.record.base_id, Link(frozenset()))

    @property
    def L(self) -> bool:
        return "actif" in self._link.rights

    @property
    def T(self) -> bool:
        return is_in_time(self._link, self.now)

    @property
    def M(self) -> bool:
        return (self.record.status ^ self._link.mask_xor) & self._link.mask_and == 0

    def _live(self) -> list[Grant]:
        grants = self.person.grants.get(self.record.key, [])
        return [grant for grant in grants if grant.expires is None or self.now < grant.expires]

    @property
    def G(self) -> bool:
        return bool(self._live())

    @property
    def H(self) -> bool:
        return any(grant.hd for grant in self._live())

    @property
    def V(self) -> bool:
        return (self.L and self.T and self.M) or self.G

    def R(self, right: str) -> bool:
        return self.L and self.T and right in self._link.rights


def is_in_time(link: Link, now: datetime) -> bool:
    return (link.valid_from is None or link.valid_from <= now) and (link.valid_until is None or now <= link.valid_until)


# The rows of the table; a part that needs another one adds it here, in the words of the table.
ACTIONS: Mapping[str, Callable[[Question], bool]] = {
    "find by search": lambda q: (q.L and q.T and q.M) or q.G,
    "see": lambda q: q.V,
    "thumbnail": lambda q: q.V,
    "preview": lambda q: q.V and (q.R("candwnldpreview") or q.G),
    "original": lambda q: q.V and (q.R("candwnldhd") or q.H),
    "business fields": lambda q: q.V and q.R("canmodifrecord"),
    "edit fields": lambda q: q.V and q.R("canmodifrecord"),
    "set status": lambda q: q.V and q.R("chgstatus"),
    "move away": lambda q: q.V and q.R("candeleterecord"),
    "delete": lambda q: q.V and q.R("candeleterecord"),
    "put in a basket": lambda q: q.V and q.R("canputinalbum"),
    "replace file": lambda q: q.V and q.R("imgtools"),
    "push": lambda q: q.V and q.R("canpush"),
    "order": lambda q: q.V and q.R("cancmd"),
}


def may(action: str, person: Person, record: ModelRecord, now: datetime) -> bool:
    return ACTIONS[action](Question(person, record, now))
