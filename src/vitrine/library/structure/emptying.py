"""Emptying a collection: its records of the time of the request are deleted for good, batch after batch, in the name of
who asked and with the rights that they still have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.accounts import Actor
from vitrine.errors import DomainError
from vitrine.library import access, journal, store
from vitrine.library.errors import MayNotAdminister
from vitrine.library.events import CollectionEmptied
from vitrine.library.journal import ChangeKind, Entry
from vitrine.library.model import CollectionId
from vitrine.library.removal import remove_record
from vitrine.library.structure import task_store
from vitrine.library.structure.task_store import Outcome, Task
from vitrine.oauth.delegation import AuthorityEnded, Delegations
from vitrine.platform.database import UnitOfWork

DELETED = 50  # whole records, with a copy of each
SCOPE = "delete"


@dataclass(frozen=True, slots=True)
class Emptying:
    delegations: Delegations

    def begin(self, work: UnitOfWork, actor: Actor) -> dict[str, int]:
        """What the job of the task has to know: in whose name, and the last record that it deletes, so that what is
        added meanwhile stays."""
        return {"delegation": self.delegations.add(work, actor), "last_record": task_store.last_record(work)}

    def step(self, work: UnitOfWork, task: Task, payload: Mapping[str, Any]) -> Outcome:
        """Delete the next records; the command line can bring them back for seven days, like any others. The task ends
        with a failure when the person, the permission or the right is gone."""
        base = CollectionId(task.details["base_id"])
        try:
            actor = self._actor(work, task, payload)
        except DomainError as refusal:
            failure = {"record": None, "code": refusal.code, "detail": refusal.detail}
            return Outcome(task.cursor, 0, 0, (failure,), is_end=True)
        ids = task_store.some_of_collection(work, base, payload["last_record"], DELETED)
        entries = []
        for record_id in ids:
            record = store.by_id(work, record_id)
            assert record is not None
            remove_record(work, record_id, actor.user_id)
            entries.append(Entry(record.key, ChangeKind.DELETION, {"title": record.title, "base_id": base}, {}))
        journal.write(work, actor, entries)
        is_end = len(ids) < DELETED
        if is_end:
            work.emit(CollectionEmptied(base, actor.user_id, task.changed + len(ids)))
        return Outcome(task.cursor, len(ids), len(ids), is_end=is_end)

    def _actor(self, work: UnitOfWork, task: Task, payload: Mapping[str, Any]) -> Actor:
        """Raises AuthorityEnded or MayNotAdminister."""
        if "delegation" not in payload:  # begun before this was kept
            raise AuthorityEnded("It is not known in whose name this goes on. Ask for it again.", why=f"task {task.id}")
        actor = self.delegations.actor(work, payload["delegation"], needs=(SCOPE,))
        if not access.purges_databox(actor, task.databox_id):
            raise MayNotAdminister("Only who manages this databox may delete its records.", why=f"task {task.id}")
        return actor
