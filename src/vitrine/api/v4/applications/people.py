"""The owners and test users of an application."""

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.applications import present
from vitrine.api.v4.applications.content import application_id, require_tag
from vitrine.api.v4.content import answer, json_members, nothing
from vitrine.api.v4.idempotency import change
from vitrine.edge import bearer, listing, services_of, write
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork


async def listed(request: Request) -> Response:
    groups = services_of(request).applications.people
    people = await listing(request, bearer, lambda work, actor: groups.of(work, actor, application_id(request)))
    return answer(
        {
            "creator": None if people.creator is None else present.person(people.creator),
            "owners": [present.person(person) for person in people.owners],
            "testers": [present.person(person) for person in people.testers],
        }
    )


async def add_owner(request: Request) -> Response:
    return await _add(request, "owner")


async def add_tester(request: Request) -> Response:
    return await _add(request, "tester")


async def _add(request: Request, role: str) -> Response:
    services, values = services_of(request), await json_members(request, login=str)
    if not (values["login"] or "").strip():
        raise Invalid("login must be the login or the e-mail address of somebody here.", field="login")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, services.applications.registry.get(work, actor, application_id(request)))
        user = services.applications.people.add(work, actor, application_id(request), values["login"], role)
        return answer({"id": user.id, "login": user.login, "name": f"{user.first_name} {user.last_name}".strip()}, 201)

    return await change(request, call)


async def remove_owner(request: Request) -> Response:
    return await _remove(request, "owner")


async def remove_tester(request: Request) -> Response:
    return await _remove(request, "tester")


async def _remove(request: Request, role: str) -> Response:
    services, person_id = services_of(request), request.path_params["person"]

    def call(work: UnitOfWork, actor: Actor) -> None:
        require_tag(request, services.applications.registry.get(work, actor, application_id(request)))
        services.applications.people.remove(work, actor, application_id(request), person_id, role)

    await write(request, bearer, call)
    return nothing()
