"""Rights: what a person may do on which collection. Pure values and the rules of contract 06 section 17 that need no
record.

Rules that concern a record (is it visible, which rendition) are in `library/access.py`, since they need its
collection and status.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntFlag
from functools import lru_cache
from types import MappingProxyType


class Right(IntFlag):
    """The 18 rights on a collection, by their names on the wire (06 section 17.1)."""

    actif = 1 << 0
    canaddrecord = 1 << 1
    canadmin = 1 << 2
    cancmd = 1 << 3
    candeleterecord = 1 << 4
    candwnldhd = 1 << 5
    candwnldpreview = 1 << 6
    canmodifrecord = 1 << 7
    canpush = 1 << 8
    canputinalbum = 1 << 9
    canreport = 1 << 10
    chgstatus = 1 << 11
    imgtools = 1 << 12
    manage = 1 << 13
    modify_struct = 1 << 14
    nowatermark = 1 << 15
    order_master = 1 << 16
    restrict_dwnld = 1 << 17


class DataboxRight(IntFlag):
    """The 4 rights on a databox (06 section 17.2)."""

    bas_modif_th = 1 << 0
    bas_modify_struct = 1 << 1
    bas_manage = 1 << 2
    bas_chupub = 1 << 3


ALL_RIGHTS = Right(sum(right for right in Right if right is not Right.restrict_dwnld))
ALL_DATABOX_RIGHTS = DataboxRight(sum(DataboxRight))
READER = Right.actif | Right.canputinalbum | Right.candwnldpreview
CONTRIBUTOR = (
    READER
    | Right.candwnldhd
    | Right.canaddrecord
    | Right.canmodifrecord
    | Right.chgstatus
    | Right.nowatermark
    | Right.imgtools
)


@dataclass(frozen=True, slots=True)
class CollectionGrant:
    """The rights of one person on one collection, the dates between which they hold, and the mask of visible states."""

    base_id: int
    databox_id: int
    rights: Right
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    mask_and: int = 0
    mask_xor: int = 0

    def is_in_time(self, now: datetime) -> bool:
        return (self.valid_from is None or self.valid_from <= now) and (
            self.valid_until is None or now <= self.valid_until
        )

    def is_live(self, now: datetime) -> bool:
        """True if active and inside its dates; otherwise no right counts (06 section 17.4)."""
        return Right.actif in self.rights and self.is_in_time(now)

    def covers(self, other: "CollectionGrant") -> bool:
        """True if *other* gives nothing that this grant, while it is live, does not give: rights, states that are seen,
        the end, and the limit of downloads (06 section 17.4)."""
        within_rights = other.rights & ~(self.rights | Right.restrict_dwnld) == 0
        is_limited = Right.restrict_dwnld not in self.rights or Right.restrict_dwnld in other.rights
        within_mask = self.mask_and & ~other.mask_and == 0 and (self.mask_xor ^ other.mask_xor) & self.mask_and == 0
        ends = self.valid_until is None or (other.valid_until is not None and other.valid_until <= self.valid_until)
        return within_rights and is_limited and within_mask and ends

    def tightened(self, wanted: "CollectionGrant") -> "CollectionGrant":
        """*wanted* with the mask, the end and the limit of downloads of this grant added to its own."""
        ends = [end for end in (self.valid_until, wanted.valid_until) if end is not None]
        return replace(
            wanted,
            rights=wanted.rights | (self.rights & Right.restrict_dwnld),
            valid_until=min(ends) if ends else None,
            mask_and=wanted.mask_and | self.mask_and,
            mask_xor=(wanted.mask_xor & ~self.mask_and) | (self.mask_xor & self.mask_and),
        )

    def shows_status(self, status: int) -> bool:
        """06 section 17.4: visible when ((status XOR mask_xor) AND mask_and) = 0."""
        return (status ^ self.mask_xor) & self.mask_and == 0


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of one person on collections and databoxes, cached until `users.rights_version` changes. *has_grants*:
    the person holds rights on single records, which `accounts.record_grants` reads."""

    collections: Mapping[int, CollectionGrant] = field(default_factory=lambda: MappingProxyType({}))
    databoxes: Mapping[int, DataboxRight] = field(default_factory=lambda: MappingProxyType({}))
    has_grants: bool = False

    def on(self, base_id: int, right: Right, now: datetime) -> bool:
        """R(right) of 06 section 17.7: the link is live and has the right, on this very collection."""
        grant = self.collections.get(base_id)
        return grant is not None and grant.is_live(now) and right in grant.rights

    def anywhere(self, right: Right, now: datetime) -> bool:
        return any(grant.is_live(now) and right in grant.rights for grant in self.collections.values())

    def on_databox(self, databox_id: int, right: DataboxRight) -> bool:
        return right in self.databoxes.get(databox_id, DataboxRight(0))

    def live(self, now: datetime) -> Iterable[CollectionGrant]:
        return (grant for grant in self.collections.values() if grant.is_live(now))

    def bases_with(self, right: Right, now: datetime) -> frozenset[int]:
        return frozenset(grant.base_id for grant in self.live(now) if right in grant.rights)

    def databox_ids(self) -> frozenset[int]:
        """Databoxes the person is linked to, by a databox row or by a collection."""
        return frozenset(self.databoxes) | frozenset(grant.databox_id for grant in self.collections.values())


NO_RIGHTS = Rights()


def names(rights: Right | DataboxRight) -> list[str]:
    """The names of *rights* on the wire, in alphabetical order."""
    return list(_names(type(rights), int(rights)))


@lru_cache(maxsize=1024)
def _names(kind: type[Right] | type[DataboxRight], value: int) -> tuple[str, ...]:
    return tuple(sorted(right.name or "" for right in kind(value)))
