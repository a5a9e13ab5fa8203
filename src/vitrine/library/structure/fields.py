"""Fields of a databox: add, change, order, delete. Requires `bas_modify_struct` on that very databox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from vitrine.accounts import Actor
from vitrine.errors import Conflict
from vitrine.library import structure_store
from vitrine.library.errors import InUse, NoSuchField
from vitrine.library.events import ReindexNeeded, StructureChanged
from vitrine.library.model import DataboxId, Field, FieldId, RecordKey
from vitrine.library.structure import tasks
from vitrine.library.structure.checks import differences, in_order, require_revision
from vitrine.library.structure.editor import StructureEditor
from vitrine.library.structure.field_rules import REINDEXED, TITLED, columns_of
from vitrine.library.structure.task_store import Task
from vitrine.library.tables import fields as table
from vitrine.platform.database import UnitOfWork

IDS_UNDER_WAY = 100_000  # a value may get its id before the snapshot and be committed after it
MOST_FIELDS = 500  # of a databox, so that every list of fields is bounded


@dataclass(frozen=True, slots=True)
class FieldAdministration:
    editor: StructureEditor

    def get(self, work: UnitOfWork, actor: Actor, databox: DataboxId, field: FieldId) -> Field:
        self.editor.permit_structure(work, actor, databox)
        return self._field(work, databox, field)

    def add(self, work: UnitOfWork, actor: Actor, databox: DataboxId, given: Mapping[str, Any]) -> Field:
        """A new field, after the others. Its name is made from what is given (`field_rules.generated_name`). Records
        that are there get no values. Raises Invalid or Conflict."""
        self.editor.permit_structure(work, actor, databox)
        columns = columns_of(given, None)
        others = self._fields(work, databox)
        if structure_store.count_fields(work, databox) >= MOST_FIELDS:
            raise Conflict(f"A databox has at most {MOST_FIELDS} fields.", field="name")
        self._require_unique(others, columns, None)
        position = 1 + max((place for place, _ in enumerate(others)), default=-1)
        field = structure_store.add_field(work, databox, {**columns, "position": position})
        added = self._saved(work, databox, field)
        self._note(work, actor, databox, added.name, "field.created", {}, _shown(added))
        if added.thumbtitle:
            self.editor.tasks.begin(work, actor, databox, tasks.TITLES, {})
        return added

    def permit_single(self, work: UnitOfWork, actor: Actor, databox: DataboxId, field: FieldId) -> int:
        """Look at all values of a field that is to hold one value a record; returns what `change` takes as *checked*,
        so that it need not look at them again under the write lock. Slow: for a snapshot. Raises InUse."""
        self.editor.permit_structure(work, actor, databox)
        before = self._field(work, databox, field)
        if not before.multi:
            return 0
        self._require_single(work, before, 0)
        return max(0, structure_store.last_value(work) - IDS_UNDER_WAY)

    def change(
        self,
        work: UnitOfWork,
        actor: Actor,
        databox: DataboxId,
        field: FieldId,
        given: Mapping[str, Any],
        *,
        expected: int | None = None,
        checked: int = 0,
    ) -> Field:
        """Set some attributes. Names and types are indexed again, and titles computed again, by the worker.

        Raises Invalid, Conflict, InUse (a field of several values that would lose some) or ChangedMeanwhile."""
        self.editor.permit_structure(work, actor, databox)
        before = self._field(work, databox, field)
        require_revision(before.revision, expected)
        columns = columns_of(given, before)
        self._require_unique(self._fields(work, databox), columns, before)
        if before.multi and not columns.get("multi", True):
            self._require_single(work, before, checked)
        old, new = differences(_shown(before), columns)
        if not new:
            return before
        structure_store.update_field(work, field, new)
        after = self._saved(work, databox, field)
        self._note(work, actor, databox, before.name, "field.changed", old, new)
        if TITLED & new.keys():
            self.editor.tasks.begin(work, actor, databox, tasks.TITLES, {})
        if REINDEXED & new.keys():
            work.emit(ReindexNeeded(databox))
        return after

    def order(self, work: UnitOfWork, actor: Actor, databox: DataboxId, ids: Sequence[int]) -> list[Field]:
        """Put the fields of a databox in the order of *ids*, which names each once. Titles follow the new order."""
        self.editor.permit_structure(work, actor, databox)
        before = self._fields(work, databox)
        order = in_order(ids, (field.id for field in before))
        structure_store.set_positions(work, table, order)
        structure_store.increase_version(work)
        names = {field.id: field.name for field in before}
        old, new = [field.name for field in before], [names[FieldId(number)] for number in order]
        if old != new:
            self._note(work, actor, databox, "", "field.ordered", {"order": old}, {"order": new})
            if sum(field.thumbtitle for field in before) > 1:
                self.editor.tasks.begin(work, actor, databox, tasks.TITLES, {})
        return self._fields(work, databox)

    def delete(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, field: FieldId, *, expected: int | None = None
    ) -> Task:
        """The field is gone at once; the task that is returned deletes its values."""
        self.editor.permit_structure(work, actor, databox)
        before = self._field(work, databox, field)
        require_revision(before.revision, expected)
        structure_store.remove_field(work, field)
        structure_store.increase_version(work)
        self._note(work, actor, databox, before.name, "field.deleted", _shown(before), {})
        if before.thumbtitle:
            self.editor.tasks.begin(work, actor, databox, tasks.TITLES, {})
        details = {"field_id": field, "name": before.name}
        return self.editor.tasks.begin(work, actor, databox, tasks.DELETE_VALUES, details)

    def _field(self, work: UnitOfWork, databox: DataboxId, field: FieldId) -> Field:
        known = self.editor.records.structure(work).field_by_id.get(field)
        if known is None or known.databox_id != databox:
            raise NoSuchField(f"This databox has no field {field}.", field="field_id")
        return known

    def _fields(self, work: UnitOfWork, databox: DataboxId) -> list[Field]:
        return list(self.editor.records.structure(work).fields[databox])

    def _saved(self, work: UnitOfWork, databox: DataboxId, field: FieldId) -> Field:
        structure_store.increase_version(work)
        return self._field(work, databox, field)

    @staticmethod
    def _require_unique(others: Sequence[Field], columns: Mapping[str, Any], own: Field | None) -> None:
        """Names differ in more than case, which queries do not tell; one field for each Dublin Core element."""
        name, element = columns.get("name"), columns.get("dces_element")
        for other in others:
            if own is not None and other.id == own.id:
                continue
            if name is not None and other.name.casefold() == name.casefold():
                raise Conflict("There is a field called {name} already.", field="name", values={"name": other.name})
            if element is not None and other.dces_element == element:
                raise Conflict(
                    "The element {element} belongs to the field {name} already.",
                    field="dces_element",
                    values={"element": element, "name": other.name},
                )

    @staticmethod
    def _require_single(work: UnitOfWork, field: Field, checked: int) -> None:
        full = structure_store.record_with_two_values(work, field.id, checked)
        if full is not None:
            raise InUse(
                "{name} must stay a field of several values: record {record} holds more than one, and all but one "
                "would be lost. Remove them first.",
                field="multi",
                values={"name": field.name, "record": RecordKey(*full)},
            )

    def _note(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, name: str, action: str,
        before: Mapping[str, Any], after: Mapping[str, Any],
    ) -> None:  # fmt: skip
        work.emit(StructureChanged(databox, "field", name, actor.user_id, before, after))
        self.editor.audit(work, actor, databox, action, name, after or before)


def _shown(field: Field) -> dict[str, Any]:
    """The attributes of a field that people set."""
    hidden = {"id", "databox_id", "sort_slot", "revision"}
    values = {entry.name: getattr(field, entry.name) for entry in fields(Field) if entry.name not in hidden}
    return {**values, "fallbacks": list(field.fallbacks), "labels": dict(field.labels)}
