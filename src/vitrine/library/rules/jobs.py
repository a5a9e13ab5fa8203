"""The jobs of rules: one looks every minute for rules whose time has come, one does one run of one rule."""

from datetime import timedelta

from vitrine.jobs import JobKind, Jobs
from vitrine.library.rules import store
from vitrine.platform.database import UnitOfWork

RUN_RULES_DUE = JobKind("rules.due", lane="rules")
RUN_RULE = JobKind("rules.run", lane="rules", max_attempts=40)
LOOK_EVERY = timedelta(minutes=1)
NOW = timedelta(0)


def watch(work: UnitOfWork, jobs: Jobs, after: timedelta = LOOK_EVERY) -> None:
    """Look for due rules, as long as any is on. Nothing is queued twice."""
    if store.are_some_on(work):
        jobs.add(work, RUN_RULES_DUE, {}, key="all", after=after)


def queue_run(work: UnitOfWork, jobs: Jobs, run_id: int, after: timedelta = NOW) -> None:
    jobs.add(work, RUN_RULE, {"run_id": run_id}, key=str(run_id), after=after)
