"""What the owner sees of an application at work: calls, failures, charts, limits."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.applications import Application, usage
from vitrine.edge import Services, long_read, run_in_thread, services_of
from vitrine.edge.quotas import Left
from vitrine.oauth.personal_tokens import NamedToken
from vitrine.platform.database import UnitOfWork
from vitrine.web.developers.application import APPLICATION, application_id
from vitrine.web.shared.forms import known
from vitrine.web.shared.render import page


@dataclass(frozen=True, slots=True)
class Limited:
    """A row of *Limits*: *what* is "application", "account" (of who looks), "developer" or "token".

    *name* is that of the application or of the named token."""

    what: str
    name: str
    left: Left


def limits(
    services: Services, actor: Actor, application: Application, developer: Any, tokens: list[NamedToken]
) -> list[Limited]:
    """From the counters behind the `RateLimit` headers of this server."""
    rows = [Limited("application", application.name, services.limits.quotas.application.look(application.id))]
    rows.append(Limited("account", "", services.limits.quotas.account.look(actor.must_user_id)))
    if developer is not None:
        rows.append(Limited("developer", "", services.limits.quotas.token.look(developer.id)))
    return rows + [Limited("token", token.name, services.limits.quotas.token.look(token.id)) for token in tokens]


WIDTH, HEIGHT = 720, 120


async def show(request: Request) -> Response:
    services = services_of(request)
    query = request.query_params
    route, family, before = query.get("route", ""), query.get("status", ""), query.get("before", "")

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        application = services.applications.registry.get(work, actor, application_id(request))
        mark = int(before[:18]) if before.isdecimal() else None
        calls = usage.calls(work, application.id, route=route, family=family, before=mark)
        developer, tokens = (
            services.oauth.developer_tokens.current(work, actor, application),
            services.oauth.personal_tokens.all(work, actor, application),
        )
        return {
            "limits": limits(services, actor, application, developer, tokens),
            "deprecated_features": services.oauth.server.deprecated_features(work, actor, application),
            "application": application,
            "calls": calls.calls,
            "more": calls.next_before,
            "is_partial": calls.is_partial,
            "failures": usage.failures(work, application.id),
            "days": usage.days(work, application.id),
            "routes": usage.routes(work, application.id),
        }

    await run_in_thread(services.deferred_writes.flush)
    shown = await long_read(request, known, call)
    days = shown["days"]
    return page(
        request, "developers/usage.html", part="usage", route=route, family=family, families=list(usage.FAMILIES),
        requests=_bars([day.requests for day in days]), people=_bars([day.people for day in days]),
        most_requests=max(day.requests for day in days), most_people=max(day.people for day in days),
        token_calls=services.settings.token_requests, kept_days=services.settings.request_log_days,
        looked_at=usage.LOOKED_AT, **shown,
    )  # fmt: skip


def _bars(values: list[int]) -> list[tuple[float, float, float, float]]:
    """x, y, width and height of each bar in a box of WIDTH × HEIGHT; the highest fills it."""
    most, step = max([*values, 1]), WIDTH / len(values)
    heights = [HEIGHT * height / most for height in values]
    return [(round(index * step + 1, 1), round(HEIGHT - height, 1), round(step - 2, 1), round(height, 1))
            for index, height in enumerate(heights)]  # fmt: skip


ROUTES = [
    Route(APPLICATION + "usage/", show, methods=["GET"]),
]
