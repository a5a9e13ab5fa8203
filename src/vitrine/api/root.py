"""GET /api/: the public description of the API, without a token (contract 02 section 6.0), and its OpenAPI document."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.api import openapi
from vitrine.api.wire.envelope import answer
from vitrine.edge import services_of

VERSIONS = {"1": "2.0.0", "2": "2.0.0", "3": "3.0.0"}


async def description(request: Request) -> Response:
    settings = services_of(request).settings
    versions = {
        number: {
            "number": version,
            "uri": f"/api/v{number}/",
            "authenticationProtocol": "OAuth2",
            "authenticationVersion": "draft#v9",
            "authenticationEndPoints": {
                "authorization_token": "/api/oauthv2/authorize",
                "access_token": "/api/oauthv2/token",
            },
        }
        for number, version in VERSIONS.items()
    }
    return answer(
        request,
        {
            "name": settings.title,
            "type": "phraseanet",  # clients test it
            "description": settings.description or None,
            "documentation": settings.absolute("/api/openapi.json"),
            "versions": versions,
        },
        headers={"Cache-Control": "no-cache"},
    )


async def document(request: Request) -> Response:
    """The OpenAPI 3.1 document made from the route tables."""
    openapi_document = openapi.document(services_of(request).settings)
    return Response(
        openapi.encode(openapi_document), media_type="application/json", headers={"Access-Control-Allow-Origin": "*"}
    )


ROUTES = [Route("/api/", description, methods=["GET"]), Route("/api/openapi.json", document, methods=["GET"])]
