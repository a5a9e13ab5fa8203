"""Search for one person: the index filters by their rights, then the library checks each hit again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from vitrine.accounts import Actor, Right, Via
from vitrine.errors import Invalid
from vitrine.jobs import Job, JobKind, Jobs
from vitrine.library import store, text_store
from vitrine.library.events import RecordAdded, RecordChanged, RecordRemoved
from vitrine.library.model import CollectionId, RecordId
from vitrine.library.records import Records, RecordWithThumbnail
from vitrine.platform import logging
from vitrine.platform.database import Database, UnitOfWork
from vitrine.search.index import Index
from vitrine.search.model import BaseClause, Hits, IndexDocument, Query, VisibleScope

log = logging.get("vitrine.search")
INDEX = JobKind("search.index", lane="index", max_attempts=20)
REBUILD = JobKind("search.rebuild", lane="index", max_attempts=3)
BATCH = 500
QUICK_RECORDS = 20_000


class NoUsableBases(Invalid):
    """The person may search none of the given `bases`: 400 on v1 (02 section 6.5)."""

    code = "no_usable_bases"


@dataclass(frozen=True, slots=True)
class Search:
    index: Index
    records: Records

    def runs_in_loop(self) -> bool:
        """True while a search costs less than a switch to another thread, so it may run where short reads run."""
        return self.index.count() <= QUICK_RECORDS

    def scope(self, work: UnitOfWork, actor: Actor) -> VisibleScope:
        """What the actor may find: live collections with their masks, and granted records."""
        if actor.via is Via.COMMAND:
            everything = self.records.structure(work).collections
            return VisibleScope(tuple(BaseClause(collection_id, business=True) for collection_id in everything))
        rights = actor.rights
        bases = tuple(
            BaseClause(
                collection.base_id,
                collection.mask_and,
                collection.mask_xor,
                business=Right.canmodifrecord in collection.rights,
            )
            for collection in rights.live(work.now)
        )
        granted = frozenset(record_id for record_id in rights.grants if rights.record_grant(record_id, work.now))
        return VisibleScope(bases, granted)

    def usable(self, work: UnitOfWork, actor: Actor, bases: list[int]) -> frozenset[int] | None:
        """The collections of *bases* that the actor may search; None if *bases* is empty. Raises NoUsableBases."""
        if not bases:
            return None
        allowed = {base.base_id for base in self.scope(work, actor).bases}
        usable = frozenset(bases) & allowed
        if not usable:
            raise NoUsableBases("None of these collections can be searched by you.", field="bases")
        return usable

    def find(self, work: UnitOfWork, actor: Actor, query: Query) -> tuple[Hits, list[RecordWithThumbnail]]:
        """One page: the engine's hits, and those records that the actor may still see."""
        hits = self.index.search(query)
        return hits, self.records.page(work, actor, [RecordId(rid) for rid in hits.rids])


@dataclass(frozen=True, slots=True)
class Indexer:
    """Keeps the index up to date: queues a job in the transaction of each change; the worker runs it."""

    database: Database
    index: Index
    records: Records
    jobs: Jobs

    def listen(self) -> None:
        for kind in (RecordAdded, RecordChanged, RecordRemoved):
            self.database.listen(kind, self._queue)

    def _queue(self, work: UnitOfWork, event: RecordAdded | RecordChanged | RecordRemoved) -> None:
        self.jobs.add(work, INDEX, {"record_id": event.record_id}, key=str(event.record_id))

    def apply(self, jobs: list[Job]) -> None:
        """Batch handler: read the current records and replace or remove them in the index. Idempotent."""
        ids = sorted({RecordId(job.payload["record_id"]) for job in jobs})
        with self.database.read() as work:
            documents = {document.rid: document for document in self.documents(work, ids)}
        self.index.apply(documents.values(), [record_id for record_id in ids if record_id not in documents])

    def rebuild(self, jobs: list[Job]) -> None:
        """Batch handler: build a new index beside the one in use."""
        count = self.index.rebuild(self._everything())
        log.info("index.rebuilt", records=count, jobs=len(jobs))

    def _everything(self) -> Iterator[IndexDocument]:
        last = RecordId(0)
        while True:
            with self.database.read() as work:
                ids = store.ids_after(work, last, BATCH)
                documents = self.documents(work, ids)
            if not ids:
                return
            yield from documents
            last = ids[-1]

    def ensure(self) -> None:
        """Queue a rebuild if there is no usable index (a new instance, another schema, a damaged folder)."""
        if self.index.needs_rebuild():
            with self.database.write() as work:
                self.jobs.add(work, REBUILD, {}, key="all", after=timedelta(0))

    def documents(self, work: UnitOfWork, ids: list[RecordId]) -> list[IndexDocument]:
        """The documents to index for *ids*; missing records are left out."""
        structure = self.records.structure(work)
        records = store.with_thumbnails(work, ids)
        values = store.values_of(work, list(records))
        words = text_store.of(work, list(records))
        documents = []
        for rid, (record, _) in records.items():
            public: dict[str, list[str]] = {}
            business: dict[str, list[str]] = {}
            for value in values[rid]:
                field = structure.field_by_id.get(value.field_id)
                if field is not None and field.indexable:
                    (business if field.business else public).setdefault(field.name, []).append(value.value)
            documents.append(
                IndexDocument(
                    rid=rid,
                    databox_id=record.databox_id,
                    number=record.number,
                    base_id=CollectionId(record.collection_id),
                    kind=record.kind,
                    is_story=record.is_story,
                    created=record.created,
                    updated=record.updated,
                    status=record.status,
                    title=record.title,
                    sha256=record.sha256 or "",
                    uuid=record.uuid,
                    fields=public,
                    business=business,
                    extra=(record.original_name or "", words.get(rid, "")),
                )
            )
        return documents
