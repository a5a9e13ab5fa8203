"""Reading the archive: structure, records, values, renditions, each with the right for the very object."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from vitrine.accounts import Actor, Via
from vitrine.errors import NotFound
from vitrine.library import access, store, structure_store
from vitrine.library.errors import MayNotSee, NoSuchCollection, NoSuchDatabox, NoSuchRecord, NoSuchRendition
from vitrine.library.model import (
    THUMBNAIL,
    Collection,
    CollectionId,
    Databox,
    DataboxId,
    Field,
    Record,
    RecordId,
    RecordKey,
    Rendition,
    Structure,
    Value,
)
from vitrine.platform.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class Shown:
    """A record the actor sees, with its thumbnail (None while there is none)."""

    record: Record
    thumbnail: Rendition | None


@dataclass(slots=True)
class Records:
    """The archive as one person sees it. Refusals: NoSuch… when a thing is not there, MayNotSee when it is."""

    _structure: Structure | None = field(default=None)

    def structure(self, work: UnitOfWork) -> Structure:
        """The structure of all databoxes, from memory while its stamp stays the same."""
        known = self._structure
        if known is not None and known.version == structure_store.version(work):
            return known
        fresh = structure_store.snapshot(work)
        self._structure = fresh
        return fresh

    # -- databoxes and collections -------------------------------------------------------------------------------

    def databoxes(self, work: UnitOfWork, actor: Actor) -> list[Databox]:
        """Databoxes to which the actor is linked (02 section 6.2 D: only granted ones)."""
        linked = actor.rights.databox_ids()
        boxes = self.structure(work).databoxes.values()
        return [one for one in boxes if actor.via is Via.COMMAND or one.id in linked]

    def databox(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> Databox:
        found = self.structure(work).databoxes.get(databox)
        if found is None:
            raise NoSuchDatabox(f"There is no databox {databox}.", field="databox_id")
        if actor.via is not Via.COMMAND and databox not in actor.rights.databox_ids():
            raise MayNotSee("You have no access to this databox.", why=f"databox {databox}")
        return found

    def collections(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> list[tuple[Collection, int]]:
        """All active collections of a databox the actor has access to, each with its number of records."""
        self.databox(work, actor, databox)
        active = self.structure(work).collections_of(databox)
        counts = store.count_in(work, [one.id for one in active])
        return [(one, counts.get(one.id, 0)) for one in active]

    def collection(self, work: UnitOfWork, base: CollectionId) -> Collection:
        found = self.structure(work).collections.get(base)
        if found is None or not found.enabled:
            raise NoSuchCollection(f"There is no collection with base_id {base}.", field="base_id")
        return found

    # -- records -------------------------------------------------------------------------------------------------

    def get(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> Record:
        """Raises NoSuchDatabox, NoSuchRecord or MayNotSee."""
        found = store.by_key(work, key)
        if found is None:
            if key.databox not in self.structure(work).databoxes:
                raise NoSuchDatabox(f"There is no databox {key.databox}.")
            raise NoSuchRecord(f"There is no record {key.number} in databox {key.databox}.")
        access.require_sight(actor, found, work.now)
        return found

    def page(self, work: UnitOfWork, actor: Actor, ids: Sequence[RecordId]) -> list[Shown]:
        """Records in the order of *ids*, with thumbnails, in one statement.

        What has gone or is no longer visible is left out: an index may be seconds behind, rights are not.
        """
        if not ids:
            return []
        found = store.with_thumbnails(work, ids)
        pairs = (found[one] for one in ids if one in found)
        return [Shown(record, thumb) for record, thumb in pairs if access.sees(actor, record, work.now)]

    def shown(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> Shown:
        record = self.get(work, actor, key)
        return Shown(record, self._ready(store.rendition(work, record.id, THUMBNAIL)))

    def values(self, work: UnitOfWork, actor: Actor, record: Record, *, business: bool) -> list[tuple[Field, Value]]:
        """Values in the order of the structure; business ones only when asked for and allowed on this very record."""
        allowed = business and access.sees_business_fields(actor, record, work.now)
        fields = self.structure(work).field_by_id
        order = {one.id: place for place, one in enumerate(self.structure(work).fields[record.databox_id])}
        found = store.values_of(work, [record.id])[record.id]
        pairs = [(fields[one.field_id], one) for one in found if one.field_id in fields]
        pairs.sort(key=lambda pair: order.get(pair[0].id, len(order)))
        return [pair for pair in pairs if allowed or not pair[0].business]

    def renditions(self, work: UnitOfWork, actor: Actor, record: Record) -> list[Rendition]:
        """The renditions with bytes that the actor may have, the original first."""
        structure = self.structure(work)
        return [
            one
            for one in store.renditions_of(work, [record.id])[record.id]
            if one.is_ready
            and access.may_have(
                actor, record, one.name, structure.recipe(record.databox_id, record.group, one.name), work.now
            )
        ]

    def all_renditions(self, work: UnitOfWork, actor: Actor, record: Record) -> list[Rendition]:
        """Every rendition in any state that the actor may know of, for the record page."""
        structure = self.structure(work)
        return [
            one
            for one in store.renditions_of(work, [record.id])[record.id]
            if access.may_have(
                actor, record, one.name, structure.recipe(record.databox_id, record.group, one.name), work.now
            )
        ]

    def rendition(self, work: UnitOfWork, actor: Actor, key: RecordKey, name: str) -> tuple[Record, Rendition]:
        """One rendition with bytes. Raises NoSuchRendition when there is none, MayNotSee when the actor may not."""
        record = self.get(work, actor, key)
        found = self._ready(store.rendition(work, record.id, name.lower()))
        if found is None:
            raise NoSuchRendition(f"This record has no file called {name}.")
        recipe = self.structure(work).recipe(record.databox_id, record.group, found.name)
        if not access.may_have(actor, record, found.name, recipe, work.now):
            raise MayNotSee("You may not have this file.", why=f"{key} {name}")
        return record, found

    def unguarded(self, work: UnitOfWork, key: RecordKey, name: str) -> tuple[Record, Rendition]:
        """One rendition with bytes, whoever asks: for callers that check a permalink's token themselves.

        Raises NotFound, the same for a missing record, databox or file.
        """
        record = store.by_key(work, key)
        found = self._ready(store.rendition(work, record.id, name.lower())) if record else None
        if record is None or found is None:
            raise NotFound("There is nothing at this address.")
        return record, found

    @staticmethod
    def _ready(found: Rendition | None) -> Rendition | None:
        return found if found is not None and found.is_ready else None
