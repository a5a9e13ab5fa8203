"""SQL of structure tasks, and of the rows that they walk through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from vitrine.library.model import CollectionId, DataboxId, FieldId, RecordId
from vitrine.library.tables import field_values, fields, quarantine_items, records, structure_tasks
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.expiry import Expiry

KEPT = timedelta(days=30)
MOST_FAILURES = 100
WAITING, RUNNING, DONE, REPLACED = "waiting", "running", "done", "replaced"
UNFINISHED = (WAITING, RUNNING)
_tasks = structure_tasks.c


@dataclass(frozen=True, slots=True)
class Task:
    """Work on many records. `cursor` is the last row that was looked at, `total` about how many there were at the
    beginning (None: unknown), `done` how many were looked at, `changed` how many of them changed. A task is replaced
    when the same work began anew."""

    id: int
    databox_id: DataboxId
    kind: str
    details: Mapping[str, Any]
    state: str
    cursor: int
    total: int | None
    done: int
    changed: int
    failed: int
    failures: Sequence[Mapping[str, Any]]
    user_id: int | None
    created: datetime
    updated: datetime

    @property
    def is_finished(self) -> bool:
        return self.state not in UNFINISHED


class Outcome(NamedTuple):
    """What one step of a task did: where it stopped, and how many rows it looked at and changed."""

    cursor: int
    looked_at: int
    changed: int
    failures: Sequence[Mapping[str, Any]] = ()
    is_end: bool = False


_TASK = [_tasks[name] for name in Task.__dataclass_fields__]


def add(
    work: UnitOfWork, databox: DataboxId, kind: str, details: Mapping[str, Any], total: int | None, user_id: int | None
) -> int:
    row = structure_tasks.insert().values(
        databox_id=databox, kind=kind, details=dict(details), state=WAITING, total=total, failures=[], user_id=user_id,
        created=work.now, updated=work.now,
    )  # fmt: skip
    return inserted_id(work.db.execute(row))


def by_id(work: UnitOfWork, task_id: int) -> Task | None:
    row = work.db.execute(sa.select(*_TASK).where(_tasks.id == task_id)).first()
    return Task(*row) if row else None


def page(work: UnitOfWork, databox: DataboxId, before: int | None, limit: int) -> list[Task]:
    """Newest first."""
    query = sa.select(*_TASK).where(_tasks.databox_id == databox)
    if before is not None:
        query = query.where(_tasks.id < before)
    return [Task(*row) for row in work.db.execute(query.order_by(_tasks.id.desc()).limit(limit))]


def unfinished(work: UnitOfWork, databox: DataboxId, kind: str) -> list[Task]:
    query = sa.select(*_TASK).where(_tasks.databox_id == databox, _tasks.kind == kind, _tasks.state.in_(UNFINISHED))
    return [Task(*row) for row in work.db.execute(query.order_by(_tasks.id))]


def set_state(work: UnitOfWork, task_id: int, state: str) -> None:
    work.db.execute(structure_tasks.update().where(_tasks.id == task_id).values(state=state, updated=work.now))


def advance(work: UnitOfWork, task: Task, outcome: Outcome) -> Task:
    """Note what a step did, in its transaction."""
    failures = [*task.failures, *outcome.failures][:MOST_FAILURES]
    values: dict[str, Any] = {
        "state": DONE if outcome.is_end else RUNNING,
        "cursor": outcome.cursor,
        "done": task.done + outcome.looked_at,
        "changed": task.changed + outcome.changed,
        "failed": task.failed + len(outcome.failures),
        "failures": failures,
        "updated": work.now,
    }
    work.db.execute(structure_tasks.update().where(_tasks.id == task.id).values(**values))
    advanced = by_id(work, task.id)
    assert advanced is not None
    return advanced


EXPIRIES = (
    Expiry(
        structure_tasks,
        lambda work: sa.and_(_tasks.updated < work.now - KEPT, *(_tasks.state != state for state in UNFINISHED)),
    ),
)


# -- rows that tasks walk through ----------------------------------------------------------------------------------


def numbers_after(work: UnitOfWork, databox: DataboxId, after: int, limit: int) -> list[tuple[int, RecordId]]:
    """(number, id) of the next records of a databox, by number."""
    query = (
        sa.select(records.c.number, records.c.id)
        .where(records.c.databox_id == databox, records.c.number > after)
        .order_by(records.c.number)
        .limit(limit)
    )
    return [(row[0], RecordId(row[1])) for row in work.db.execute(query)]


def last_record(work: UnitOfWork) -> int:
    """The newest id of any record."""
    return int(work.db.scalar(sa.select(sa.func.max(records.c.id))) or 0)


def some_of_collection(work: UnitOfWork, base: CollectionId, last: int, limit: int) -> list[RecordId]:
    """The oldest records of a collection, up to the id *last*."""
    own = (records.c.collection_id == base, records.c.id <= last)
    query = sa.select(records.c.id).where(*own).order_by(records.c.created).limit(limit)
    return [RecordId(record_id) for record_id in work.db.scalars(query)]


def statuses(work: UnitOfWork, ids: Sequence[RecordId]) -> dict[RecordId, int]:
    rows = work.db.execute(sa.select(records.c.id, records.c.status).where(records.c.id.in_(list(ids))))
    return {RecordId(row[0]): int(row[1]) for row in rows}


def values_of_field(work: UnitOfWork, field: FieldId, limit: int) -> list[tuple[int, RecordId]]:
    """(id, record) of some values of a field."""
    query = sa.select(field_values.c.id, field_values.c.record_id).where(field_values.c.field_id == field).limit(limit)
    return [(row[0], RecordId(row[1])) for row in work.db.execute(query)]


def delete_values(work: UnitOfWork, ids: Sequence[int]) -> None:
    if ids:
        work.db.execute(field_values.delete().where(field_values.c.id.in_(list(ids))))


def delete_field(work: UnitOfWork, field: FieldId) -> None:
    work.db.execute(fields.delete().where(fields.c.id == field, fields.c.removed))


def has_records(work: UnitOfWork, base: CollectionId) -> bool:
    return work.db.execute(sa.select(records.c.id).where(records.c.collection_id == base).limit(1)).first() is not None


def has_quarantined_files(work: UnitOfWork, base: CollectionId) -> bool:
    some = sa.select(quarantine_items.c.id).where(quarantine_items.c.collection_id == base).limit(1)
    return work.db.execute(some).first() is not None
