"""How a file becomes a record, in three steps, so that no transaction waits for a disk or a decoder.

`permit` asks the right to add; `take` looks at the file in a killable child and keeps its bytes under their SHA-256;
`add` asks again, writes the record (or an item of the quarantine), its values and its job. What `take` kept for an
`add` that was refused is swept later, harmlessly.
"""

import re
import uuid as uuids
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from vitrine.accounts import Actor, Right, Via
from vitrine.jobs import Jobs
from vitrine.library import store, texts
from vitrine.library.errors import AlreadyThere, MayNotAdd
from vitrine.library.events import RecordAdded
from vitrine.library.jobs import MAKE_RENDITIONS
from vitrine.library.model import DOCUMENT, Collection, CollectionId, DataboxId, Field, RecordKey
from vitrine.library.quarantine import checks
from vitrine.library.quarantine.checks import Candidate
from vitrine.library.records import Records
from vitrine.library.sharing import permalinks
from vitrine.media.probe import Probe
from vitrine.media.service import Media
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork
from vitrine.platform.fetch import Fetcher
from vitrine.platform.texts import of_one_line

UUID_TAGS = ("XMP-exif:ImageUniqueID", "IPTC:UniqueDocumentID", "ExifIFD:ImageUniqueID", "XMP-xmpMM:DocumentID")
LONGEST_VALUE = 32_766  # bytes, the longest value the original indexes (06 section 6)
MOST_VALUES = 500
_EXIF_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d)(?:[ T](\d\d:\d\d:\d\d).*)?$")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that was probed and whose bytes are stored."""

    name: str
    sha256: str
    size: int
    probe: Probe
    is_name_guessed: bool = False  # it came in bytes that were no UTF-8

    def audited(self, into: CollectionId) -> dict[str, Any]:
        """What the audit log keeps of it."""
        return {"base_id": into, "name": "guessed"} if self.is_name_guessed else {"base_id": into}


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

    def take(self, source: BinaryIO | Path, name: str, *, is_name_guessed: bool = False) -> Arrival:
        """Probe a file and store its bytes. Raises MediaError and its subclasses for a file that cannot be used, and
        then stores nothing; Unavailable when the disk is full."""
        clean = clean_name(name)
        with self.media.spool(source) as spooled:
            probe = self.media.probe(spooled.path, clean)
            stored = self.media.store_spooled(spooled)
        return Arrival(clean, stored.sha256, stored.size, probe, is_name_guessed)

    def take_from(self, url: str) -> Arrival:
        """The same for a document elsewhere, fetched behind the address guard. Also raises CannotFetch."""
        with self.media.scratch() as folder:
            name = self.fetcher.fetch(url, folder / "fetched")
            return self.take(folder / "fetched", name)

    def add(
        self,
        work: UnitOfWork,
        actor: Actor,
        arrival: Arrival,
        into: CollectionId,
        *,
        force: bool | None = None,
        status: int | None = None,
        renditions: bool = True,
    ) -> Added | Quarantined:
        """Write the record, or a quarantine item when a check fails (06 section 15).

        *force* True makes a record whatever the checks say, False sends the file to the quarantine anyway, None lets
        the checks decide. Record, values, renditions and job are written together or not at all.
        """
        collection = self.permit(work, actor, into)
        uuid = embedded_uuid(arrival.probe.metadata)
        if force is not True:
            failed = checks.failed(work, collection, candidate_of(arrival, collection.databox_id, uuid))
            if failed or force is False:
                attributes = {"kind": arrival.probe.kind} | ({} if status is None else {"status": status})
                return self._quarantine(
                    work, actor, arrival, collection, uuid, failed, attributes, forced=force is False
                )
        return Added(self._record(work, actor, arrival, collection, uuid, status, renditions))

    def refuse_duplicate(self, work: UnitOfWork, actor: Actor, arrival: Arrival, into: CollectionId) -> None:
        """For pages and the command line, where a person decides at once: raises AlreadyThere with the record."""
        collection = self.permit(work, actor, into)
        twins = store.same_file(work, collection.databox_id, arrival.sha256)
        if twins:
            refusal = AlreadyThere(
                "This file is already in the library as “{title}”.", values={"title": twins[0].title}
            )
            refusal.key = twins[0].key
            raise refusal

    def _quarantine(
        self,
        work: UnitOfWork,
        actor: Actor,
        arrival: Arrival,
        collection: Collection,
        uuid: str | None,
        failed: Mapping[str, tuple[int, ...]],
        attributes: Mapping[str, Any],
        *,
        forced: bool,
    ) -> Quarantined:
        item = store.add_quarantine_item(
            work,
            {
                "collection_id": collection.id,
                "user_id": actor.user_id,
                "session": str(uuids.uuid4()),
                "original_name": arrival.name,
                "sha256": arrival.sha256,
                "uuid": uuid or str(uuids.uuid4()),
                "size": arrival.size,
                "mime": arrival.probe.mime,
                "forced": forced,
                "checks": failed,
                "attributes": attributes,
            },
        )
        audit.write(work, actor, "quarantine.added", f"item {item}", arrival.audited(collection.id))
        return Quarantined(item, failed)

    def _record(
        self,
        work: UnitOfWork,
        actor: Actor,
        arrival: Arrival,
        collection: Collection,
        uuid: str | None,
        status: int | None,
        renditions: bool,
    ) -> RecordKey:
        probe = arrival.probe
        structure = self.records.structure(work)
        key = RecordKey(collection.databox_id, store.next_number(work, collection.databox_id))
        fields = structure.fields[collection.databox_id]
        values = mapped_values(fields, probe.metadata, facts_of(arrival, key, work))
        title = title_of(fields, values, arrival.name)
        record_id = store.add_record(
            work,
            {
                **row_of(probe, arrival),
                "databox_id": key.databox,
                "number": key.number,
                "collection_id": collection.id,
                "title": title,
                "uuid": uuid or str(uuids.uuid4()),
                "status": collection.default_status if status is None else status,
                "creator_id": actor.user_id,
                "created": work.now,
                "updated": work.now,
            },
        )
        store.add_values(
            work, record_id, [(field.id, value) for field, field_values in values for value in field_values]
        )
        store.add_rendition(
            work,
            record_id,
            DOCUMENT,
            {
                "state": "ready",
                "sha256": arrival.sha256,
                "mime": probe.mime,
                "extension": extension_of(arrival.name),
                "width": probe.display_width or 0,
                "height": probe.display_height or 0,
                "size": arrival.size,
            },
        )
        permalinks.ensure(work, record_id, title, DOCUMENT)
        texts.put(work, record_id, probe.pages, probe.text)
        # A recipe that this file cannot satisfy (an office file without a picture of itself) gets no row.
        wanted = structure.recipes_for(key.databox, probe.kind) if renditions else ()
        recipes = [recipe for recipe in wanted if recipe.tobuild and recipe.mediatype in probe.makes]
        for recipe in recipes:
            store.add_rendition(work, record_id, recipe.name, {"state": "waiting"})
        if recipes:
            self.jobs.add(work, MAKE_RENDITIONS, {"record_id": record_id}, key=str(record_id))
        work.emit(RecordAdded(record_id))
        audit.write(work, actor, "record.added", f"record {key}", arrival.audited(collection.id))
        return key


def row_of(probe: Probe, arrival: Arrival) -> dict[str, Any]:
    """The columns of a record that come from its file."""
    return {
        "kind": probe.kind,
        "mime": probe.mime,
        "original_name": arrival.name,
        "sha256": arrival.sha256,
        "size": arrival.size,
        "technical": msgspec.json.encode(technical_list(probe)).decode(),
        "width": probe.display_width,
        "height": probe.display_height,
        "duration_ms": None if probe.duration_s is None else round(probe.duration_s * 1000),
    }


def candidate_of(arrival: Arrival, databox: DataboxId, uuid: str | None) -> Candidate:
    """A file as the checks see it."""
    return Candidate(databox, arrival.name, extension_of(arrival.name), arrival.sha256, uuid, arrival.probe)


def clean_name(name: str) -> str:
    """The last part of a file name, without control characters, at most 255 characters; never empty."""
    last = re.split(r"[/\\]", name.strip())[-1]
    kept = of_one_line(last)[-255:]
    return kept.strip() or "untitled"


def extension_of(name: str) -> str:
    _, dot, end = name.rpartition(".")
    return end.lower() if dot and end.isalnum() and len(end) <= 12 else ""


def embedded_uuid(metadata: Mapping[str, list[str]]) -> str | None:
    """The first valid UUID among the tags that can carry one (06 section 4), in canonical form."""
    for tag in UUID_TAGS:
        for value in metadata.get(tag, ()):
            try:
                return str(uuids.UUID(value.removeprefix("xmp.did:").removeprefix("uuid:").strip()))
            except ValueError:
                continue
    return None


def technical_list(probe: Probe) -> list[dict[str, Any]]:
    """The technical data in the wire's form (02 section 5.2): booleans as 0 and 1."""
    return [
        {"name": name, "value": int(value) if isinstance(value, bool) else value} for name, value in probe.technical
    ]


def facts_of(arrival: Arrival, key: RecordKey, work: UnitOfWork) -> dict[str, list[str]]:
    """The computed `Phraseanet:` sources (06 section 6) that are known when a record is added."""
    probe = arrival.probe
    facts: dict[str, object | None] = {
        "tf-filename": arrival.name,
        "tf-basename": arrival.name.rpartition(".")[0] or arrival.name,
        "tf-extension": extension_of(arrival.name),
        "tf-size": arrival.size,
        "tf-width": probe.display_width,
        "tf-height": probe.display_height,
        "tf-mimetype": probe.mime,
        "tf-duration": probe.duration_s,
        "tf-channels": dict(probe.technical).get("Channels"),
        "tf-bits": dict(probe.technical).get("ColorDepth"),
        "pdf-text": probe.text or None,
        "tf-recordid": key.number,
        "tf-archivedate": work.now.strftime("%Y-%m-%d %H:%M:%S"),
        "tf-editdate": work.now.strftime("%Y-%m-%d %H:%M:%S"),
    }
    return {f"Phraseanet:{name}": [str(value)] for name, value in facts.items() if value is not None}


def mapped_values(
    fields: tuple[Field, ...], metadata: Mapping[str, list[str]], facts: Mapping[str, list[str]]
) -> list[tuple[Field, list[str]]]:
    """The values of a new record: each field takes the first of its tags that has any."""
    mapped = []
    for field in fields:
        raw_values: list[str] = []
        for tag in (field.source, *field.fallbacks):
            raw_values = list(facts.get(tag, ())) or list(metadata.get(tag, ()))
            if raw_values:
                break
        values = normalise(field, raw_values)
        if values:
            mapped.append((field, values))
    return mapped


def normalise(field: Field, raw_values: list[str]) -> list[str]:
    """Values as a field stores them: trimmed, split at its separators, without duplicates, dates in ISO order."""
    if field.multi and field.separator:
        pattern = "[" + re.escape(field.separator + ";") + "]"
        raw_values = [part for value in raw_values for part in re.split(pattern, value)]
    seen: dict[str, None] = {}
    for value in raw_values:
        text = truncate(value.replace("\x00", "").strip())
        if field.type == "date":
            text = iso_date(text)
        if text:
            seen.setdefault(text)
    values = list(seen)[:MOST_VALUES]
    return values if field.multi else values[:1]


def truncate(text: str) -> str:
    """At most LONGEST_VALUE bytes of UTF-8, never half a character."""
    raw = text.encode()
    return text if len(raw) <= LONGEST_VALUE else raw[:LONGEST_VALUE].decode(errors="ignore")


def iso_date(text: str) -> str:
    """`2009:07:14 10:00:00` as EXIF and IPTC write it becomes `2009-07-14 10:00:00`; other forms stay."""
    matched = _EXIF_DATE.match(text)
    if matched is None:
        return text.replace("T", " ") if re.match(r"\d{4}-\d\d-\d\dT", text) else text
    day = f"{matched[1]}-{matched[2]}-{matched[3]}"
    return f"{day} {matched[4]}" if matched[4] else day


def title_of(fields: tuple[Field, ...], values: list[tuple[Field, list[str]]], name: str) -> str:
    """The values of the fields flagged thumbtitle, else the file name (06 section 4)."""
    by_id = {field.id: field_values for field, field_values in values}
    parts = [value for field in fields if field.thumbtitle for value in by_id.get(field.id, ())]
    return " ".join(parts).strip() or name
