"""The OpenAPI 3.1 document, made from the route tables so that it describes no route that does not exist."""

import re
from typing import Any

import msgspec

from vitrine import __version__
from vitrine.api import v4
from vitrine.api.oauthv2.table import OPERATIONS
from vitrine.api.v1 import PREFIX, ROUTES
from vitrine.api.v1.described import BODIES, QUERIES
from vitrine.api.wire.security import security
from vitrine.applications import Policy
from vitrine.oauth import metadata, scopes
from vitrine.settings import Settings

_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")


def document(settings: Settings) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for v1_route in ROUTES:
        path, parameters = _path(PREFIX + v1_route.path)
        for method in v1_route.methods[:2]:
            paths.setdefault(path, {})[method.lower()] = {
                "summary": v1_route.summary,
                "description": f"Contract {v1_route.clause}",
                "operationId": f"v1_{method.lower()}_{re.sub(r'[^a-z]+', '_', v1_route.path).strip('_')}",
                "tags": ["v1"],
                "parameters": parameters + _query_of(v1_route.path),
                **(
                    {"requestBody": BODIES[v1_route.path]}
                    if method in _BODY_METHODS and v1_route.path in BODIES
                    else {}
                ),
                "responses": _RESPONSES if method == "GET" else {**_RESPONSES, **_WITH_BODY},
                "security": security(v1_route.scope(method)),
            }
    for pattern, method, described in v4.operations():
        path, _parameters = _path(pattern)
        paths.setdefault(path, {})[method] = described
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = operation.described()
    return {
        "openapi": "3.1.0",
        "info": {"title": settings.title, "version": __version__, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": settings.base_url}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}, "oauth2": _oauth2(settings)},
            "schemas": {"Envelope": _ENVELOPE, **v4.COMPONENTS},
        },
    }


def _oauth2(settings: Settings) -> dict[str, Any]:
    """The flows by which an application gets a token here: implicit and password only where the server's policy leaves
    them to the applications' switches."""
    authorize, token = settings.absolute(metadata.AUTHORIZE), settings.absolute(metadata.TOKEN)
    names = {scope.name: scope.words for scope in scopes.SCOPES}
    to_token = {"tokenUrl": token, "refreshUrl": token, "scopes": names}
    flows: dict[str, Any] = {
        "authorizationCode": {"authorizationUrl": authorize, **to_token},
        "clientCredentials": {"tokenUrl": token, "scopes": names},
    }
    if Policy(settings.deprecated_features) is not Policy.REFUSE:
        flows["password"] = to_token
        flows["implicit"] = {"authorizationUrl": authorize, "scopes": names}
    return {"type": "oauth2", "flows": flows}


def encode(document: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document))


def _path(pattern: str) -> tuple[str, list[dict[str, Any]]]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer" if kind == "int" else "string"}}
        for name, kind in _PARAMETER.findall(pattern)
    ]
    return _PARAMETER.sub(r"{\1}", pattern), parameters


_ENVELOPE: dict[str, Any] = {
    "type": "object",
    "required": ["meta", "response"],
    "properties": {
        "meta": {
            "type": "object",
            "required": [
                "api_version", "request", "response_time", "http_code", "error_type", "error_message", "error_details",
                "charset",
            ],
        },
        "response": {"type": ["object", "array"]},
    },
}  # fmt: skip
_JSON = {"application/json": {"schema": {"$ref": "#/components/schemas/Envelope"}}}
_RESPONSES = {
    "200": {"description": "The answer in the envelope", "content": _JSON},
    "400": {"description": "A bad parameter in the envelope, or no token at all with an empty body"},
    "401": {"description": "A token that opens nothing, or a right that is missing"},
    "403": {"description": "Not allowed", "content": _JSON},
    "404": {"description": "Not there", "content": _JSON},
    "406": {"description": "None of the formats asked for can be sent", "content": _JSON},
    "429": {"description": "Too many calls in a minute; Retry-After says when to come back", "content": _JSON},
    "503": {"description": "Busy; Retry-After says when to come back", "content": _JSON},
}
_WITH_BODY = {
    "413": {"description": "The body is too large", "content": _JSON},
    "422": {"description": "The body is no JSON, or not of the shape that is needed", "content": _JSON},
}
_BODY_METHODS = ("POST", "DELETE")


def _query_of(path: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "schema": schema} for name, schema in QUERIES.get(path, {}).items()]
