"""Rights: what a person may do on which collection. Pure values and the rules of contract 06 section 17 that need no
record.

Rules that concern a record (is it visible, which rendition) are in `library/access.py`, since they need its
collection and status.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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
    monthly_downloads: int | None = None
    masks: tuple[tuple[int, int], ...] = ()  # alternatives (and, xor), where several grants came together

    def is_in_time(self, now: datetime) -> bool:
        return (self.valid_from is None or self.valid_from <= now) and (
            self.valid_until is None or now <= self.valid_until
        )

    def is_live(self, now: datetime) -> bool:
        """True if active and inside its dates; otherwise no right counts (06 section 17.4)."""
        return Right.actif in self.rights and self.is_in_time(now)

    def alternatives(self) -> tuple[tuple[int, int], ...]:
        """The masks (and, xor) of which one must pass."""
        return self.masks or ((self.mask_and, self.mask_xor),)

    def covers(self, other: "CollectionGrant") -> bool:
        """True if *other* gives nothing that this grant, while it is live, does not give: rights, states that are seen,
        the end, and the limit of downloads (06 section 17.4)."""
        within_rights = other.rights & ~(self.rights | Right.restrict_dwnld) == 0
        within_masks = all(any(_is_within(mask, own) for own in self.alternatives()) for mask in other.alternatives())
        ends = self.valid_until is None or (other.valid_until is not None and other.valid_until <= self.valid_until)
        return within_rights and within_masks and ends and self._limits_downloads_of(other)

    def _limits_downloads_of(self, other: "CollectionGrant") -> bool:
        if Right.restrict_dwnld not in self.rights:
            return True
        return Right.restrict_dwnld in other.rights and (other.monthly_downloads or 0) <= (self.monthly_downloads or 0)

    def tightened(self, wanted: "CollectionGrant") -> "CollectionGrant":
        """*wanted* with the mask, the end and the limit of downloads of this grant added to its own."""
        ends = [end for end in (self.valid_until, wanted.valid_until) if end is not None]
        is_limited = Right.restrict_dwnld in self.rights
        was_limited = Right.restrict_dwnld in wanted.rights
        downloads = [
            grant.monthly_downloads or 0 for grant, limited in ((self, is_limited), (wanted, was_limited)) if limited
        ]
        mask_and, mask_xor = self.alternatives()[0]
        return replace(
            wanted,
            rights=wanted.rights | (self.rights & Right.restrict_dwnld),
            valid_until=min(ends) if ends else None,
            mask_and=wanted.mask_and | mask_and,
            mask_xor=(wanted.mask_xor & ~mask_and) | (mask_xor & mask_and),
            monthly_downloads=min(downloads) if downloads else wanted.monthly_downloads,
            masks=(),
        )

    def shows_status(self, status: int) -> bool:
        """06 section 17.4: visible when ((status XOR mask_xor) AND mask_and) = 0."""
        if self.masks:
            return any((status ^ mask_xor) & mask_and == 0 for mask_and, mask_xor in self.masks)
        return (status ^ self.mask_xor) & self.mask_and == 0


def _is_within(mask: tuple[int, int], own: tuple[int, int]) -> bool:
    """Every status that *mask* shows is one that *own* shows."""
    return own[0] & ~mask[0] == 0 and (own[1] ^ mask[1]) & own[0] == 0


def combined(grants: Sequence[CollectionGrant], now: datetime, own: CollectionGrant | None = None) -> CollectionGrant:
    """What several grants on one collection, a person's own and those of groups, give together until `next_change`.
    *own* is the person's own among them: without `actif` it suspends the person there, whatever groups give.

    A right counts if any live grant has it, and a status is seen if any live grant shows it. Downloads are limited only
    if every live grant limits them. The end is the first of their ends: nobody gives on longer what they have for a
    while. Where none is live the first stands for all."""
    if own is not None and Right.actif not in own.rights:
        return own
    live = [grant for grant in grants if grant.is_live(now)]
    if len(live) < 2:
        return live[0] if live else grants[0]
    rights, is_limited = Right(0), True
    for grant in live:
        rights |= grant.rights
        is_limited = is_limited and Right.restrict_dwnld in grant.rights
    masks = {(grant.mask_and, grant.mask_xor & grant.mask_and) for grant in live}
    widest = tuple(sorted(mask for mask in masks if not any(mask != own and _is_within(mask, own) for own in masks)))
    common = -1
    for mask_and, mask_xor in widest:
        common &= mask_and & ~(mask_xor ^ widest[0][1])
    ends = [grant.valid_until for grant in live if grant.valid_until is not None]
    return CollectionGrant(
        live[0].base_id,
        live[0].databox_id,
        rights if is_limited else rights & ~Right.restrict_dwnld,
        valid_until=min(ends) if ends else None,
        mask_and=common,
        mask_xor=widest[0][1] & common,
        monthly_downloads=max(grant.monthly_downloads or 0 for grant in live) if is_limited else None,
        masks=widest if len(widest) > 1 else (),
    )


def next_change(grants: Iterable[CollectionGrant], now: datetime) -> datetime | None:
    """The last instant, from *now* on, before one of *grants* begins or ends; None if none does."""
    instants: list[datetime] = []
    for grant in grants:
        if grant.valid_from is not None and grant.valid_from > now:
            instants.append(grant.valid_from - timedelta(microseconds=1))
        if grant.valid_until is not None and grant.valid_until >= now:
            instants.append(grant.valid_until)
    return min(instants, default=None)


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
