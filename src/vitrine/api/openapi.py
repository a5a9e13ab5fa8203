"""The OpenAPI 3.1 document, made from the route tables so that it describes no route that does not exist."""

import re
from typing import Any

import msgspec

from vitrine import __version__
from vitrine.api import v4
from vitrine.api.oauthv2.table import OPERATIONS
from vitrine.api.v1 import PREFIX, ROUTES
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
                "parameters": parameters,
                **(
                    {"requestBody": _BODIES[v1_route.path]}
                    if method in _BODY_METHODS and v1_route.path in _BODIES
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


def _form(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    """A form as old clients send it: multipart where a file is in it, arrays by PHP's brackets."""
    kind = "multipart/form-data" if "file" in properties else "application/x-www-form-urlencoded"
    schema = {"type": "object", "required": list(required), "properties": properties}
    return {"required": True, "content": {kind: {"schema": schema}}}


def _json(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": list(required), "properties": properties}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_TASK = "/monitor/task/{task}/"


_NUMBER, _TEXT, _FILE = {"type": "integer"}, {"type": "string"}, {"type": "string", "format": "binary"}
_GENDER = {"enum": [0, 1, 2], "description": "0 Miss, 1 Mrs, 2 Mr"}
_RECORD = "/records/{databox_id:int}/{record_id:int}/"
_SOURCES: dict[str, Any] = {
    "thumbnail_cover_source": {"type": "string", "default": "thumbnail"},
    "preview_cover_source": {"type": "string", "default": "preview"},
}
_CHILDREN: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["databox_id", "record_id"],
        "properties": {"databox_id": _NUMBER, "record_id": _NUMBER, "use_as_cover": {"type": "boolean"}, **_SOURCES},
    },
}
_STORY = "/stories/{databox_id:int}/{story_id:int}/"
_BODIES: dict[str, dict[str, Any]] = {
    "/stories": _json(
        ("stories",),
        stories={
            "type": "array",
            "items": {
                "type": "object",
                "required": ["base_id"],
                "properties": {
                    "base_id": _NUMBER,
                    "title": _TEXT,
                    "metadatas": {
                        "type": "object",
                        "description": "by the id or the name of a field",
                        "additionalProperties": {"type": ["string", "number", "array"]},
                    },
                    "story_records": _CHILDREN,
                },
            },
        },
    ),
    _STORY + "addrecords": _json(("story_records",), story_records=_CHILDREN),
    _STORY + "delrecords": _json(("story_records",), story_records=_CHILDREN),
    _STORY + "setcover": _json(("record_id",), record_id=_NUMBER, **_SOURCES),
    "/records/add/": _form(
        ("base_id",),
        base_id=_NUMBER,
        file=_FILE,
        url={"type": "string", "format": "uri", "description": "fetched when there is no file"},
        forceBehavior={"enum": ["0", "1"]},
        status=_TEXT,
        nosubdefs=_TEXT,
    ),
    "/embed/substitute/": _form(
        ("databox_id", "record_id", "name", "file"),
        databox_id=_NUMBER,
        record_id=_NUMBER,
        name={"type": "string", "description": "document, or the name of a subdef"},
        file=_FILE,
        adapt={"type": "string", "description": "0, n, no or off takes the file as it is"},
    ),
    _RECORD + "setmetadatas/": _form(
        ("metadatas",),
        metadatas={
            "type": "array",
            "items": {
                "type": "object",
                "required": ["meta_struct_id", "meta_id", "value"],
                "properties": {
                    "meta_struct_id": _NUMBER,
                    "meta_id": {"type": ["integer", "string"], "description": "empty for a new value"},
                    "value": _TEXT,
                },
            },
        },
    ),
    _RECORD + "setstatus/": _form(
        ("status",),
        status={"type": "object", "description": "status[bit]=0 or 1", "additionalProperties": {"enum": ["0", "1"]}},
    ),
    _TASK: _form((), title=_TEXT, autostart={"type": "string", "description": "1; it cannot be switched off here"}),
    "/upload/enqueue/": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["assets", "publisher", "token", "base_url", "commit_id"],
                    "properties": {
                        "assets": {"type": "array", "items": _TEXT, "maxItems": 1000},
                        "publisher": _TEXT,
                        "token": _TEXT,
                        "base_url": _TEXT,
                        "commit_id": _TEXT,
                    },
                }
            }
        },
    },
    _RECORD + "setcollection/": _form(("base_id",), base_id=_NUMBER),
    "/me/request-collections/": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "array", "items": _NUMBER, "maxItems": 1000}}},
    },
    "/me/update-account/": _json(
        (), email=_TEXT, gender=_GENDER, firstname=_TEXT, lastname=_TEXT, zip_code=_TEXT, city=_TEXT, tel=_TEXT,
        company=_TEXT, job=_TEXT, notifications={"type": "boolean"},
    ),
    "/me/update-password/": _json(
        ("oldPassword", "password"),
        oldPassword=_TEXT,
        password={
            "type": "object", "required": ["password", "confirm"], "properties": {"password": _TEXT, "confirm": _TEXT},
        },
    ),
    "/accounts/update-password/{token}/": _form(("password",), password=_TEXT),
    "/accounts/access-demand/": _json(
        ("email", "password"), email=_TEXT, password=_TEXT, login=_TEXT, gender=_GENDER, firstname=_TEXT,
        lastname=_TEXT, address=_TEXT, city=_TEXT, zipcode=_TEXT, tel=_TEXT, fax=_TEXT, job=_TEXT, company=_TEXT,
        position=_TEXT, geonameid=_NUMBER, notifications={"type": "boolean"},
        collections={"type": "array", "items": _NUMBER, "maxItems": 1000},
    ),
}  # fmt: skip
