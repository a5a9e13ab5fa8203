"""The server and its tasks, for administrators: contract 02 section 6.1."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v1 import present_monitor as present
from vitrine.api.v1.route import V1Route
from vitrine.api.wire.endpoint import Handler
from vitrine.api.wire.envelope import answer
from vitrine.edge import bearer, read, services_of, write
from vitrine.edge.params import natural
from vitrine.edge.run import Call
from vitrine.errors import Invalid
from vitrine.operations.tasks import NoSuchTask, Task, Tasks, require_administrator
from vitrine.platform import cache
from vitrine.platform.database import UnitOfWork

SCOPE = "administration"
CLAUSE = "02 §6.1"
_FALSE = frozenset({"", "0", "false"})


async def scheduler(request: Request) -> Response:
    """GET /monitor/scheduler/"""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        current = services.tasks.scheduler(work, actor)
        return present.scheduler(current, work.now, services.settings.zone)

    return answer(request, {"scheduler": await read(request, bearer, call)})


async def tasks(request: Request) -> Response:
    """GET /monitor/tasks/"""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        return [present.task(task, services.settings.zone) for task in services.tasks.all(work, actor)]

    return answer(request, {"tasks": await read(request, bearer, call)})


async def task(request: Request) -> Response:
    """GET /monitor/task/{task}/"""
    return _shown(request, await read(request, bearer, _of_task(request, Tasks.get)))


async def change_task(request: Request) -> Response:
    """POST /monitor/task/{task}/: `title` or `autostart`, which can only be switched on here (02 section 6.1)."""

    def change(tasks: Tasks, work: UnitOfWork, actor: Actor, number: int) -> Task:
        params = request.state.params
        title, autostart = params.text("title"), params.text("autostart") or ""
        autostarts = True if autostart.strip().lower() not in _FALSE else None
        tasks.get(work, actor, number)
        if title is None and autostarts is None:
            raise Invalid("Send title, or autostart=1.", field="title")
        return tasks.change(work, actor, number, title=title, autostarts=autostarts)

    return _shown(request, await write(request, bearer, _of_task(request, change)))


async def start_task(request: Request) -> Response:
    """POST /monitor/task/{task}/start/"""
    return _shown(request, await write(request, bearer, _of_task(request, Tasks.start)))


async def stop_task(request: Request) -> Response:
    """POST /monitor/task/{task}/stop/"""
    return _shown(request, await write(request, bearer, _of_task(request, Tasks.stop)))


def _of_task(request: Request, method: Callable[[Tasks, UnitOfWork, Actor, int], Task]) -> Call[Task]:
    """A call of *method* for the task of the path. The right is asked before anything is said about the number."""
    services, number = services_of(request), natural(request.path_params["task"])

    def call(work: UnitOfWork, actor: Actor) -> Task:
        require_administrator(actor)
        if number is None:
            raise NoSuchTask("There is no such task.", field="task")
        return method(services.tasks, work, actor, number)

    return call


def _shown(request: Request, task: Task) -> Response:
    return answer(request, {"task": present.task(task, services_of(request).settings.zone)})


async def server(request: Request) -> Response:
    """GET /monitor/phraseanet/"""
    services = services_of(request)
    await read(request, bearer, lambda _work, actor: require_administrator(actor))
    is_ready = not services.search.index.needs_rebuild()
    engine = {"type": "tantivy", "status": "online" if is_ready else "rebuilding"}
    body = {
        "phraseanet": present.server(services.settings, is_in_maintenance=services.maintenance.is_on),
        "cache": present.caches(cache.counters()),
        "global_values": present.global_values(services.settings, services.instance_id, engine),
    }
    return answer(request, body)


def _row(path: str, handler: Handler, summary: str, method: str = "GET") -> V1Route:
    return V1Route("/monitor/" + path, (method,), handler, CLAUSE, summary, SCOPE)


ROUTES: tuple[V1Route, ...] = (
    _row("scheduler/", scheduler, "Whether a worker runs"),
    _row("tasks/", tasks, "Tasks of the worker"),
    V1Route(
        "/monitor/task/{task}/",
        ("GET", "POST"),
        {"GET": task, "POST": change_task},
        CLAUSE,
        "One task of the worker, shown or changed",
        SCOPE,
    ),
    _row("task/{task}/start/", start_task, "Start a task", "POST"),
    _row("task/{task}/stop/", stop_task, "Stop a task", "POST"),
    _row("phraseanet/", server, "The server and its settings, without secrets"),
)
