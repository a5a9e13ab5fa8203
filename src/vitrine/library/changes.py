"""Changes to a record's values, status bits and collection. Each applies as a whole or not at all (02 section 6.6,
06 section 7), and is written into the record's history."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from vitrine.accounts import Actor, Right, Via
from vitrine.errors import Invalid
from vitrine.library import access, changes_store, journal, store
from vitrine.library.errors import MayNotAdd, MayNotChange, NoSuchCollection, NoSuchField
from vitrine.library.events import RecordChanged
from vitrine.library.journal import BY_ITSELF, ChangeKind, Entry, Origin
from vitrine.library.model import Collection, CollectionId, DataboxId, Field, FieldId, Record, RecordKey, Structure
from vitrine.library.records import Records, require_unchanged
from vitrine.library.structure.titles import title_of, titles_of
from vitrine.library.value_edits import FieldChange, ValueEdit
from vitrine.library.value_rules import ValueRules
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

FIRST_BIT, LAST_BIT = 4, 31
RIGHTS = (Right.canmodifrecord, Right.chgstatus, Right.candeleterecord)  # to change values, bits, collection


@dataclass(frozen=True, slots=True)
class Changes:
    """*expected*, where it is given, is the record's `updated` as the caller saw it: raises ChangedMeanwhile if it was
    changed since."""

    records: Records

    def set_values(
        self,
        work: UnitOfWork,
        actor: Actor,
        key: RecordKey,
        changes: Sequence[FieldChange],
        expected: datetime | None = None,
    ) -> Record:
        """Requires sight and `canmodifrecord` on the record's own collection (02 section 6.6 D).

        Raises MayNotChange, NoSuchField or Invalid, and then nothing is changed. Read-only fields and an unknown
        *value_id* are skipped.
        """
        record = self.with_right(work, actor, key, Right.canmodifrecord, expected)
        structure = self.records.structure(work)
        edit = self.edit_of(work, record)
        for change in changes:
            field = field_of(structure, record, change.field_id)
            if not field.readonly:
                edit.apply(field, change)
        (changed,) = self.write_values(work, actor, [edit])
        audit.write(
            work, actor, "record.values", f"record {key}", {"fields": sorted({change.field_id for change in changes})}
        )
        return changed

    def copy_values(
        self,
        work: UnitOfWork,
        actor: Actor,
        source: RecordKey,
        key: RecordKey,
        fields: Sequence[FieldId],
        expected: datetime | None = None,
    ) -> Record:
        """Give the record *key* the values that *source* has in *fields* of its databox; in another databox the fields
        of the same names. Requires sight of both, `canmodifrecord` on the changed one, and on the source for business
        fields. Raises NoSuchField or Invalid, and then nothing is changed."""
        record = self.with_right(work, actor, key, Right.canmodifrecord, expected)
        original = self.records.get(work, actor, source)
        structure = self.records.structure(work)
        sees_business = access.sees_business_fields(work, actor, original)
        there = self.edit_of(work, original)
        edit = self.edit_of(work, record)
        by_name = {field.name: field for field in structure.fields[record.databox_id]}
        rules = ValueRules(work, lambda _target: "field_ids")
        for field_id in fields:
            field = field_of(structure, original, field_id, member="field_ids")
            target = by_name.get(field.name)
            if (field.business and not sees_business) or target is None:
                raise NoSuchField(f"The field {field_id} cannot be copied to this record.", field="field_ids")
            if target.readonly:
                raise Invalid(f"{target.name} is read-only.", field="field_ids")
            edit.set(target, there.texts(field.id))
            rules.require(edit, [target])
        (changed,) = self.write_values(work, actor, [edit])
        audit.write(work, actor, "record.values", f"record {key}", {"copied_from": str(source)})
        return changed

    def replace_values(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, values: Mapping[str, Sequence[str]]
    ) -> Record:
        """Give each of the named fields exactly these values, in their order; the others stay. Raises what `set_values`
        raises, and Invalid for a field that is not there, cannot be changed or holds one value only."""
        record = self.with_right(work, actor, key, Right.canmodifrecord)
        by_name = {field.name: field for field in self.records.structure(work).fields[record.databox_id]}
        edit, rules = self.edit_of(work, record), ValueRules(work, lambda target: f"metadata.{target.name}")
        for name, texts in values.items():
            path = f"metadata.{name[:80]}"
            field = by_name.get(name)
            if field is None:
                raise Invalid(f"This databox has no field {name[:80]}.", field=path)
            if field.readonly:
                raise Invalid(f"{name} is read-only.", field=path)
            if not field.multi and len(texts) > 1:
                raise Invalid(f"{name} holds one value only.", field=path)
            edit.set(field, texts)
            rules.require(edit, [field])
        (changed,) = self.write_values(work, actor, [edit])
        audit.write(work, actor, "record.values", f"record {key}", {"fields": sorted(values)})
        return changed

    def set_status(
        self,
        work: UnitOfWork,
        actor: Actor,
        key: RecordKey,
        bits: Mapping[int, bool],
        expected: datetime | None = None,
        origin: Origin = BY_ITSELF,
    ) -> Record:
        """Set the given bits; the others stay. Raises Invalid for a bit outside 4 to 31 or one that the databox does
        not define, and then nothing is changed."""
        record = self.with_right(work, actor, key, Right.chgstatus, expected)
        require_bits(self.records.structure(work), record, bits)
        (changed,) = self.write_statuses(work, actor, [record], bits, origin)
        if changed.status != record.status:
            details = {"before": record.status, "after": changed.status}
            audit.write(work, actor, "record.status", f"record {key}", details)
        return changed

    def move(
        self,
        work: UnitOfWork,
        actor: Actor,
        key: RecordKey,
        into: CollectionId,
        expected: datetime | None = None,
        origin: Origin = BY_ITSELF,
    ) -> None:
        """Move into another collection of the same databox. Requires `candeleterecord` on the old collection and
        `canaddrecord` on the new one.

        Raises MayNotChange (old collection), MayNotAdd (new collection) or Invalid. Does nothing when the record is
        already there.
        """
        record = self.with_right(work, actor, key, Right.candeleterecord, expected)
        if into == record.collection_id:
            return
        require_target(record, self.target(work, actor, into))
        self.write_moves(work, actor, [record], into, origin)
        details = {"before": record.collection_id, "after": into}
        audit.write(work, actor, "record.moved", f"record {key}", details)

    # -- one record or many: the rights are checked by the caller ------------------------------------------------

    def edit_of(self, work: UnitOfWork, record: Record) -> ValueEdit:
        return ValueEdit.of(record, store.values_of(work, [record.id])[record.id])

    def write_values(
        self, work: UnitOfWork, actor: Actor, edits: Sequence[ValueEdit], origin: Origin = BY_ITSELF
    ) -> list[Record]:
        """Write the values, titles and history of records; returns the records as they are now."""
        structure = self.records.structure(work)
        titles = {edit.record.id: _titles(structure, edit) for edit in edits}
        changes_store.write_edits(work, edits)
        changes_store.set_titles(work, titles)
        entries = []
        for edit in edits:
            before, after = edit.changes()
            if after:
                entries.append(Entry(edit.record.key, ChangeKind.FIELDS, before, after))
            work.emit(RecordChanged(edit.record.id))
        journal.write(work, actor, entries, origin)
        return [
            replace(edit.record, title=title, titles=by_language, updated=work.now)
            for edit in edits
            for title, by_language in (titles[edit.record.id],)
        ]

    def write_statuses(
        self,
        work: UnitOfWork,
        actor: Actor,
        records: Sequence[Record],
        bits: Mapping[int, bool],
        origin: Origin = BY_ITSELF,
    ) -> list[Record]:
        """The same for status bits. Records that have them already stay untouched."""
        on = sum(1 << bit for bit, value in bits.items() if value)
        changed_bits = sum(1 << bit for bit in bits)
        statuses = {record.id: record.status & ~changed_bits | on for record in records}
        changing = [record for record in records if statuses[record.id] != record.status]
        changes_store.set_statuses(work, {record.id: statuses[record.id] for record in changing})
        entries = []
        for record in changing:
            flipped = [bit for bit in bits if (record.status ^ statuses[record.id]) >> bit & 1]
            before, after = (
                {str(bit): bool(status >> bit & 1) for bit in flipped}
                for status in (record.status, statuses[record.id])
            )
            entries.append(Entry(record.key, ChangeKind.STATUS, before, after))
            work.emit(RecordChanged(record.id))
        journal.write(work, actor, entries, origin)
        return [replace(record, status=statuses[record.id]) for record in records]

    def write_moves(
        self,
        work: UnitOfWork,
        actor: Actor,
        records: Sequence[Record],
        into: CollectionId,
        origin: Origin = BY_ITSELF,
    ) -> None:
        """The same for collections. None of *records* is in *into*."""
        changes_store.move(work, records, into, self.records.structure(work).collections)
        entries = [
            Entry(record.key, ChangeKind.COLLECTION, {"base_id": record.collection_id}, {"base_id": into})
            for record in records
        ]
        for record in records:
            work.emit(RecordChanged(record.id))
        journal.write(work, actor, entries, origin)

    # -- checks --------------------------------------------------------------------------------------------------

    def target(self, work: UnitOfWork, actor: Actor, into: CollectionId) -> Collection:
        """The collection that records move into. Raises Invalid, or MayNotAdd."""
        try:
            target = self.records.collection(work, into)
        except NoSuchCollection as unknown:
            raise Invalid(unknown.detail, field="base_id") from unknown
        if actor.via is not Via.COMMAND and not actor.rights.on(into, Right.canaddrecord, work.now):
            raise MayNotAdd("You may not add records to this collection.", field="base_id", why=f"collection {into}")
        return target

    def permit_any(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> None:
        """Raises MayNotChange for who sees the record and may change none of its values, bits and collection."""
        record = self.records.get(work, actor, key)
        if not any(access.may(work, actor, record, right) for right in RIGHTS):
            raise MayNotChange("You may not change this record.", why=f"record {key}")

    def with_right(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, right: Right, expected: datetime | None = None
    ) -> Record:
        """The record, if the actor sees it and has *right* on its own collection (06 section 17.7)."""
        record = self.records.get(work, actor, key)
        if not access.may(work, actor, record, right):
            raise MayNotChange("You may not do this to this record.", why=f"record {key} needs {right.name}")
        require_unchanged(record, expected)
        return record


def require_bits(structure: Structure, record: Record, bits: Mapping[int, bool]) -> None:
    """Raises Invalid for a bit that the record's databox does not define."""
    require_bits_of(structure, record.databox_id, bits)


def require_bits_of(structure: Structure, databox: DataboxId, bits: Iterable[int], field: str = "status") -> None:
    """Raises Invalid for a bit that *databox* does not define."""
    defined = {status_bit.bit for status_bit in structure.status_bits[databox]}
    for bit in bits:
        if not FIRST_BIT <= bit <= LAST_BIT or bit not in defined:
            raise Invalid(f"This databox has no status bit {bit}.", field=field)


def require_target(record: Record, target: Collection) -> None:
    """Raises Invalid where a record would leave its databox."""
    if target.databox_id != record.databox_id:
        raise Invalid("A record can only move inside its databox.", field="base_id")


def field_of(structure: Structure, record: Record, field_id: FieldId, *, member: str = "meta_struct_id") -> Field:
    """A field of the record's databox. Raises NoSuchField, with *member* as what named it."""
    field = structure.field_by_id.get(field_id)
    if field is None or field.databox_id != record.databox_id:
        raise NoSuchField(f"This databox has no field {field_id}.", field=member)
    return field


def _titles(structure: Structure, edit: ValueEdit) -> tuple[str, dict[str, str] | None]:
    """(title, titles by language)."""
    record, fields = edit.record, structure.fields[edit.record.databox_id]
    values = [(field, edit.texts(field.id)) for field in fields]
    # A story has no file whose name could stand in: without values it is untitled.
    title = title_of(fields, values, record.original_name or ("" if record.is_story else record.title))
    return title, titles_of(fields, values, title)
