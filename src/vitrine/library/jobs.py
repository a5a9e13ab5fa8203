"""Makes renditions in the worker."""

from dataclasses import dataclass, replace

from vitrine.errors import Unavailable
from vitrine.jobs import Job, JobKind
from vitrine.library import changes_store, store
from vitrine.library.events import RenditionsReady
from vitrine.library.model import Recipe, Record, RecordId
from vitrine.library.records import Records
from vitrine.library.sharing import permalinks
from vitrine.media.errors import Killed, MediaError, NoRoom, TransientError
from vitrine.media.renditions import MadeRendition, Spec, spec_of
from vitrine.media.service import Media
from vitrine.media.storage import Stored
from vitrine.platform import logging
from vitrine.platform.database import Database, UnitOfWork

log = logging.get("vitrine.library")
# Many attempts, since a disk may stay full for hours. A file that is at fault itself is marked failed at once.
MAKE_RENDITIONS = JobKind("renditions.make", lane="media", max_attempts=40)
# From this attempt on people see that it failed. Attempts go on, ever less often: the file may use up the machine's
# memory, or something else may have killed every decoder for a while.
KILLED_OFTEN = 6


def _transient_failure(failures: list[tuple[str, MediaError]]) -> MediaError | None:
    """The first failure not caused by the file; a lack of room goes first, since it concerns the whole job."""
    transient = [failure for _, failure in failures if isinstance(failure, TransientError)]
    return next((failure for failure in transient if isinstance(failure, NoRoom)), transient[0] if transient else None)


@dataclass(frozen=True, slots=True)
class RenditionMaker:
    """Handler of `renditions.make`: makes the waiting renditions. Idempotent: a ready rendition is not touched."""

    database: Database
    records: Records
    media: Media

    def __call__(self, job: Job) -> None:
        record_id = RecordId(job.payload["record_id"])
        task = self._waiting_recipes(record_id)
        if task is None:
            return  # deleted since, or done by a worker that died before it could report
        record, recipes, rotation = task
        assert record.sha256 is not None
        specs: list[Spec] = []
        failures: list[tuple[str, MediaError]] = []
        for recipe in recipes:
            try:
                spec = spec_of(recipe.name, recipe.mediatype, recipe.options)
                specs.append(replace(spec, turn=rotation if record.kind == "image" else 0))
            except MediaError as failure:
                failures.append((recipe.name, failure))
        with self.media.scratch() as folder:
            results = self.media.make_renditions(record.sha256, record.kind, record.mime or "", specs, folder)
            stored_files = [
                (result, self.media.store_file(result.path)) for result in results if isinstance(result, MadeRendition)
            ]
            failures += [result for result in results if not isinstance(result, MadeRendition)]
            transient = _transient_failure(failures)
            if transient is not None and (isinstance(transient, NoRoom) or job.attempts < KILLED_OFTEN):
                raise Unavailable(transient.detail, why=transient.why)
            with self.database.write() as work:
                self._store_results(work, record, rotation, stored_files, failures)
        if transient is not None and not job.is_last_attempt:
            raise Unavailable(transient.detail, why=transient.why)

    def _waiting_recipes(self, record_id: RecordId) -> tuple[Record, list[Recipe], int] | None:
        with self.database.read() as work:
            record = store.by_id(work, record_id)
            if record is None or record.sha256 is None:
                return None
            renditions = store.renditions_of(work, [record_id])[record_id]
            waiting = {
                rendition.name
                for rendition in renditions
                if rendition.state == "waiting" or rendition.failure == Killed.code
            }
            structure = self.records.structure(work)
            recipes = [
                recipe for recipe in structure.recipes_for(record.databox_id, record.kind) if recipe.name in waiting
            ]
            return (record, recipes, store.rotation(work, record_id)) if recipes else None

    def _store_results(
        self,
        work: UnitOfWork,
        record: Record,
        rotation: int,
        stored_files: list[tuple[MadeRendition, Stored]],
        failures: list[tuple[str, MediaError]],
    ) -> None:
        current = store.by_id(work, record.id)
        if current is None or current.sha256 != record.sha256 or store.rotation(work, record.id) != rotation:
            return  # removed, or its original was replaced or turned since: another job makes the renditions
        changed = 0
        for rendition, stored in stored_files:
            values = {
                "state": "ready",
                "sha256": stored.sha256,
                "mime": rendition.mime,
                "extension": rendition.extension,
                "width": rendition.width,
                "height": rendition.height,
                "size": stored.size,
                "failure": None,
                "failure_detail": None,
            }
            if changes_store.finish_rendition(work, record.id, rendition.name, values, again=Killed.code):
                changed += 1
                permalinks.ensure(work, record.id, record.title, rendition.name)
        for name, failure in failures:
            log.warning("rendition.failed", record=str(record.key), rendition=name, code=failure.code, why=failure.why)
            values = {"state": "failed", "failure": failure.code, "failure_detail": failure.detail}
            changed += changes_store.finish_rendition(work, record.id, name, values)
        if changed:
            work.emit(RenditionsReady(record.id, tuple(name for name, _ in failures)))
