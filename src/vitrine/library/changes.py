"""Changes to a record's values, status bits and collection. Each applies as a whole or not at all (02 section 6.6,
06 section 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vitrine.accounts import Actor, Right, Via
from vitrine.errors import Invalid
from vitrine.library import access, changes_store, store
from vitrine.library.errors import MayNotAdd, MayNotChange, NoSuchCollection, NoSuchField
from vitrine.library.events import RecordChanged
from vitrine.library.mapping import LONGEST_VALUE, MOST_VALUES, title_of
from vitrine.library.model import CollectionId, Field, FieldId, Record, RecordKey, Value
from vitrine.library.records import Records
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

FIRST_BIT, LAST_BIT = 4, 31


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One change to a field. Without *value_id* a value is added (or the only value replaced); with it, that value is
    changed. An empty *value* deletes."""

    field_id: FieldId
    value_id: int | None
    value: str


@dataclass(frozen=True, slots=True)
class Changes:
    records: Records

    def set_values(self, work: UnitOfWork, actor: Actor, key: RecordKey, changes: Sequence[FieldChange]) -> Record:
        """Requires sight and `canmodifrecord` on the record's own collection (02 section 6.6 D).

        Raises MayNotChange, NoSuchField or Invalid, and then nothing is changed. Read-only fields and an unknown
        *value_id* are skipped.
        """
        record = self._record_with_right(work, actor, key, Right.canmodifrecord)
        fields = self.records.structure(work).field_by_id
        held: dict[FieldId, list[Value]] = {}
        for value in store.values_of(work, [record.id])[record.id]:
            held.setdefault(value.field_id, []).append(value)
        edit = _Edit(work, record, held, changes_store.next_position(work, record.id))
        for change in changes:
            field = fields.get(change.field_id)
            if field is None or field.databox_id != record.databox_id:
                raise NoSuchField(f"This databox has no field {change.field_id}.", field="meta_struct_id")
            if not field.readonly:
                edit.apply(field, change)
        title = self._title(work, record, held)
        store.update_record(work, record.id, {"title": title})
        work.emit(RecordChanged(record.id))
        audit.write(
            work, actor, "record.values", f"record {key}", {"fields": sorted({change.field_id for change in changes})}
        )
        return replace(record, title=title, updated=work.now)

    def replace_values(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, values: Mapping[str, Sequence[str]]
    ) -> Record:
        """Give each of the named fields exactly these values, in their order; the others stay. Raises what `set_values`
        raises, and Invalid for a field that is not there, cannot be changed or holds one value only."""
        record = self._record_with_right(work, actor, key, Right.canmodifrecord)
        by_name = {field.name: field for field in self.records.structure(work).fields[record.databox_id]}
        held: dict[FieldId, list[Value]] = {}
        for value in store.values_of(work, [record.id])[record.id]:
            held.setdefault(value.field_id, []).append(value)
        changes: list[FieldChange] = []
        for name, texts in values.items():
            path = f"metadata.{name[:80]}"
            field = by_name.get(name)
            if field is None:
                raise Invalid(f"This databox has no field {name[:80]}.", field=path)
            if field.readonly:
                raise Invalid(f"{name} is read-only.", field=path)
            if not field.multi and len(texts) > 1:
                raise Invalid(f"{name} holds one value only.", field=path)
            changes += _replacements(field, held.get(field.id, []), texts)
        return self.set_values(work, actor, key, changes)

    def _title(self, work: UnitOfWork, record: Record, held: Mapping[FieldId, list[Value]]) -> str:
        fields = self.records.structure(work).fields[record.databox_id]
        values = [(field, [value.value for value in held.get(field.id, ())]) for field in fields]
        return title_of(fields, values, record.original_name or record.title)

    def set_status(self, work: UnitOfWork, actor: Actor, key: RecordKey, bits: Mapping[int, bool]) -> Record:
        """Set the given bits; the others stay. Raises Invalid for a bit outside 4 to 31 or one that the databox does
        not define, and then nothing is changed."""
        record = self._record_with_right(work, actor, key, Right.chgstatus)
        defined = {status_bit.bit for status_bit in self.records.structure(work).status_bits[record.databox_id]}
        status = record.status
        for bit, on in bits.items():
            if not FIRST_BIT <= bit <= LAST_BIT or bit not in defined:
                raise Invalid(f"This databox has no status bit {bit}.", field="status")
            status = status | 1 << bit if on else status & ~(1 << bit)
        if status != record.status:
            store.update_record(work, record.id, {"status": status})
            work.emit(RecordChanged(record.id))
            details = {"before": record.status, "after": status}
            audit.write(work, actor, "record.status", f"record {key}", details)
        return replace(record, status=status)

    def move(self, work: UnitOfWork, actor: Actor, key: RecordKey, into: CollectionId) -> None:
        """Move into another collection of the same databox. Requires `candeleterecord` on the old collection and
        `canaddrecord` on the new one.

        Raises MayNotChange (old collection), MayNotAdd (new collection) or Invalid. Does nothing when the record is
        already there.
        """
        record = self._record_with_right(work, actor, key, Right.candeleterecord)
        if into == record.collection_id:
            return
        try:
            target = self.records.collection(work, into)
        except NoSuchCollection as unknown:
            raise Invalid(unknown.detail, field="base_id") from unknown
        if target.databox_id != record.databox_id:
            raise Invalid("A record can only move inside its databox.", field="base_id")
        if actor.via is not Via.COMMAND and not actor.rights.on(into, Right.canaddrecord, work.now):
            raise MayNotAdd("You may not add records to this collection.", field="base_id", why=f"collection {into}")
        store.update_record(work, record.id, {"collection_id": into})
        work.emit(RecordChanged(record.id))
        details = {"before": record.collection_id, "after": into}
        audit.write(work, actor, "record.moved", f"record {key}", details)

    def _record_with_right(self, work: UnitOfWork, actor: Actor, key: RecordKey, right: Right) -> Record:
        """The record, if the actor sees it and has *right* on its own collection (06 section 17.7)."""
        record = self.records.get(work, actor, key)
        if not access.may(work, actor, record, right):
            raise MayNotChange("You may not do this to this record.", why=f"record {key} needs {right.name}")
        return record


def _replacements(field: Field, held: Sequence[Value], texts: Sequence[str]) -> list[FieldChange]:
    """The changes that leave *texts* in place of *held*: what both begin with stays, the rest goes and comes anew."""
    wanted = list(dict.fromkeys(text for text in (text.replace("\x00", "").strip() for text in texts) if text))
    if not field.multi:
        text = wanted[0] if wanted else ""
        is_same = [value.value for value in held] == wanted
        return [] if is_same else [FieldChange(field.id, None, text)]
    same = 0
    while same < min(len(held), len(wanted)) and held[same].value == wanted[same]:
        same += 1
    dropped = [FieldChange(field.id, value.id, "") for value in held[same:]]
    return dropped + [FieldChange(field.id, None, text) for text in wanted[same:]]


class _Edit:
    """Applies changes in order and keeps *held* up to date, so that each change sees the effect of earlier ones."""

    def __init__(self, work: UnitOfWork, record: Record, held: dict[FieldId, list[Value]], position: int) -> None:
        self._work = work
        self._record = record
        self._held = held
        self._position = position

    def apply(self, field: Field, change: FieldChange) -> None:
        text = change.value.replace("\x00", "").strip()
        if len(text.encode()) > LONGEST_VALUE:
            raise Invalid(f"A value of {field.name} has at most {LONGEST_VALUE} bytes.", field="value")
        values = self._held.setdefault(field.id, [])
        if change.value_id is not None:
            self._change(values, change.value_id, text)
        elif field.multi:
            if text and all(value.value != text for value in values):
                self._add(field, values, text)
        elif not text:
            self._drop(values, list(values))
        elif values:
            self._drop(values, values[1:])
            self._set(values, values[0], text)
        else:
            self._add(field, values, text)

    def _change(self, values: list[Value], value_id: int, text: str) -> None:
        target = next((value for value in values if value.id == value_id), None)
        if target is None:
            return
        if not text:
            self._drop(values, [target])
            return
        self._drop(values, [value for value in values if value.value == text and value.id != value_id])
        self._set(values, target, text)

    def _add(self, field: Field, values: list[Value], text: str) -> None:
        if len(values) >= MOST_VALUES:
            raise Invalid(f"{field.name} holds at most {MOST_VALUES} values.", field="metadatas")
        value_id = changes_store.add_value(self._work, self._record.id, field.id, text, self._position)
        self._position += 1
        values.append(Value(value_id, field.id, text))

    def _set(self, values: list[Value], value: Value, text: str) -> None:
        if value.value != text:
            changes_store.set_value(self._work, value.id, text)
        values[values.index(value)] = replace(value, value=text)

    def _drop(self, values: list[Value], removed: list[Value]) -> None:
        changes_store.delete_values(self._work, [value.id for value in removed])
        for value in removed:
            values.remove(value)
