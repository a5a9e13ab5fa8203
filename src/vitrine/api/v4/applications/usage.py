"""What an application uses: rate limits, deprecated features, scopes."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.capabilities import capability
from vitrine.api.v4.applications import present
from vitrine.api.v4.applications.content import application_id, require_tag, shown
from vitrine.api.v4.content import answer, json_body
from vitrine.applications import Application
from vitrine.edge import bearer, listing, long_read, run_in_thread, services_of, write
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork


async def limits(request: Request) -> Response:
    """What is left of this minute, from the counters behind the `RateLimit` headers; this call counts too."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[Application, int, Any]:
        application = services.applications.registry.get(work, actor, application_id(request))
        return application, actor.must_user_id, services.oauth.personal_tokens.all(work, actor, application)

    application, user_id, tokens = await listing(request, bearer, call)
    quotas = services.limits.quotas
    return answer(
        {
            "application": present.left(quotas.application.look(application.id)),
            "account": present.left(quotas.account.look(user_id)),
            "tokens": [
                {"id": token.id, "name": token.name, **present.left(quotas.token.look(token.id))} for token in tokens
            ],
        }
    )


async def deprecated_features(request: Request) -> Response:
    """The deprecated features that the application used in 30 days."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Any:
        application = services.applications.registry.get(work, actor, application_id(request))
        return services.oauth.server.deprecated_features(work, actor, application)

    await run_in_thread(services.deferred_writes.flush)
    uses = await listing(request, bearer, call)
    return answer({"habits": [present.feature_use(use) for use in uses]})


async def scopes(request: Request) -> Response:
    """The scopes that it holds, and which of them the calls of 30 days needed."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[Application, Any]:
        application = services.applications.registry.get(work, actor, application_id(request))
        return application, services.oauth.scope_limits.uses(work, actor, application, capability)

    await run_in_thread(services.deferred_writes.flush)
    application, held = await long_read(request, bearer, call)
    return answer({"limit": application.scope_limit, "scopes": [present.scope_use(scope) for scope in held]})


async def limit_scopes(request: Request) -> Response:
    """Limit it to these scopes; null removes the limit."""
    services, values = services_of(request), await json_body(request)
    if not isinstance(values, dict) or set(values) != {"limit"}:
        raise Invalid("Send an object with limit: a list of scopes, or null for no limit.", field="limit")

    def call(work: UnitOfWork, actor: Actor) -> Application:
        application = services.applications.registry.get(work, actor, application_id(request))
        require_tag(request, application)
        return services.applications.documents.set_scopes(work, actor, application.id, values["limit"])

    return shown(await write(request, bearer, call))
