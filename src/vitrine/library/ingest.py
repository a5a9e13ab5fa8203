"""How a file becomes a record, in three steps, so that no transaction waits for a disk or a decoder.

`permit` checks the right to add; `take` probes the file in a killable child and stores its bytes under their SHA-256;
`add` checks again, writes the record (or an item of the quarantine), its values and its job. Bytes stored for an `add`
that was refused are swept later, harmlessly.
"""

import uuid as uuids
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vitrine.accounts import Actor, Right, Via
from vitrine.jobs import Jobs
from vitrine.library import bins, mapping, store, text_store
from vitrine.library.arrivals import Arrival, clean_name, extension_of
from vitrine.library.errors import AlreadyThere, MayNotAdd
from vitrine.library.events import FileQuarantined, RecordAdded
from vitrine.library.jobs import MAKE_RENDITIONS
from vitrine.library.mapping import NO_VALUES, GivenValues
from vitrine.library.model import DOCUMENT, Collection, CollectionId, DataboxId, RecordId, RecordKey
from vitrine.library.quarantine import checks
from vitrine.library.quarantine import store as quarantine_store
from vitrine.library.quarantine.checks import Candidate
from vitrine.library.records import Records
from vitrine.library.sharing import permalinks
from vitrine.library.structure.titles import title_of, titles_of
from vitrine.media.probe import Probe
from vitrine.media.service import Media
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork
from vitrine.platform.fetch import Fetcher


@dataclass(frozen=True, slots=True)
class Added:
    key: RecordKey


@dataclass(frozen=True, slots=True)
class Quarantined:
    item: int
    checks: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Ingest:
    records: Records
    media: Media
    jobs: Jobs
    fetcher: Fetcher

    def permit(self, work: UnitOfWork, actor: Actor, into: CollectionId) -> Collection:
        """Raises NoSuchCollection or MayNotAdd."""
        collection = self.records.collection(work, into)
        if actor.via is not Via.COMMAND and not actor.rights.on(into, Right.canaddrecord, work.now):
            raise MayNotAdd("You may not add records to this collection.", field="base_id", why=f"collection {into}")
        return collection

    def permit_any(self, work: UnitOfWork, actor: Actor) -> None:
        """Raises MayNotAdd where there is no collection to which *actor* may add."""
        if actor.via is not Via.COMMAND and not actor.rights.bases_with(Right.canaddrecord, work.now):
            raise MayNotAdd("You may not add records to any collection.", field="base_id")

    def take(self, source: BinaryIO | Path, name: str, *, is_name_guessed: bool = False) -> Arrival:
        """Probe a file and store its bytes. Raises MediaError and its subclasses for a file that cannot be used, and
        then stores nothing; Unavailable when the disk is full."""
        clean = clean_name(name)
        with self.media.spool(source) as spooled:
            probe = self.media.probe(spooled.path, clean)
            stored = self.media.store_spooled(spooled)
        return Arrival(clean, stored.sha256, stored.size, probe, is_name_guessed)

    def examine(self, source: BinaryIO | Path, name: str, *, is_name_guessed: bool = False) -> Arrival:
        """`take` that stores nothing, to say what would become of a file."""
        clean = clean_name(name)
        with self.media.spool(source) as spooled:
            probe = self.media.probe(spooled.path, clean)
            return Arrival(clean, spooled.sha256, spooled.size, probe, is_name_guessed)

    def failed_checks(
        self, work: UnitOfWork, actor: Actor, arrival: Arrival, into: CollectionId
    ) -> Mapping[str, tuple[int, ...]]:
        """The checks that would send a file to the quarantine, with the numbers of the records that it clashes with.
        Raises what `permit` raises."""
        collection = self.permit(work, actor, into)
        uuid = mapping.embedded_uuid(arrival.probe.metadata)
        return checks.failed(work, collection, _candidate_of(arrival, collection.databox_id, uuid))

    def take_from(
        self, url: str, fetcher: Fetcher | None = None, headers: Mapping[str, str] | None = None, name: Any = None
    ) -> Arrival:
        """The same for a document elsewhere, fetched behind the address guard; its name is that of the address unless
        *name* is a text. Also raises CannotFetch."""
        with self.media.scratch() as folder:
            name_there = (fetcher or self.fetcher).fetch(url, folder / "fetched", headers)
            return self.take(folder / "fetched", name if isinstance(name, str) and name.strip() else name_there)

    def add(
        self,
        work: UnitOfWork,
        actor: Actor,
        arrival: Arrival,
        into: CollectionId,
        *,
        force: bool | None = None,
        status: int | None = None,
        values: GivenValues = NO_VALUES,
        renditions: bool = True,
    ) -> Added | Quarantined:
        """Write the record, or a quarantine item when a check fails (06 section 15). *values* are given beside the
        file, and replace what it says of their fields; an item of the quarantine keeps them for its record.

        *force* True makes a record whatever the checks say, False sends the file to the quarantine anyway, None lets
        the checks decide. Record, values, renditions and job are written together or not at all.
        """
        if force is True:
            return Added(self.add_unchecked(work, actor, arrival, into, status, values, renditions=renditions))
        collection = self.permit(work, actor, into)
        failed = self.failed_checks(work, actor, arrival, into)
        if failed or force is False:
            return self._quarantine(work, actor, arrival, collection, failed, status, values, forced=force is False)
        return Added(self._add_record(work, actor, arrival, collection, status, values, renditions=renditions))

    def add_unchecked(
        self,
        work: UnitOfWork,
        actor: Actor,
        arrival: Arrival,
        into: CollectionId,
        status: int | None = None,
        values: GivenValues = NO_VALUES,
        *,
        renditions: bool = True,
    ) -> RecordKey:
        """Write the record whatever the checks of the quarantine say. Raises what `permit` raises."""
        collection = self.permit(work, actor, into)
        return self._add_record(work, actor, arrival, collection, status, values, renditions=renditions)

    def refuse_duplicate(self, work: UnitOfWork, actor: Actor, arrival: Arrival, into: CollectionId) -> None:
        """For pages and the command line, where a person decides at once: raises AlreadyThere with the record."""
        collection = self.permit(work, actor, into)
        duplicates = store.same_file(work, collection.databox_id, arrival.sha256)
        if duplicates:
            refusal = AlreadyThere(
                "This file is already in the library as “{title}”.", values={"title": duplicates[0].title}
            )
            refusal.key = duplicates[0].key
            raise refusal

    def _quarantine(
        self,
        work: UnitOfWork,
        actor: Actor,
        arrival: Arrival,
        collection: Collection,
        failed: Mapping[str, tuple[int, ...]],
        status: int | None,
        given: GivenValues,
        *,
        forced: bool,
    ) -> Quarantined:
        item = quarantine_store.add(
            work,
            {
                "collection_id": collection.id,
                "user_id": actor.user_id,
                "session": str(uuids.uuid4()),
                "original_name": arrival.name,
                "sha256": arrival.sha256,
                "uuid": _uuid_of(arrival),
                "size": arrival.size,
                "mime": arrival.probe.mime,
                "forced": forced,
                "checks": failed,
                "attributes": {"kind": arrival.probe.kind}
                | ({} if status is None else {"status": status})
                | ({"values": {str(field_id): list(texts) for field_id, texts in given.items()}} if given else {}),
            },
        )
        work.emit(FileQuarantined(item, collection.id, actor.user_id))
        audit.write(work, actor, "quarantine.added", f"item {item}", arrival.audit_details(collection.id))
        return Quarantined(item, failed)

    def _add_record(
        self,
        work: UnitOfWork,
        actor: Actor,
        arrival: Arrival,
        collection: Collection,
        status: int | None,
        given: GivenValues,
        *,
        renditions: bool,
    ) -> RecordKey:
        probe = arrival.probe
        key = RecordKey(collection.databox_id, store.next_number(work, collection.databox_id))
        fields = self.records.structure(work).fields[key.databox]
        computed = mapping.computed_sources(arrival, key, work.now)
        values = mapping.replaced(fields, mapping.mapped_values(fields, probe.metadata, computed), given)
        title = title_of(fields, values, arrival.name)
        record_id = store.add_record(
            work,
            {
                **mapping.record_columns(arrival),
                "databox_id": key.databox,
                "number": key.number,
                "collection_id": collection.id,
                "title": title,
                "titles": titles_of(fields, values, title),
                "uuid": _uuid_of(arrival),
                "status": collection.default_status if status is None else status,
                "creator_id": actor.user_id,
                **bins.switch_on_arrival(collection),
                "created": work.now,
                "updated": work.now,
            },
        )
        store.add_values(
            work, record_id, [(field.id, value) for field, field_values in values for value in field_values]
        )
        store.add_rendition(work, record_id, DOCUMENT, mapping.original_columns(arrival))
        permalinks.ensure(work, record_id, title, DOCUMENT)
        text_store.put(work, record_id, probe.pages, probe.text)
        if renditions:
            self._queue_renditions(work, key.databox, record_id, probe)
        work.emit(RecordAdded(record_id))
        audit.write(work, actor, "record.added", f"record {key}", arrival.audit_details(collection.id))
        return key

    def _queue_renditions(self, work: UnitOfWork, databox: DataboxId, record_id: RecordId, probe: Probe) -> None:
        # A recipe that this file cannot satisfy (an office file without an embedded thumbnail) gets no row.
        recipes = [
            recipe
            for recipe in self.records.structure(work).recipes_for(databox, probe.kind)
            if recipe.tobuild and recipe.mediatype in probe.makes
        ]
        for recipe in recipes:
            store.add_rendition(work, record_id, recipe.name, {"state": "waiting"})
        if recipes:
            self.jobs.add(work, MAKE_RENDITIONS, {"record_id": record_id}, key=str(record_id))


def _uuid_of(arrival: Arrival) -> str:
    """The UUID that the file carries, or a new one."""
    return mapping.embedded_uuid(arrival.probe.metadata) or str(uuids.uuid4())


def _candidate_of(arrival: Arrival, databox: DataboxId, uuid: str | None) -> Candidate:
    """What the checks see of a file."""
    return Candidate(databox, arrival.name, extension_of(arrival.name), arrival.sha256, uuid, arrival.probe)
