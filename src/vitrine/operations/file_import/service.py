"""Import files from the machine's disk. It can be interrupted and run again: one transaction adds a file whole, and a
file that was added is found again by its bytes."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from vitrine.accounts import Actor, Right
from vitrine.errors import DomainError, Invalid, Unavailable
from vitrine.library import mapping, store
from vitrine.library.arrivals import Arrival
from vitrine.library.changes import Changes
from vitrine.library.ingest import Added, Ingest
from vitrine.library.mapping import GivenValues
from vitrine.library.model import Collection, CollectionId, Field, Record, Structure
from vitrine.library.quarantine.service import Quarantine
from vitrine.operations.file_import import sidecars
from vitrine.operations.file_import.field_mapping import Evidence, ImportMapping
from vitrine.operations.file_import.model import NAME_GUESSED, FileResult, FileState, Source
from vitrine.operations.file_import.scratch import Seen
from vitrine.operations.progress import Progress, silent
from vitrine.platform import audit
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.texts import readable_name


@dataclass(frozen=True, slots=True)
class Plan:
    """How files are imported. *into* is the collection of those for which the mapping names none. With *updates*,
    values are also given to records that exist; with *is_dry*, nothing is changed."""

    into: CollectionId | None
    mapping: ImportMapping = field(default_factory=ImportMapping)
    updates: bool = False
    is_dry: bool = False


@dataclass(frozen=True, slots=True)
class _Destination:
    """Where one file goes, and what is given to it there. *bits* are the status bits that something is said of."""

    collection: Collection
    fields: tuple[Field, ...]
    values: GivenValues
    bits: dict[int, bool]

    @property
    def status(self) -> int | None:
        """None: the collection's own."""
        if not self.bits:
            return None
        changed = sum(1 << bit for bit in self.bits)
        return self.collection.default_status & ~changed | sum(1 << bit for bit, on in self.bits.items() if on)

    @property
    def texts(self) -> dict[str, list[str]]:
        return {target.name: list(self.values[target.id]) for target in self.fields if target.id in self.values}


@dataclass(frozen=True, slots=True)
class FileImport:
    """The services that an import needs."""

    database: Database
    ingest: Ingest
    quarantine: Quarantine
    changes: Changes

    def permit(self, actor: Actor, plan: Plan) -> None:
        """Before the first file: the collections that the plan names exist, the actor may add to them, and they have
        the fields of the mapping. Raises Forbidden, NotFound or Invalid."""
        rule = plan.mapping.collection
        named = {CollectionId(base_id) for base_id in rule.values.values()} if rule else set()
        with self.database.read() as work:
            structure = self.ingest.records.structure(work)
            constant = rule.base_id(structure, Evidence()) if rule else None
            for base_id in sorted({base_id for base_id in (*named, constant, plan.into) if base_id is not None}):
                plan.mapping.check(structure, self.ingest.permit(work, actor, base_id))
        if rule is None and plan.into is None:
            raise Invalid("Name the collection, with --collection or in the mapping.", field="base_id")

    def run(
        self,
        actor: Actor,
        sources: Iterable[Source | FileResult],
        plan: Plan,
        *,
        total: int = 0,
        progress: Progress = silent,
    ) -> Iterator[FileResult]:
        """Add the files one after the other; *total* is their number. What is a result already is passed on. Raises
        Forbidden before the first one, or Unavailable if the disk is full."""
        self.permit(actor, plan)
        seen = Seen()
        try:
            with progress("Looking at" if plan.is_dry else "Adding", total) as advance:
                for source in sources:
                    yield source if isinstance(source, FileResult) else self.add(actor, source, plan, seen)
                    advance(1)
        finally:
            seen.close()

    def add(self, actor: Actor, source: Source, plan: Plan, seen: Seen | None = None) -> FileResult:
        """Add one file, or say what would become of it. *seen* are the files that a dry run has said to be added.
        Raises Unavailable if the disk is full."""
        result = FileResult(source.path, FileState.REFUSED, line=source.line)
        try:
            if sidecars.is_sidecar_name(source.path.name):
                raise Invalid("It is a sidecar, and there is no file that it describes.")
            result, tags = self._with_sidecar(result, source)
            return self._add(actor, source, plan, result, tags, seen)
        except Unavailable:
            raise
        except DomainError as refusal:
            return replace(result, detail=refusal.detail)

    def _with_sidecar(self, result: FileResult, source: Source) -> tuple[FileResult, dict[str, list[str]]]:
        """What the file's sidecar says. A sidecar that cannot be read costs the file nothing but its values."""
        name = source.sidecar
        if name is None:
            return result, {}
        result = replace(result, sidecar=readable_name(os.fsencode(name))[0])
        try:
            return result, sidecars.read(self.ingest.media, source.path.parent / name)
        except Unavailable:
            raise
        except DomainError as refusal:
            return replace(result, warnings=(f"the sidecar {result.sidecar} is left out: {refusal.detail}",)), {}

    def _add(
        self,
        actor: Actor,
        source: Source,
        plan: Plan,
        result: FileResult,
        tags: dict[str, list[str]],
        seen: Seen | None,
    ) -> FileResult:
        name, is_guessed = readable_name(os.fsencode(source.path.name))  # names on a disk are bytes
        take = self.ingest.examine if plan.is_dry else self.ingest.take
        try:
            arrival = take(source.path, name, is_name_guessed=is_guessed)
        except OSError as failure:
            raise Invalid(f"It cannot be read ({os.strerror(failure.errno or 0)}).") from failure
        parts = plan.mapping.parts(source.relative)  # before the write: a pattern may take long
        with self.database.read() if plan.is_dry else self.database.write() as work:
            return self.place(work, actor, source, plan, arrival, tags, result, seen, parts=parts)

    def place(
        self,
        work: UnitOfWork,
        actor: Actor,
        source: Source,
        plan: Plan,
        arrival: Arrival,
        tags: dict[str, list[str]],
        result: FileResult,
        seen: Seen | None = None,
        *,
        parts: Mapping[str, str] = MappingProxyType({}),
    ) -> FileResult:
        """Make a record of a file that was taken, in one transaction. *tags* are those of its sidecar, *parts* those of
        its path by the mapping, *result* is what is known of it so far. Raises Invalid, Forbidden or
        NoSuchCollection."""
        to = self.destination(work, source, plan, arrival, tags, parts)
        result = replace(result, base_id=to.collection.id, values=to.texts)
        self.ingest.permit(work, actor, to.collection.id)
        record = self._same_file(work, to.collection, arrival)
        if record is not None:
            return self._existing(work, actor, plan, to, record, result)
        if self.quarantine.holds(work, to.collection.id, arrival.sha256):
            return replace(result, state=FileState.QUARANTINED, detail="in the quarantine since an earlier import")
        if plan.is_dry:
            return self._foreseen(work, actor, to, arrival, result, seen)
        return self._added(work, actor, to, arrival, result)

    def destination(
        self,
        work: UnitOfWork,
        source: Source,
        plan: Plan,
        arrival: Arrival,
        tags: dict[str, list[str]],
        parts: Mapping[str, str],
    ) -> _Destination:
        """The collection of a file, and the values and status bits for it. What the mapping gives comes before what
        the sidecar says. Raises Invalid or NoSuchCollection."""
        structure = self.ingest.records.structure(work)
        evidence = Evidence(source.row, parts, (tags, arrival.probe.metadata))
        collection = self._collection(work, structure, plan, evidence)
        fields = structure.fields[collection.databox_id]
        plan.mapping.check(structure, collection)
        values = mapping.sidecar_values(fields, tags) | plan.mapping.values(structure, collection, evidence)
        return _Destination(collection, fields, values, plan.mapping.bits(evidence))

    def _collection(self, work: UnitOfWork, structure: Structure, plan: Plan, evidence: Evidence) -> Collection:
        rule = plan.mapping.collection
        base_id = (rule.base_id(structure, evidence) if rule else None) or plan.into
        if base_id is None:
            raise Invalid("Neither the mapping nor --collection says into which collection it goes.", field="base_id")
        return self.ingest.records.collection(work, base_id)

    def _same_file(self, work: UnitOfWork, collection: Collection, arrival: Arrival) -> Record | None:
        """The record that has these bytes already, first of all in the collection itself."""
        records = store.same_file(work, collection.databox_id, arrival.sha256)
        return min(records, key=lambda record: record.collection_id != collection.id, default=None)

    def _existing(
        self, work: UnitOfWork, actor: Actor, plan: Plan, to: _Destination, record: Record, result: FileResult
    ) -> FileResult:
        detail = f"This file is already in the library as “{record.title}”."
        result = replace(result, state=FileState.EXISTS, detail=detail, record=record.key, base_id=record.collection_id)
        if not plan.updates or not (to.values or to.bits):
            return result
        if to.values and self._update_values(work, actor, to, record, is_dry=plan.is_dry):
            result = replace(result, state=FileState.UPDATED, detail="")
        bits = {bit: on for bit, on in to.bits.items() if bool(record.status >> bit & 1) is not on}
        if bits:
            self.changes.with_right(work, actor, record.key, Right.chgstatus)
            if not plan.is_dry:
                self.changes.set_status(work, actor, record.key, bits)
            result = replace(result, state=FileState.UPDATED, detail="")
        return result

    def _update_values(self, work: UnitOfWork, actor: Actor, to: _Destination, record: Record, *, is_dry: bool) -> bool:
        """Give a record the values; False if it has them. Raises MayNotChange."""
        self.changes.with_right(work, actor, record.key, Right.canmodifrecord)
        edit = self.changes.edit_of(work, record)
        for target in to.fields:
            if target.id in to.values:
                edit.set(target, to.values[target.id])
        _, after = edit.changes()
        if after and not is_dry:
            self.changes.write_values(work, actor, [edit])
            audit.write(work, actor, "record.values", f"record {record.key}", {"fields": sorted(map(int, after))})
        return bool(after)

    def _added(
        self, work: UnitOfWork, actor: Actor, to: _Destination, arrival: Arrival, result: FileResult
    ) -> FileResult:
        outcome = self.ingest.add(work, actor, arrival, to.collection.id, status=to.status, values=to.values)
        if isinstance(outcome, Added):
            detail = NAME_GUESSED if arrival.is_name_guessed else ""
            return replace(result, state=FileState.ADDED, detail=detail, record=outcome.key)
        detail = "in the quarantine: " + ", ".join(outcome.checks)
        return replace(result, state=FileState.QUARANTINED, detail=detail, item=outcome.item)

    def _foreseen(
        self,
        work: UnitOfWork,
        actor: Actor,
        to: _Destination,
        arrival: Arrival,
        result: FileResult,
        seen: Seen | None,
    ) -> FileResult:
        failed = self.ingest.failed_checks(work, actor, arrival, to.collection.id)
        path = readable_name(os.fsencode(result.path))[0]
        before = seen.add(f"{to.collection.databox_id}:{arrival.sha256}".encode(), path) if seen else None
        if before is not None:
            return replace(result, state=FileState.EXISTS, detail=f"It is the same file as {before}.")
        if failed:
            return replace(result, state=FileState.QUARANTINED, detail="in the quarantine: " + ", ".join(failed))
        return replace(result, state=FileState.ADDED, detail=NAME_GUESSED if arrival.is_name_guessed else "")
