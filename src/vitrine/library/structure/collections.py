"""Collections: names, labels, order, in use or not, default status, registration, logo, empty, delete.

Names, labels, default status, registration and logo are for who has `manage` on that very collection; order, use,
emptying and deletion for who has `bas_manage` on its databox.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vitrine.accounts import Actor, collection_access
from vitrine.errors import Conflict, Invalid
from vitrine.library import counts, structure_store
from vitrine.library.errors import InUse
from vitrine.library.events import StructureChanged
from vitrine.library.mapping import LONGEST_VALUE
from vitrine.library.model import BIN, Collection, CollectionId, DataboxId, Field, FieldId
from vitrine.library.structure import task_store, tasks
from vitrine.library.structure.checks import (
    NAME_OF_COLLECTION,
    boolean,
    differences,
    in_order,
    known_only,
    labels_of,
    name_of,
    require_revision,
    whole_number,
)
from vitrine.library.structure.editor import StructureEditor
from vitrine.library.structure.pictures import Picture
from vitrine.library.structure.task_store import Task
from vitrine.library.tables import collections as table
from vitrine.platform.database import UnitOfWork

OWN = ("name", "labels", "default_status", "registration_open")
OF_DATABOX = ("enabled",)
MOST_SUGGESTED = 500  # values of one field


@dataclass(frozen=True, slots=True)
class CollectionAdministration:
    editor: StructureEditor

    def managed(self, work: UnitOfWork, actor: Actor, base: CollectionId) -> tuple[Collection, int]:
        """A collection, disabled ones too, and its number of records."""
        collection = self.editor.permit_collection(work, actor, base)
        return collection, counts.of(work, [base])[base]

    def all_of(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> list[tuple[Collection, int]]:
        """All collections of a databox, disabled ones too, with their numbers of records. Requires `bas_manage`."""
        self.editor.permit_databox(work, actor, databox)
        own = self._of(work, databox)
        counted = counts.of(work, [collection.id for collection in own])
        return [(collection, counted[collection.id]) for collection in own]

    def change(
        self,
        work: UnitOfWork,
        actor: Actor,
        base: CollectionId,
        given: Mapping[str, Any],
        *,
        expected: int | None = None,
    ) -> Collection:
        """Set some attributes. A disabled collection and its records are invisible to everybody; nothing is deleted.

        Raises Invalid, Conflict, InUse or ChangedMeanwhile."""
        before = self.editor.permit_collection(work, actor, base)
        require_revision(before.revision, expected)
        known_only(given, (*OWN, *OF_DATABOX))
        columns: dict[str, Any] = {}
        if "name" in given:
            columns["name"] = self._name(work, before, given["name"])
        if "labels" in given:
            columns["labels"] = labels_of(given["labels"], before.labels)
        if "default_status" in given:
            columns["default_status"] = self._status(work, before, given["default_status"])
        if "registration_open" in given:
            own = given["registration_open"]
            columns["registration_open"] = None if own is None else boolean(own, field="registration_open")
        if "enabled" in given:
            columns["enabled"] = self._enabled(work, actor, before, given["enabled"])
        shown = {name: getattr(before, name) for name in (*OWN, *OF_DATABOX)}
        return self._saved(work, actor, before, differences(shown, columns))

    def set_logo(self, work: UnitOfWork, actor: Actor, base: CollectionId, picture: Picture | None) -> Collection:
        """A picture that `Pictures.keep` returned, or None for none."""
        before = self.editor.permit_collection(work, actor, base)
        return self._saved(work, actor, before, ({"logo": before.logo}, {"logo": picture}))

    def order(self, work: UnitOfWork, actor: Actor, databox: DataboxId, ids: Sequence[int]) -> list[Collection]:
        """Put the collections of a databox in the order of *ids* (each base_id once)."""
        self.editor.permit_databox(work, actor, databox)
        before = [int(collection.id) for collection in self._of(work, databox)]
        order = in_order(ids, before)
        structure_store.set_positions(work, table, order)
        structure_store.increase_version(work)
        if order != before:
            change = {"order": before}, {"order": order}
            self._note(work, actor, databox, "", "collections.ordered", change)
        return self._of(work, databox)

    def empty(self, work: UnitOfWork, actor: Actor, base: CollectionId) -> Task:
        """Delete all records of a collection; the task that is returned does it. Requires `bas_manage` itself."""
        collection = self.editor.collection(work, base)
        self.editor.permit_purge(work, actor, collection.databox_id)
        self.editor.audit(work, actor, collection.databox_id, "collection.emptied", str(base), {"base_id": base})
        return self.editor.tasks.begin(work, actor, collection.databox_id, tasks.EMPTY, {"base_id": base})

    def delete(self, work: UnitOfWork, actor: Actor, base: CollectionId, *, expected: int | None = None) -> None:
        """Delete an empty collection, with the rights on it. Raises InUse while it holds records."""
        before = self.editor.collection(work, base)
        self.editor.permit_databox(work, actor, before.databox_id)
        require_revision(before.revision, expected)
        if task_store.has_records(work, base):
            raise InUse("Only an empty collection can be deleted. Move its records, or empty it first.")
        if task_store.has_quarantined_files(work, base):
            raise InUse("Files for this collection wait in the quarantine. Settle them first.")
        collection_access.rights_changed_on(work, base)
        structure_store.delete_collection(work, base)
        structure_store.increase_version(work)
        change = {"name": before.name, "labels": dict(before.labels)}, dict[str, Any]()
        self._note(work, actor, before.databox_id, before.name, "collection.deleted", change)

    # -- suggested values ------------------------------------------------------------------------------------------

    def suggested(self, work: UnitOfWork, actor: Actor, base: CollectionId) -> list[tuple[Field, list[str]]]:
        """The values that editors offer in a collection, by field in the order of the structure. For everybody who has
        access to the collection, except those of business fields, which are for who may edit there."""
        collection = self.editor.records.collection_with_count(work, actor, base)[0]
        own = structure_store.suggested_values(work, base)
        fields = self.editor.records.known_fields(work, actor)
        return [
            (field, own[field.id]) for field in fields if field.databox_id == collection.databox_id and field.id in own
        ]

    def suggest(self, work: UnitOfWork, actor: Actor, base: CollectionId, field: FieldId, values: object) -> list[str]:
        """Replace the suggested values of one field. Requires `modify_struct` on that very collection."""
        collection = self.editor.permit_value_lists(work, actor, base)
        known = {entry.id: entry for entry in self.editor.records.structure(work).fields[collection.databox_id]}
        if field not in known:
            raise Invalid(f"This databox has no field {field}.", field="field_id")
        wanted = _suggestions(values)
        before = structure_store.suggested_values(work, base).get(field, [])
        if wanted != before:
            structure_store.set_suggested_values(work, base, field, wanted)
            change = {"suggested": before}, {"suggested": wanted, "field": known[field].name}
            self._note(work, actor, collection.databox_id, collection.name, "collection.suggestions", change)
        return wanted

    # -- steps -----------------------------------------------------------------------------------------------------

    def _of(self, work: UnitOfWork, databox: DataboxId) -> list[Collection]:
        everything = self.editor.records.structure(work).collections.values()
        return [collection for collection in everything if collection.databox_id == databox]

    def _name(self, work: UnitOfWork, before: Collection, given: object) -> str:
        name = name_of(given, NAME_OF_COLLECTION)
        if name == before.name:
            return name
        if any(other.name == name for other in self._of(work, before.databox_id)):
            raise Conflict(
                "There is a collection called {name} in this databox already.", field="name", values={"name": name}
            )
        if BIN in (name, before.name) and task_store.has_records(work, before.id):
            raise InUse(
                f"A collection called {BIN} is the bin. One with records can neither become the bin nor stop being it.",
                field="name",
            )
        return name

    def _status(self, work: UnitOfWork, before: Collection, given: object) -> int:
        status = whole_number(given, 0, 2**32 - 1, field="default_status")
        defined = sum(1 << entry.bit for entry in self.editor.records.structure(work).status_bits[before.databox_id])
        if status & ~(defined | before.default_status):
            raise Invalid("default_status has a bit that this databox does not define.", field="default_status")
        return status

    def _enabled(self, work: UnitOfWork, actor: Actor, before: Collection, given: object) -> bool:
        enabled = boolean(given, field="enabled")
        if enabled != before.enabled:
            self.editor.permit_databox(work, actor, before.databox_id)
            collection_access.rights_changed_on(work, before.id)
            self.editor.tasks.covers_changed(work, actor, before)
        return enabled

    def _saved(
        self, work: UnitOfWork, actor: Actor, before: Collection, change: tuple[dict[str, Any], dict[str, Any]]
    ) -> Collection:
        old, new = change
        if not new:
            return before
        structure_store.update_collection(work, before.id, new)
        structure_store.increase_version(work)
        self._note(work, actor, before.databox_id, before.name, "collection.changed", (old, new))
        return self.editor.records.structure(work).collections[before.id]

    def _note(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, name: str, action: str,
        change: tuple[Mapping[str, Any], Mapping[str, Any]],
    ) -> None:  # fmt: skip
        before, after = change
        work.emit(StructureChanged(databox, "collection", name, actor.user_id, before, after))
        self.editor.audit(work, actor, databox, action, name, after or before)


def _suggestions(values: object) -> list[str]:
    if not isinstance(values, list | tuple) or len(values) > MOST_SUGGESTED:
        raise Invalid(f"values is a list of at most {MOST_SUGGESTED} texts.", field="values")
    texts = []
    for value in values:
        text = value.strip() if isinstance(value, str) else ""
        if not text or "\x00" in text or len(text.encode("utf-8", "replace")) > LONGEST_VALUE:
            raise Invalid(f"A suggested value is a text of 1 to {LONGEST_VALUE} bytes.", field="values")
        texts.append(text)
    return list(dict.fromkeys(texts))
