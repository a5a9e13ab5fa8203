"""Databoxes as who manages them sees them: settings, order, tasks."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.accounts.model import ADMINISTRATION
from vitrine.api.v4.administration.common import (
    JSON,
    LABELS,
    ORDER,
    PERHAPS_PATH,
    SCOPE,
    TASK_SCHEMA,
    databox_id,
    labels,
    logo_path,
    members,
    only,
    permit_administrator,
    permit_managing,
    tag,
    task,
)
from vitrine.api.v4.content import answer, json_members, nothing, require_tag
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import FLAG, NUMBER, TEXT, full_object_of, named, object_of
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, listing, read, services_of, write
from vitrine.errors import Invalid
from vitrine.library.model import Databox
from vitrine.platform.database import UnitOfWork

_SETTINGS = {
    "databox_id": NUMBER, "name": TEXT, "title": TEXT, "labels": LABELS, "registration_open": FLAG,
    "logo": PERHAPS_PATH, "terms_version": {"type": "integer", "description": "of the terms of use in force; 0: none"},
}  # fmt: skip
_CHANGES = object_of(title=TEXT, labels=LABELS, registration_open=FLAG)
COMPONENTS = {
    "DataboxSettings": full_object_of(**_SETTINGS),
    "StructureTask": TASK_SCHEMA,
    "StructureTaskPage": page_schema(named("StructureTask")),
}


def _shown(box: Databox, status: int = 200) -> Response:
    value: dict[str, Any] = {
        "databox_id": box.id, "name": box.name, "title": box.view_name, "labels": labels(box.labels),
        "registration_open": box.registration_open, "logo": logo_path(box.logo), "terms_version": box.terms_number,
    }  # fmt: skip
    headers = {"ETag": tag(box.revision, box.id)}
    if status == 201:
        headers["Location"] = f"/api/v4/databoxes/{box.id}"
    return answer(value, status, headers)


async def make(request: Request) -> Response:
    services = services_of(request)
    given = await json_members(request, name=str, labels=dict)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        created = services.library.structure.add_databox(work, actor, given["name"] or "", given["labels"])
        return _shown(created, 201)

    return await change(request, call)


async def order(request: Request) -> Response:
    services, ids = services_of(request), await only(request, "order")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.library.administration.databoxes.order(work, actor, ids)
        return nothing()

    return await write(request, bearer, call)


async def settings(request: Request) -> Response:
    databoxes, box = services_of(request).library.administration.databoxes, databox_id(request)
    return await read(request, bearer, lambda work, actor: _shown(databoxes.managed(work, actor, box)))


async def set_settings(request: Request) -> Response:
    databoxes, box = services_of(request).library.administration.databoxes, databox_id(request)
    given = await members(request)
    if "view_name" in given:
        raise Invalid("There is no field called view_name here.", field="view_name")
    if "title" in given:
        given["view_name"] = given.pop("title")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        before = databoxes.managed(work, actor, box)
        require_tag(request, tag(before.revision, box), required=True)
        return _shown(databoxes.change(work, actor, box, given))

    return await write(request, bearer, call)


async def tasks(request: Request) -> Response:
    service, box, page = services_of(request).library.administration.tasks, databox_id(request), page_of(request, int)
    (before,) = page.after or (None,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = service.listed(work, actor, box, before=before, limit=page.limit + 1)
        return listed(request, rows, page, lambda row: (row.id,), task)

    return await listing(request, bearer, call, rows=page.limit)


async def one_task(request: Request) -> Response:
    service, box = services_of(request).library.administration.tasks, databox_id(request)
    number = int(request.path_params["task_id"])
    return await read(request, bearer, lambda work, actor: answer(task(service.get(work, actor, box, number))))


_BOX = "/databoxes/{databox_id:int}"
ROUTES = (
    V4Route("/databoxes", "POST", make, "Make a databox, with the usual fields and renditions", ADMINISTRATION,
            named("DataboxSettings"), object_of(name=TEXT, labels=LABELS), 201,
            permit=permit_administrator, example={"name": "Annexe"}),
    V4Route("/databoxes/order", "PUT", order, "Put all databoxes in an order", ADMINISTRATION,
            body=object_of(order=ORDER), status=204, permit=permit_administrator, media_type=JSON),
    V4Route(_BOX + "/settings", "GET", settings, "What you may set of a databox", SCOPE, named("DataboxSettings")),
    V4Route(_BOX + "/settings", "PATCH", set_settings, "Set something of a databox", SCOPE, named("DataboxSettings"),
            _CHANGES, guard="required", permit=permit_managing,
            example={"title": "The museum", "labels": {"fr": "Le musée"}}),
    V4Route(_BOX + "/tasks", "GET", tasks, "Work on many records after a change of the structure, newest first", SCOPE,
            named("StructureTaskPage"), is_list=True),
    V4Route(_BOX + "/tasks/{task_id:int}", "GET", one_task, "How far such work is", SCOPE, named("StructureTask")),
)  # fmt: skip
