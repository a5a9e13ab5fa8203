"""Removes records. They are invisible to everybody at once and can be restored for seven days (design 5.8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vitrine.accounts import Actor, Right, Via
from vitrine.errors import Conflict, Forbidden
from vitrine.jobs import Jobs
from vitrine.library import access, changes_store, journal, store
from vitrine.library.errors import MayNotChange, NotKept
from vitrine.library.events import RecordChanged, RecordDiscarded, RecordRemoved
from vitrine.library.jobs import MAKE_RENDITIONS
from vitrine.library.journal import BY_ITSELF, ChangeKind, Entry, Origin
from vitrine.library.model import CollectionId, DataboxId, Record, RecordId, RecordKey
from vitrine.library.records import Records, require_unchanged
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

GRACE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Removed:
    """A removed record that can be restored until `removed_at` plus GRACE."""

    key: RecordKey
    title: str
    removed_at: datetime


@dataclass(frozen=True, slots=True)
class Removal:
    records: Records
    jobs: Jobs

    def remove(
        self,
        work: UnitOfWork,
        actor: Actor,
        key: RecordKey,
        origin: Origin = BY_ITSELF,
        expected: datetime | None = None,
    ) -> None:
        """Requires sight and `candeleterecord` on the record's own collection (02 section 6.6 D).

        Values, renditions, permalinks and everything that refers to the record are deleted in the same transaction. A
        copy of the record's own data and its bytes are kept for `restore`.
        """
        record = self._permitted(work, actor, key, expected)
        remove_record(work, record.id, actor.user_id)
        audit.write(work, actor, "record.removed", f"record {key}", {"base_id": record.collection_id})
        entry = Entry(key, ChangeKind.DELETION, {"title": record.title, "base_id": record.collection_id}, {})
        journal.write(work, actor, [entry], origin)

    def discard(
        self,
        work: UnitOfWork,
        actor: Actor,
        key: RecordKey,
        origin: Origin = BY_ITSELF,
        expected: datetime | None = None,
    ) -> CollectionId | None:
        """Delete a record as people do: where its databox has a bin, it is moved there and its links are switched off,
        and only in the bin (or without one) it is deleted as `remove` does. Requires what `remove` requires; nothing on
        the bin (06 section 17.7). Returns the bin, or None if the record is deleted."""
        record = self._permitted(work, actor, key, expected)
        structure = self.records.structure(work)
        bin_ = structure.bin_of(record.databox_id)
        if bin_ is None or record.collection_id == bin_.id:
            self.remove(work, actor, key, origin, expected)
            return None
        self._put_in_bin(work, actor, [record], bin_.id, origin)
        return bin_.id

    def discard_each(
        self, work: UnitOfWork, actor: Actor, records: Sequence[Record], origin: Origin = BY_ITSELF
    ) -> None:
        """`discard` for many records on each of which the caller has asked for the right."""
        structure = self.records.structure(work)
        into_bin: dict[CollectionId, list[Record]] = {}
        for record in records:
            bin_ = structure.bin_of(record.databox_id)
            if bin_ is None or record.collection_id == bin_.id:
                self.remove(work, actor, record.key, origin)
            else:
                into_bin.setdefault(bin_.id, []).append(record)
        for bin_id, some in into_bin.items():
            self._put_in_bin(work, actor, some, bin_id, origin)

    def _put_in_bin(
        self, work: UnitOfWork, actor: Actor, records: Sequence[Record], bin_id: CollectionId, origin: Origin
    ) -> None:
        changes_store.move(work, records, bin_id, self.records.structure(work).collections)
        entries = []
        for record in records:
            source = record.collection_id
            work.emit(RecordChanged(record.id))
            work.emit(RecordDiscarded(record.id, actor.user_id, source, bin_id))
            audit.write(work, actor, "record.discarded", f"record {record.key}", {"before": source, "after": bin_id})
            entries.append(Entry(record.key, ChangeKind.COLLECTION, {"base_id": source}, {"base_id": bin_id}))
        journal.write(work, actor, entries, origin)

    def _permitted(self, work: UnitOfWork, actor: Actor, key: RecordKey, expected: datetime | None) -> Record:
        """Raises MayNotChange unless the actor sees the record and has `candeleterecord` on its own collection, and
        ChangedMeanwhile."""
        record = self.records.get(work, actor, key)
        if not access.may(work, actor, record, Right.candeleterecord):
            raise MayNotChange("You may not delete this record.", why=f"record {key}")
        require_unchanged(record, expected)
        return record

    def removed(self, work: UnitOfWork, actor: Actor) -> list[Removed]:
        """What can be restored, newest first. Administrators and the command line only."""
        self._require_administrator(actor)
        rows = changes_store.all_removed(work)
        return [Removed(RecordKey(DataboxId(row[0]), row[1]), row[2], row[3]) for row in rows]

    def restore(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> None:
        """Restore a removed record with its number, values, files and links; its places in baskets and the like stay
        lost. Raises NotKept, or Conflict when its collection is deleted."""
        self._require_administrator(actor)
        self._restore(work, actor, key, self._copy(work, key), BY_ITSELF)

    def take_back(self, work: UnitOfWork, actor: Actor, key: RecordKey, origin: Origin) -> None:
        """Undo a deletion: the same for who had the right to delete the record, and may add to its collection. Raises
        MayNotSee, also where no copy is kept and the actor is no administrator."""
        copy = changes_store.removed(work, key)
        may = copy is not None and access.may_take_back_deletion(
            actor, CollectionId(copy[1]["record"]["collection_id"]), copy[1]["record"]["status"], work.now
        )
        if not may and actor.via is not Via.COMMAND and not actor.administers:
            raise access.sight_refusal(actor, key)
        self._restore(work, actor, key, self._copy(work, key), origin)

    @staticmethod
    def _copy(work: UnitOfWork, key: RecordKey) -> tuple[int, dict[str, Any]]:
        copy = changes_store.removed(work, key)
        if copy is None:
            raise NotKept(f"No record {key} was removed in the last {GRACE.days} days.", field="record_id")
        return copy

    def _restore(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, copy: tuple[int, dict[str, Any]], origin: Origin
    ) -> None:
        removed_id, kept = copy
        structure = self.records.structure(work)
        if CollectionId(kept["record"]["collection_id"]) not in structure.collections:
            raise Conflict(
                "The collection of this record no longer exists, so it cannot be restored.", field="record_id"
            )
        status = structure.defined_status(key.databox, kept["record"]["status"])
        record_id = changes_store.restore_removed(work, kept, structure.field_by_id, status)
        changes_store.delete_removed(work, removed_id)
        if any(rendition["state"] == "waiting" for rendition in kept["renditions"]):
            self.jobs.add(work, MAKE_RENDITIONS, {"record_id": record_id}, key=str(record_id))
        work.emit(RecordChanged(record_id))
        audit.write(work, actor, "record.restored", f"record {key}")
        after = {"title": kept["record"]["title"], "base_id": kept["record"]["collection_id"]}
        journal.write(work, actor, [Entry(key, ChangeKind.RESTORATION, {}, after)], origin)

    @staticmethod
    def _require_administrator(actor: Actor) -> None:
        if actor.via is not Via.COMMAND and not actor.is_admin:
            raise Forbidden("Only administrators may do this.")


def remove_record(work: UnitOfWork, record_id: RecordId, remover: int | None) -> None:
    """Delete a record with everything that belongs to it, and keep a copy for seven days (design 5.8)."""
    changes_store.keep_removed(work, record_id, remover)
    store.delete_record(work, record_id)
    work.emit(RecordRemoved(record_id))
