"""Owners and testers of an application."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.applications import Application
from vitrine.applications.people import People
from vitrine.applications.secret_views import RotationOffer
from vitrine.edge import listing, services_of, write
from vitrine.edge.params import natural
from vitrine.errors import DomainError, Invalid
from vitrine.platform.database import UnitOfWork
from vitrine.web.developers.application import APPLICATION, application_id, back_to
from vitrine.web.shared.forms import known
from vitrine.web.shared.reauthentication import requires_recent_auth
from vitrine.web.shared.render import page, redirect, said


async def people(request: Request) -> Response:
    return await _people(request, {})


async def _people(request: Request, faults: dict[str, str]) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[Application, People, list[RotationOffer]]:
        application = services.applications.registry.get(work, actor, application_id(request))
        return (
            application,
            services.applications.people.of(work, actor, application.id),
            services.applications.secrets.offers(work, actor, application.id),
        )

    application, people, offers = await listing(request, known, call)
    return page(
        request, "developers/people.html", application=application, people=people, faults=faults, part="people",
        offers=offers,
    )  # fmt: skip


async def change_people(request: Request, given: dict[str, str]) -> Response:
    """*do* says what: add or remove an owner or tester, give the application away, open it to testers only."""
    services = services_of(request)
    action = given.get("do", "")
    login, person = given.get(action, ""), natural(given.get("person", ""))

    def call(work: UnitOfWork, actor: Actor) -> bool:
        this = application_id(request)
        if action in ("owner", "tester"):
            services.applications.people.add(work, actor, this, login, action)
        elif action in ("remove-owner", "remove-tester") and person is not None:
            services.applications.people.remove(work, actor, this, person, action.removeprefix("remove-"))
        elif action == "transfer":
            services.applications.people.transfer(work, actor, this, login)
        elif action == "only-testers":
            services.applications.people.set_only_testers(work, actor, this, on=given.get("on") == "1")
        else:
            services.applications.registry.get(work, actor, this)
            raise Invalid("There is no such choice.", field="do")
        return services.applications.registry.may_open(work, actor, this)

    try:
        may_stay = await write(request, known, call)
    except DomainError as refusal:
        if refusal.field not in ("owner", "tester", "transfer"):
            raise
        return await _people(request, {refusal.field: said(request, refusal)})
    if not may_stay:
        return redirect("/developers/applications/")
    return back_to(request, sub="people/")


ROUTES = [
    Route(APPLICATION + "people/", people, methods=["GET"]),
    Route(APPLICATION + "people/", requires_recent_auth(change_people), methods=["POST"]),
]
