"""The OAuth endpoints that answer in JSON (contract 01 section 4 and the RFCs beside it).

The authorize endpoint and the page for devices are pages: `web.oauth`.
"""

from starlette.routing import Route

from vitrine.api.oauthv2 import discovery, endpoints
from vitrine.api.oauthv2.conventions import CLIENT_ENDPOINT, USERINFO
from vitrine.api.wire.endpoint import endpoint
from vitrine.oauth import metadata
from vitrine.oauth.scopes import OPENID
from vitrine.settings import Settings

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


def routes(settings: Settings) -> list[Route]:
    if not settings.api_enabled:
        return []
    userinfo = endpoint(discovery.userinfo, USERINFO, dict.fromkeys(("GET", "HEAD", "POST"), OPENID))
    return [
        *(
            Route(path, endpoint(handler, CLIENT_ENDPOINT), methods=["POST"])
            for path, handler in CLIENT_ENDPOINTS.items()
        ),
        *(Route(path, handler, methods=["GET"]) for path, handler in DOCUMENTS.items()),
        Route(metadata.USERINFO, userinfo, methods=["GET", "POST"]),
        *(Route(path, endpoints.preflight, methods=["OPTIONS"]) for path in [*CLIENT_ENDPOINTS, metadata.USERINFO]),
    ]
