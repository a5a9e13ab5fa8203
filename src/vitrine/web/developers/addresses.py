"""The redirect addresses of an application, and the check of a field while it is typed."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.applications import (
    Application,
    ApplicationId,
    BadApplication,
)
from vitrine.applications.checks import bad_url
from vitrine.applications.redirects import bad_redirect
from vitrine.edge import read, services_of, write
from vitrine.edge.params import natural
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork
from vitrine.web.developers.application import APPLICATION, application_id, back_to
from vitrine.web.developers.settings import facts, settings_page
from vitrine.web.shared.errors import json_answer
from vitrine.web.shared.forms import is_xhr, known, posted, xhr
from vitrine.web.shared.render import said, translate


async def callback(request: Request) -> Response:
    """The form of the page and the XHR-JSON route share the address; the first has a form token."""
    if is_xhr(request):
        given = await xhr(request)
        if "callback" not in given:
            return json_answer({"success": False, "message": translate(request, "Enter a callback URL.")})
        try:
            await _set_callback(request, given["callback"])
        except BadApplication as refusal:
            return json_answer({"success": False, "message": said(request, refusal)})
        return json_answer({"success": True})
    given = await posted(request)
    try:
        await _set_callback(request, given.get("callback", ""))
    except BadApplication as refusal:
        shown = await facts(request)
        fault = said(request, refusal)
        return await settings_page(request, shown, fault=fault, callback=given.get("callback", ""))
    return back_to(request, "credentials")


async def _set_callback(request: Request, address: str) -> None:
    services = services_of(request)
    await write(
        request,
        known,
        lambda work, actor: services.applications.registry.set_callback(work, actor, application_id(request), address),
    )


async def redirects(request: Request) -> Response:
    """Add, change or remove one address: *old* and *new*, each may be empty."""
    given = await posted(request)
    services = services_of(request)
    old, new = given.get("old", ""), "" if "remove" in given else given.get("new", "")
    if not old and not new.strip():
        new = " "

    def call(work: UnitOfWork, actor: Actor) -> None:
        if not old and not new.strip():
            services.applications.registry.get(work, actor, application_id(request))
            raise BadApplication({"redirect": "Enter a callback URL, beginning with https://."})
        services.applications.portal.change_redirect(work, actor, application_id(request), old, new)

    try:
        await write(request, known, call)
    except (BadApplication, Invalid) as refusal:
        shown = await facts(request)
        place = old if old in shown.application.redirects else ""  # another window may have removed it meanwhile
        fault = (place, given.get("new", ""), said(request, refusal))
        return await settings_page(request, shown, redirect_fault=fault)
    return back_to(request, "redirects")


async def check(request: Request) -> Response:
    """The words for a field while it is typed (XHR): the same rules as the form's, nothing is kept."""
    given = await xhr(request)
    field, value, kind = given.get("field", ""), given.get("value", "").strip(), given.get("kind", "")
    application: Application | None = None
    number = natural(given.get("application", ""))
    if number is not None:
        id_ = ApplicationId(number)
        application = await read(
            request, known, lambda work, actor: services_of(request).applications.registry.get(work, actor, id_)
        )
    else:
        await read(request, known, lambda _work, _actor: None)
    if field in ("callback", "redirect", "new"):
        fault = bad_redirect(value, application, kind)
    elif field in ("website", "privacy_url", "terms_url"):
        fault = bad_url(value) if value or field == "website" else None
    else:
        raise Invalid("There is nothing to check about this field.", field="field")
    return json_answer({"success": fault is None, "message": translate(request, fault) if fault else ""})


ROUTES = [
    Route("/developers/check/", check, methods=["POST"]),
    Route(APPLICATION + "callback/", callback, methods=["POST"]),
    Route(APPLICATION + "redirects/", redirects, methods=["POST"]),
]
