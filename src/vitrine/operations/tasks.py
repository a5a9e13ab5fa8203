"""The work of the workers, for administrators: what runs, what is stopped, and stopping it (contract 02 sections 5.19
and 6.1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vitrine.accounts import Actor, Via
from vitrine.errors import Forbidden, Invalid, NotFound
from vitrine.jobs import store, task_store
from vitrine.jobs.tasks import BY_NUMBER, TASKS, THREADS, TaskDefinition, TaskRow
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork
from vitrine.platform.supervision import Status
from vitrine.platform.texts import of_one_line

SEEN_WITHIN = timedelta(seconds=30)  # a worker that did not show itself for longer is none
LONGEST_TITLE = 200


class NotAdministrator(Forbidden):
    """401 on v1 (02 section 6.1)."""

    code = "not_administrator"


class NoSuchTask(NotFound):
    code = "no_such_task"


def require_administrator(actor: Actor) -> None:
    """Raises NotAdministrator, also for a token with scopes that lacks `administration`."""
    if actor.via is not Via.COMMAND and not actor.administers:
        raise NotAdministrator("Only administrators may do this.")


@dataclass(frozen=True, slots=True)
class Task:
    """*is_started* is the wish, *is_running* the fact: a living worker looks after it and it is not stopped, or a job
    that began before is not finished. *process_id* is that of such a worker, None without one."""

    number: int
    lane: str
    title: str
    is_started: bool
    is_running: bool
    process_id: int | None
    period_s: int
    last_run: datetime | None
    created: datetime | None
    updated: datetime | None
    autostarts: bool
    restarts: int


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Whether a worker lives, and its process."""

    is_running: bool
    process_id: int | None


class Tasks:
    """Every method requires an administrator, and raises NotAdministrator."""

    def all(self, work: UnitOfWork, actor: Actor) -> list[Task]:
        require_administrator(actor)
        rows, busy = task_store.rows(work), task_store.busy_lanes(work)
        workers = store.statuses(work, work.now - SEEN_WITHIN)
        return [_task(definition, rows.get(definition.lane), busy, workers) for definition in TASKS]

    def get(self, work: UnitOfWork, actor: Actor, number: int) -> Task:
        """Raises NoSuchTask."""
        tasks = {task.number: task for task in self.all(work, actor)}
        if number not in tasks:
            raise NoSuchTask(f"There is no task {number}.", field="task")
        return tasks[number]

    def change(
        self, work: UnitOfWork, actor: Actor, number: int, *, title: str | None = None, autostarts: bool | None = None
    ) -> Task:
        """Set what is given. Raises NoSuchTask, or Invalid for an empty or long title."""
        lane = self._lane(actor, number)
        values: dict[str, str | bool] = {} if autostarts is None else {"autostarts": autostarts}
        if title is not None:
            values["title"] = _checked_title(title)
        task_store.change(work, lane, values)
        audit.write(work, actor, "task.changed", f"task {number}", values)
        return self.get(work, actor, number)

    def start(self, work: UnitOfWork, actor: Actor, number: int) -> Task:
        return self._set_stopped(work, actor, number, is_stopped=False)

    def stop(self, work: UnitOfWork, actor: Actor, number: int) -> Task:
        """After the commit no worker begins a job of this task; what runs is finished. The server itself needs none of
        the tasks, so it can be started again."""
        return self._set_stopped(work, actor, number, is_stopped=True)

    def scheduler(self, work: UnitOfWork, actor: Actor) -> Scheduler:
        require_administrator(actor)
        owners = list(store.statuses(work, work.now - SEEN_WITHIN))
        return Scheduler(bool(owners), _process_of(owners[0]) if owners else None)

    def _set_stopped(self, work: UnitOfWork, actor: Actor, number: int, *, is_stopped: bool) -> Task:
        task_store.change(work, self._lane(actor, number), {"is_stopped": is_stopped})
        audit.write(work, actor, "task.stopped" if is_stopped else "task.started", f"task {number}")
        return self.get(work, actor, number)

    @staticmethod
    def _lane(actor: Actor, number: int) -> str:
        require_administrator(actor)
        definition = BY_NUMBER.get(number)
        if definition is None:
            raise NoSuchTask(f"There is no task {number}.", field="task")
        return definition.lane


def _checked_title(title: str) -> str:
    checked = of_one_line(title).strip()
    if not 0 < len(checked) <= LONGEST_TITLE:
        raise Invalid(f"title must have 1 to {LONGEST_TITLE} characters.", field="title")
    return checked


def _task(
    definition: TaskDefinition, row: TaskRow | None, busy: dict[str, str], workers: dict[str, list[Status]]
) -> Task:
    lane = definition.lane
    threads = [(owner, status) for owner, statuses in workers.items() for status in statuses if _serves(status, lane)]
    up = [owner for owner, status in threads if status.state.is_up]
    is_started = row is None or not row.is_stopped
    owner = busy.get(lane) or (up[0] if up and is_started else None)
    return Task(
        number=definition.number,
        lane=lane,
        title=(row.title if row else None) or definition.title,
        is_started=is_started,
        is_running=owner is not None,
        process_id=None if owner is None else _process_of(owner),
        period_s=definition.period_s,
        last_run=row.last_run if row else None,
        created=row.created if row else None,
        updated=row.updated if row else None,
        autostarts=row is not None and row.autostarts,
        restarts=sum(status.restarts for _, status in threads),
    )


def _serves(status: Status, lane: str) -> bool:
    return status.name == lane if lane in THREADS else status.name.startswith(f"lane-{lane}-")


def _process_of(owner: str) -> int | None:
    """The process in the name of a worker (`machine:folder:process`)."""
    number = owner.rpartition(":")[2]
    return int(number) if number.isdecimal() else None
