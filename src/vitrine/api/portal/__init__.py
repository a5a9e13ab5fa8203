"""The portal's API: what owners do with their applications on the pages of `/developers/`, for programs
(docs/decisions/0068). Not a part of the wire of Phraseanet."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.api.portal.conventions import CONVENTIONS, problem
from vitrine.api.portal.table import PREFIX, ROUTES, SCOPE, PortalRoute
from vitrine.api.wire.endpoint import Handler, endpoint
from vitrine.settings import Settings

__all__ = ["PREFIX", "ROUTES", "SCOPE", "PortalRoute", "routes"]
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


async def _unknown(_request: Request) -> Response:
    return problem(404, "not_found", "There is nothing at this address. Addresses of this API end with a slash.")


def routes(settings: Settings) -> list[Route]:
    if not settings.api_enabled:
        return []
    routes: list[Route] = []
    allowed: dict[str, list[str]] = {}
    needs = dict.fromkeys(("HEAD", *_METHODS), SCOPE)
    for route in ROUTES:
        handler = endpoint(route.handler, CONVENTIONS, needs)
        routes.append(Route(PREFIX + route.path, handler, methods=[route.method]))
        allowed.setdefault(route.path, []).append(route.method)
    for path, methods in allowed.items():
        others = [method for method in _METHODS if method not in methods]
        routes.append(Route(PREFIX + path, _refusing(methods), methods=others))
    routes.append(Route(PREFIX + "{rest:path}", _unknown, methods=list(_METHODS)))
    return routes


def _refusing(methods: list[str]) -> Handler:
    allow = ", ".join(sorted({*methods, *(("HEAD",) if "GET" in methods else ())}))

    async def wrong_method(_request: Request) -> Response:
        detail = f"This address takes {allow}."
        return problem(405, "method_not_allowed", detail, {"Allow": allow})

    return wrong_method
