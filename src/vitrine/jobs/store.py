"""All SQL of the job rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from vitrine.jobs.model import Job, Kind, pause_after
from vitrine.jobs.tables import jobs, workers
from vitrine.platform.database import UnitOfWork

_waiting = sa.and_(jobs.c.leased_until.is_(None), jobs.c.dead_at.is_(None))


def _has_waiting_twin() -> sa.ColumnElement[bool]:
    """True for a row whose kind and key another waiting row has too: the newer wish for the same thing."""
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


def add(work: UnitOfWork, kind: Kind, payload: dict[str, Any], *, key: str | None, after: timedelta) -> None:
    """Insert one row; with a *key*, only if no such job waits already.

    The waiting twin is locked until the commit: a worker that took it now would look before the change is there.
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


def lease(work: UnitOfWork, lane: str, owner: str, until: datetime, limit: int) -> list[Job]:
    """Take up to *limit* jobs of *lane* that are ready, or whose lease ran out with its worker."""
    ready = (
        sa.select(jobs.c.id)
        .where(
            jobs.c.lane == lane,
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
    """Delete done jobs, unless another worker has taken them over meanwhile."""
    work.db.execute(jobs.delete().where(jobs.c.id.in_(ids), jobs.c.leased_by == owner))


def fail(work: UnitOfWork, job: Job, owner: str, error: str, *, final: bool) -> None:
    """Put a failed job back with a pause, or mark it dead after its last attempt."""
    values: dict[str, Any] = {"leased_until": None, "leased_by": None, "last_error": error[:2000]}
    mine = sa.and_(jobs.c.id == job.id, jobs.c.leased_by == owner)
    if final or job.is_last_attempt:
        values["dead_at"] = work.now
        work.db.execute(jobs.update().where(mine).values(values))
        return
    values["run_after"] = work.now + pause_after(job.attempts)
    # A newer wish for the same thing already waits: the failed one has nothing to add.
    if work.db.execute(jobs.delete().where(mine, _has_waiting_twin())).rowcount == 0:
        work.db.execute(jobs.update().where(mine).values(values))


def release(work: UnitOfWork, owners: Sequence[str]) -> int:
    """Give back what dead workers held, without waiting for the leases to run out."""
    held = jobs.c.leased_by.in_(owners)
    work.db.execute(jobs.delete().where(held, jobs.c.dead_at.is_(None), _has_waiting_twin()))
    return work.db.execute(
        jobs.update().where(held, jobs.c.dead_at.is_(None)).values(leased_until=None, leased_by=None)
    ).rowcount


def owners(work: UnitOfWork, place: str) -> list[str]:
    """Workers of one place that hold a lease or showed themselves there."""
    mine = workers.c.owner.startswith(f"{place}:", autoescape=True)
    held = jobs.c.leased_by.startswith(f"{place}:", autoescape=True)
    return list(work.db.scalars(sa.select(workers.c.owner).where(mine).union(sa.select(jobs.c.leased_by).where(held))))


def show(work: UnitOfWork, owner: str, started: datetime) -> None:
    """Note that a worker lives; only that worker writes its row."""
    if work.db.execute(workers.update().where(workers.c.owner == owner).values(seen=work.now)).rowcount == 0:
        work.db.execute(workers.insert().values(owner=owner, started=started, seen=work.now))


def forget(work: UnitOfWork, owners: Sequence[str]) -> None:
    work.db.execute(workers.delete().where(workers.c.owner.in_(owners)))


def forget_unseen(work: UnitOfWork, since: datetime) -> None:
    work.db.execute(workers.delete().where(workers.c.seen < since))


def last_seen(work: UnitOfWork) -> datetime | None:
    """When any worker last showed itself."""
    seen: datetime | None = work.db.scalar(sa.select(sa.func.max(workers.c.seen)))
    return seen


def waiting(work: UnitOfWork) -> dict[str, int]:
    """Number of unfinished jobs by kind; dead ones are not counted."""
    rows = work.db.execute(
        sa.select(jobs.c.kind, sa.func.count()).where(jobs.c.dead_at.is_(None)).group_by(jobs.c.kind)
    )
    return {row[0]: row[1] for row in rows}


def dead(work: UnitOfWork, limit: int = 100) -> list[tuple[int, str, str]]:
    """(id, kind, last error) of jobs that were given up, newest first."""
    rows = work.db.execute(
        sa.select(jobs.c.id, jobs.c.kind, jobs.c.last_error)
        .where(jobs.c.dead_at.is_not(None))
        .order_by(jobs.c.dead_at.desc())
        .limit(limit)
    )
    return [(row.id, row.kind, row.last_error or "") for row in rows]


def count_dead(work: UnitOfWork) -> int:
    return int(work.db.scalar(sa.select(sa.func.count()).select_from(jobs).where(jobs.c.dead_at.is_not(None))) or 0)


def has_ready(work: UnitOfWork, lane: str) -> bool:
    statement = (
        sa.select(jobs.c.id)
        .where(
            jobs.c.lane == lane,
            jobs.c.dead_at.is_(None),
            jobs.c.run_after <= work.now,
            sa.or_(jobs.c.leased_until.is_(None), jobs.c.leased_until < work.now),
        )
        .limit(1)
    )
    return work.db.execute(statement).first() is not None
