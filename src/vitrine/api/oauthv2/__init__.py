"""The OAuth endpoints that answer in JSON (contract 01 section 4 and the RFCs beside it).

The authorize endpoint and the page for devices are pages: `web.authorize`, `web.device`.
"""

from starlette.routing import Route

from vitrine.api.oauthv2 import discovery, endpoints
from vitrine.oauth import metadata
from vitrine.settings import Settings

PATH = metadata.TOKEN


def routes(settings: Settings) -> list[Route]:
    if not settings.api_enabled:
        return []
    posted = {
        metadata.TOKEN: endpoints.token,
        metadata.REVOKE: endpoints.revoke,
        metadata.INTROSPECT: endpoints.introspect,
        metadata.DEVICE: endpoints.device_authorization,
    }
    read = {
        metadata.AUTHORIZATION_SERVER: discovery.authorization_server,
        metadata.OPENID: discovery.authorization_server,
        metadata.PROTECTED_RESOURCE: discovery.protected_resource,
        metadata.JWKS: discovery.jwks,
    }
    made = [Route(path, handler, methods=["POST"]) for path, handler in posted.items()]
    made += [Route(path, handler, methods=["GET"]) for path, handler in read.items()]
    made.append(Route(metadata.USERINFO, discovery.userinfo, methods=["GET", "POST"]))
    return [*made, *(Route(path, endpoints.preflight, methods=["OPTIONS"]) for path in [*posted, metadata.USERINFO])]
