"""Administration of the archive: databoxes, collections, fields, and renditions to be made again."""

from dataclasses import dataclass
from typing import Any

from vitrine.accounts import Actor, Right, collection_access
from vitrine.errors import Conflict, Forbidden
from vitrine.jobs import Jobs
from vitrine.library import access, store, structure_store
from vitrine.library.errors import MayNotAdminister, MayNotChange
from vitrine.library.events import StructureChanged
from vitrine.library.jobs import MAKE_RENDITIONS
from vitrine.library.model import Collection, CollectionId, Databox, DataboxId, Record
from vitrine.library.records import Records
from vitrine.library.structure.checks import NAME_OF_COLLECTION, NAME_OF_DATABOX, labels_of, name_of
from vitrine.library.templates import DEFAULT_FIELDS
from vitrine.media.renditions.recipes import DEFAULT_RECIPES
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

MOST_DATABOXES = 200
MOST_COLLECTIONS = 2_000  # of a databox: lists of collections are not paged on the wire


@dataclass(frozen=True, slots=True)
class StructureAdministration:
    records: Records
    jobs: Jobs

    def add_databox(self, work: UnitOfWork, actor: Actor, name: str, labels: dict[str, Any] | None = None) -> Databox:
        """A databox with the default fields and recipes. Administrators and the command line only. Whoever makes it has
        every right on it. Raises Forbidden, Invalid or Conflict."""
        self.require_administrator(actor)
        name, others = name_of(name, NAME_OF_DATABOX), self.records.structure(work).databoxes.values()
        if any(box.name == name for box in others):
            raise Conflict(f"There is a databox called {name} already.", field="name")
        if len(others) >= MOST_DATABOXES:
            raise Conflict(f"There are at most {MOST_DATABOXES} databoxes.")
        values = {"name": name, "view_name": name, "labels": labels_of(labels), "position": len(others)}
        databox_id = structure_store.add_databox(work, values)
        for place, field in enumerate(DEFAULT_FIELDS):
            structure_store.add_field(work, databox_id, {**field, "position": place})
        for place, recipe in enumerate(DEFAULT_RECIPES):
            structure_store.add_recipe(
                work,
                databox_id,
                {
                    "group": recipe.group,
                    "name": recipe.name,
                    "klass": recipe.klass,
                    "mediatype": recipe.mediatype,
                    "devices": list(recipe.devices),
                    "labels": dict(recipe.labels),
                    "options": dict(recipe.options),
                    "position": place,
                },
            )
        structure_store.increase_version(work)
        if actor.user_id is not None:
            collection_access.give_founder_databox(work, actor.user_id, databox_id)
        work.emit(StructureChanged(databox_id, "databox", name, actor.user_id, {}, {"name": name}))
        audit.write(work, actor, "databox.created", f"databox {databox_id}")
        return self.records.structure(work).databoxes[databox_id]

    def add_collection(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, name: str, labels: dict[str, Any] | None = None
    ) -> Collection:
        """An empty collection. Requires `bas_manage` on the databox, or the administrator. Whoever makes it has every
        right on it. Raises NoSuchDatabox, MayNotAdminister, Invalid or Conflict."""
        structure = self.records.structure(work)
        if databox not in structure.databoxes or not access.manages_databox(actor, databox):
            self.records.databox(work, actor, databox)
            raise MayNotAdminister("You may not manage this databox.", why=f"databox {databox}")
        name = name_of(name, NAME_OF_COLLECTION)
        others = [collection for collection in structure.collections.values() if collection.databox_id == databox]
        if any(collection.name == name for collection in others):
            raise Conflict(
                "There is a collection called {name} in this databox already.", field="name", values={"name": name}
            )
        if len(others) >= MOST_COLLECTIONS:
            raise Conflict(f"A databox has at most {MOST_COLLECTIONS} collections.")
        values = {"name": name, "labels": labels_of(labels), "position": len(others)}
        collection_id = structure_store.add_collection(work, databox, values)
        structure_store.increase_version(work)
        if actor.user_id is not None:
            collection_access.give_founder(work, actor.user_id, collection_id, databox)
        work.emit(StructureChanged(databox, "collection", name, actor.user_id, {}, {"name": name}))
        audit.write(work, actor, "collection.created", f"collection {collection_id}")
        return self.records.structure(work).collections[CollectionId(collection_id)]

    @staticmethod
    def require_administrator(actor: Actor) -> None:
        if not actor.administers:
            raise Forbidden("Only administrators may do this.")

    @staticmethod
    def permit_retry(work: UnitOfWork, actor: Actor, record: Record) -> None:
        """V' and R(imgtools) (06 §17.7). Raises MayNotChange."""
        if not access.may(work, actor, record, Right.imgtools):
            raise MayNotChange("You may not make the files of this record again.", why=f"record {record.key}")

    def retry(self, work: UnitOfWork, actor: Actor, record: Record) -> int:
        """Make the failed renditions of a record again; returns their number. Raises what `permit_retry` raises."""
        self.permit_retry(work, actor, record)
        failed = [
            rendition for rendition in store.renditions_of(work, [record.id])[record.id] if rendition.state == "failed"
        ]
        for rendition in failed:
            store.update_rendition(work, record.id, rendition.name, {"state": "waiting"})
        if failed:
            self.jobs.add(work, MAKE_RENDITIONS, {"record_id": record.id}, key=str(record.id))
            audit.write(work, actor, "renditions.retried", f"record {record.key}", {"count": len(failed)})
        return len(failed)
