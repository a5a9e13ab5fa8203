"""Making renditions in the worker, and sweeping bytes that nothing refers to."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vitrine.errors import Unavailable
from vitrine.jobs import Job, Kind
from vitrine.library import changes_store, derived_store, permalinks, store, structure_store
from vitrine.library.events import RenditionsReady
from vitrine.library.model import Recipe, Record, RecordId
from vitrine.library.records import Records
from vitrine.media.errors import Killed, MediaError, NoRoom, Passing
from vitrine.media.renditions import Made, Spec, spec_of
from vitrine.media.service import Media
from vitrine.media.storage import Stored
from vitrine.platform import logging
from vitrine.platform.database import Database, UnitOfWork

log = logging.get("vitrine.library")
# Patient, since a full disk may stay full for hours; a file that is at fault itself is marked failed at once.
MAKE_RENDITIONS = Kind("renditions.make", lane="media", max_attempts=40)
# From here on people see that it failed. It is tried on, ever less often: the file may be what uses up the machine's
# memory, or something else may have ended every decoder for a while.
KILLED_OFTEN = 6
SWEEP = Kind("media.sweep", lane="upkeep")
SWEEP_BATCH = 500
MADE_AGAIN_AFTER = timedelta(days=180)  # a marked copy that is older is made anew when somebody asks


def _passing(failures: list[tuple[str, MediaError]]) -> MediaError | None:
    """The first failure that is not the file's, worst for the whole job first."""
    found = [failure for _, failure in failures if isinstance(failure, Passing)]
    return next((one for one in found if isinstance(one, NoRoom)), found[0] if found else None)


@dataclass(frozen=True, slots=True)
class RenditionMaker:
    """Handler of `renditions.make`: makes what waits. Idempotent: a rendition that is ready is not touched."""

    database: Database
    records: Records
    media: Media

    def __call__(self, job: Job) -> None:
        record_id = RecordId(job.payload["record_id"])
        wanted = self._wanted(record_id)
        if wanted is None:
            return  # deleted meanwhile, or done by a worker that died before it could say so
        record, recipes = wanted
        assert record.sha256 is not None
        specs: list[Spec] = []
        failures: list[tuple[str, MediaError]] = []
        for recipe in recipes:
            try:
                specs.append(spec_of(recipe.name, recipe.mediatype, recipe.options))
            except MediaError as failure:
                failures.append((recipe.name, failure))
        with self.media.scratch() as folder:
            results = self.media.make_many(record.sha256, record.kind, record.mime or "", specs, folder)
            made = [(one, self.media.keep_file(one.path)) for one in results if isinstance(one, Made)]
            failures += [one for one in results if not isinstance(one, Made)]
            passing = _passing(failures)
            if passing is not None and (isinstance(passing, NoRoom) or job.attempts < KILLED_OFTEN):
                raise Unavailable(passing.detail, why=passing.why)
            with self.database.write() as work:
                self._note(work, record, made, failures)
        if passing is not None and not job.is_last_attempt:
            raise Unavailable(passing.detail, why=passing.why)

    def _wanted(self, record_id: RecordId) -> tuple[Record, list[Recipe]] | None:
        with self.database.read() as work:
            record = store.by_id(work, record_id)
            if record is None or record.sha256 is None:
                return None
            all_of_it = store.renditions_of(work, [record_id])[record_id]
            waiting = {one.name for one in all_of_it if one.state == "waiting" or one.failure == Killed.code}
            structure = self.records.structure(work)
            recipes = [one for one in structure.recipes_for(record.databox_id, record.kind) if one.name in waiting]
            return (record, recipes) if recipes else None

    def _note(
        self,
        work: UnitOfWork,
        record: Record,
        made: list[tuple[Made, Stored]],
        failures: list[tuple[str, MediaError]],
    ) -> None:
        now = store.by_id(work, record.id)
        if now is None or now.sha256 != record.sha256:
            return  # removed, or its original was replaced meanwhile: another job makes the files of the new one
        changed = 0
        for one, stored in made:
            values = {
                "state": "ready",
                "sha256": stored.sha256,
                "mime": one.mime,
                "extension": one.extension,
                "width": one.width,
                "height": one.height,
                "size": stored.size,
                "failure": None,
                "failure_detail": None,
            }
            if changes_store.finish_rendition(work, record.id, one.name, values, again=Killed.code):
                changed += 1
                permalinks.ensure(work, record.id, record.title, one.name)
        for name, failure in failures:
            log.warning("rendition.failed", record=str(record.key), rendition=name, code=failure.code, why=failure.why)
            values = {"state": "failed", "failure": failure.code, "failure_detail": failure.detail}
            changed += changes_store.finish_rendition(work, record.id, name, values)
        if changed:
            work.emit(RenditionsReady(record.id, tuple(name for name, _ in failures)))


REST = "sweep_rests"


def rest_sweep(work: UnitOfWork, until: datetime) -> None:
    """Let the sweep leave everything until then: a backup is copying documents that rows of an earlier instant name."""
    structure_store.set_stamp(work, REST, round(until.timestamp()))


def sweep_rests(work: UnitOfWork) -> bool:
    return structure_store.stamp(work, REST) > work.now.timestamp()


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Deletes bytes that no row refers to and that are older than *grace*: the left-overs of refused uploads."""

    database: Database
    media: Media

    def __call__(self, _job: Job) -> None:
        self.sweep(timedelta(days=7))

    def sweep(self, grace: timedelta) -> int:
        """Returns how many blobs went. Bytes of deleted records stay for *grace*, so that they can be recovered."""
        with self.database.write() as work:
            derived_store.prune(work, work.now - MADE_AGAIN_AFTER)
        self.media.sweep_spool(max(grace, timedelta(minutes=0)))
        with self.database.write() as work:
            changes_store.purge_removed(work, work.now - grace)
        gone = 0
        batch: list[str] = []
        for sha256 in self.media.old_blobs(grace):
            batch.append(sha256)
            if len(batch) >= SWEEP_BATCH:
                gone += self._sweep(batch, grace)
                batch = []
        return gone + (self._sweep(batch, grace) if batch else 0)

    def _sweep(self, batch: list[str], grace: timedelta) -> int:
        # Under the write lock: an upload of the same bytes cannot be committed between the look and the deletion. One
        # that kept them since the list was made, and will be committed next, made them young again.
        with self.database.write() as work:
            if sweep_rests(work):
                return 0
            used = store.referenced(work, batch) | derived_store.referenced(work, batch)
            used |= structure_store.mark_pictures(work)
            orphans = [one for one in batch if one not in used and self.media.is_old(one, grace)]
            for sha256 in orphans:
                self.media.forget(sha256)
        return len(orphans)
