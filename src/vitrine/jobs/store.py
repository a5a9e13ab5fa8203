"""All SQL of the job rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from vitrine.jobs import task_store
from vitrine.jobs.model import Job, JobKind, pause_after
from vitrine.jobs.tables import jobs, workers
from vitrine.platform.database import UnitOfWork
from vitrine.platform.supervision import State, Status

_waiting = sa.and_(jobs.c.leased_until.is_(None), jobs.c.dead_at.is_(None))


def _has_waiting_twin() -> sa.ColumnElement[bool]:
    """True for a row if another waiting row has the same kind and key: a newer request for the same work."""
    twin = jobs.alias()
    return (
        sa.select(twin.c.id)
        .where(
            twin.c.kind == jobs.c.kind,
            twin.c.key == jobs.c.key,
            twin.c.id != jobs.c.id,
            twin.c.leased_until.is_(None),
            twin.c.dead_at.is_(None),
        )
        .exists()
    )


def add(work: UnitOfWork, kind: JobKind, payload: dict[str, Any], *, key: str | None, after: timedelta) -> None:
    """Insert one row. With a *key*, insert only if no such job is waiting.

    The waiting twin is locked until the commit: a worker that took it now would not see the change yet.
    """
    if key is not None:
        twin = sa.select(jobs.c.id).where(jobs.c.kind == kind.name, jobs.c.key == key, _waiting).with_for_update()
        if work.db.execute(twin).first() is not None:
            return
    work.db.execute(
        jobs.insert().values(
            kind=kind.name,
            lane=kind.lane,
            key=key,
            payload=payload,
            priority=kind.priority,
            max_attempts=kind.max_attempts,
            run_after=work.now + after,
            created=work.now,
        )
    )


def unfinished(work: UnitOfWork, kind: JobKind, prefix: str, limit: int) -> int:
    own = (jobs.c.kind == kind.name, jobs.c.key.startswith(prefix, autoescape=True), jobs.c.dead_at.is_(None))
    some = sa.select(jobs.c.id).where(*own).limit(limit).subquery()
    return int(work.db.scalar(sa.select(sa.func.count()).select_from(some)) or 0)


def lease(work: UnitOfWork, lane: str, owner: str, until: datetime, limit: int) -> list[Job]:
    """Lease up to *limit* jobs of *lane* that are ready or whose lease has expired."""
    ready = (
        sa.select(jobs.c.id)
        .where(
            jobs.c.lane == lane,
            task_store.is_running(lane),
            jobs.c.dead_at.is_(None),
            jobs.c.run_after <= work.now,
            sa.or_(jobs.c.leased_until.is_(None), jobs.c.leased_until < work.now),
        )
        .order_by(jobs.c.priority, jobs.c.run_after, jobs.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = work.db.scalars(ready).all()
    if not ids:
        return []
    work.db.execute(
        jobs.update()
        .where(jobs.c.id.in_(ids))
        .values(leased_until=until, leased_by=owner, attempts=jobs.c.attempts + 1)
    )
    rows = work.db.execute(sa.select(jobs).where(jobs.c.id.in_(ids)).order_by(jobs.c.priority, jobs.c.id))
    return [Job(row.id, row.kind, row.payload, row.attempts, row.max_attempts) for row in rows]


def extend(work: UnitOfWork, ids: Sequence[int], owner: str, until: datetime) -> None:
    work.db.execute(jobs.update().where(jobs.c.id.in_(ids), jobs.c.leased_by == owner).values(leased_until=until))


def finish(work: UnitOfWork, ids: Sequence[int], owner: str) -> None:
    """Delete finished jobs, except those that another worker has taken over in the meantime."""
    work.db.execute(jobs.delete().where(jobs.c.id.in_(ids), jobs.c.leased_by == owner))


def fail(work: UnitOfWork, job: Job, owner: str, error: str, *, final: bool) -> None:
    """Put a failed job back with a pause, or mark it dead after its last attempt."""
    values: dict[str, Any] = {"leased_until": None, "leased_by": None, "last_error": error[:2000]}
    own_lease = sa.and_(jobs.c.id == job.id, jobs.c.leased_by == owner)
    if final or job.is_last_attempt:
        values["dead_at"] = work.now
        work.db.execute(jobs.update().where(own_lease).values(values))
        return
    values["run_after"] = work.now + pause_after(job.attempts)
    # If a newer request for the same work is waiting, the failed one is redundant.
    if work.db.execute(jobs.delete().where(own_lease, _has_waiting_twin())).rowcount == 0:
        work.db.execute(jobs.update().where(own_lease).values(values))


def release(work: UnitOfWork, owners: Sequence[str]) -> int:
    """Release the jobs of dead workers at once, without waiting for their leases to expire."""
    is_held = jobs.c.leased_by.in_(owners)
    # Of two that were under way with one key, and are both put back, the later one does the work of both.
    twin = jobs.alias("later_twin")
    later = sa.select(twin.c.id).where(
        twin.c.kind == jobs.c.kind, twin.c.key == jobs.c.key, twin.c.id > jobs.c.id, twin.c.dead_at.is_(None),
        twin.c.leased_by.in_(owners),
    )  # fmt: skip
    redundant = sa.or_(_has_waiting_twin(), later.correlate(jobs).exists())
    work.db.execute(jobs.delete().where(is_held, jobs.c.dead_at.is_(None), redundant))
    return work.db.execute(
        jobs.update().where(is_held, jobs.c.dead_at.is_(None)).values(leased_until=None, leased_by=None)
    ).rowcount


def owners(work: UnitOfWork, place: str) -> list[str]:
    """Workers of one place that hold a lease or have a heartbeat row."""
    of_place = workers.c.owner.startswith(f"{place}:", autoescape=True)
    leased_there = jobs.c.leased_by.startswith(f"{place}:", autoescape=True)
    return list(
        work.db.scalars(
            sa.select(workers.c.owner).where(of_place).union(sa.select(jobs.c.leased_by).where(leased_there))
        )
    )


def record_heartbeat(work: UnitOfWork, owner: str, started: datetime, statuses: Sequence[Status] = ()) -> None:
    """Record that a worker is alive, and how its threads are. Only that worker writes its row."""
    threads = [[status.name, status.state.value, status.restarts] for status in statuses]
    values = {"seen": work.now, "threads": threads}
    if work.db.execute(workers.update().where(workers.c.owner == owner).values(values)).rowcount == 0:
        work.db.execute(workers.insert().values(owner=owner, started=started, **values))


def statuses(work: UnitOfWork, since: datetime) -> dict[str, list[Status]]:
    """How the threads of each worker are that was seen since then, as it told itself."""
    rows = work.db.execute(sa.select(workers.c.owner, workers.c.threads).where(workers.c.seen >= since))
    known = {state.value: state for state in State}  # a newer worker may have more
    return {
        row.owner: [
            Status(name, known.get(state, State.RUNNING), restarts) for name, state, restarts in row.threads or ()
        ]
        for row in rows
    }


def delete_workers(work: UnitOfWork, owners: Sequence[str]) -> None:
    work.db.execute(workers.delete().where(workers.c.owner.in_(owners)))


def delete_unseen_workers(work: UnitOfWork, since: datetime) -> None:
    work.db.execute(workers.delete().where(workers.c.seen < since))


def last_seen(work: UnitOfWork) -> datetime | None:
    """The time of the most recent heartbeat of any worker."""
    newest: datetime | None = work.db.scalar(sa.select(sa.func.max(workers.c.seen)))
    return newest


MOST_COUNTED = 100_000


def waiting(work: UnitOfWork) -> dict[str, int]:
    """Number of unfinished jobs by kind, MOST_COUNTED at most of each; dead ones are not counted."""
    return {kind: _count(work, jobs.c.kind == kind, jobs.c.dead_at.is_(None)) for kind in _kinds(work)}


def _count(work: UnitOfWork, *conditions: sa.ColumnElement[bool]) -> int:
    some = sa.select(jobs.c.id).where(*conditions).limit(MOST_COUNTED)
    return int(work.db.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0)


def _kinds(work: UnitOfWork) -> list[str]:
    """The kinds of unfinished jobs, by one look into the index for each."""
    kind, is_unfinished = jobs.c.kind, jobs.c.dead_at.is_(None)
    steps = sa.select(sa.func.min(kind).label("kind")).where(is_unfinished).cte("kinds", recursive=True)
    following = sa.select(sa.func.min(kind)).where(is_unfinished, kind > steps.c.kind).scalar_subquery()
    steps = steps.union_all(sa.select(following).where(steps.c.kind.is_not(None)))
    return list(work.db.scalars(sa.select(steps.c.kind).where(steps.c.kind.is_not(None))))


def dead(work: UnitOfWork, limit: int = 100) -> list[tuple[int, str, str]]:
    """(id, kind, last error) of jobs that were abandoned, newest first."""
    rows = work.db.execute(
        sa.select(jobs.c.id, jobs.c.kind, jobs.c.last_error)
        .where(jobs.c.dead_at.is_not(None))
        .order_by(jobs.c.dead_at.desc())
        .limit(limit)
    )
    return [(row.id, row.kind, row.last_error or "") for row in rows]


def count_dead(work: UnitOfWork) -> int:
    """MOST_COUNTED at most."""
    return _count(work, jobs.c.dead_at.is_not(None))


def has_ready(work: UnitOfWork, lane: str) -> bool:
    statement = (
        sa.select(jobs.c.id)
        .where(
            jobs.c.lane == lane,
            task_store.is_running(lane),
            jobs.c.dead_at.is_(None),
            jobs.c.run_after <= work.now,
            sa.or_(jobs.c.leased_until.is_(None), jobs.c.leased_until < work.now),
        )
        .limit(1)
    )
    return work.db.execute(statement).first() is not None
