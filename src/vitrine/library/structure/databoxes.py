"""Databoxes: names, labels, order, registration, logo. Requires `bas_manage` on it, or the administrator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vitrine.accounts import Actor, Via
from vitrine.errors import Forbidden
from vitrine.library import structure_store
from vitrine.library.events import StructureChanged
from vitrine.library.model import Databox, DataboxId
from vitrine.library.structure.checks import (
    NAME_OF_DATABOX,
    boolean,
    differences,
    in_order,
    known_only,
    labels_of,
    name_of,
    require_revision,
)
from vitrine.library.structure.editor import StructureEditor
from vitrine.library.structure.pictures import Picture
from vitrine.library.tables import databoxes as table
from vitrine.platform.database import UnitOfWork

ATTRIBUTES = ("view_name", "labels", "registration_open")


@dataclass(frozen=True, slots=True)
class DataboxAdministration:
    editor: StructureEditor

    def managed(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> Databox:
        return self.editor.permit_databox(work, actor, databox)

    def change(
        self,
        work: UnitOfWork,
        actor: Actor,
        databox: DataboxId,
        given: Mapping[str, Any],
        *,
        expected: int | None = None,
    ) -> Databox:
        """Set some of `view_name` (what people read), `labels` and `registration_open`. The name of the databox itself
        stays, since other systems know it by that. Raises Invalid or ChangedMeanwhile."""
        before = self.editor.permit_databox(work, actor, databox)
        require_revision(before.revision, expected)
        known_only(given, ATTRIBUTES)
        columns: dict[str, Any] = {}
        if "view_name" in given:
            columns["view_name"] = name_of(given["view_name"], NAME_OF_DATABOX, field="title")
        if "labels" in given:
            columns["labels"] = labels_of(given["labels"], before.labels)
        if "registration_open" in given:
            columns["registration_open"] = boolean(given["registration_open"], field="registration_open")
        shown = {"view_name": before.view_name, "labels": before.labels, "registration_open": before.registration_open}
        return self._saved(work, actor, before, differences(shown, columns))

    def set_logo(self, work: UnitOfWork, actor: Actor, databox: DataboxId, picture: Picture | None) -> Databox:
        """A picture that `Pictures.keep` returned, or None for none."""
        before = self.editor.permit_databox(work, actor, databox)
        return self._saved(work, actor, before, ({"logo": before.logo}, {"logo": picture}))

    def order(self, work: UnitOfWork, actor: Actor, ids: Sequence[int]) -> list[Databox]:
        """Put all databoxes in the order of *ids*. Administrators and the command line only, since it concerns all."""
        if actor.via is not Via.COMMAND and not actor.administers:
            raise Forbidden("Only administrators may do this.")
        before = list(self.editor.records.structure(work).databoxes)
        order = in_order(ids, before)
        structure_store.set_positions(work, table, order)
        structure_store.increase_version(work)
        self.editor.audit(work, actor, DataboxId(0), "databoxes.ordered", "", {"order": order})
        return list(self.editor.records.structure(work).databoxes.values())

    def _saved(
        self, work: UnitOfWork, actor: Actor, before: Databox, change: tuple[dict[str, Any], dict[str, Any]]
    ) -> Databox:
        old, new = change
        if not new:
            return before
        structure_store.update_databox(work, before.id, new)
        structure_store.increase_version(work)
        work.emit(StructureChanged(before.id, "databox", before.name, actor.user_id, old, new))
        self.editor.audit(work, actor, before.id, "databox.changed", "", new)
        return self.editor.records.structure(work).databoxes[before.id]
