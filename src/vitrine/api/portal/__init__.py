"""The portal's API: what owners do with their applications on the pages of `/developers/`, for programs
(docs/decisions/0068). Not a part of the wire of Phraseanet."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.api.portal.conventions import CONVENTIONS, problem
from vitrine.api.portal.table import PREFIX, ROUTES, SCOPE, PortalRoute
from vitrine.api.wire.endpoint import endpoint
from vitrine.settings import Settings

__all__ = ["PREFIX", "ROUTES", "SCOPE", "PortalRoute", "routes", "unrouted"]
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def unrouted(_request: Request, status: int, headers: Mapping[str, str]) -> Response:
    """404 or 405 as a problem."""
    if status == 405:
        return problem(405, "method_not_allowed", f"This address takes {headers['Allow']}.", headers)
    return problem(404, "not_found", "There is nothing at this address. Addresses of this API end with a slash.")


def routes(settings: Settings) -> list[Route]:
    if not settings.api_enabled:
        return []
    needs = dict.fromkeys(("HEAD", *_METHODS), SCOPE)
    return [
        Route(PREFIX + route.path, endpoint(route.handler, CONVENTIONS, needs), methods=[route.method])
        for route in ROUTES
    ]
