"""The administrators' page of applications (contract 07 P11 "Better"): list, approve, refuse, suspend, resume."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.applications import ApplicationId, usage
from vitrine.applications.store import MOST_COUNTED
from vitrine.edge import long_read, services_of, write
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import page, page_number, redirect, said

PAGE = "/admin/applications/"
PER_PAGE = 50


async def show(request: Request) -> Response:
    return await _page(request)


async def _page(request: Request, fault: str = "", fault_of: int = 0) -> Response:
    services = services_of(request)
    words = request.query_params.get("q", "").strip()[:100]
    at = page_number(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        applications = services.applications.lifecycle.every(
            work, actor, limit=PER_PAGE + 1, offset=(at - 1) * PER_PAGE, words=words
        )
        shown = applications[:PER_PAGE]
        return {
            "applications": shown,
            "more": len(applications) > PER_PAGE,
            "people": services.applications.registry.people(work, shown),
            "most_counted": MOST_COUNTED,
            "month": usage.summaries(work, [application.id for application in shown], usage.first_hour(work)),
        }

    return page(
        request, "admin/applications.html", words=words, at=at, fault=fault, fault_of=fault_of,
        needs_approval=services.applications.portal.needs_approval, **await long_read(request, known, call),
    )  # fmt: skip


async def decide(request: Request) -> Response:
    given = await posted(request)
    services = services_of(request)
    application_id, action = ApplicationId(request.path_params["id"]), given.get("do", "")
    reason = given.get("reason", "")

    def call(work: UnitOfWork, actor: Actor) -> None:
        if action in ("approve", "refuse"):
            services.applications.lifecycle.decide(work, actor, application_id, yes=action == "approve", reason=reason)
        elif action == "suspend":
            services.applications.lifecycle.suspend(work, actor, application_id, reason, by="admin")
        elif action == "resume":
            services.applications.lifecycle.resume(work, actor, application_id, by="admin")
        else:
            raise Invalid("There is no such choice.", field="do")

    try:
        await write(request, known, call)
    except Invalid as refusal:
        if refusal.field != "reason":
            raise
        return await _page(request, said(request, refusal), application_id)
    return redirect(f"{PAGE}?{request.url.query}" if request.url.query else PAGE)


ROUTES = [
    Route(PAGE, show, methods=["GET"]),
    Route(PAGE + "{id:int}/", decide, methods=["POST"]),
]
