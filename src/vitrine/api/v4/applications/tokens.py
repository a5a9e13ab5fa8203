"""The caller's developer tokens of an application, and the tokens that people gave it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.applications import present
from vitrine.api.v4.applications.content import application_id
from vitrine.api.v4.content import answer, json_members, nothing, secret_answer
from vitrine.api.v4.idempotency import change
from vitrine.edge import bearer, listing, run_in_thread, services_of, write
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork


async def listed(request: Request) -> Response:
    """The caller's own named developer tokens of this application."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Any:
        application = services.applications.registry.get(work, actor, application_id(request))
        return services.oauth.personal_tokens.all(work, actor, application)

    await run_in_thread(services.deferred_writes.flush)
    return answer({"tokens": [present.token(token) for token in await listing(request, bearer, call)]})


def permit(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).applications.registry.for_token(work, actor, application_id(request))


async def add(request: Request) -> Response:
    """A new one, shown once. *scopes* null is everything, which only a token without scopes can give."""
    services = services_of(request)
    values = await json_members(request, name=str, days=int, scopes=list)
    days = 90 if values["days"] is None else values["days"]
    scopes = values["scopes"]
    if scopes is not None and not all(isinstance(scope, str) for scope in scopes):
        raise Invalid("scopes must be a list of names, or null.", field="scopes")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        application = services.applications.registry.for_token(work, actor, application_id(request))
        scope = None if scopes is None else frozenset(scopes)
        tokens = services.oauth.personal_tokens
        value = tokens.add(work, actor, application, values["name"] or "", str(days), scope)
        newest = tokens.all(work, actor, application)[0]
        return secret_answer({**present.token(newest), "token": value}, 201)

    return await change(request, call)


async def revoke(request: Request) -> Response:
    services, token_id = services_of(request), request.path_params["token"]

    def call(work: UnitOfWork, actor: Actor) -> None:
        application = services.applications.registry.get(work, actor, application_id(request))
        services.oauth.personal_tokens.revoke(work, actor, application, token_id)

    await write(request, bearer, call)
    return nothing()


async def revoke_users(request: Request) -> Response:
    """End every token that people gave this application; their consent stays."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> int:
        application = services.applications.registry.get(work, actor, application_id(request))
        return services.oauth.personal_tokens.revoke_users(work, actor, application)

    return answer({"ended": await write(request, bearer, call)})
