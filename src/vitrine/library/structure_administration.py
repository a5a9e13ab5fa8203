"""Administration of the archive: databoxes, collections, fields, and renditions to be made again."""

import re
from dataclasses import dataclass
from typing import Any

from vitrine.accounts import Actor, Right
from vitrine.errors import Conflict, Forbidden, Invalid
from vitrine.jobs import Jobs
from vitrine.library import access, store, structure_store
from vitrine.library.errors import MayNotChange
from vitrine.library.jobs import MAKE_RENDITIONS
from vitrine.library.model import Collection, CollectionId, Databox, DataboxId, Record
from vitrine.library.records import Records
from vitrine.library.templates import DEFAULT_FIELDS
from vitrine.media.renditions.recipes import DEFAULT_RECIPES
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import fault_of_name

_NAME = re.compile(r"[^\x00-\x1f/\\]{1,64}")
NO_LABELS = {"fr": None, "en": None, "de": None, "nl": None}


@dataclass(frozen=True, slots=True)
class StructureAdministration:
    records: Records
    jobs: Jobs

    def add_databox(self, work: UnitOfWork, actor: Actor, name: str, labels: dict[str, Any] | None = None) -> Databox:
        """A databox with the default fields and recipes. Administrators and the command line only."""
        self._require_administrator(actor)
        if not _NAME.fullmatch(name.strip()):
            raise Invalid("A databox needs a name of at most 64 characters, without slashes.", field="name")
        if fault := fault_of_name(name.strip()):
            raise Invalid(fault, field="name")
        if any(box.name == name.strip() for box in self.records.structure(work).databoxes.values()):
            raise Conflict(f"There is a databox called {name} already.", field="name")
        values = {"name": name.strip(), "view_name": name.strip(), "labels": {**NO_LABELS, **(labels or {})}}
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
        audit.write(work, actor, "databox.created", f"databox {databox_id}")
        return self.records.structure(work).databoxes[databox_id]

    def add_collection(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, name: str, labels: dict[str, Any] | None = None
    ) -> Collection:
        self._require_administrator(actor)
        self.records.databox(work, actor, databox)
        if not _NAME.fullmatch(name.strip()):
            raise Invalid("A collection needs a name of at most 64 characters, without slashes.", field="name")
        if fault := fault_of_name(name.strip()):
            raise Invalid(fault, field="name")
        if any(collection.name == name.strip() for collection in self.records.structure(work).collections_of(databox)):
            raise Conflict(f"There is a collection called {name} in this databox already.", field="name")
        values = {"name": name.strip(), "labels": {**NO_LABELS, **(labels or {})}}
        collection_id = structure_store.add_collection(work, databox, values)
        structure_store.increase_version(work)
        audit.write(work, actor, "collection.created", f"collection {collection_id}")
        return self.records.structure(work).collections[CollectionId(collection_id)]

    @staticmethod
    def _require_administrator(actor: Actor) -> None:
        if not actor.is_admin:
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
