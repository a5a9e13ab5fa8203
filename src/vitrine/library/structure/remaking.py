"""Makes the files of one recipe again for the records of a databox, since the recipe is new or was changed.

The former file stays in use until the new one is there, and where none can be made. Files that a person put in by hand
are left alone. Runs in the worker, outside any transaction but for the last step.
"""

from dataclasses import dataclass

from vitrine.errors import NotFound, Unavailable
from vitrine.library import changes_store, store
from vitrine.library.events import RenditionsReady
from vitrine.library.model import Recipe, Record, RecordId, Rendition
from vitrine.library.records import Records
from vitrine.library.sharing import permalinks
from vitrine.library.structure import task_store
from vitrine.library.structure.task_store import Outcome, Task
from vitrine.media.errors import MediaError, TransientError
from vitrine.media.renditions import MadeRendition, can_make, spec_of
from vitrine.media.service import Media
from vitrine.media.storage import Stored
from vitrine.platform import supervision
from vitrine.platform.database import Database

BATCH = 20  # records between two notes of the progress


@dataclass(frozen=True, slots=True)
class Remaking:
    database: Database
    records: Records
    media: Media

    def step(self, task: Task) -> Outcome:
        """Look at the next records. Raises Unavailable when the server itself cannot work; the task goes on later."""
        with self.database.read() as work:
            rows = task_store.numbers_after(work, task.databox_id, task.cursor, BATCH)
        changed, failures = 0, []
        for _, record_id in rows:
            supervision.beat()
            try:
                changed += self._remake(task, record_id)
            except TransientError as failure:
                raise Unavailable(failure.detail, why=failure.why) from failure
            except (MediaError, NotFound) as failure:
                failures.append({"record": self._name(record_id), "code": failure.code, "detail": failure.detail})
        cursor = rows[-1][0] if rows else task.cursor
        return Outcome(cursor, len(rows), changed, failures, is_end=len(rows) < BATCH)

    def _name(self, record_id: RecordId) -> str:
        with self.database.read() as work:
            record = store.by_id(work, record_id)
        return str(record.key) if record else ""

    def _remake(self, task: Task, record_id: RecordId) -> bool:
        """True if the record has a new file, or waits for none any more."""
        with self.database.read() as work:
            record = store.by_id(work, record_id)
            recipe = self.records.structure(work).recipe(task.databox_id, task.details["group"], task.details["name"])
            if record is None or recipe is None or record.sha256 is None or record.kind != recipe.group:
                return False
            before = store.rendition(work, record_id, recipe.name)
        if not recipe.tobuild or (before is not None and before.substituted):
            return False
        if not self._can_make(record, recipe, before):
            return before is not None and self._forget(record, recipe)
        with self.media.scratch() as folder:
            spec = spec_of(recipe.name, recipe.mediatype, recipe.options)
            created = self.media.make_renditions(record.sha256, record.kind, record.mime or "", [spec], folder)[0]
            if isinstance(created, tuple):
                raise created[1]
            stored = self.media.store_file(created.path)
        return self._put(record, recipe, created, stored)

    def _can_make(self, record: Record, recipe: Recipe, before: Rendition | None) -> bool:
        """A file may lack what its type usually has, such as the thumbnail of an office file; one that has a file by
        this recipe does not."""
        assert record.sha256 is not None
        if not can_make(record.mime or "", recipe.mediatype):
            return False
        if before is not None:
            return True
        probe = self.media.probe_stored(record.sha256, record.original_name or record.title)
        return recipe.mediatype in probe.makes

    def _forget(self, record: Record, recipe: Recipe) -> bool:
        with self.database.write() as work:
            before = store.rendition(work, record.id, recipe.name)
            if before is None or before.substituted:
                return False
            changes_store.delete_rendition(work, record.id, recipe.name)
            work.emit(RenditionsReady(record.id, ()))
        return True

    def _put(self, record: Record, recipe: Recipe, created: MadeRendition, stored: Stored) -> bool:
        values = {
            "state": "ready", "sha256": stored.sha256, "mime": created.mime, "extension": created.extension,
            "width": created.width, "height": created.height, "size": stored.size, "failure": None,
            "failure_detail": None,
        }  # fmt: skip
        with self.database.write() as work:
            current = store.by_id(work, record.id)
            if current is None or current.sha256 != record.sha256:
                return False  # removed, or its original was replaced: its own job makes the new files
            before = store.rendition(work, record.id, recipe.name)
            if before is not None and before.substituted:
                return False
            if before is None:
                store.add_rendition(work, record.id, recipe.name, values)
            else:
                store.update_rendition(work, record.id, recipe.name, values)
            permalinks.ensure(work, record.id, record.title, recipe.name)
            work.emit(RenditionsReady(record.id, ()))
        return True
