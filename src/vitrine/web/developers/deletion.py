"""Deleting an application, and bringing it back within 14 days."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.applications import (
    Application,
)
from vitrine.applications.store import MOST_COUNTED
from vitrine.edge import listing, services_of, write
from vitrine.platform.database import UnitOfWork
from vitrine.web.developers.application import APPLICATION, application_id, back_to
from vitrine.web.developers.settings import facts
from vitrine.web.shared.errors import json_answer
from vitrine.web.shared.forms import known, posted, xhr
from vitrine.web.shared.render import page, redirect, translate


async def delete(request: Request) -> Response:
    """The form asks to type the name; the XHR-JSON route asks nothing (01 section 9)."""
    services = services_of(request)
    if request.method == "DELETE":
        await xhr(request)
        await write(
            request,
            known,
            lambda work, actor: services.applications.lifecycle.delete(work, actor, application_id(request)),
        )
        return json_answer({"success": True})
    given = await posted(request)
    shown = await facts(request)
    if given.get("name", "").strip() != shown.application.name:
        fault = translate(request, "The name you typed is not the name of this application. Nothing was deleted.")
        return page(
            request, "developers/delete.html", application=shown.application, fault=fault, people=0, most_counted=0
        )
    await write(
        request, known, lambda work, actor: services.applications.lifecycle.delete(work, actor, application_id(request))
    )
    return redirect("/developers/applications/")


async def ask_delete(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[Application, int]:
        application = services.applications.registry.get(work, actor, application_id(request))
        return application, services.applications.registry.people(work, [application]).get(application.id, 0)

    application, people = await listing(request, known, call)
    return page(
        request, "developers/delete.html", application=application, fault="", people=people, most_counted=MOST_COUNTED
    )


async def restore(request: Request) -> Response:
    await posted(request)
    services = services_of(request)
    await write(
        request,
        known,
        lambda work, actor: services.applications.lifecycle.restore(work, actor, application_id(request)),
    )
    return back_to(request)


ROUTES = [
    Route(APPLICATION, delete, methods=["DELETE"]),
    Route(APPLICATION + "delete/", ask_delete, methods=["GET"]),
    Route(APPLICATION + "delete/", delete, methods=["POST"]),
    Route(APPLICATION + "restore/", restore, methods=["POST"]),
]
