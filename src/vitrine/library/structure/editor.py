"""What all administrations of the structure need: the rights, the audit line, and the tasks that follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.accounts import Actor
from vitrine.library import access
from vitrine.library.errors import MayNotAdminister, MayNotSee, NoSuchCollection
from vitrine.library.model import Collection, CollectionId, Databox, DataboxId
from vitrine.library.records import Records
from vitrine.library.structure.tasks import StructureTasks
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class StructureEditor:
    records: Records
    tasks: StructureTasks

    def permit_structure(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> Databox:
        """Requires `bas_modify_struct` on this databox. Raises NoSuchDatabox, MayNotSee or MayNotAdminister."""
        box = self.records.databox(work, actor, databox)
        if not access.edits_structure(actor, databox):
            raise MayNotAdminister("You may not change the structure of this databox.", why=f"databox {databox}")
        return box

    def permit_databox(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> Databox:
        """Requires `bas_manage` on this databox, or the administrator. Raises what `permit_structure` raises."""
        box = self.records.structure(work).databoxes.get(databox)
        if box is None or not access.manages_databox(actor, databox):
            box = self.records.databox(work, actor, databox)
            raise MayNotAdminister("You may not manage this databox.", why=f"databox {databox}")
        return box

    def permit_purge(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> None:
        """Requires `bas_manage` itself: it deletes records."""
        self.permit_databox(work, actor, databox)
        if not access.purges_databox(actor, databox):
            raise MayNotAdminister("Only who manages this databox may delete its records.", why=f"databox {databox}")

    def collection(self, work: UnitOfWork, base: CollectionId) -> Collection:
        """A collection, disabled ones too. Raises NoSuchCollection."""
        collection = self.records.structure(work).collections.get(base)
        if collection is None:
            raise NoSuchCollection(f"There is no collection with base_id {base}.", field="base_id")
        return collection

    def permit_collection(self, work: UnitOfWork, actor: Actor, base: CollectionId) -> Collection:
        """Requires `manage` on this very collection, or on its databox `bas_manage`, or the administrator. Raises
        NoSuchCollection or MayNotAdminister."""
        collection = self.collection(work, base)
        if not access.manages_collection(actor, collection, work.now):
            self._require_sight(actor, base)
            raise MayNotAdminister("You may not manage this collection.", why=f"collection {base}")
        return collection

    def permit_value_lists(self, work: UnitOfWork, actor: Actor, base: CollectionId) -> Collection:
        """Requires `modify_struct` on this very collection, or `bas_modify_struct` on its databox."""
        collection = self.collection(work, base)
        if not access.edits_value_lists(actor, collection, work.now):
            self._require_sight(actor, base)
            raise MayNotAdminister("You may not change the value lists of this collection.", why=f"collection {base}")
        return collection

    @staticmethod
    def _require_sight(actor: Actor, base: CollectionId) -> None:
        """Raises MayNotSee where the actor may not know that there is such a collection."""
        if base not in actor.rights.collections:
            raise MayNotSee("You have no access to this collection.", why=f"collection {base}")

    @staticmethod
    def audit(
        work: UnitOfWork, actor: Actor, databox: DataboxId, action: str, name: str, details: Mapping[str, Any]
    ) -> None:
        audit.write(work, actor, action, f"databox {databox} {name}".strip(), dict(details))
