"""Search for one person: the index filters by their rights, then the library checks each hit again."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from vitrine.accounts import Actor, Right, Rights, Via, record_grants
from vitrine.errors import Invalid
from vitrine.library.model import CollectionId, DataboxId, RecordId
from vitrine.library.records import Records, RecordWithThumbnail
from vitrine.library.reports.searches import SearchCounts
from vitrine.platform import logging
from vitrine.platform.cache import Cache
from vitrine.platform.database import UnitOfWork
from vitrine.search.index import Index
from vitrine.search.model import BaseClause, GrantedRecords, Hits, Query, VisibleScope

log = logging.get("vitrine.search")
QUICK_RECORDS = 20_000
QUICK_GRANTS = 200  # a search takes about 1 ms longer
MOST_GRANTS = 1_000_000  # about 60 MB with the engine's form of them


class NoUsableBases(Invalid):
    """The person may search none of the given `bases`: 400 on v1 (02 section 6.5)."""

    code = "no_usable_bases"


class ManyGrants(Exception):
    """The actor holds so many grants that the search takes longer than a short read may."""


class _Remembered(NamedTuple):
    """The granted records of a person, from the *rights* object they belong to, until a grant *expires*."""

    rights: Rights
    expires: datetime | None
    granted: GrantedRecords


def _grants_of(remembered: _Remembered) -> int:
    return len(remembered.granted.rids)


@dataclass(frozen=True, slots=True)
class Search:
    """*counts* are of what is searched for. *_granted* holds the granted records of the people who searched last,
    MOST_GRANTS in all."""

    index: Index
    records: Records
    counts: SearchCounts = field(default_factory=SearchCounts)
    _granted: Cache[int, _Remembered] = field(
        default_factory=lambda: Cache("granted_records", MOST_GRANTS, weigh=_grants_of)
    )

    def is_quick(self) -> bool:
        """True while the index is so small that finding costs less than a switch to another thread."""
        return self.index.count() <= QUICK_RECORDS

    def scope(self, work: UnitOfWork, actor: Actor, *, most_granted: int | None = None) -> VisibleScope:
        """What the actor may find: live collections with their masks, and granted records. Raises ManyGrants for more
        than *most_granted* of them, before it has read more."""
        return VisibleScope(self._bases(work, actor), self._granted_to(work, actor, most_granted))

    def _bases(self, work: UnitOfWork, actor: Actor) -> tuple[BaseClause, ...]:
        if actor.via is Via.COMMAND:
            everything = self.records.structure(work).collections
            return tuple(BaseClause(collection_id, business=True) for collection_id in everything)
        return tuple(
            BaseClause(collection.base_id, mask_and, mask_xor, business=Right.canmodifrecord in collection.rights)
            for collection in actor.rights.live(work.now)
            for mask_and, mask_xor in collection.alternatives()
        )

    def _granted_to(self, work: UnitOfWork, actor: Actor, most: int | None) -> GrantedRecords:
        if actor.via is Via.COMMAND or not actor.rights.has_grants:
            return GrantedRecords()
        user_id, rights = actor.must_user_id, actor.rights
        known = self._granted.get(user_id)
        if known is None or known.rights is not rights or (known.expires is not None and known.expires <= work.now):
            rids, expires = record_grants.all_live(work, user_id, None if most is None else most + 1)
            if most is not None and len(rids) > most:
                raise ManyGrants
            known = _Remembered(rights, expires, GrantedRecords(rids))
            self._granted.keep(work, user_id, known)
        elif most is not None and len(known.granted.rids) > most:
            raise ManyGrants
        return known.granted

    def usable(self, work: UnitOfWork, actor: Actor, bases: list[int]) -> frozenset[int] | None:
        """The collections of *bases* that the actor may search; None if *bases* is empty. Raises NoUsableBases."""
        if not bases:
            return None
        allowed = {base.base_id for base in self._bases(work, actor)}
        usable = frozenset(bases) & allowed
        if not usable:
            raise NoUsableBases("None of these collections can be searched by you.", field="bases")
        return usable

    def find(self, work: UnitOfWork, actor: Actor, query: Query) -> tuple[Hits, list[RecordWithThumbnail]]:
        """One page: the engine's hits, and those records that the actor may still see."""
        hits = self.index.search(query)
        if query.offset == 0 and actor.via is not Via.COMMAND:
            self.counts.count(self._databoxes(work, query), query.text, hits.total)
        return hits, self.records.page(work, actor, [RecordId(rid) for rid in hits.rids])

    def _databoxes(self, work: UnitOfWork, query: Query) -> set[DataboxId]:
        """Those of the collections that are searched."""
        collections = self.records.structure(work).collections
        bases = query.bases or {base.base_id for base in query.scope.bases}
        return {collections[CollectionId(base)].databox_id for base in bases if CollectionId(base) in collections}
