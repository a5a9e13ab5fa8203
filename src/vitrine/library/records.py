"""Reading the archive: structure, records, values, renditions, each with the right for the very object."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vitrine.accounts import Actor, DataboxRight, Right, Via
from vitrine.errors import NotFound
from vitrine.library import access, store, structure_store
from vitrine.library.errors import MayNotSee, NoSuchCollection, NoSuchDatabox, NoSuchRecord, NoSuchRendition
from vitrine.library.model import (
    Collection,
    CollectionId,
    Databox,
    DataboxId,
    Field,
    Record,
    RecordId,
    RecordKey,
    Rendition,
    StatusBit,
    Structure,
    Value,
)
from vitrine.platform.cache import Cache
from vitrine.platform.database import UnitOfWork

MOST_SHOWN = 8_000  # about 20 MB


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A record the actor sees, with its thumbnail (None while there is none). Compared by identity: a page gives the
    same object while record and thumbnail are the same, so that presenters may keep what they make of it."""

    record: Record
    thumbnail: Rendition | None


Classed = tuple[Rendition, str | None]


class Described(NamedTuple):
    """A record with its values in the order of the structure and the files that the actor may have."""

    shown: Shown
    values: list[tuple[Field, Value]]
    renditions: list[Rendition]


@dataclass(slots=True)
class Records:
    """The archive as one person sees it. Refusals: NoSuch… when a thing is not there, MayNotSee when it is."""

    _structure: Structure | None = field(default=None)
    _shown: Cache[tuple[Any, ...], Shown] = field(default_factory=lambda: Cache("records", MOST_SHOWN))
    _files: Cache[tuple[Any, ...], Sequence[Classed]] = field(default_factory=lambda: Cache("renditions", MOST_SHOWN))

    def structure(self, work: UnitOfWork) -> Structure:
        """The structure of all databoxes, from memory while its stamp stays the same."""
        known = self._structure
        if known is not None and known.version == structure_store.version(work):
            return known
        fresh = structure_store.snapshot(work)
        if not work.writable:  # what a write changed may be rolled back, and its stamp given again
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

    def structure_of(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> tuple[list[Field], list[StatusBit]]:
        """Fields and status bits of a databox as its managers see them: access and `bas_modify_struct` (02 §6.2)."""
        self.databox(work, actor, databox)
        if actor.via is not Via.COMMAND and not actor.rights.on_databox(databox, DataboxRight.bas_modify_struct):
            raise MayNotSee("You may not read the structure of this databox.", why=f"databox {databox}")
        structure = self.structure(work)
        return list(structure.fields[databox]), list(structure.status_bits[databox])

    def known_fields(self, work: UnitOfWork, actor: Actor) -> list[Field]:
        """The fields of all databoxes the actor has access to; business ones where they may edit in that databox."""
        structure = self.structure(work)
        edits = {one.databox_id for one in actor.rights.live(work.now) if Right.canmodifrecord in one.rights}
        fields = (one for box in self.databoxes(work, actor) for one in structure.fields[box.id])
        return [one for one in fields if not one.business or one.databox_id in edits or actor.via is Via.COMMAND]

    def one_collection(self, work: UnitOfWork, actor: Actor, base: CollectionId) -> tuple[Collection, int]:
        """A collection and its number of records. Raises MayNotSee without access, also when there is none (02 §6.2):
        numbers of collections tell nothing."""
        found = self.structure(work).collections.get(base)
        grant = actor.rights.collections.get(base)
        known = actor.via is Via.COMMAND or (grant is not None and grant.is_live(work.now))
        if found is None or not found.enabled or not known:
            raise MayNotSee("You have no access to this collection.", why=f"collection {base}")
        return found, store.count_in(work, [base]).get(base, 0)

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
            raise self._missing(work, key)
        access.require_sight(actor, found, work.now)
        return found

    def _missing(self, work: UnitOfWork, key: RecordKey) -> NotFound:
        if key.databox not in self.structure(work).databoxes:
            return NoSuchDatabox(f"There is no databox {key.databox}.")
        return NoSuchRecord(f"There is no record {key.number} in databox {key.databox}.")

    def shown(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> Shown:
        """One record with its thumbnail. Refusals as in `get`."""
        record_id = store.id_of(work, key)
        if record_id is None:
            raise self._missing(work, key)
        page = self.page(work, actor, [record_id])
        if not page:
            raise access.not_seen(actor, key)
        return page[0]

    def page(self, work: UnitOfWork, actor: Actor, ids: Sequence[RecordId]) -> list[Shown]:
        """Records in the order of *ids*, with thumbnails, in one statement for the ones shown lately.

        What has gone or is no longer visible is left out: an index may be seconds behind, rights are not.
        """
        if not ids:
            return []
        stamps = store.stamps(work, ids)
        seen = access.seen_of(actor, (stamp[:3] for stamp in stamps.values()), work.now)
        wanted = [stamps[one] for one in ids if one in seen]
        found = {stamp: self._shown.get(stamp) for stamp in wanted}
        unknown = [RecordId(stamp[0]) for stamp, known in found.items() if known is None]
        if unknown:
            # The same snapshot as the stamps: what is read here is what they stand for.
            for record, thumbnail in store.with_thumbnails(work, unknown).values():
                stamp = stamps[record.id]
                found[stamp] = shown = Shown(record, thumbnail)
                self._shown.keep(work, stamp, shown)
        return [one for one in found.values() if one is not None]

    def moved(self, work: UnitOfWork, key: RecordKey) -> Shown:
        """A record just after its mover lost sight of it or not: the answer shows what they did (02 section 6.6)."""
        record_id = store.id_of(work, key)
        assert record_id is not None
        return Shown(*store.with_thumbnails(work, [record_id])[record_id])

    def values(self, work: UnitOfWork, actor: Actor, record: Record, *, business: bool) -> list[tuple[Field, Value]]:
        """Values in the order of the structure; business ones only when asked for and allowed on this very record."""
        found = store.values_of(work, [record.id])[record.id]
        allowed = business and access.sees_business_fields(actor, record, work.now)
        return self._allowed_values(self.structure(work), found, business=allowed)

    @staticmethod
    def _allowed_values(structure: Structure, found: list[Value], *, business: bool) -> list[tuple[Field, Value]]:
        fields, order = structure.field_by_id, structure.field_order
        pairs = [(fields[one.field_id], one) for one in found if one.field_id in fields]
        pairs.sort(key=lambda pair: order[pair[0].id])
        return pairs if business else [pair for pair in pairs if not pair[0].business]

    def renditions(self, work: UnitOfWork, actor: Actor, record: Record) -> list[Rendition]:
        """The renditions with bytes that the actor may have, the original first."""
        found = store.renditions_of(work, [record.id])[record.id]
        allowed = access.classes_of(actor, record, work.now)
        return [one for one, klass in _classed(self.structure(work), record, found) if klass in allowed]

    def described(self, work: UnitOfWork, actor: Actor, page: Sequence[Shown]) -> list[Described]:
        """Everything the actor may know of the records of a page, a statement for all values and one for all files."""
        ids = [one.record.id for one in page]
        structure = self.structure(work)
        values, files = store.values_of(work, ids), self._files_of(work, structure, [one.record for one in page])
        verdicts = access.Verdicts(actor, work.now)
        made = []
        for one in page:
            classes, business = verdicts.on(one.record)
            had = [file for file, klass in files[one.record.id] if klass in classes]
            made.append(Described(one, self._allowed_values(structure, values[one.record.id], business=business), had))
        return made

    def _files_of(
        self, work: UnitOfWork, structure: Structure, page: Sequence[Record]
    ) -> dict[RecordId, Sequence[Classed]]:
        """Each record's files with bytes and the class that decides about them, the same objects for as long as they
        are the same."""
        ids = [one.id for one in page]
        stamps = store.rendition_stamps(work, ids)
        # What decides besides the files: recipes, and which of them a record follows.
        keys = {one.id: (stamps[one.id], structure.version, one.is_story, one.kind) for one in page}
        found = {one.id: self._files.get(keys[one.id]) for one in page}
        unknown = {one.id: one for one in page if found[one.id] is None}
        if unknown:
            for number, made in store.renditions_of(work, list(unknown)).items():
                found[number] = classed = _classed(structure, unknown[number], made)
                self._files.keep(work, keys[number], classed)
        return {number: some or () for number, some in found.items()}

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


def _classed(structure: Structure, record: Record, found: Iterable[Rendition]) -> list[Classed]:
    """The renditions with bytes, each with its class (`access.class_of`)."""
    box, group = record.databox_id, record.group
    ready = (one for one in found if one.is_ready)
    return [(one, access.class_of(record, one.name, structure.recipe(box, group, one.name))) for one in ready]
