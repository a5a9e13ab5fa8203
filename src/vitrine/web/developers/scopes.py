"""What an application may do, beside what it does; leaving it less."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.api.capabilities import capability
from vitrine.edge import long_read, run_in_thread, services_of, write
from vitrine.errors import Invalid
from vitrine.oauth.scopes import BY_NAME
from vitrine.platform.database import UnitOfWork
from vitrine.web.developers.application import APPLICATION, application_id
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import page, redirect, said


async def scopes(request: Request) -> Response:
    return await _scopes(request)


async def _scopes(request: Request, fault: str = "") -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        application = services.applications.registry.get(work, actor, application_id(request))
        held = services.oauth.scope_limits.uses(work, actor, application, capability)
        used = services.oauth.scope_limits.calls(work, actor, application, capability)
        return {"application": application, "held": held, "used": used}

    await run_in_thread(services.deferred_writes.flush)
    shown = await long_read(request, known, call)
    return page(request, "developers/scopes.html", part="scopes", known=BY_NAME, fault=fault, **shown)


async def narrow(request: Request) -> Response:
    """Leave it what is ticked, or take the narrowing back (*do* = undo)."""
    given = await posted(request)
    services = services_of(request)
    ticked = sorted(name for name in BY_NAME if f"allow-{name}" in given)

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.applications.documents.set_scopes(
            work, actor, application_id(request), None if given.get("do") == "undo" else ticked
        )

    try:
        await write(request, known, call)
    except Invalid as refusal:
        return await _scopes(request, said(request, refusal))
    return redirect(f"/developers/application/{application_id(request)}/scopes/")


ROUTES = [
    Route(APPLICATION + "scopes/", scopes, methods=["GET"]),
    Route(APPLICATION + "scopes/", narrow, methods=["POST"]),
]
