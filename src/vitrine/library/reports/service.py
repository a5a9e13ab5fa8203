"""Reports on the use of documents, for people with `canreport` (06 section 17.7, row statistics)."""

from dataclasses import dataclass

from vitrine.accounts import Actor
from vitrine.library import access, store
from vitrine.library.errors import MayNotReport
from vitrine.library.model import Collection, CollectionId, DataboxId, Record, RecordKey
from vitrine.library.records import Records
from vitrine.library.reports import searches, uses, views
from vitrine.library.reports.searches import SearchedWords
from vitrine.library.reports.uses import RecordUse
from vitrine.library.reports.views import ViewCounts, Views
from vitrine.platform.database import UnitOfWork

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Reports:
    """Lists, the newest first, of rows older than *before*: at most MOST_SHOWN and one that tells of more.

    That of a record needs `canreport` on the collection that it is in now, that of a collection on this one: it has
    what happened while the record was there. Raises MayNotReport; NoSuchRecord and MayNotSee for a record that the
    actor may neither report on nor see; NoSuchCollection."""

    records: Records
    view_counts: ViewCounts

    def views_of_record(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, *, before: int | None = None, limit: int = MOST_SHOWN
    ) -> list[Views]:
        record = self._record(work, actor, key)
        return views.of_record(work, record.id, before, min(limit, MOST_SHOWN + 1))

    def uses_of_record(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, *, before: int | None = None, limit: int = MOST_SHOWN
    ) -> list[RecordUse]:
        self._record(work, actor, key)
        return uses.of_record(work, key, before, min(limit, MOST_SHOWN + 1))

    def views_of_collection(
        self, work: UnitOfWork, actor: Actor, base: CollectionId, *, before: int | None = None, limit: int = MOST_SHOWN
    ) -> list[Views]:
        self._collection(work, actor, base)
        return views.of_collection(work, base, before, min(limit, MOST_SHOWN + 1))

    def uses_of_collection(
        self, work: UnitOfWork, actor: Actor, base: CollectionId, *, before: int | None = None, limit: int = MOST_SHOWN
    ) -> list[RecordUse]:
        self._collection(work, actor, base)
        return uses.of_collection(work, base, before, min(limit, MOST_SHOWN + 1))

    def searches(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, *, before: int | None = None, limit: int = MOST_SHOWN
    ) -> list[SearchedWords]:
        """What is searched for in a databox. A search is of no collection: it needs `canreport` on every collection of
        the databox, and there must be one."""
        collections = [
            collection.id
            for collection in self.records.structure(work).collections.values()
            if collection.databox_id == databox
        ]
        if not collections or not all(access.may_report(actor, base, work.now) for base in collections):
            raise MayNotReport("You may not report on this databox.", why=f"databox {databox}")
        return searches.page(work, databox, before, min(limit, MOST_SHOWN + 1))

    def _record(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> Record:
        record = store.by_key(work, key)
        if record is None or not access.may_report(actor, record.collection_id, work.now):
            self.records.get(work, actor, key)  # raises as for any record that is not there
            raise MayNotReport("You may not report on this record.", why=f"record {key}")
        return record

    def _collection(self, work: UnitOfWork, actor: Actor, base: CollectionId) -> Collection:
        collection = self.records.structure(work).collections.get(base)
        if collection is None or not access.may_report(actor, base, work.now):
            raise MayNotReport("You may not report on this collection.", why=f"collection {base}")
        return collection
