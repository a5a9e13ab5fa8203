"""All SQL of operations on many records."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from vitrine.library.bulk.model import BulkChange, Item, Operation, State
from vitrine.library.model import RecordKey
from vitrine.library.tables import bulk_items, bulk_operations, record_changes
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.expiry import Expiry

_operations, _items = bulk_operations.c, bulk_items.c
_OPERATION = (
    _operations.id, _operations.user_id, _operations.delegation_id, _operations.change, _operations.undoes_id,
    _operations.state, _operations.total, _operations.next_position, _operations.changed, _operations.refused,
    _operations.created, _operations.updated,
)  # fmt: skip
_ITEM = tuple(_items[name] for name in Item.__dataclass_fields__)
_OUTCOME = bulk_items.update().where(
    _items.operation_id == sa.bindparam("operation"), _items.position == sa.bindparam("place")
)


def _operation(row: Any) -> Operation:
    values = list(row)
    values[5] = State(values[5])
    return Operation(*values)


def add(
    work: UnitOfWork, user_id: int | None, delegation_id: int, change: BulkChange, keys: Sequence[RecordKey]
) -> int:
    operation_id = _add(work, user_id, delegation_id, change.stored(), len(keys), None)
    rows = [
        {"operation_id": operation_id, "position": position, "databox_id": key.databox, "number": key.number}
        for position, key in enumerate(keys)
    ]
    work.db.execute(bulk_items.insert(), rows)
    return operation_id


def add_undo(work: UnitOfWork, user_id: int | None, delegation_id: int, undone: Operation) -> int:
    """An operation that takes back the changes of another one, the last one first."""
    changes = record_changes.c
    own = (changes.operation_id == undone.id, changes.undoes_id.is_(None))
    total = int(work.db.scalar(sa.select(sa.func.count()).select_from(record_changes).where(*own)) or 0)
    operation_id = _add(work, user_id, delegation_id, undone.change, total, undone.id)
    position = sa.func.row_number().over(order_by=changes.id.desc()) - 1
    rows = sa.select(sa.literal(operation_id), position, changes.databox_id, changes.number, changes.id).where(*own)
    names = ["operation_id", "position", "databox_id", "number", "change_id"]
    work.db.execute(bulk_items.insert().from_select(names, rows))
    return operation_id


def _add(
    work: UnitOfWork, user_id: int | None, delegation_id: int, change: Mapping[str, Any], total: int, undoes: int | None
) -> int:
    values = {
        "user_id": user_id, "delegation_id": delegation_id, "change": change, "undoes_id": undoes,
        "state": State.WAITING.value, "total": total, "created": work.now, "updated": work.now,
    }  # fmt: skip
    return inserted_id(work.db.execute(bulk_operations.insert().values(**values)))


def get(work: UnitOfWork, operation_id: int) -> Operation | None:
    row = work.db.execute(sa.select(*_OPERATION).where(_operations.id == operation_id)).first()
    return _operation(row) if row else None


def page(work: UnitOfWork, user_id: int, *, before: int | None, limit: int) -> list[Operation]:
    """Those of one person, newest first."""
    wanted = [_operations.user_id == user_id]
    if before is not None:
        wanted.append(_operations.id < before)
    rows = work.db.execute(sa.select(*_OPERATION).where(*wanted).order_by(_operations.id.desc()).limit(limit))
    return [_operation(row) for row in rows]


def unfinished(work: UnitOfWork, user_id: int | None, limit: int) -> int:
    """How many of a person's operations are not over, *limit* at most; the newest thousand are looked at."""
    newest = (
        sa.select(_operations.state)
        .where(_operations.user_id == user_id)
        .order_by(_operations.id.desc())
        .limit(1000)
        .subquery()
    )
    open_states = [state.value for state in State if not state.is_over]
    some = sa.select(newest.c.state).where(newest.c.state.in_(open_states)).limit(limit).subquery()
    return int(work.db.scalar(sa.select(sa.func.count()).select_from(some)) or 0)


def undo_of(work: UnitOfWork, operation: Operation) -> Operation | None:
    """The operation of the same person that takes this one back, and was not cancelled."""
    own = (
        _operations.user_id == operation.user_id, _operations.id > operation.id, _operations.undoes_id == operation.id,
        _operations.state != State.CANCELLED.value,
    )  # fmt: skip
    row = work.db.execute(sa.select(*_OPERATION).where(*own).order_by(_operations.id).limit(1)).first()
    return _operation(row) if row else None


def items(work: UnitOfWork, operation_id: int, *, after: int, limit: int) -> list[Item]:
    """The records of an operation in their order, after the position *after*."""
    wanted = (_items.operation_id == operation_id, _items.position > after)
    return [
        Item(*row) for row in work.db.execute(sa.select(*_ITEM).where(*wanted).order_by(_items.position).limit(limit))
    ]


def set_state(work: UnitOfWork, operation_id: int, state: State) -> None:
    own = bulk_operations.update().where(_operations.id == operation_id)
    work.db.execute(own.values(state=state.value, updated=work.now))


def advance(work: UnitOfWork, operation: Operation, outcomes: Mapping[int, str]) -> None:
    """Write what became of the records at these positions, and how far the operation is."""
    rows = [{"operation": operation.id, "place": position, "result": outcome} for position, outcome in outcomes.items()]
    work.db.execute(_OUTCOME.values(outcome=sa.bindparam("result")), rows)
    changed = sum(outcome == "changed" for outcome in outcomes.values())
    refused = sum(outcome not in ("changed", "unchanged") for outcome in outcomes.values())
    processed = max(outcomes) + 1
    state = State.DONE if processed >= operation.total else State.RUNNING
    work.db.execute(
        bulk_operations.update()
        .where(_operations.id == operation.id)
        .values(
            next_position=processed,
            changed=_operations.changed + changed,
            refused=_operations.refused + refused,
            state=state.value,
            updated=work.now,
        )
    )


def expiry(kept: timedelta) -> Expiry:
    """Operations whose time is over."""
    return Expiry(bulk_operations, lambda work: _operations.created < work.now - kept)
