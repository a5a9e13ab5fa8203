"""The job queue and the worker that runs its jobs."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from vitrine.errors import DomainError, Invalid, NotFound, Unavailable
from vitrine.jobs import store, task_store
from vitrine.jobs.model import HEARTBEAT, LEASE, BatchHandler, Handler, Job, JobKind
from vitrine.jobs.tasks import TASKS
from vitrine.platform import logging
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.supervision import SupervisedThread, Supervisor, place_of

log = logging.get("vitrine.jobs")
IDLE_PAUSE_S = 0.25
FORGOTTEN_AFTER = timedelta(days=1)
NOW = timedelta(0)


class Jobs:
    """Queues jobs inside the transaction of the change that causes them."""

    def add(
        self,
        work: UnitOfWork,
        kind: JobKind,
        payload: dict[str, Any],
        *,
        key: str | None = None,
        after: timedelta = NOW,
    ) -> None:
        """Queue a job. Its row and the change are committed together or not at all; waiting jobs with the same *key*
        are merged."""
        store.add(work, kind, payload, key=key, after=after)

    @staticmethod
    def unfinished(work: UnitOfWork, kind: JobKind, prefix: str, limit: int) -> int:
        """How many jobs of *kind* whose key begins with *prefix* are not done yet, *limit* at most."""
        return store.unfinished(work, kind, prefix, limit)


@dataclass(frozen=True, slots=True)
class Lane:
    """Threads that take the jobs of one lane, *batch* rows at a time. A kind with a batch handler gets them in one
    call. A thread that takes no further job for *hung_after* is reported."""

    name: str
    threads: int = 1
    batch: int = 1
    hung_after: timedelta = timedelta(minutes=15)


@dataclass(slots=True)
class Worker:
    """Leases jobs and runs their handlers in threads until `stop()`. Handlers decode media in child processes of their
    own.

    Handlers must be idempotent: if a worker dies after the work but before the row is deleted, the job runs again.
    """

    database: Database
    handlers: Mapping[str, Handler]
    batch_handlers: Mapping[str, BatchHandler]
    lanes: tuple[Lane, ...]
    place: str
    supervisor: Supervisor = field(default_factory=Supervisor)
    _running: dict[int, float] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[SupervisedThread] = field(default_factory=list)
    _started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _runs: dict[str, datetime] = field(default_factory=dict)  # by lane, those that no heartbeat has told yet

    @property
    def owner(self) -> str:
        return f"{self.place}:{os.getpid()}"

    def start(self) -> None:
        with self.database.write() as work:
            dead = [owner for owner in store.owners(work, self.place) if owner == self.owner or not _is_alive(owner)]
            freed = store.release(work, dead)
            store.delete_workers(work, dead)
            store.delete_unseen_workers(work, work.now - FORGOTTEN_AFTER)
            store.record_heartbeat(work, self.owner, self._started)
            task_store.ensure(work, [task.lane for task in TASKS])
            task_store.start_automatically(work)
        if freed:
            log.info("worker.jobs_released", jobs=freed)
        for lane in self.lanes:
            for number in range(lane.threads):
                run = partial(self._run_lane, lane)
                thread = self.supervisor.start(f"lane-{lane.name}-{number}", run, hung_after=lane.hung_after)
                self._threads.append(thread)
        heartbeat = self.supervisor.start("heartbeat", self._heartbeat)
        self._threads.append(heartbeat)
        self.supervisor.listen(heartbeat.wake)  # what has changed is told at once

    def stop(self, patience: timedelta = timedelta(seconds=10)) -> None:
        """Take no more jobs and wait up to *patience* for the running ones. Unfinished jobs are leased again by another
        worker."""
        self.supervisor.stop(self._threads, patience)
        self._threads.clear()

    def run_ready(self) -> int:
        """Run all ready jobs in this thread and return how many there were; for tests and commands."""
        count = 0
        while jobs := [job for lane in self.lanes for job in self._take(lane)]:
            count += len(jobs)
        return count

    def _take(self, lane: Lane) -> list[Job]:
        jobs = self._lease(lane)
        self._run_all(jobs)
        return jobs

    def _run_lane(self, lane: Lane, thread: SupervisedThread) -> None:
        is_over = thread.is_over
        while not is_over:
            thread.beat()
            try:
                jobs = self._lease(lane)
            except DomainError as failure:
                log.warning("worker.lease_failed", lane=lane.name, why=failure.why or failure.detail)
                is_over = thread.wait(2)
                continue
            is_over = thread.is_over if jobs else thread.wait(IDLE_PAUSE_S)
            self._run_all(jobs)

    def _run_all(self, jobs: list[Job]) -> None:
        try:
            for kind in dict.fromkeys(job.kind for job in jobs):
                same = [job for job in jobs if job.kind == kind]
                if kind in self.batch_handlers:
                    self._run_batch(same)
                else:
                    for job in same:
                        self._run([job], partial(self._handle, job))
        finally:
            # Those that were not reached, since this thread ends, are leased again once nobody extends their lease.
            with self._guard:
                for job in jobs:
                    self._running.pop(job.id, None)

    def _handle(self, job: Job) -> None:
        if job.kind not in self.handlers:
            raise Unavailable("Nothing here knows this kind of job.", why=job.kind)  # but a newer worker may
        self.handlers[job.kind](job)

    def _run_batch(self, jobs: list[Job]) -> None:
        """Run jobs of one kind in one call. If it fails by a fault of one of them, they are halved until that one
        stands alone: all others are done."""
        pending = [jobs]
        while pending:
            batch = pending.pop()
            is_alone = len(batch) == 1
            if not self._run(batch, partial(self.batch_handlers[batch[0].kind], batch), is_alone=is_alone):
                middle = len(batch) // 2
                pending += [batch[middle:], batch[:middle]]

    def _lease(self, lane: Lane) -> list[Job]:
        with self.database.read() as work:  # read first: an idle worker must not take the write lock
            if not store.has_ready(work, lane.name):
                return []
        with self.database.write(alone=False) as work:
            jobs = store.lease(work, lane.name, self.owner, work.now + LEASE, lane.batch)
        with self._guard:
            self._running.update({job.id: time.monotonic() for job in jobs})
            if jobs:
                self._runs[lane.name] = work.now
        return jobs

    def _run(self, jobs: list[Job], call: Callable[[], None], *, is_alone: bool = True) -> bool:
        """Run one call and settle its jobs. False if it failed by a fault that may be that of one job of several;
        nothing is settled then."""
        started = time.monotonic()
        outcome, error, final = "done", None, False
        try:
            call()
        except DomainError as refusal:
            outcome = refusal.code
            error = f"{refusal.code}: {refusal.why or refusal.detail}"
            final = isinstance(refusal, Invalid | NotFound)
            if not is_alone and not isinstance(refusal, Unavailable):
                return False
        except Exception as bug:
            if not is_alone:
                log.warning("job.batch_split", kind=jobs[0].kind, jobs=len(jobs), failure=place_of(bug))
                return False
            outcome, error = "error", f"{type(bug).__name__}: {bug}"
            log.exception("job.crashed", kind=jobs[0].kind, job=jobs[0].id)
        self._settle(jobs, error, final=final)
        duration_ms = round((time.monotonic() - started) * 1000)
        log.info(
            "job",
            kind=jobs[0].kind,
            job=jobs[0].id,
            jobs=len(jobs),
            attempt=jobs[0].attempts,
            outcome=outcome,
            ms=duration_ms,
        )
        return True

    def _settle(self, jobs: list[Job], error: str | None, *, final: bool) -> None:
        for pause in (0.1, 0.5, 2.0, 5.0, 0.0):
            try:
                with self.database.write(alone=error is not None) as work:
                    if error is None:
                        store.finish(work, [job.id for job in jobs], self.owner)
                    else:
                        for job in jobs:
                            store.fail(work, job, self.owner, storable(error), final=final)
                return
            except Unavailable as failure:
                log.warning("job.settle_failed", job=jobs[0].id, why=failure.why)
                time.sleep(pause)
        # The leases expire and the jobs run again; handlers are idempotent.

    def _heartbeat(self, thread: SupervisedThread) -> None:
        is_over = False
        while not is_over:
            with self._guard:
                ids, runs = list(self._running), dict(self._runs)
            try:
                with self.database.write(alone=False) as work:
                    store.record_heartbeat(work, self.owner, self._started, self.supervisor.statuses())
                    if ids:
                        store.extend(work, ids, self.owner, work.now + LEASE)
                    task_store.record_runs(work, runs)
                with self._guard:
                    self._runs = {lane: at for lane, at in self._runs.items() if runs.get(lane) != at}
            except Unavailable as failure:
                log.warning("worker.heartbeat_failed", why=failure.why)
            is_over = thread.wait(HEARTBEAT.total_seconds())


def storable(text: str) -> str:
    """*text* without what PostgreSQL keeps in no text: NUL, and halves of characters."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


def _is_alive(owner: str) -> bool:
    """True while the owner's process runs on this machine. If another program has the process number by now, it counts
    as running; its leases then expire."""
    try:
        os.kill(int(owner.rpartition(":")[2]), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True  # it runs as another user
    return True
