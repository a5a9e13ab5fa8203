"""Changes of many records at once.

The operation and its records are written down with the request; a job then changes them in batches, each in a
transaction of its own that also says how far it is. A worker that is killed leaves no half batch, and the next one goes
on after the last whole one. Rights are asked for each record at the time of its change, in the name of who began it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from vitrine.accounts import Actor, Right, Via
from vitrine.errors import Conflict, DomainError, Invalid, NotFound
from vitrine.jobs import Job, JobKind, Jobs
from vitrine.library.bulk import store
from vitrine.library.bulk.batch import Batch
from vitrine.library.bulk.model import MOST_RECORDS, BulkChange, Item, Operation, State
from vitrine.library.changes import RIGHTS, Changes
from vitrine.library.errors import MayNotChange
from vitrine.library.events import BulkOperationEnded
from vitrine.library.history import History
from vitrine.library.model import DataboxId, RecordKey
from vitrine.library.removal import Removal
from vitrine.oauth.delegation import AuthorityEnded, Delegations
from vitrine.platform import audit, logging, supervision
from vitrine.platform.database import Database, UnitOfWork

log = logging.get("vitrine.library")
BULK = JobKind("records.bulk", lane="bulk", max_attempts=40)
BATCH = 200  # records: a transaction of some tens of milliseconds
UNDONE_AT_ONCE = 25  # each change is taken back by itself
MOST_UNFINISHED = 20  # operations of one person
EDIT_SCOPE, DELETE_SCOPE = "metadata:edit", "delete"
KEPT = timedelta(days=30)
EXPIRIES = (store.expiry(KEPT),)


class NoSuchOperation(NotFound):
    code = "no_such_operation"


class OperationOver(Conflict):
    """It is done, cancelled or ended already; or it was not, where it has to be."""

    code = "operation_over"


class TooManyOperations(Conflict):
    code = "too_many_operations"


@dataclass(frozen=True, slots=True)
class BulkOperations:
    """Operations are visible to who began them."""

    database: Database
    jobs: Jobs
    changes: Changes
    removal: Removal
    history: History
    delegations: Delegations

    def permit_any(self, work: UnitOfWork, actor: Actor) -> None:
        """Raises MayNotChange for who may do nothing that an operation does, to no record."""
        if actor.via is not Via.COMMAND and not any(actor.rights.anywhere(right, work.now) for right in RIGHTS):
            raise MayNotChange("You may not do this to any record.")

    def begin(
        self,
        work: UnitOfWork,
        actor: Actor,
        keys: Sequence[RecordKey],
        change: BulkChange,
        delegation_id: int | None = None,
    ) -> Operation:
        """Write the operation down and queue its job. Whether the actor may change each record is asked when its turn
        comes; here only that they may do so somewhere. Raises Invalid, MayNotChange or TooManyOperations.

        With *delegation_id* it is work in that name already, bounded by who begins it (rules)."""
        change.require_usable()
        unique = list(dict.fromkeys(keys))
        if not 0 < len(unique) <= MOST_RECORDS:
            raise Invalid(f"An operation has 1 to {MOST_RECORDS} records.", field="records")
        for right in _rights_of(change):
            if actor.via is not Via.COMMAND and not actor.rights.anywhere(right, work.now):
                raise MayNotChange("You may not do this to any record.", why=right.name or "")
        if change.delete and actor.scope is not None and DELETE_SCOPE not in actor.scope:
            raise MayNotChange(f"The token needs the scope {DELETE_SCOPE} for this.", why="scope")
        if delegation_id is None:
            self._require_room(work, actor)
            delegation_id = self.delegations.add(work, actor)
        number = store.add(work, actor.user_id, delegation_id, change, unique)
        return self._queued(work, actor, number, {"records": len(unique)})

    def begin_undo(self, work: UnitOfWork, actor: Actor, operation_id: int) -> Operation:
        """Take back all that an operation did, the last change first; what was changed since is refused by record.
        Raises NoSuchOperation; OperationOver while it runs, or where it is being or was taken back."""
        undone = self.get(work, actor, operation_id)
        if not undone.state.is_over:
            raise OperationOver("This operation is not over yet: cancel it first.", field="operation")
        if undone.undoes_id is not None or store.undo_of(work, undone) is not None:
            raise OperationOver("This operation was taken back already.", field="operation")
        self._require_room(work, actor)
        number = store.add_undo(work, actor.user_id, self.delegations.add(work, actor), undone)
        operation = store.get(work, number)
        assert operation is not None
        if operation.total == 0:
            store.set_state(work, number, State.DONE)
        return self._queued(work, actor, number, {"undoes": operation_id})

    def cancel(self, work: UnitOfWork, actor: Actor, operation_id: int) -> Operation:
        """Stop after the batch that runs; what was done stays. Raises NoSuchOperation or OperationOver."""
        operation = self.get(work, actor, operation_id)
        if operation.state.is_over:
            raise OperationOver("This operation is over.", field="operation")
        store.set_state(work, operation_id, State.CANCELLED)
        audit.write(work, actor, "bulk.cancelled", f"operation {operation_id}", {"processed": operation.processed})
        return self.get(work, actor, operation_id)

    def get(self, work: UnitOfWork, actor: Actor, operation_id: int) -> Operation:
        """Raises NoSuchOperation, for those of others as well."""
        operation = store.get(work, operation_id)
        if operation is None or (actor.via is not Via.COMMAND and operation.user_id != actor.user_id):
            raise NoSuchOperation("There is no such operation.", field="operation")
        return operation

    def page(self, work: UnitOfWork, actor: Actor, *, before: int | None, limit: int) -> list[Operation]:
        """The actor's own, newest first."""
        return store.page(work, actor.must_user_id, before=before, limit=limit)

    def items(self, work: UnitOfWork, actor: Actor, operation_id: int, *, after: int, limit: int) -> list[Item]:
        """The records of an operation with their outcomes, after the position *after*."""
        self.get(work, actor, operation_id)
        return store.items(work, operation_id, after=after, limit=limit)

    @staticmethod
    def _require_room(work: UnitOfWork, actor: Actor) -> None:
        if store.unfinished(work, actor.user_id, MOST_UNFINISHED) >= MOST_UNFINISHED:
            raise TooManyOperations(f"At most {MOST_UNFINISHED} operations can wait at once.", field="records")

    def _queued(self, work: UnitOfWork, actor: Actor, number: int, details: dict[str, int]) -> Operation:
        self.jobs.add(work, BULK, {"operation_id": number}, key=str(number))
        audit.write(work, actor, "bulk.begun", f"operation {number}", details)
        operation = store.get(work, number)
        assert operation is not None
        return operation

    # -- in the worker -------------------------------------------------------------------------------------------

    def __call__(self, job: Job) -> None:
        """Handler of `records.bulk`: batch after batch, until the operation is over."""
        while self.run_batch(job.payload["operation_id"]):
            supervision.beat()

    def run_batch(self, operation_id: int) -> bool:
        """Change the next records; False when the operation is over."""
        with self.database.write() as work:
            operation = store.get(work, operation_id)
            if operation is None or operation.state.is_over:
                return False
            try:
                actor = self._actor(work, operation)
            except AuthorityEnded as ended:
                log.info("bulk.ended", operation=operation_id, why=ended.why)
                self._end(work, operation, State.ENDED)
                return False
            size = BATCH if operation.undoes_id is None else UNDONE_AT_ONCE
            items = store.items(work, operation_id, after=operation.processed - 1, limit=size)
            if not items:
                self._end(work, operation, State.DONE)
                return False
            outcomes = self._undone(work, actor, operation, items) if operation.undoes_id else None
            if outcomes is None:
                change = BulkChange.read(operation.change)
                outcomes = Batch(self.changes, self.removal, work, actor, operation_id, change).run(items)
            store.advance(work, operation, outcomes)
            is_over = max(outcomes) + 1 >= operation.total
            if is_over:
                self._end(work, operation, State.DONE)
            return not is_over

    def _actor(self, work: UnitOfWork, operation: Operation) -> Actor:
        if operation.delegation_id is None:
            raise AuthorityEnded("The permission behind this operation is gone.", why=f"operation {operation.id}")
        is_deletion = operation.undoes_id is None and BulkChange.read(operation.change).delete
        return self.delegations.actor(work, operation.delegation_id, scopes_of(delete=is_deletion))

    def _undone(self, work: UnitOfWork, actor: Actor, operation: Operation, items: Sequence[Item]) -> dict[int, str]:
        """Take back one change after the other. A refusal comes before anything is written."""
        outcomes = {}
        for item in items:
            key = RecordKey(DataboxId(item.databox_id), item.number)
            try:
                self.history.undo(work, actor, key, item.change_id or 0, operation.id)
                outcomes[item.position] = "changed"
            except DomainError as refusal:
                outcomes[item.position] = refusal.code
        return outcomes

    @staticmethod
    def _end(work: UnitOfWork, operation: Operation, state: State) -> None:
        store.set_state(work, operation.id, state)
        work.emit(BulkOperationEnded(operation.id, operation.user_id, state.value))


def scopes_of(*, delete: bool) -> tuple[str, ...]:
    """What a token needs to change records, or to delete them."""
    return (EDIT_SCOPE, DELETE_SCOPE) if delete else (EDIT_SCOPE,)


def _rights_of(change: BulkChange) -> list[Right]:
    """The rights that an operation needs on some collection."""
    rights = []
    if change.fields:
        rights.append(Right.canmodifrecord)
    if change.status:
        rights.append(Right.chgstatus)
    if change.collection is not None or change.delete:
        rights.append(Right.candeleterecord)
    return rights
