"""GET endpoints: what the server is (RFC 8414, OpenID Connect Discovery, RFC 9728), its keys, and who a person is."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.oauthv2.endpoints import CORS, answer
from vitrine.edge import bearer, parameters, read, run_in_thread, services_of
from vitrine.edge.auth import TokenMissing, TwoCarriers
from vitrine.edge.limits import TooMany
from vitrine.errors import Invalid
from vitrine.oauth import InsufficientScope, TokenRefused
from vitrine.oauth.metadata import PROTECTED_RESOURCE
from vitrine.oauth.scopes import OPENID
from vitrine.platform.database import UnitOfWork


async def authorization_server(request: Request) -> Response:
    """Both well-known documents are the same one."""
    return _public(services_of(request).oauth.server.metadata())


async def protected_resource(request: Request) -> Response:
    return _public(services_of(request).oauth.server.resource_metadata())


async def jwks(request: Request) -> Response:
    """The keys that sign id_tokens; the first call makes them."""
    keys = await run_in_thread(services_of(request).oauth.server.keys.published)
    return _public({"keys": keys}, media_type="application/jwk-set+json")


async def userinfo(request: Request) -> Response:
    """OpenID Connect Core section 5.3: a token with the scope openid, in the header or in a form."""
    request.scope["state"]["needs"] = OPENID
    try:
        await parameters(request)
        made = await read(request, bearer, lambda work, actor: _claims(request, work, actor))
    except InsufficientScope as refusal:
        return _refused(request, 403, refusal.code, f'scope="{refusal.scope}"')
    except TokenRefused as refusal:
        return _refused(request, 401, "invalid_token" if refusal.code != "invalid_request" else refusal.code)
    except TokenMissing:
        return _refused(request, 401, "")
    except TooMany as refusal:
        return answer({"error": "temporarily_unavailable", "error_description": refusal.detail}, 429, refusal.headers)
    except (TwoCarriers, Invalid):
        return _refused(request, 400, "invalid_request")
    return answer(made, 200)


def _claims(request: Request, work: UnitOfWork, actor: Actor) -> dict[str, Any]:
    return services_of(request).oauth.server.userinfo(work, actor)


def _refused(request: Request, status: int, error: str, more: str = "") -> Response:
    """RFC 6750 section 3: the error in the challenge, and as JSON for who reads that; none for who sent no token."""
    where = services_of(request).settings.absolute(PROTECTED_RESOURCE)
    parts = ['Bearer realm="Service"', *([f'error="{error}"'] if error else []), more, f'resource_metadata="{where}"']
    challenge = ", ".join(part for part in parts if part)
    return answer({"error": error} if error else {}, status, {"WWW-Authenticate": challenge})


def _public(value: dict[str, Any], media_type: str = "application/json") -> Response:
    headers = {**CORS, "Cache-Control": "public, max-age=3600"}
    return Response(msgspec.json.encode(value), 200, headers, media_type=media_type)
