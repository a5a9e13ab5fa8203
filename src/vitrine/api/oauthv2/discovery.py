"""GET endpoints: what the server is (RFC 8414, OpenID Connect Discovery, RFC 9728), its keys, and who a person is."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.api.oauthv2.conventions import CORS, answer
from vitrine.edge import bearer, read, run_in_thread, services_of


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
    return answer(request, await read(request, bearer, services_of(request).oauth.server.userinfo))


def _public(value: dict[str, Any], media_type: str = "application/json") -> Response:
    headers = {**CORS, "Cache-Control": "public, max-age=3600"}
    return Response(msgspec.json.encode(value), 200, headers, media_type=media_type)
