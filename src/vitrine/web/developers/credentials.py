"""Client secrets and developer tokens: shown, made, ended (contract 01 section 9)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.applications import (
    machines,
)
from vitrine.edge import services_of, write
from vitrine.errors import DomainError
from vitrine.oauth.scopes import BY_NAME, READ_ONLY
from vitrine.platform.database import UnitOfWork
from vitrine.web.developers.application import APPLICATION, application_id, back_to
from vitrine.web.developers.settings import facts, settings_page
from vitrine.web.shared.errors import json_answer
from vitrine.web.shared.forms import is_xhr, known, posted, xhr
from vitrine.web.shared.reauthentication import requires_recent_auth
from vitrine.web.shared.render import said


async def reveal(request: Request, _given: dict[str, str]) -> Response:
    """Show client secret and developer token, shortly after signing in. Who may not see the secret, since the
    application acts for somebody else by it, sees their own developer token alone."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[str | None, str | None]:
        application = services.applications.registry.get(work, actor, application_id(request))
        secret = None
        if machines.may_see_secret(work, actor, application) and services.applications.secrets.current(
            work, actor, application.id
        ):
            secret = services.applications.secrets.reveal(work, actor, application.id)
        return secret, services.oauth.developer_tokens.reveal(work, actor, application)

    secret, token = await write(request, known, call)
    return await settings_page(request, await facts(request, revealed_secret=secret, revealed_token=token))


async def access_token(request: Request) -> Response:
    """Make or renew the developer token: as JSON for scripts (01 section 9), shown once on the page for the form."""
    if not is_xhr(request):
        return await _token_form(request)
    await xhr(request)
    return json_answer({"success": True, "token": await _renewed(request)})


async def _renewed(request: Request) -> str:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> str:
        application = services.applications.registry.for_token(work, actor, application_id(request))
        return services.oauth.developer_tokens.renew(work, actor, application)

    return await write(request, known, call)


@requires_recent_auth
async def _token_form(request: Request, _given: dict[str, str]) -> Response:
    secret = await _renewed(request)
    return await settings_page(request, await facts(request, revealed_token=secret))


async def revoke_token(request: Request) -> Response:
    await posted(request)
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.oauth.developer_tokens.revoke(
            work, actor, services.applications.registry.get(work, actor, application_id(request))
        )

    await write(request, known, call)
    return back_to(request, "developer-token")


async def rotate(request: Request, given: dict[str, str]) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> str:
        return services.applications.secrets.rotate(work, actor, application_id(request), given.get("overlap", ""))

    secret = await write(request, known, call)
    return await settings_page(request, await facts(request, revealed_secret=secret, is_new_secret=True))


async def end_secret(request: Request, _given: dict[str, str]) -> Response:
    services = services_of(request)
    await write(
        request,
        known,
        lambda work, actor: services.applications.secrets.end_old_secret(work, actor, application_id(request)),
    )
    return back_to(request, "secrets")


async def add_token(request: Request, given: dict[str, str]) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> str:
        application = services.applications.registry.for_token(work, actor, application_id(request))
        name, days = given.get("token-name", ""), given.get("days", "")
        return services.oauth.personal_tokens.add(work, actor, application, name, days, _scopes_of(given))

    try:
        secret = await write(request, known, call)
    except DomainError as refusal:
        if refusal.field not in ("token-name", "days", "scopes"):
            raise
        shown = await facts(request)
        return await settings_page(request, shown, token_fault=said(request, refusal), token_given=given)
    return await settings_page(request, await facts(request, revealed_named=secret))


def _scopes_of(given: dict[str, str]) -> frozenset[str] | None:
    """What a new token may do: look and search, what is ticked, or (also for who does not say) everything."""
    if given.get("may") == "look":
        return READ_ONLY
    return frozenset(name for name in BY_NAME if f"scope-{name}" in given) if given.get("may") == "some" else None


async def revoke_named_token(request: Request) -> Response:
    await posted(request)
    services, token_id = services_of(request), int(request.path_params["token"])

    def call(work: UnitOfWork, actor: Actor) -> None:
        application = services.applications.registry.get(work, actor, application_id(request))
        services.oauth.personal_tokens.revoke(work, actor, application, token_id)

    await write(request, known, call)
    return back_to(request, "tokens")


async def revoke_users(request: Request) -> Response:
    await posted(request)
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.oauth.personal_tokens.revoke_users(
            work, actor, services.applications.registry.get(work, actor, application_id(request))
        )

    await write(request, known, call)
    return back_to(request, "state")


ROUTES = [
    Route(APPLICATION + "access_token/", access_token, methods=["POST"]),
    Route(APPLICATION + "access_token/revoke/", revoke_token, methods=["POST"]),
    Route(APPLICATION + "reveal/", requires_recent_auth(reveal), methods=["POST"]),
    Route(APPLICATION + "secrets/", requires_recent_auth(rotate), methods=["POST"]),
    Route(APPLICATION + "secrets/end/", requires_recent_auth(end_secret), methods=["POST"]),
    Route(APPLICATION + "tokens/", requires_recent_auth(add_token), methods=["POST"]),
    Route(APPLICATION + "tokens/{token:int}/revoke/", revoke_named_token, methods=["POST"]),
    Route(APPLICATION + "tokens/users/", revoke_users, methods=["POST"]),
]
