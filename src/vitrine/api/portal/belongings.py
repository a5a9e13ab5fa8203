"""What hangs on an application: secrets, developer tokens, people, limits, old habits, capabilities."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.capabilities import capability
from vitrine.api.portal import present
from vitrine.api.portal.applications import application_id, shown
from vitrine.api.portal.endpoint import answer, fields, json_body, nothing, require_tag
from vitrine.applications import Application
from vitrine.edge import bearer, long_read, read, run_in_thread, services_of, write
from vitrine.errors import Conflict, Invalid, NotFound
from vitrine.platform.database import UnitOfWork


async def secrets(request: Request) -> Response:
    """The live ones without their values, the newest first: two at most."""
    services = services_of(request)
    found = await read(
        request, bearer, lambda work, actor: services.applications.secrets.live(work, actor, application_id(request))
    )
    return answer({"secrets": [present.secret(one) for one in found]})


async def rotate(request: Request) -> Response:
    """A new secret, told once; the one before works for `overlap_hours` more (0, 24 or 168)."""
    here, given = services_of(request), await fields(request, overlap_hours=int)
    hours = 24 if given["overlap_hours"] is None else given["overlap_hours"]

    def call(work: UnitOfWork, actor: Actor) -> tuple[str, Any]:
        require_tag(request, here.applications.registry.get(work, actor, application_id(request)))
        made = here.applications.secrets.rotate(work, actor, application_id(request), str(hours))
        return made, here.applications.secrets.live(work, actor, application_id(request))[0]

    made, kept = await write(request, bearer, call)
    return answer({**present.secret(kept), "client_secret": made}, 201)


async def end_secret(request: Request) -> Response:
    """End the old one of a rotation now. The newest can only be replaced."""
    here, wanted = services_of(request), request.path_params["secret"]

    def call(work: UnitOfWork, actor: Actor) -> None:
        live = here.applications.secrets.live(work, actor, application_id(request))
        if wanted not in {one.id for one in live}:
            raise NotFound("There is no such secret of this application.")
        if live[0].id == wanted:
            raise Conflict("This is the newest secret. Make a new one first: POST to secrets/.", field="secret")
        here.applications.secrets.end_old_secret(work, actor, application_id(request))

    await write(request, bearer, call)
    return nothing()


async def tokens(request: Request) -> Response:
    """The caller's own named developer tokens of this application."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Any:
        return services.oauth.personal_tokens.all(
            work, actor, services.applications.registry.get(work, actor, application_id(request))
        )

    await run_in_thread(services.deferred_writes.flush)
    return answer({"tokens": [present.token(one) for one in await read(request, bearer, call)]})


async def add_token(request: Request) -> Response:
    """A new one, told once. *scopes* null is everything, which only a token without scopes can give."""
    services = services_of(request)
    given = await fields(request, name=str, days=int, scopes=list)
    days = 90 if given["days"] is None else given["days"]
    scopes = given["scopes"]
    if scopes is not None and not all(isinstance(one, str) for one in scopes):
        raise Invalid("scopes must be a list of names, or null.", field="scopes")

    def call(work: UnitOfWork, actor: Actor) -> tuple[str, Any]:
        found = services.applications.registry.for_token(work, actor, application_id(request))
        scope = None if scopes is None else frozenset(scopes)
        made = services.oauth.personal_tokens.add(work, actor, found, given["name"] or "", str(days), scope)
        return made, services.oauth.personal_tokens.all(work, actor, found)[0]

    made, kept = await write(request, bearer, call)
    return answer({**present.token(kept), "token": made}, 201)


async def revoke_token(request: Request) -> Response:
    here, wanted = services_of(request), request.path_params["token"]

    def call(work: UnitOfWork, actor: Actor) -> None:
        here.oauth.personal_tokens.revoke(
            work, actor, here.applications.registry.get(work, actor, application_id(request)), wanted
        )

    await write(request, bearer, call)
    return nothing()


async def revoke_users(request: Request) -> Response:
    """End every token that people gave this application; they keep what they allowed."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> int:
        return services.oauth.personal_tokens.revoke_users(
            work, actor, services.applications.registry.get(work, actor, application_id(request))
        )

    return answer({"ended": await write(request, bearer, call)})


async def people(request: Request) -> Response:
    services = services_of(request)
    found = await read(
        request, bearer, lambda work, actor: services.applications.people.of(work, actor, application_id(request))
    )
    return answer(
        {
            "creator": None if found.creator is None else present.person(found.creator),
            "owners": [present.person(one) for one in found.owners],
            "testers": [present.person(one) for one in found.testers],
        }
    )


async def add_owner(request: Request) -> Response:
    return await _add_person(request, "owner")


async def add_tester(request: Request) -> Response:
    return await _add_person(request, "tester")


async def _add_person(request: Request, role: str) -> Response:
    here, given = services_of(request), await fields(request, login=str)
    if not (given["login"] or "").strip():
        raise Invalid("login must be the login or the e-mail address of somebody here.", field="login")

    def call(work: UnitOfWork, actor: Actor) -> Any:
        require_tag(request, here.applications.registry.get(work, actor, application_id(request)))
        return here.applications.people.add(work, actor, application_id(request), given["login"], role)

    made = await write(request, bearer, call)
    return answer({"id": made.id, "login": made.login, "name": f"{made.first_name} {made.last_name}".strip()}, 201)


async def remove_owner(request: Request) -> Response:
    return await _remove_person(request, "owner")


async def remove_tester(request: Request) -> Response:
    return await _remove_person(request, "tester")


async def _remove_person(request: Request, role: str) -> Response:
    here, wanted = services_of(request), request.path_params["person"]

    def call(work: UnitOfWork, actor: Actor) -> None:
        require_tag(request, here.applications.registry.get(work, actor, application_id(request)))
        here.applications.people.remove(work, actor, application_id(request), wanted, role)

    await write(request, bearer, call)
    return nothing()


async def limits(request: Request) -> Response:
    """What is left of this minute, from the counters behind the `RateLimit` headers; this call counts too."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[Application, int, Any]:
        found = services.applications.registry.get(work, actor, application_id(request))
        return found, actor.must_user_id, services.oauth.personal_tokens.all(work, actor, found)

    found, mine, tokens = await read(request, bearer, call)
    quotas = services.limits.quotas
    return answer(
        {
            "application": present.left(quotas.application.look(found.id)),
            "account": present.left(quotas.account.look(mine)),
            "tokens": [{"id": one.id, "name": one.name, **present.left(quotas.token.look(one.id))} for one in tokens],
        }
    )


async def habits(request: Request) -> Response:
    """What the application did in 30 days that new ones should not."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Any:
        return services.oauth.server.deprecated_features(
            work, actor, services.applications.registry.get(work, actor, application_id(request))
        )

    await run_in_thread(services.deferred_writes.flush)
    return answer({"habits": [present.habit(one) for one in await read(request, bearer, call)]})


async def scopes(request: Request) -> Response:
    """The capabilities it holds, and which of them calls of 30 days needed."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[Application, Any]:
        found = services.applications.registry.get(work, actor, application_id(request))
        return found, services.oauth.scope_limits.uses(work, actor, found, capability)

    await run_in_thread(services.deferred_writes.flush)
    found, held = await long_read(request, bearer, call)
    return answer({"limit": found.scope_limit, "scopes": [present.held(one) for one in held]})


async def narrow(request: Request) -> Response:
    """Leave it only these; null takes the narrowing back."""
    here, given = services_of(request), await json_body(request)
    if not isinstance(given, dict) or set(given) != {"limit"}:
        raise Invalid("Send an object with limit: a list of scopes, or null for no limit.", field="limit")

    def call(work: UnitOfWork, actor: Actor) -> Application:
        found = here.applications.registry.get(work, actor, application_id(request))
        require_tag(request, found)
        return here.applications.documents.set_scopes(work, actor, found.id, given["limit"])

    return shown(await write(request, bearer, call))
