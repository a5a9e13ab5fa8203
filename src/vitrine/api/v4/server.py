"""The server for administrators: tasks of the worker, and maintenance."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.content import answer, json_members, moment
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import FLAG, NUMBER, PERHAPS_MOMENT, PERHAPS_NUMBER, TEXT, full_object_of, named, object_of
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, read, services_of, write
from vitrine.errors import Invalid
from vitrine.operations.tasks import Task, require_administrator
from vitrine.platform.database import UnitOfWork

SCOPE = "administration"
COMPONENTS = {
    "Task": full_object_of(
        task_id=NUMBER,
        title=TEXT,
        started={**FLAG, "description": "it may run"},
        running={**FLAG, "description": "a worker looks after it"},
        process_id=PERHAPS_NUMBER,
        period_s={**NUMBER, "description": "0: all the time"},
        last_run=PERHAPS_MOMENT,
        autostart={**FLAG, "description": "each worker that starts, starts it"},
        restarts={**NUMBER, "description": "of its threads"},
    ),
    "TaskPage": page_schema(named("Task")),
    "Maintenance": full_object_of(on={**FLAG, "description": "only administrators get in"}),
}


def _task(task: Task) -> dict[str, Any]:
    return {
        "task_id": task.number,
        "title": task.title,
        "started": task.is_started,
        "running": task.is_running,
        "process_id": task.process_id,
        "period_s": task.period_s,
        "last_run": moment(task.last_run),
        "autostart": task.autostarts,
        "restarts": task.restarts,
    }


def permit(_request: Request, _work: UnitOfWork, actor: Actor) -> None:
    require_administrator(actor)


async def tasks(request: Request) -> Response:
    """A few, so there is one page."""
    service = services_of(request).tasks
    return await read(
        request,
        bearer,
        lambda work, actor: answer({"data": [_task(task) for task in service.all(work, actor)], "next": None}),
    )


async def change_task(request: Request) -> Response:
    service, number = services_of(request).tasks, request.path_params["task_id"]
    given = await json_members(request, title=str, started=bool, autostart=bool)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        if given["title"] is not None or given["autostart"] is not None:
            service.change(work, actor, number, title=given["title"], autostarts=given["autostart"])
        if given["started"] is not None:
            (service.start if given["started"] else service.stop)(work, actor, number)
        return answer(_task(service.get(work, actor, number)))

    return await write(request, bearer, call)


async def maintenance(request: Request) -> Response:
    switch = services_of(request).maintenance
    await read(request, bearer, lambda _work, actor: require_administrator(actor))
    return answer({"on": switch.is_on})


async def switch_maintenance(request: Request) -> Response:
    switch = services_of(request).maintenance
    on = (await json_members(request, on=bool))["on"]
    if on is None:
        raise Invalid("on must be true or false.", field="on")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        switch.switch(work, actor, on=on)
        return answer({"on": on})

    return await write(request, bearer, call)


ROUTES = (
    V4Route("/tasks", "GET", tasks, "Tasks of the worker", SCOPE, named("TaskPage")),
    V4Route("/tasks/{task_id:int}", "PATCH", change_task, "Start, stop or rename a task", SCOPE, named("Task"),
            object_of(title=TEXT, started=FLAG, autostart=FLAG), permit=permit, example={"autostart": True}),
    V4Route("/maintenance", "GET", maintenance, "Whether only administrators get in", SCOPE, named("Maintenance")),
    V4Route("/maintenance", "PUT", switch_maintenance, "Close the server to others, or open it", SCOPE,
            named("Maintenance"), object_of(on=FLAG), permit=permit, example={"on": False}),
)  # fmt: skip
