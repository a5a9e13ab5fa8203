"""All SQL of the rows of tasks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from vitrine.jobs.tables import jobs, tasks
from vitrine.jobs.tasks import TaskRow
from vitrine.platform.database import UnitOfWork

_ROW = [tasks.c[name] for name in TaskRow.__dataclass_fields__]


def is_running(lane: str) -> sa.ColumnElement[bool]:
    """The condition that the task of *lane* is not stopped; a task without a row is not."""
    return ~sa.select(tasks.c.lane).where(tasks.c.lane == lane, tasks.c.is_stopped).exists()


def is_stopped(work: UnitOfWork, lane: str) -> bool:
    return work.db.scalar(sa.select(tasks.c.lane).where(tasks.c.lane == lane, tasks.c.is_stopped)) is not None


def rows(work: UnitOfWork) -> dict[str, TaskRow]:
    """By lane; there are as many as the program defines."""
    return {row.lane: TaskRow(*row) for row in work.db.execute(sa.select(*_ROW))}


def ensure(work: UnitOfWork, lanes: Sequence[str]) -> None:
    """Add the rows that are missing. Only in a write that is alone."""
    known = set(work.db.scalars(sa.select(tasks.c.lane)))
    missing = [{"lane": lane, "created": work.now, "updated": work.now} for lane in lanes if lane not in known]
    if missing:
        work.db.execute(tasks.insert(), missing)


def start_automatically(work: UnitOfWork) -> None:
    """Start the stopped tasks that start with a worker."""
    stopped = sa.and_(tasks.c.is_stopped, tasks.c.autostarts)
    work.db.execute(tasks.update().where(stopped).values(is_stopped=False, updated=work.now))


def change(work: UnitOfWork, lane: str, values: Mapping[str, Any]) -> None:
    ensure(work, [lane])
    work.db.execute(tasks.update().where(tasks.c.lane == lane).values(updated=work.now, **values))


def record_runs(work: UnitOfWork, runs: Mapping[str, datetime]) -> None:
    """When each lane last took a job. In one order, so that two workers do not wait for each other."""
    for lane, at in sorted(runs.items()):
        work.db.execute(tasks.update().where(tasks.c.lane == lane).values(last_run=at))


def busy_lanes(work: UnitOfWork) -> dict[str, str]:
    """The lanes with a job that a worker holds, each with the name of one such worker."""
    held = jobs.c.leased_until > work.now
    statement = sa.select(jobs.c.lane, sa.func.max(jobs.c.leased_by)).where(held, jobs.c.dead_at.is_(None))
    return {row[0]: row[1] for row in work.db.execute(statement.group_by(jobs.c.lane))}
