"""Keeps the index current: a record becomes an index document by a job, after each change and in a rebuild."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from vitrine.errors import Unavailable
from vitrine.jobs import Job, JobKind, Jobs
from vitrine.library import store, text_store
from vitrine.library.events import RecordAdded, RecordChanged, RecordRemoved, ReindexNeeded
from vitrine.library.model import CollectionId, RecordId
from vitrine.library.records import Records
from vitrine.platform import logging, supervision
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.supervision import place_of
from vitrine.search.index import Index, LeftOut
from vitrine.search.model import IndexDocument

log = logging.get("vitrine.search")
INDEX = JobKind("search.index", lane="index", max_attempts=20)
REBUILD = JobKind("search.rebuild", lane="rebuild", max_attempts=20)  # of its own: changes go on meanwhile
BATCH = 500
MOST_LEFT_OUT = 1_000


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
        self.database.listen(ReindexNeeded, self._queue_rebuild)

    def _queue(self, work: UnitOfWork, event: RecordAdded | RecordChanged | RecordRemoved) -> None:
        self.jobs.add(work, INDEX, {"record_id": event.record_id}, key=str(event.record_id))

    def _queue_rebuild(self, work: UnitOfWork, _event: ReindexNeeded) -> None:
        self.jobs.add(work, REBUILD, {}, key="all")

    def apply(self, jobs: list[Job]) -> None:
        """Batch handler: read the current records and replace or remove them in the index. Idempotent."""
        ids = sorted({RecordId(job.payload["record_id"]) for job in jobs})
        with self.database.read() as work:
            documents = {document.rid: document for document in self.documents(work, ids)}
        self.index.apply(documents.values(), [record_id for record_id in ids if record_id not in documents])

    def rebuild(self, jobs: list[Job]) -> None:
        """Batch handler: build a new index beside the one in use. A record that cannot be indexed is left out and gets
        a job of its own, which tells when it is given up. If there are too many, the fault is not theirs: the old
        index stays."""
        left_out: list[RecordId] = []

        def leave_out(record_id: int, failure: Exception) -> None:
            log.error("index.left_out", record_id=record_id, failure=place_of(failure))
            left_out.append(RecordId(record_id))
            if len(left_out) > MOST_LEFT_OUT:
                raise failure

        def read_again(ids: Sequence[int]) -> list[IndexDocument]:
            return self._read([RecordId(record_id) for record_id in ids], leave_out)

        count = self.index.rebuild(self._everything(leave_out), read_again, leave_out)
        with self.database.write() as work:
            for record_id in left_out:
                self.jobs.add(work, INDEX, {"record_id": record_id}, key=str(record_id))
        log.info("index.rebuilt", records=count, left_out=len(left_out), jobs=len(jobs))

    def _everything(self, left_out: LeftOut) -> Iterator[IndexDocument]:
        last = RecordId(0)
        while True:
            supervision.beat()
            with self.database.read() as work:
                ids = store.ids_after(work, last, BATCH)
            if not ids:
                return
            yield from self._read(ids, left_out)
            last = ids[-1]

    def _read(self, ids: list[RecordId], left_out: LeftOut) -> list[IndexDocument]:
        """The documents of *ids*, without those whose rows cannot be read."""
        pending, documents = [ids], list[IndexDocument]()
        while pending:
            batch = pending.pop()
            try:
                with self.database.read() as work:
                    documents += self.documents(work, batch)
            except Unavailable:
                raise
            except Exception as failure:
                if len(batch) == 1:
                    left_out(batch[0], failure)
                else:
                    middle = len(batch) // 2
                    pending += [batch[middle:], batch[:middle]]
        # In ascending order, as `Index.rebuild` requires: no database promises one for `IN`.
        return sorted(documents, key=lambda document: document.rid)

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
