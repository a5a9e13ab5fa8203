"""One batch of an operation: the change of some records in a few statements. The rights are asked for each record, once
for all of them together; a record for which one part is refused is not changed at all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from vitrine.accounts import Actor, Right
from vitrine.errors import DomainError, Invalid
from vitrine.library import access, store
from vitrine.library.bulk.model import BulkChange, FieldAction, Item
from vitrine.library.changes import Changes, field_of, require_bits, require_target
from vitrine.library.errors import MayNotChange, NoSuchRecord
from vitrine.library.journal import Origin
from vitrine.library.model import DataboxId, Field, Record, RecordId, RecordKey
from vitrine.library.removal import Removal
from vitrine.library.value_edits import ValueEdit
from vitrine.library.value_rules import ValueRules
from vitrine.platform.database import UnitOfWork

CHANGED, UNCHANGED = "changed", "unchanged"


@dataclass(slots=True)
class Batch:
    changes: Changes
    removal: Removal
    work: UnitOfWork
    actor: Actor
    operation_id: int
    change: BulkChange
    _outcomes: dict[RecordKey, str] = field(default_factory=dict)

    def run(self, items: Sequence[Item]) -> dict[int, str]:
        """The outcome of each item, by its position."""
        keys = {item.position: RecordKey(DataboxId(item.databox_id), item.number) for item in items}
        self._change(list(keys.values()))
        return {position: self._outcomes[key] for position, key in keys.items()}

    def _change(self, keys: Sequence[RecordKey]) -> None:
        by_key = store.by_keys(self.work, keys)
        for key in keys:
            if key not in by_key:
                self._outcomes[key] = NoSuchRecord.code
        records = list(by_key.values())
        if self.change.delete:
            self._delete(records)
            return
        if self.change.fields:
            records = self._permitted(records, Right.canmodifrecord)
        if self.change.status:
            records = self._permitted(records, Right.chgstatus)
        if self.change.collection is not None:
            records = self._permitted_to_move(records)
        edits = self._edits(records)
        if self.change.status:
            bits, structure = self.change.status, self.changes.records.structure(self.work)
            records = self._passing(records, lambda record: require_bits(structure, record, bits))
        self._write(records, edits)

    def _write(self, records: Sequence[Record], edits: dict[RecordId, ValueEdit]) -> None:
        """All parts of the change for *records*, for which every part is allowed."""
        origin = Origin(operation_id=self.operation_id)
        passing = [record for record in records if record.key not in self._outcomes]
        self._outcomes.update({record.key: UNCHANGED for record in passing})
        editing = [edits[record.id] for record in passing if record.id in edits and edits[record.id].changes()[1]]
        if editing:
            self.changes.write_values(self.work, self.actor, editing, origin)
            self._note(edit.record for edit in editing)
        if self.change.status:
            after = self.changes.write_statuses(self.work, self.actor, passing, self.change.status, origin)
            self._note(new for old, new in zip(passing, after, strict=True) if old.status != new.status)
        into = self.change.collection
        moving = [record for record in passing if into is not None and record.collection_id != into]
        if moving and into is not None:
            self.changes.write_moves(self.work, self.actor, moving, into, origin)
            self._note(moving)

    def _note(self, changed: Iterable[Record]) -> None:
        self._outcomes.update({record.key: CHANGED for record in changed})

    def _edits(self, records: Sequence[Record]) -> dict[RecordId, ValueEdit]:
        """The edited values of the records for which the edit is possible."""
        if not self.change.fields:
            return {}
        held = store.values_of(self.work, [record.id for record in records])
        edits = {record.id: ValueEdit.of(record, held[record.id]) for record in records}
        rules = ValueRules(self.work)
        self._passing(records, lambda record: self._edit(edits[record.id], rules))
        return edits

    def _edit(self, edit: ValueEdit, rules: ValueRules) -> None:
        structure = self.changes.records.structure(self.work)
        changed = self.change.fields
        for change in changed:
            target = field_of(structure, edit.record, change.field_id)
            if target.readonly:
                raise Invalid(f"{target.name} is read-only.", field=target.name)
            _ACTIONS[change.action](edit, target, change.values)
        rules.require(edit, [structure.field_by_id[field_id] for field_id in {part.field_id for part in changed}])

    def _delete(self, records: Sequence[Record]) -> None:
        allowed = self._permitted(records, Right.candeleterecord)
        self.removal.discard_each(self.work, self.actor, allowed, Origin(operation_id=self.operation_id))
        self._note(allowed)

    # -- who is refused ------------------------------------------------------------------------------------------

    def _permitted(self, records: Sequence[Record], right: Right) -> list[Record]:
        """Those on which the actor has *right*. One that the actor does not see is refused like one that is not
        there."""
        stamps = [(record.id, record.collection_id, record.status) for record in records]
        allowed = access.with_right(self.work, self.actor, right, stamps)
        seen = access.visible_ids(self.work, self.actor, stamps) if len(allowed) < len(records) else allowed
        for record in records:
            if record.id not in allowed:
                self._outcomes[record.key] = MayNotChange.code if record.id in seen else NoSuchRecord.code
        return [record for record in records if record.id in allowed]

    def _permitted_to_move(self, records: Sequence[Record]) -> list[Record]:
        into = self.change.collection
        assert into is not None
        allowed = self._permitted(records, Right.candeleterecord)  # of those that stay too, or they tell where they are
        permitted = [record for record in allowed if record.collection_id != into]
        staying = [record for record in allowed if record.collection_id == into]
        if not permitted:
            return staying
        try:
            target = self.changes.target(self.work, self.actor, into)
        except DomainError as refusal:
            self._outcomes.update({record.key: refusal.code for record in permitted})
            return staying
        return [*staying, *self._passing(permitted, lambda record: require_target(record, target))]

    def _passing(self, records: Sequence[Record], check: Callable[[Record], None]) -> list[Record]:
        """Those for which *check* raises nothing; the others are refused."""
        passing = []
        for record in records:
            try:
                check(record)
                passing.append(record)
            except DomainError as refusal:
                self._outcomes[record.key] = refusal.code
        return passing


_ACTIONS: dict[FieldAction, Callable[[ValueEdit, Field, Sequence[str]], None]] = {
    FieldAction.SET: ValueEdit.set,
    FieldAction.ADD: ValueEdit.add,
    FieldAction.REMOVE: ValueEdit.remove,
}
