"""Runs structure tasks in the worker: step by step, each noted with what it changed, so that a killed one goes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from vitrine.jobs import Job, Jobs
from vitrine.library.records import Records
from vitrine.library.structure import task_store, tasks
from vitrine.library.structure.emptying import Emptying
from vitrine.library.structure.remaking import Remaking
from vitrine.library.structure.task_steps import RowSteps, Step
from vitrine.library.structure.task_store import Task
from vitrine.media.service import Media
from vitrine.platform import logging, supervision
from vitrine.platform.database import Database

log = logging.get("vitrine.library")


@dataclass(frozen=True, slots=True)
class TaskRunner:
    """Handler of `structure.task`."""

    database: Database
    records: Records
    media: Media
    jobs: Jobs
    emptying: Emptying

    def __call__(self, job: Job) -> None:
        with self.database.read() as work:
            task = task_store.by_id(work, int(job.payload["task_id"]))
        while task is not None and not task.is_finished:
            supervision.beat()
            task = self._step(task, job.payload)
        if task is not None:
            log.info(
                "structure.task", task=task.id, kind=task.kind, state=task.state, changed=task.changed,
                failed=task.failed,
            )  # fmt: skip

    def _step(self, task: Task, payload: Mapping[str, Any]) -> Task | None:
        """One step; returns the task as it is then, None if its databox is gone."""
        if task.kind == tasks.MAKE_RENDITIONS:
            outcome = Remaking(self.database, self.records, self.media).step(task)
            with self.database.write() as work:
                current = task_store.by_id(work, task.id)
                if current is None or current.is_finished:
                    return current
                return task_store.advance(work, current, outcome)
        if task.kind == tasks.EMPTY:
            step: Step = partial(self.emptying.step, payload=payload)
        else:
            step = RowSteps(self.records, self.jobs).by_kind()[task.kind]
        with self.database.write() as work:
            current = task_store.by_id(work, task.id)
            if current is None or current.is_finished:
                return current
            return task_store.advance(work, current, step(work, current))
