"""The history of a record: who changed what, when and through which application; and taking a change back.

Taking back is a change like any other: it asks for the same right on the record as it is now, is written into the
history, and is refused where what it would take back was changed since.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vitrine.accounts import Actor, Right
from vitrine.library import access, changes_store, journal, store, version_store
from vitrine.library.changes import Changes, field_of
from vitrine.library.errors import ChangedSince, MayNotChange, MayNotSee, NoSuchChange, NotUndoable
from vitrine.library.journal import ChangeKind, Origin, RecordChange
from vitrine.library.model import CollectionId, FieldId, RecordKey
from vitrine.library.originals import Originals
from vitrine.library.removal import Removal
from vitrine.library.substitution import Substitution
from vitrine.platform.database import UnitOfWork

MOST_SHOWN = 100
DELETE = "delete"  # the scope (docs/decisions/0042)
_OF_FILES = (ChangeKind.ORIGINAL.value, ChangeKind.DELETION.value)
_Undo = Callable[[UnitOfWork, Actor, RecordKey, RecordChange, Origin], None]


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A change, and whether a later one took it back."""

    change: RecordChange
    is_undone: bool


@dataclass(frozen=True, slots=True)
class History:
    changes: Changes
    removal: Removal
    substitution: Substitution
    originals: Originals
    _undoes: dict[str, _Undo] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        undoes = {
            ChangeKind.FIELDS.value: self._undo_fields,
            ChangeKind.STATUS.value: self._undo_status,
            ChangeKind.COLLECTION.value: self._undo_collection,
            ChangeKind.TYPE.value: self._undo_type,
            ChangeKind.ORIGINAL.value: self._undo_original,
            ChangeKind.ROTATION.value: self._undo_rotation,
            ChangeKind.DELETION.value: self._undo_deletion,
        }
        object.__setattr__(self, "_undoes", undoes)

    def page(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, *, before: int | None = None, limit: int = MOST_SHOWN
    ) -> list[HistoryEntry]:
        """The changes of a record, newest first, at most MOST_SHOWN and one that tells of more, older than the change
        *before*. Requires V' and `canmodifrecord` on the record; that of a deleted one is for administrators who have
        this right on the collection it was in. Raises MayNotSee."""
        self._require_reader(work, actor, key)
        changes = journal.page(work, key, before=before, limit=min(limit, MOST_SHOWN + 1))
        undone = journal.undone(work, [change.id for change in changes])
        return [HistoryEntry(change, change.id in undone) for change in changes]

    def undo(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, change_id: int, operation_id: int | None = None
    ) -> None:
        """Take one change back. Raises NoSuchChange; ChangedSince, naming what was changed since; NotUndoable; and what
        the change itself raises for a right that is missing."""
        change = journal.get(work, key, change_id)
        if change is None or change.kind != ChangeKind.DELETION.value:
            self._require_reader(work, actor, key)  # before anything is told about the number
        if change is None:
            raise NoSuchChange("The history of this record has no such change.", field="change")
        undo = self._undoes.get(change.kind)
        if undo is None:
            raise NotUndoable("A change of this kind cannot be taken back.", field="change")
        if change.is_cut:
            raise NotUndoable(
                "The texts of this change are too long to be kept, so it cannot be taken back.", field="change"
            )
        if change.kind in _OF_FILES and actor.scope is not None and DELETE not in actor.scope:
            raise MayNotChange(f"The token needs the scope {DELETE} for this.", field="change", why="scope")
        undo(work, actor, key, change, Origin(operation_id, change.id))

    def _require_reader(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> None:
        record = store.by_key(work, key)
        if record is None:
            place = _last_place(work, key)
            if place is not None and access.may_read_history_of_deleted(actor, *place, work.now):
                return
            self.changes.records.get(work, actor, key)  # raises as for any record that is not there
            raise AssertionError("unreachable")
        access.require_sight(work, actor, record)
        if not access.may_read_history(work, actor, record):
            raise MayNotSee("You may not read the history of this record.", why=f"record {key}")

    # -- each kind -----------------------------------------------------------------------------------------------

    def _undo_fields(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, change: RecordChange, origin: Origin
    ) -> None:
        record = self.changes.with_right(work, actor, key, Right.canmodifrecord)
        structure, edit = self.changes.records.structure(work), self.changes.edit_of(work, record)
        for number, after in change.after.items():
            field = structure.field_by_id.get(FieldId(int(number)))
            if field is None:
                raise NotUndoable("A field of this change was deleted since.", field=number)
            target = field_of(structure, record, field.id)
            if target.readonly:
                raise NotUndoable(f"{target.name} became read-only since.", field=target.name)
            if edit.texts(target.id) != after:
                raise _changed_since(target.name)
            edit.set(target, change.before[number])
        self.changes.write_values(work, actor, [edit], origin)

    def _undo_status(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, change: RecordChange, origin: Origin
    ) -> None:
        record = self.changes.with_right(work, actor, key, Right.chgstatus)
        for bit, on in change.after.items():
            if bool(record.status >> int(bit) & 1) is not on:
                raise _changed_since(f"status[{bit}]")
        before = {int(bit): on for bit, on in change.before.items()}
        self.changes.set_status(work, actor, key, before, origin=origin)

    def _undo_collection(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, change: RecordChange, origin: Origin
    ) -> None:
        record = self.changes.with_right(work, actor, key, Right.candeleterecord)
        if record.collection_id != change.after["base_id"]:
            raise _changed_since("base_id")
        self.changes.move(work, actor, key, CollectionId(change.before["base_id"]), origin=origin)

    def _undo_type(self, work: UnitOfWork, actor: Actor, key: RecordKey, change: RecordChange, origin: Origin) -> None:
        record = self.changes.with_right(work, actor, key, Right.canmodifrecord)
        _require_same({"kind": record.kind, "mime": record.mime}, change.after)
        before = change.before
        self.originals.restore_type(work, actor, key, before["kind"], before["mime"], origin)

    def _undo_rotation(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, change: RecordChange, origin: Origin
    ) -> None:
        record = self.changes.with_right(work, actor, key, Right.imgtools)
        now = store.rotation(work, record.id)
        _require_same({"degrees": now}, change.after)
        self.originals.rotate(work, actor, key, (change.before["degrees"] - now) % 360, origin=origin)

    def _undo_original(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, change: RecordChange, origin: Origin
    ) -> None:
        record = self.changes.records.get(work, actor, key)
        if record.sha256 != change.after["sha256"]:
            raise _changed_since("document")
        version = version_store.of_file(work, record.id, change.before["sha256"] or "")
        if version is None:
            raise NotUndoable("The earlier original is no longer kept.", field="document")
        self.substitution.restore_version(work, actor, key, version, origin)

    def _undo_deletion(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, change: RecordChange, origin: Origin
    ) -> None:
        if store.id_of(work, key) is not None:
            self._require_reader(work, actor, key)
            raise _changed_since("record_id")
        self.removal.take_back(work, actor, key, origin)


def _last_place(work: UnitOfWork, key: RecordKey) -> tuple[CollectionId, int | None] | None:
    """The collection that a deleted record was in, and its status while a copy is kept. None if nobody knows of it."""
    copy = changes_store.removed(work, key)
    if copy is not None:
        record = copy[1]["record"]
        return CollectionId(record["collection_id"]), record["status"]
    deletion = journal.last_deletion(work, key)
    return None if deletion is None else (CollectionId(deletion.before["base_id"]), None)


def _require_same(now: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raises ChangedSince, naming the first part that is another now."""
    for name, value in after.items():
        if now[name] != value:
            raise _changed_since(name)


def _changed_since(name: str) -> ChangedSince:
    return ChangedSince(f"{name} was changed since, so this cannot be taken back.", field=name)
