"""The OAuth endpoints that answer in JSON (contract 01 section 4 and the RFCs beside it).

The authorize endpoint and the page for devices are pages: `web.oauth`.
"""

from collections.abc import Mapping
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.api.oauthv2 import discovery, endpoints
from vitrine.api.oauthv2.conventions import CLIENT_ENDPOINT, USERINFO, error
from vitrine.api.wire.endpoint import endpoint
from vitrine.edge.csrf import prefers_json
from vitrine.oauth import metadata
from vitrine.oauth.scopes import OPENID

PATH = metadata.TOKEN
CLIENT_ENDPOINTS = {
    metadata.TOKEN: endpoints.token,
    metadata.REVOKE: endpoints.revoke,
    metadata.INTROSPECT: endpoints.introspect,
    metadata.DEVICE: endpoints.device_authorization,
}
DOCUMENTS = {
    metadata.AUTHORIZATION_SERVER: discovery.authorization_server,
    metadata.OPENID: discovery.authorization_server,
    metadata.PROTECTED_RESOURCE: discovery.protected_resource,
    metadata.JWKS: discovery.jwks,
}


def unrouted(request: Request, status: int, headers: Mapping[str, str]) -> Response | None:
    """404 or 405 in the shape of RFC 6749 section 5.2 for callers who ask for JSON; None for all others, who get a
    page (contract 01 sections 1 and 8.4)."""
    if not prefers_json(request):
        return None
    sentence = f"This address takes {headers['Allow']}." if status == 405 else "There is nothing at this address."
    return error(request, "invalid_request", sentence, status, dict(headers))


@cache
def routes() -> tuple[Route, ...]:
    """The routes for Starlette, the same for every server of a process."""
    userinfo = endpoint(discovery.userinfo, USERINFO, dict.fromkeys(("GET", "HEAD", "POST"), OPENID))
    return (
        *(
            Route(path, endpoint(handler, CLIENT_ENDPOINT), methods=["POST"])
            for path, handler in CLIENT_ENDPOINTS.items()
        ),
        *(Route(path, handler, methods=["GET"]) for path, handler in DOCUMENTS.items()),
        Route(metadata.USERINFO, userinfo, methods=["GET", "POST"]),
        *(Route(path, endpoints.preflight, methods=["OPTIONS"]) for path in [*CLIENT_ENDPOINTS, metadata.USERINFO]),
    )
