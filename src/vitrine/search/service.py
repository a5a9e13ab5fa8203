"""Search for one person: the index filters by their rights, then the library checks each hit again."""

from dataclasses import dataclass

from vitrine.accounts import Actor, Right, Via
from vitrine.errors import Invalid
from vitrine.library.model import RecordId
from vitrine.library.records import Records, RecordWithThumbnail
from vitrine.platform import logging
from vitrine.platform.database import UnitOfWork
from vitrine.search.index import Index
from vitrine.search.model import BaseClause, Hits, Query, VisibleScope

log = logging.get("vitrine.search")
QUICK_RECORDS = 20_000


class NoUsableBases(Invalid):
    """The person may search none of the given `bases`: 400 on v1 (02 section 6.5)."""

    code = "no_usable_bases"


@dataclass(frozen=True, slots=True)
class Search:
    index: Index
    records: Records

    def is_quick(self) -> bool:
        """True while the index is so small that finding costs less than a switch to another thread."""
        return self.index.count() <= QUICK_RECORDS

    def scope(self, work: UnitOfWork, actor: Actor) -> VisibleScope:
        """What the actor may find: live collections with their masks, and granted records."""
        if actor.via is Via.COMMAND:
            everything = self.records.structure(work).collections
            return VisibleScope(tuple(BaseClause(collection_id, business=True) for collection_id in everything))
        rights = actor.rights
        bases = tuple(
            BaseClause(
                collection.base_id,
                collection.mask_and,
                collection.mask_xor,
                business=Right.canmodifrecord in collection.rights,
            )
            for collection in rights.live(work.now)
        )
        granted = frozenset(record_id for record_id in rights.grants if rights.record_grant(record_id, work.now))
        return VisibleScope(bases, granted)

    def usable(self, work: UnitOfWork, actor: Actor, bases: list[int]) -> frozenset[int] | None:
        """The collections of *bases* that the actor may search; None if *bases* is empty. Raises NoUsableBases."""
        if not bases:
            return None
        allowed = {base.base_id for base in self.scope(work, actor).bases}
        usable = frozenset(bases) & allowed
        if not usable:
            raise NoUsableBases("None of these collections can be searched by you.", field="bases")
        return usable

    def find(self, work: UnitOfWork, actor: Actor, query: Query) -> tuple[Hits, list[RecordWithThumbnail]]:
        """One page: the engine's hits, and those records that the actor may still see."""
        hits = self.index.search(query)
        return hits, self.records.page(work, actor, [RecordId(rid) for rid in hits.rids])
