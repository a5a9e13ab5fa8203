"""What an application may do beside what it does; what is left of its limits; the old habits, explained."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.api.capabilities import capability
from vitrine.api.wire.endpoint import GUIDE
from vitrine.applications import Application
from vitrine.edge import Services, cookie, long_read, read, run_in_thread, services_of, write
from vitrine.edge.quotas import Left
from vitrine.errors import Invalid
from vitrine.oauth.deprecated_features import SUNSET
from vitrine.oauth.personal_tokens import NamedToken
from vitrine.oauth.scopes import BY_NAME
from vitrine.platform.database import UnitOfWork
from vitrine.web.developers.settings import ONE, application_id
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import page, redirect, said


@dataclass(frozen=True, slots=True)
class Limited:
    """A row of *Limits*: *what* is "application", "account" (of who looks), "developer" or "token".

    *name* is that of the application or of the named token."""

    what: str
    name: str
    left: Left


def limits(
    here: Services, actor: Actor, application: Application, developer: Any, tokens: list[NamedToken]
) -> list[Limited]:
    """From the counters behind the `RateLimit` headers of this server."""
    made = [Limited("application", application.name, here.limits.quotas.application.look(application.id))]
    made.append(Limited("account", "", here.limits.quotas.account.look(actor.must_user_id)))
    if developer is not None:
        made.append(Limited("developer", "", here.limits.quotas.token.look(developer.id)))
    return made + [Limited("token", one.name, here.limits.quotas.token.look(one.id)) for one in tokens]


async def scopes(request: Request) -> Response:
    return await _scopes(request)


async def _scopes(request: Request, fault: str = "") -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        found = services.applications.registry.get(work, actor, application_id(request))
        held = services.oauth.narrowing.held(work, actor, found, capability)
        used = services.oauth.narrowing.used(work, actor, found, capability)
        return {"application": found, "held": held, "used": used}

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


async def guide(request: Request) -> Response:
    """Where the `Link` header of an answer to an old habit leads; for everybody."""
    await read(request, cookie, lambda _work, _actor: None)
    return page(request, "developers/deprecated_features.html", sunset=SUNSET)


ROUTES = [
    Route(GUIDE, guide, methods=["GET"]),
    Route(ONE + "scopes/", scopes, methods=["GET"]),
    Route(ONE + "scopes/", narrow, methods=["POST"]),
]
