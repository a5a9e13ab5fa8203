"""Reads the archive: structure, records, values, renditions. Each call checks the right on the object itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from vitrine.accounts import Actor, DataboxRight, Right, Via
from vitrine.errors import NotFound
from vitrine.library import access, counts, store, structure_store
from vitrine.library.errors import (
    ChangedMeanwhile,
    MayNotSee,
    NoSuchCollection,
    NoSuchDatabox,
    NoSuchRecord,
    NoSuchRendition,
)
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

LISTED_AT_ONCE = 500
MOST_SHOWN = 3_000  # records, and as many lists of files: about 25 MB together


@dataclass(frozen=True, slots=True, eq=False)
class RecordWithThumbnail:
    """A record the actor sees, with its thumbnail (None while there is none). Compared by identity: pages return the
    same object while record and thumbnail are unchanged, so that presenters may cache what they derive from it."""

    record: Record
    thumbnail: Rendition | None


Classed = tuple[Rendition, str | None]


class FullRecord(NamedTuple):
    """A record with its values in structure order and the files that the actor may have."""

    shown: RecordWithThumbnail
    values: list[tuple[Field, Value]]
    renditions: list[Rendition]


@dataclass(slots=True)
class Records:
    """The archive as one person sees it. Raises NoSuch… when an object does not exist, MayNotSee when it does."""

    _structure: Structure | None = field(default=None)
    _shown: Cache[tuple[Any, ...], RecordWithThumbnail] = field(default_factory=lambda: Cache("records", MOST_SHOWN))
    _files: Cache[tuple[Any, ...], Sequence[Classed]] = field(default_factory=lambda: Cache("renditions", MOST_SHOWN))

    def structure(self, work: UnitOfWork) -> Structure:
        """The structure of all databoxes, from memory while its version stamp is unchanged."""
        known = self._structure
        if known is not None and known.version == structure_store.version(work):
            return known
        fresh = structure_store.snapshot(work)
        if not work.writable:  # a write may be rolled back, and another write then gets the same stamp
            self._structure = fresh
        return fresh

    @property
    def structure_size(self) -> int | None:
        """The number of rows of the structure when it was last read; None before."""
        known = self._structure
        return None if known is None else len(known.databoxes) + len(known.collections) + len(known.field_by_id)

    # -- databoxes and collections -------------------------------------------------------------------------------

    def databoxes(self, work: UnitOfWork, actor: Actor) -> list[Databox]:
        """Databoxes to which the actor is linked (02 section 6.2 D: only granted ones)."""
        linked = actor.rights.databox_ids()
        boxes = self.structure(work).databoxes.values()
        return [box for box in boxes if actor.via is Via.COMMAND or box.id in linked]

    def databox(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> Databox:
        box = self.structure(work).databoxes.get(databox)
        if box is None:
            raise NoSuchDatabox(f"There is no databox {databox}.", field="databox_id")
        if actor.via is not Via.COMMAND and databox not in actor.rights.databox_ids():
            raise MayNotSee("You have no access to this databox.", why=f"databox {databox}")
        return box

    def structure_of(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> tuple[list[Field], list[StatusBit]]:
        """Fields and status bits of a databox for its managers: access and `bas_modify_struct` (02 §6.2)."""
        self.databox(work, actor, databox)
        if actor.via is not Via.COMMAND and not actor.rights.on_databox(databox, DataboxRight.bas_modify_struct):
            raise MayNotSee("You may not read the structure of this databox.", why=f"databox {databox}")
        structure = self.structure(work)
        return list(structure.fields[databox]), list(structure.status_bits[databox])

    def known_fields(self, work: UnitOfWork, actor: Actor) -> list[Field]:
        """The fields of all databoxes the actor has access to; business fields only where they may edit records."""
        structure = self.structure(work)
        edits = {grant.databox_id for grant in actor.rights.live(work.now) if Right.canmodifrecord in grant.rights}
        fields = (field for box in self.databoxes(work, actor) for field in structure.fields[box.id])
        return [
            field for field in fields if not field.business or field.databox_id in edits or actor.via is Via.COMMAND
        ]

    def collection_with_count(self, work: UnitOfWork, actor: Actor, base: CollectionId) -> tuple[Collection, int]:
        """`known_collection` and its number of records."""
        return self.known_collection(work, actor, base), counts.of(work, [base])[base]

    def known_collection(self, work: UnitOfWork, actor: Actor, base: CollectionId) -> Collection:
        """Raises MayNotSee without access, also when there is no such collection (02 §6.2), so that collection numbers
        reveal nothing."""
        collection = self.structure(work).collections.get(base)
        grant = actor.rights.collections.get(base)
        known = actor.via is Via.COMMAND or (grant is not None and grant.is_live(work.now))
        if collection is None or not collection.enabled or not known:
            raise MayNotSee("You have no access to this collection.", why=f"collection {base}")
        return collection

    def my_collections(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId | None, after: CollectionId, limit: int
    ) -> list[tuple[Collection, int]]:
        """Active collections in which the actor holds a live right, by id from *after* on, each with its number of
        records."""
        collections = self.structure(work).collections
        mine = sorted(
            CollectionId(grant.base_id)
            for grant in actor.rights.live(work.now)
            if grant.base_id > after and (databox is None or grant.databox_id == databox)
        )
        active = [collections[base] for base in mine if base in collections and collections[base].enabled][:limit]
        counted = counts.of(work, [collection.id for collection in active])
        return [(collection, counted[collection.id]) for collection in active]

    def collections(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> list[tuple[Collection, int]]:
        """All active collections of a databox the actor has access to, each with its number of records."""
        self.databox(work, actor, databox)
        active = self.structure(work).collections_of(databox)
        counted = counts.of(work, [collection.id for collection in active])
        return [(collection, counted[collection.id]) for collection in active]

    def collection(self, work: UnitOfWork, base: CollectionId) -> Collection:
        collection = self.structure(work).collections.get(base)
        if collection is None or not collection.enabled:
            raise NoSuchCollection(f"There is no collection with base_id {base}.", field="base_id")
        return collection

    # -- records -------------------------------------------------------------------------------------------------

    def get(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> Record:
        """Raises NoSuchDatabox, NoSuchRecord or MayNotSee."""
        record = store.by_key(work, key)
        if record is None:
            raise self._missing(work, key)
        access.require_sight(work, actor, record)
        return record

    def _missing(self, work: UnitOfWork, key: RecordKey) -> NotFound:
        if key.databox not in self.structure(work).databoxes:
            return NoSuchDatabox(f"There is no databox {key.databox}.")
        return NoSuchRecord(f"There is no record {key.number} in databox {key.databox}.")

    def shown(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> RecordWithThumbnail:
        """One record with its thumbnail. Raises what `get` raises."""
        record_id = store.id_of(work, key)
        if record_id is None:
            raise self._missing(work, key)
        page = self.page(work, actor, [record_id])
        if not page:
            raise access.sight_refusal(actor, key)
        return page[0]

    def page(self, work: UnitOfWork, actor: Actor, ids: Sequence[RecordId]) -> list[RecordWithThumbnail]:
        """Records in the order of *ids*, with thumbnails; a single statement if all of them were shown recently.

        Records that are gone or no longer visible are left out: the index may lag by seconds, rights may not.
        """
        if not ids:
            return []
        stamps = store.stamps(work, ids)
        seen = access.visible_ids(work, actor, (stamp[:3] for stamp in stamps.values()))
        return self._remembered(work, stamps, [stamps[record_id] for record_id in ids if record_id in seen])

    def listed(self, work: UnitOfWork, actor: Actor, ids: Sequence[RecordId]) -> list[RecordWithThumbnail]:
        """The records of a publication that the actor may read, in the order of *ids*, whether they see them or not (02
        section 6.8). Those they do not see have their thumbnail only while it is free, and without the token of its
        permalink. Records that are gone, in a bin, or whose collection is disabled, are left out."""
        page: list[RecordWithThumbnail] = []
        structure = self.structure(work)
        for start in range(0, len(ids), LISTED_AT_ONCE):
            some = ids[start : start + LISTED_AT_ONCE]
            stamps = store.stamps(work, some)
            seen = access.visible_ids(work, actor, (stamp[:3] for stamp in stamps.values()))
            wanted = [stamps[number] for number in some if number in stamps]
            wanted = [stamp for stamp in wanted if _publishes(structure, stamp[1])]
            shown = self._remembered(work, stamps, wanted)
            page += [
                item if item.record.id in seen else self._unseen(work, stamps[item.record.id], item) for item in shown
            ]
        return page

    def _unseen(self, work: UnitOfWork, stamp: tuple[Any, ...], shown: RecordWithThumbnail) -> RecordWithThumbnail:
        if shown.thumbnail is None:
            return shown
        is_free = self.is_free(work, shown.record, shown.thumbnail)
        key = (*stamp, is_free)
        unseen = self._shown.get(key)
        if unseen is None:
            unseen = RecordWithThumbnail(shown.record, _without_token(shown.thumbnail) if is_free else None)
            self._shown.keep(work, key, unseen)
        return unseen

    def _remembered(
        self, work: UnitOfWork, stamps: Mapping[RecordId, tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]]
    ) -> list[RecordWithThumbnail]:
        by_stamp = {stamp: self._shown.get(stamp) for stamp in wanted}
        unknown = [RecordId(stamp[0]) for stamp, known in by_stamp.items() if known is None]
        if unknown:
            # Read in the same snapshot as the stamps, so that they match.
            for record, thumbnail in store.with_thumbnails(work, unknown).values():
                stamp = stamps[record.id]
                by_stamp[stamp] = shown = RecordWithThumbnail(record, thumbnail)
                self._shown.keep(work, stamp, shown)
        return [shown for shown in by_stamp.values() if shown is not None]

    def places(
        self, work: UnitOfWork, actor: Actor, keys: Sequence[RecordKey]
    ) -> dict[RecordKey, tuple[RecordId, CollectionId, int]]:
        """(id, collection, status) of records that the actor sees, for `access.with_right`. Raises NoSuchRecord naming
        the first that is not there or not visible: which of the two, nobody learns."""
        stamps = store.places(work, keys)
        seen = access.visible_ids(work, actor, stamps.values())
        for key in keys:
            if key not in stamps or stamps[key][0] not in seen:
                raise NoSuchRecord(f"You see no record {key.number} in databox {key.databox}.", field="record_id")
        return stamps

    def shown_after_move(self, work: UnitOfWork, key: RecordKey) -> RecordWithThumbnail:
        """A record just after it was moved, even if the actor lost sight of it: the answer shows the result (02
        §6.6)."""
        record_id = store.id_of(work, key)
        assert record_id is not None
        return RecordWithThumbnail(*store.with_thumbnails(work, [record_id])[record_id])

    def values(self, work: UnitOfWork, actor: Actor, record: Record, *, business: bool) -> list[tuple[Field, Value]]:
        """Values in structure order; business fields only if *business* is true and allowed on this record."""
        stored_values = store.values_of(work, [record.id])[record.id]
        allowed = business and access.sees_business_fields(work, actor, record)
        return self._allowed_values(self.structure(work), stored_values, business=allowed)

    @staticmethod
    def _allowed_values(
        structure: Structure, stored_values: list[Value], *, business: bool
    ) -> list[tuple[Field, Value]]:
        fields, order = structure.field_by_id, structure.field_order
        pairs = [(fields[value.field_id], value) for value in stored_values if value.field_id in fields]
        pairs.sort(key=lambda pair: order[pair[0].id])
        return pairs if business else [pair for pair in pairs if not pair[0].business]

    def renditions(self, work: UnitOfWork, actor: Actor, record: Record) -> list[Rendition]:
        """The renditions with bytes that the actor may have, the original first."""
        renditions = store.renditions_of(work, [record.id])[record.id]
        allowed = access.classes_of(work, actor, record)
        return [
            rendition for rendition, klass in _classed(self.structure(work), record, renditions) if klass in allowed
        ]

    def described(self, work: UnitOfWork, actor: Actor, page: Sequence[RecordWithThumbnail]) -> list[FullRecord]:
        """Everything the actor may know about the records of a page, which may be one of `listed`: one statement for
        all values, one for all files."""
        ids = [shown.record.id for shown in page]
        structure = self.structure(work)
        values, files = store.values_of(work, ids), self._files_of(work, structure, [shown.record for shown in page])
        verdicts = access.Verdicts(work, actor, ids)
        described = []
        for shown in page:
            classes, business = verdicts.on(shown.record)
            of_record = files[shown.record.id]
            files_allowed = [file for file, klass in of_record if klass in classes]
            if not classes and shown.record.in_public_feed:
                free = (file for file, _ in of_record if self.is_free(work, shown.record, file))
                files_allowed = [_without_token(file) for file in free]
            described.append(
                FullRecord(
                    shown, self._allowed_values(structure, values[shown.record.id], business=business), files_allowed
                )
            )
        return described

    def _files_of(
        self, work: UnitOfWork, structure: Structure, page: Sequence[Record]
    ) -> dict[RecordId, Sequence[Classed]]:
        """Each record's files with bytes and the class that decides about them. Returns the same objects as long as
        they are unchanged."""
        ids = [record.id for record in page]
        stamps = store.rendition_stamps(work, ids)
        # The result also depends on the recipes, and on which of them apply to the record.
        keys = {record.id: (stamps[record.id], structure.version, record.is_story, record.kind) for record in page}
        known_files = {record.id: self._files.get(keys[record.id]) for record in page}
        unknown = {record.id: record for record in page if known_files[record.id] is None}
        if unknown:
            for record_id, renditions in store.renditions_of(work, list(unknown)).items():
                known_files[record_id] = classed = _classed(structure, unknown[record_id], renditions)
                self._files.keep(work, keys[record_id], classed)
        return {record_id: files or () for record_id, files in known_files.items()}

    def all_renditions(self, work: UnitOfWork, actor: Actor, record: Record) -> list[Rendition]:
        """Every rendition in any state that the actor may know about, for the record page."""
        structure = self.structure(work)
        return [
            rendition
            for rendition in store.renditions_of(work, [record.id])[record.id]
            if access.may_have(
                work,
                actor,
                record,
                rendition.name,
                structure.recipe(record.databox_id, record.group, rendition.name),
            )
        ]

    def rendition(self, work: UnitOfWork, actor: Actor, key: RecordKey, name: str) -> tuple[Record, Rendition]:
        """One rendition with bytes. Raises NoSuchRendition when there is none, MayNotSee when the actor may not have
        it."""
        record = store.by_key(work, key)
        if record is None:
            raise self._missing(work, key)
        rendition = self._ready(store.rendition(work, record.id, name.lower()))
        if rendition is not None and self.is_free(work, record, rendition):
            return record, rendition
        access.require_sight(work, actor, record)
        if rendition is None:
            raise NoSuchRendition(f"This record has no file called {name}.")
        recipe = self.structure(work).recipe(record.databox_id, record.group, rendition.name)
        if not access.may_have(work, actor, record, rendition.name, recipe):
            raise MayNotSee("You may not have this file.", why=f"{key} {name}")
        return record, rendition

    def is_free(self, work: UnitOfWork, record: Record, rendition: Rendition) -> bool:
        """`access.is_free` for a file of *record*; a bin and a disabled collection publish nothing."""
        if not record.in_public_feed:
            return False
        structure = self.structure(work)
        recipe = structure.recipe(record.databox_id, record.group, rendition.name)
        klass = None if recipe is None else recipe.klass
        return _publishes(structure, record.collection_id) and access.is_free(True, rendition.name, klass)

    def rendition_without_check(self, work: UnitOfWork, key: RecordKey, name: str) -> tuple[Record, Rendition]:
        """One rendition with bytes, without any check: for callers that check a permalink's token themselves.

        Raises NotFound, the same for a missing record, databox or file, and for a disabled collection.
        """
        record = store.by_key(work, key)
        rendition = self._ready(store.rendition(work, record.id, name.lower())) if record else None
        if record is None or rendition is None or not self.structure(work).collections[record.collection_id].enabled:
            raise NotFound("There is nothing at this address.")
        return record, rendition

    @staticmethod
    def _ready(rendition: Rendition | None) -> Rendition | None:
        return rendition if rendition is not None and rendition.is_ready else None


def _without_token(rendition: Rendition) -> Rendition:
    """For somebody to whom the file is only free: the token of its permalink would open it for ever."""
    link = rendition.permalink
    return rendition if link is None else replace(rendition, permalink=replace(link, token=""))


def _publishes(structure: Structure, base: CollectionId) -> bool:
    collection = structure.collections.get(base)
    return collection is not None and collection.enabled and not collection.is_bin


def _classed(structure: Structure, record: Record, renditions: Iterable[Rendition]) -> list[Classed]:
    """The renditions with bytes, each with its class (`access.class_of`)."""
    box, group = record.databox_id, record.group
    ready = (rendition for rendition in renditions if rendition.is_ready)
    return [
        (rendition, access.class_of(record, rendition.name, structure.recipe(box, group, rendition.name)))
        for rendition in ready
    ]


def require_unchanged(record: Record, expected: datetime | None) -> None:
    """Raises ChangedMeanwhile."""
    if expected is not None and record.updated != expected:
        raise ChangedMeanwhile("Somebody changed this record in the meantime: read it again.", field="updated")
