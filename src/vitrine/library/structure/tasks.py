"""Work on many records that follows from a change of the structure: begun with the change, done by the worker.

Nobody waits for it: the change itself is one short transaction, and the task that it begins shows how far it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.accounts import Actor
from vitrine.jobs import JobKind, Jobs
from vitrine.library import access, counts, story_links
from vitrine.library.errors import MayNotAdminister, NoSuchTask
from vitrine.library.model import Collection, CollectionId, DataboxId
from vitrine.library.records import Records
from vitrine.library.structure import task_store
from vitrine.library.structure.emptying import Emptying
from vitrine.library.structure.task_store import Task
from vitrine.platform.database import UnitOfWork

STRUCTURE_TASK = JobKind("structure.task", lane="structure", max_attempts=40)
DELETE_VALUES, TITLES, CLEAR_BIT = "field.delete_values", "titles", "status.clear"
MAKE_RENDITIONS, DELETE_RENDITIONS, EMPTY = "renditions.make", "renditions.delete", "collection.empty"
COVERS = "stories.covers"
MOST_LISTED = 101  # a page of the API, and one that tells whether there is more


@dataclass(frozen=True, slots=True)
class StructureTasks:
    records: Records
    jobs: Jobs
    emptying: Emptying

    def begin(self, work: UnitOfWork, actor: Actor, databox: DataboxId, kind: str, details: Mapping[str, Any]) -> Task:
        """Begin work on the records of *databox*, in the transaction of the change that causes it. Earlier work of the
        same kind with the same *details* is replaced, since this one does it too."""
        for task in task_store.unfinished(work, databox, kind):
            if task.details == dict(details):
                task_store.set_state(work, task.id, task_store.REPLACED)
        total = self._total(work, databox, kind, details)
        task_id = task_store.add(work, databox, kind, details, total, actor.user_id)
        more = self.emptying.begin(work, actor) if kind == EMPTY else {}
        self.jobs.add(work, STRUCTURE_TASK, {"task_id": task_id, **more}, key=str(task_id))
        begun = task_store.by_id(work, task_id)
        assert begun is not None
        return begun

    def covers_changed(self, work: UnitOfWork, actor: Actor, collection: Collection) -> None:
        """After a collection was enabled or disabled, or its mark changed: stories show nothing across its border until
        each cover was looked at again."""
        story_links.hide_pictures_across(work, collection.id)
        self.begin(work, actor, collection.databox_id, COVERS, {"base_id": collection.id})

    def _total(self, work: UnitOfWork, databox: DataboxId, kind: str, details: Mapping[str, Any]) -> int | None:
        if kind == DELETE_VALUES:
            return None  # nobody counts the values of a field
        if kind == EMPTY:
            bases = [CollectionId(details["base_id"])]
        else:
            everything = self.records.structure(work).collections.values()
            bases = [collection.id for collection in everything if collection.databox_id == databox]
        return sum(counts.of(work, bases).values())

    def listed(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, *, before: int | None = None, limit: int = MOST_LISTED
    ) -> list[Task]:
        """The tasks of a databox, newest first, those older than *before*. Finished ones are kept for 30 days."""
        self._permit(work, actor, databox)
        return task_store.page(work, databox, before, min(limit, MOST_LISTED))

    def get(self, work: UnitOfWork, actor: Actor, databox: DataboxId, task_id: int) -> Task:
        self._permit(work, actor, databox)
        task = task_store.by_id(work, task_id)
        if task is None or task.databox_id != databox:
            raise NoSuchTask(f"This databox has no task {task_id}.")
        return task

    def _permit(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> None:
        if not access.edits_structure(actor, databox) and not access.manages_databox(actor, databox):
            self.records.databox(work, actor, databox)
            raise MayNotAdminister("You may not see what is done in this databox.", why=f"databox {databox}")
