"""Status bits of a databox (contract 06 section 8). Requires `bas_modify_struct` on that very databox."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from vitrine.accounts import Actor, collection_access
from vitrine.errors import Conflict, Invalid
from vitrine.library import structure_store
from vitrine.library.errors import InUse, NoSuchStatusBit
from vitrine.library.events import StructureChanged
from vitrine.library.model import LANGUAGES, DataboxId, StatusBit
from vitrine.library.structure import task_store, tasks
from vitrine.library.structure.checks import (
    boolean,
    differences,
    known_only,
    label_of,
    labels_of,
    require_revision,
)
from vitrine.library.structure.editor import StructureEditor
from vitrine.library.structure.pictures import Picture
from vitrine.library.structure.task_store import Task
from vitrine.platform.database import UnitOfWork

FIRST_BIT, LAST_BIT = 4, 31
ATTRIBUTES = ("label_on", "label_off", "labels_on", "labels_off", "searchable", "printable")


@dataclass(frozen=True, slots=True)
class StatusBitAdministration:
    editor: StructureEditor

    def get(self, work: UnitOfWork, actor: Actor, databox: DataboxId, bit: int) -> StatusBit:
        self.editor.permit_structure(work, actor, databox)
        return self._existing(work, databox, bit)

    def find(self, work: UnitOfWork, actor: Actor, databox: DataboxId, bit: int) -> StatusBit | None:
        """The definition; None for a bit that is not defined."""
        self.editor.permit_structure(work, actor, databox)
        return self._find(work, databox, bit)

    def define(
        self,
        work: UnitOfWork,
        actor: Actor,
        databox: DataboxId,
        bit: int,
        given: Mapping[str, Any],
        *,
        expected: int | None = None,
    ) -> StatusBit:
        """Define a bit, or change its definition: attributes that are not given stay. Raises Invalid for a bit outside
        4 to 31, Conflict while the bit is still being switched off after a removal, or ChangedMeanwhile."""
        self.editor.permit_structure(work, actor, databox)
        _require_number(bit)
        before = self._find(work, databox, bit)
        columns = _columns(given, before)
        if before is None:
            self._require_cleared(work, databox, bit)
            if not columns["label_on"]:
                raise Invalid("A status bit needs a label for its on state.", field="label_on")
            structure_store.add_status_bit(work, databox, {"bit": bit, **columns})
            return self._saved(work, actor, databox, bit, "status_bit.created", ({}, columns))
        require_revision(before.revision, expected)
        old, new = differences(_shown(before), columns)
        if "label_on" in new and not new["label_on"]:
            raise Invalid("A status bit needs a label for its on state.", field="label_on")
        if not new:
            return before
        structure_store.update_status_bit(work, databox, bit, new)
        return self._saved(work, actor, databox, bit, "status_bit.changed", (old, new))

    def set_icon(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, bit: int, picture: Picture | None, *, on: bool
    ) -> StatusBit:
        """The icon of one state, a picture that `Pictures.keep` returned, or None for none."""
        self.editor.permit_structure(work, actor, databox)
        before = self._existing(work, databox, bit)
        column = "icon_on" if on else "icon_off"
        structure_store.update_status_bit(work, databox, bit, {column: picture})
        old = getattr(before, column)
        return self._saved(work, actor, databox, bit, "status_bit.changed", ({column: old}, {column: picture}))

    def remove(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, bit: int, *, expected: int | None = None
    ) -> Task:
        """Remove the definition. The task that is returned switches the bit off in every record, so that a bit that is
        defined later under the same number begins at off; new records of collections get it off too.

        Raises InUse while somebody's mask looks at the bit: they would lose sight of records, or see hidden ones.
        """
        self.editor.permit_structure(work, actor, databox)
        before = self._existing(work, databox, bit)
        require_revision(before.revision, expected)
        if masks := collection_access.masks_with_bit(work, databox, bit):
            raise InUse(
                "{masks} status masks of people, groups or templates look at this bit. Change them first.",
                field="bit",
                values={"masks": masks},
            )
        structure_store.delete_status_bit(work, databox, bit)
        for collection in self.editor.records.structure(work).collections.values():
            if collection.databox_id == databox and collection.default_status & 1 << bit:
                default = collection.default_status & ~(1 << bit)
                structure_store.update_collection(work, collection.id, {"default_status": default})
        structure_store.increase_version(work)
        self._note(work, actor, databox, bit, "status_bit.removed", (_shown(before), {}))
        return self.editor.tasks.begin(work, actor, databox, tasks.CLEAR_BIT, {"bit": bit})

    def _require_cleared(self, work: UnitOfWork, databox: DataboxId, bit: int) -> None:
        for task in task_store.unfinished(work, databox, tasks.CLEAR_BIT):
            if task.details.get("bit") == bit:
                raise Conflict(
                    "Bit {bit} is still being switched off in all records. Define it when that is done.",
                    values={"bit": bit},
                )

    def _find(self, work: UnitOfWork, databox: DataboxId, bit: int) -> StatusBit | None:
        defined = self.editor.records.structure(work).status_bits[databox]
        return next((entry for entry in defined if entry.bit == bit), None)

    def _existing(self, work: UnitOfWork, databox: DataboxId, bit: int) -> StatusBit:
        known = self._find(work, databox, bit)
        if known is None:
            raise NoSuchStatusBit(f"This databox has no status bit {bit}.", field="bit")
        return known

    def _saved(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, bit: int, action: str,
        change: tuple[Mapping[str, Any], Mapping[str, Any]],
    ) -> StatusBit:  # fmt: skip
        structure_store.increase_version(work)
        self._note(work, actor, databox, bit, action, change)
        return self._existing(work, databox, bit)

    def _note(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, bit: int, action: str,
        change: tuple[Mapping[str, Any], Mapping[str, Any]],
    ) -> None:  # fmt: skip
        before, after = change
        work.emit(StructureChanged(databox, "status bit", str(bit), actor.user_id, before, after))
        self.editor.audit(work, actor, databox, action, str(bit), after or before)


def _require_number(bit: int) -> None:
    if not FIRST_BIT <= bit <= LAST_BIT:
        raise Invalid(f"Status bits are numbered {FIRST_BIT} to {LAST_BIT}.", field="bit")


def _columns(given: Mapping[str, Any], before: StatusBit | None) -> dict[str, Any]:
    known_only(given, ATTRIBUTES)
    columns: dict[str, Any] = {}
    for name in ("label_on", "label_off"):
        if name in given or before is None:
            columns[name] = label_of(given.get(name), field=name)
    for name in ("labels_on", "labels_off"):
        if name in given or before is None:
            labels = labels_of(given.get(name), getattr(before, name) if before else None, field=name)
            columns[name] = {language: labels[language] for language in LANGUAGES if labels[language]}
    for name in ("searchable", "printable"):
        if name in given:
            columns[name] = boolean(given[name], field=name)
    return columns


def _shown(bit: StatusBit) -> dict[str, Any]:
    hidden = {"databox_id", "bit", "revision"}
    return {entry.name: getattr(bit, entry.name) for entry in fields(StatusBit) if entry.name not in hidden}
