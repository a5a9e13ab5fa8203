"""Changes to a record: its values, status bits and collection, each all or nothing (02 section 6.6, 06 section 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vitrine.accounts import Actor, Right, Via
from vitrine.errors import Invalid
from vitrine.library import access, changes_store, store
from vitrine.library.errors import MayNotAdd, MayNotChange, NoSuchCollection, NoSuchField
from vitrine.library.events import RecordChanged
from vitrine.library.ingest import LONGEST_VALUE, MOST_VALUES, title_of
from vitrine.library.model import CollectionId, Field, FieldId, Record, RecordKey, Value
from vitrine.library.records import Records
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

FIRST_BIT, LAST_BIT = 4, 31


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One wish: without *value_id* a value is added (or the only one replaced), with it that value is changed; an empty
    *value* takes away."""

    field_id: FieldId
    value_id: int | None
    value: str


@dataclass(frozen=True, slots=True)
class Changes:
    records: Records

    def set_values(self, work: UnitOfWork, actor: Actor, key: RecordKey, wanted: Sequence[FieldChange]) -> Record:
        """Needs sight and `canmodifrecord` on the record's own collection (02 section 6.6 D).

        Raises MayNotChange, NoSuchField or Invalid, and then nothing is changed. Read-only fields are passed over, as
        is a *value_id* that is not there.
        """
        record = self._may(work, actor, key, Right.canmodifrecord)
        fields = self.records.structure(work).field_by_id
        held: dict[FieldId, list[Value]] = {}
        for value in store.values_of(work, [record.id])[record.id]:
            held.setdefault(value.field_id, []).append(value)
        edit = _Edit(work, record, held, changes_store.next_position(work, record.id))
        for wish in wanted:
            field = fields.get(wish.field_id)
            if field is None or field.databox_id != record.databox_id:
                raise NoSuchField(f"This databox has no field {wish.field_id}.", field="meta_struct_id")
            if not field.readonly:
                edit.apply(field, wish)
        title = self._title(work, record, held)
        store.update_record(work, record.id, {"title": title})
        work.emit(RecordChanged(record.id))
        audit.write(work, actor, "record.values", f"record {key}", {"fields": sorted({one.field_id for one in wanted})})
        return replace(record, title=title, updated=work.now)

    def _title(self, work: UnitOfWork, record: Record, held: Mapping[FieldId, list[Value]]) -> str:
        fields = self.records.structure(work).fields[record.databox_id]
        values = [(one, [value.value for value in held.get(one.id, ())]) for one in fields]
        return title_of(fields, values, record.original_name or record.title)

    def set_status(self, work: UnitOfWork, actor: Actor, key: RecordKey, bits: Mapping[int, bool]) -> Record:
        """Set some bits, the others stay. Raises Invalid for a bit outside 4 to 31 or one that the databox does not
        define, and then nothing is changed."""
        record = self._may(work, actor, key, Right.chgstatus)
        defined = {one.bit for one in self.records.structure(work).status_bits[record.databox_id]}
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
        """Into another collection of the same databox: `candeleterecord` where it is, `canaddrecord` where it goes.

        Raises MayNotChange (here), MayNotAdd (there) or Invalid. Where it is already: nothing happens.
        """
        record = self._may(work, actor, key, Right.candeleterecord)
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

    def _may(self, work: UnitOfWork, actor: Actor, key: RecordKey, right: Right) -> Record:
        """The record, if the actor sees it and has *right* on its very collection (06 section 17.7)."""
        record = self.records.get(work, actor, key)
        if not access.may(actor, record, right, work.now):
            raise MayNotChange("You may not do this to this record.", why=f"record {key} needs {right.name}")
        return record


class _Edit:
    """Wishes applied one after the other; *held* follows, so that a later wish sees what an earlier one did."""

    def __init__(self, work: UnitOfWork, record: Record, held: dict[FieldId, list[Value]], position: int) -> None:
        self._work = work
        self._record = record
        self._held = held
        self._position = position

    def apply(self, field: Field, wish: FieldChange) -> None:
        text = wish.value.replace("\x00", "").strip()
        if len(text.encode()) > LONGEST_VALUE:
            raise Invalid(f"A value of {field.name} has at most {LONGEST_VALUE} bytes.", field="value")
        mine = self._held.setdefault(field.id, [])
        if wish.value_id is not None:
            self._change(mine, wish.value_id, text)
        elif field.multi:
            if text and all(one.value != text for one in mine):
                self._add(field, mine, text)
        elif not text:
            self._drop(mine, list(mine))
        elif mine:
            self._drop(mine, mine[1:])
            self._set(mine, mine[0], text)
        else:
            self._add(field, mine, text)

    def _change(self, mine: list[Value], value_id: int, text: str) -> None:
        target = next((one for one in mine if one.id == value_id), None)
        if target is None:
            return
        if not text:
            self._drop(mine, [target])
            return
        self._drop(mine, [one for one in mine if one.value == text and one.id != value_id])
        self._set(mine, target, text)

    def _add(self, field: Field, mine: list[Value], text: str) -> None:
        if len(mine) >= MOST_VALUES:
            raise Invalid(f"{field.name} holds at most {MOST_VALUES} values.", field="metadatas")
        made = changes_store.add_value(self._work, self._record.id, field.id, text, self._position)
        self._position += 1
        mine.append(Value(made, field.id, text))

    def _set(self, mine: list[Value], value: Value, text: str) -> None:
        if value.value != text:
            changes_store.set_value(self._work, value.id, text)
        mine[mine.index(value)] = replace(value, value=text)

    def _drop(self, mine: list[Value], gone: list[Value]) -> None:
        changes_store.delete_values(self._work, [one.id for one in gone])
        for one in gone:
            mine.remove(one)
