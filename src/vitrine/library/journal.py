"""The rows of the history of records: what a change was, before and after. Each is written in the transaction of its
change; who writes it has checked the right."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa

from vitrine.accounts import Actor
from vitrine.library.events import ChangeRecorded
from vitrine.library.model import RecordKey
from vitrine.library.tables import record_changes
from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import Expiry

MOST_BYTES = 65_536  # of before and after together
CUT_CHARACTERS, CUT_VALUES = 200, 20
_columns = record_changes.c


class ChangeKind(StrEnum):
    """What was changed; `before` and `after` hold:"""

    FIELDS = "fields"  # {field id: [values]}, of the changed fields
    STATUS = "status"  # {bit: on}, of the changed bits
    COLLECTION = "collection"  # {"base_id": …}
    TYPE = "type"  # {"kind": …, "mime": …}
    ORIGINAL = "original"  # {"sha256": …, "name": …, "size": …}
    RENDITION = "rendition"  # {"name": …, "sha256": …}
    ROTATION = "rotation"  # {"degrees": …}
    DELETION = "deletion"  # {"title": …, "base_id": …}
    RESTORATION = "restoration"  # the same


@dataclass(frozen=True, slots=True)
class Origin:
    """What a change belongs to: an operation on many records, or the change that it takes back."""

    operation_id: int | None = None
    undoes_id: int | None = None


BY_ITSELF = Origin()


@dataclass(frozen=True, slots=True)
class Entry:
    """A change that is to be written down."""

    key: RecordKey
    kind: ChangeKind
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A change as it was written down. *user_id* is None on the command line, or where the person is gone."""

    id: int
    databox_id: int
    number: int
    kind: str
    at: datetime
    user_id: int | None
    application_id: int | None
    operation_id: int | None
    undoes_id: int | None
    is_cut: bool
    before: dict[str, Any]
    after: dict[str, Any]


_ROW = [_columns[name] for name in RecordChange.__dataclass_fields__]


def write(work: UnitOfWork, actor: Actor, entries: Sequence[Entry], origin: Origin = BY_ITSELF) -> None:
    """Write the changes down, and tell listeners. Long texts are shortened."""
    if not entries:
        return
    rows = []
    for entry in entries:
        before, after, is_cut = _bounded(entry.before, entry.after)
        rows.append(
            {
                "databox_id": entry.key.databox, "number": entry.key.number, "kind": entry.kind.value, "at": work.now,
                "user_id": actor.user_id, "application_id": actor.application_id,
                "operation_id": origin.operation_id, "undoes_id": origin.undoes_id,
                "is_cut": is_cut, "before": before, "after": after,
            }
        )  # fmt: skip
        work.emit(
            ChangeRecorded(
                entry.key, entry.kind.value, before, after, actor.user_id, actor.application_id, origin.operation_id
            )
        )
    work.db.execute(record_changes.insert(), rows)


def _bounded(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], bool]:
    if sum(len(msgspec.json.encode(part)) for part in (before, after)) <= MOST_BYTES:
        return dict(before), dict(after), False
    return _cut(before), _cut(after), True


def _cut(part: Mapping[str, Any]) -> dict[str, Any]:
    """The beginning of what changed: as many fields as there is room for, each with a few shortened values."""
    room = MOST_BYTES // (2 * 4 * CUT_CHARACTERS * CUT_VALUES) or 1
    return {
        name: [str(text)[:CUT_CHARACTERS] for text in value[:CUT_VALUES]] if isinstance(value, list) else value
        for name, value in list(part.items())[:room]
    }


def page(work: UnitOfWork, key: RecordKey, *, before: int | None, limit: int) -> list[RecordChange]:
    """The changes of a record, newest first, older than the change *before*."""
    wanted = [_columns.databox_id == key.databox, _columns.number == key.number]
    if before is not None:
        wanted.append(_columns.id < before)
    rows = work.db.execute(sa.select(*_ROW).where(*wanted).order_by(_columns.id.desc()).limit(limit))
    return [RecordChange(*row) for row in rows]


def last_deletion(work: UnitOfWork, key: RecordKey) -> RecordChange | None:
    own = (_columns.databox_id == key.databox, _columns.number == key.number)
    deletions = sa.select(*_ROW).where(*own, _columns.kind == ChangeKind.DELETION.value)
    row = work.db.execute(deletions.order_by(_columns.id.desc()).limit(1)).first()
    return RecordChange(*row) if row else None


def get(work: UnitOfWork, key: RecordKey, change_id: int) -> RecordChange | None:
    own = (_columns.id == change_id, _columns.databox_id == key.databox, _columns.number == key.number)
    row = work.db.execute(sa.select(*_ROW).where(*own)).first()
    return RecordChange(*row) if row else None


def undone(work: UnitOfWork, ids: Iterable[int]) -> set[int]:
    """Those of these changes that a later one took back."""
    statement = sa.select(_columns.undoes_id).where(_columns.undoes_id.in_(list(ids)))
    return {int(change_id) for change_id in work.db.scalars(statement)}


def later(work: UnitOfWork, change: RecordChange, limit: int) -> list[RecordChange]:
    """Changes of the same record and kind since then, oldest first."""
    wanted = (
        _columns.databox_id == change.databox_id,
        _columns.number == change.number,
        _columns.id > change.id,
        _columns.kind == change.kind,
    )
    rows = work.db.execute(sa.select(*_ROW).where(*wanted).order_by(_columns.id).limit(limit))
    return [RecordChange(*row) for row in rows]


def of_operation(work: UnitOfWork, operation_id: int, *, after: int, limit: int) -> list[RecordChange]:
    """The changes that an operation made, in their order."""
    wanted = (_columns.operation_id == operation_id, _columns.id > after)
    rows = work.db.execute(sa.select(*_ROW).where(*wanted).order_by(_columns.id).limit(limit))
    return [RecordChange(*row) for row in rows]


def expiry(kept: timedelta) -> Expiry:
    """The rows whose time is over."""
    return Expiry(record_changes, lambda work: _columns.at < work.now - kept)
