"""One step of each kind of task that changes rows alone: a bounded number of them, in the transaction given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vitrine.jobs import Jobs
from vitrine.library import store, story_links, structure_store
from vitrine.library.events import RecordChanged, ReindexNeeded, RenditionsReady
from vitrine.library.model import CollectionId, FieldId, RecordId
from vitrine.library.records import Records
from vitrine.library.structure import task_store, tasks
from vitrine.library.structure.task_store import Outcome, Task
from vitrine.library.structure.titles import held_by_field, title_of, titles_of
from vitrine.platform.database import UnitOfWork

BATCH = 200  # records of one transaction, each of some rows
VALUES = 2_000

Step = Callable[[UnitOfWork, Task], Outcome]


@dataclass(frozen=True, slots=True)
class RowSteps:
    records: Records
    jobs: Jobs

    def by_kind(self) -> Mapping[str, Step]:
        return {
            tasks.DELETE_VALUES: self.delete_values,
            tasks.TITLES: self.titles,
            tasks.CLEAR_BIT: self.clear_bit,
            tasks.DELETE_RENDITIONS: self.delete_renditions,
            tasks.COVERS: self.covers,
        }

    def delete_values(self, work: UnitOfWork, task: Task) -> Outcome:
        """Delete the values of a field that was deleted, then its row. Values go with it, so nothing is left out."""
        field = FieldId(task.details["field_id"])
        rows = task_store.values_of_field(work, field, VALUES)
        task_store.delete_values(work, [value_id for value_id, _ in rows])
        is_end = len(rows) < VALUES
        if is_end:
            task_store.delete_field(work, field)
            work.emit(ReindexNeeded(task.databox_id))
        return Outcome(task.cursor, len(rows), len(rows), is_end=is_end)

    def titles(self, work: UnitOfWork, task: Task) -> Outcome:
        """Compute the titles of the next records by the rule of now."""
        rows = task_store.numbers_after(work, task.databox_id, task.cursor, BATCH)
        ids = [record_id for _, record_id in rows]
        values = store.values_of(work, ids)
        fields = self.records.structure(work).fields[task.databox_id]
        changed = 0
        for record_id in ids:
            record = store.by_id(work, record_id)
            assert record is not None
            held = held_by_field(fields, values[record_id])
            title = title_of(fields, held, record.original_name or record.title)
            titles = titles_of(fields, held, title)
            if title != record.title or titles != record.titles:
                store.update_record(work, record_id, {"title": title, "titles": titles})
                changed += 1
        outcome = _walked(task, rows, changed)
        if outcome.is_end and task.changed + changed:
            work.emit(ReindexNeeded(task.databox_id))
        return outcome

    def clear_bit(self, work: UnitOfWork, task: Task) -> Outcome:
        """Switch a status bit off in the next records, whose definition was removed."""
        rows = task_store.numbers_after(work, task.databox_id, task.cursor, BATCH)
        mask = 1 << int(task.details["bit"])
        changed = 0
        for record_id, status in task_store.statuses(work, [record_id for _, record_id in rows]).items():
            if status & mask:
                store.update_record(work, record_id, {"status": status & ~mask})
                work.emit(RecordChanged(record_id))
                changed += 1
        return _walked(task, rows, changed)

    def delete_renditions(self, work: UnitOfWork, task: Task) -> Outcome:
        """Delete the files of a recipe that was deleted. A recipe of the same name that came meanwhile keeps them."""
        group, name = task.details["group"], task.details["name"]
        if self.records.structure(work).recipe(task.databox_id, group, name) is not None:
            return Outcome(task.cursor, 0, 0, is_end=True)
        rows = task_store.numbers_after(work, task.databox_id, task.cursor, BATCH)
        ids = [record_id for _, record_id in rows]
        changed = structure_store.delete_renditions(work, ids, group, name)
        return _walked(task, rows, changed)

    def covers(self, work: UnitOfWork, task: Task) -> Outcome:
        """Tell the stories of the next covers that what they may show has changed."""
        rows = task_store.numbers_after(work, task.databox_id, task.cursor, BATCH)
        base = CollectionId(task.details["base_id"])
        covers = story_links.covers_across(work, [record_id for _, record_id in rows], base)
        for record_id in covers:
            work.emit(RenditionsReady(record_id, ()))
        return _walked(task, rows, len(covers))


def _walked(task: Task, rows: list[tuple[int, RecordId]], changed: int) -> Outcome:
    cursor = rows[-1][0] if rows else task.cursor
    return Outcome(cursor, len(rows), changed, is_end=len(rows) < BATCH)
