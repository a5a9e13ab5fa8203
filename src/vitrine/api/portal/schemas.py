"""JSON schemas of the portal's API (components of the OpenAPI document)."""

from typing import Any

from vitrine.applications import LIST_SHAPES, ApplicationKind, Profile, Switch
from vitrine.applications.documents import FORMAT
from vitrine.applications.texts import TEXTS
from vitrine.oauth.scopes import BY_NAME

Schema = dict[str, Any]


def named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def object_of(**properties: Any) -> Schema:
    """An object with these properties; a string is the name of a type."""
    schemas = {name: {"type": schema} if isinstance(schema, str) else schema for name, schema in properties.items()}
    return {"type": "object", "properties": schemas, "additionalProperties": False}


def _object(**properties: Any) -> Schema:
    """The same with all of them required: what we answer."""
    return {**object_of(**properties), "required": list(properties)}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


_TEXT, _NUMBER, _FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_MOMENT = {"type": "string", "format": "date-time"}
_PERHAPS_MOMENT = {"type": ["string", "null"], "format": "date-time"}
_PERHAPS_NUMBER = {"type": ["integer", "null"]}
_SCOPES = {"type": ["array", "null"], "items": {"enum": sorted(BY_NAME)}}
_DOCUMENT = {
    **dict.fromkeys(TEXTS, _TEXT),
    "kind": {"enum": [kind.value for kind in ApplicationKind]},
    "profile": {"enum": ["", *(profile.value for profile in Profile)]},
    "redirect_uris": {"type": "array", "items": _TEXT, "maxItems": 20},
    "switches": {
        "type": "object",
        "properties": {switch.value: _FLAG for switch in Switch},
        "additionalProperties": False,
    },
    "list_shapes": {"enum": list(LIST_SHAPES)},
    "only_testers": _FLAG,
    "scopes": _SCOPES,
}
_STATE = _object(active=_FLAG, suspended_by=_TEXT, suspended_reason=_TEXT, approval=_TEXT, approval_reason=_TEXT)
_APPLICATION = {
    "id": _NUMBER, "client_id": _TEXT, "owner_id": _PERHAPS_NUMBER, "created": _MOMENT, "updated": _MOMENT,
    "state": _STATE, "document": named("ApplicationDocument"),
}  # fmt: skip
_DELETED = _object(id="integer", client_id="string", name="string", deleted=_MOMENT, until=_MOMENT)
_SECRET = {
    "id": _NUMBER, "last_four": _TEXT, "created": _MOMENT, "expires": _PERHAPS_MOMENT, "last_used": _PERHAPS_MOMENT,
    "made_with_token": _FLAG,
}  # fmt: skip
_TOKEN = {
    "id": _NUMBER, "name": _TEXT, "last_four": _TEXT, "scopes": _SCOPES, "created": _MOMENT,
    "expires": _PERHAPS_MOMENT, "last_used": _PERHAPS_MOMENT, "last_address": _TEXT,
    "made_with_token": _FLAG,
}  # fmt: skip
_LEFT = {"limit": _PERHAPS_NUMBER, "used": _NUMBER, "left": _PERHAPS_NUMBER, "resets_in": _NUMBER}

# Parameters of requests, and the schemas that bodies share with them.
SCHEMAS: dict[str, Schema] = {
    "scopes": _SCOPES,
    "page": {"type": "integer", "minimum": 1},
    "per_page": {"type": "integer", "minimum": 1, "maximum": 100},
    "q": {"type": "string", "description": "a part of the name"},
    "all": {"enum": ["0", "1"], "description": "those of everybody, for administrators"},
    "deleted": {"enum": ["0", "1"], "description": "your own that can still come back"},
    "uri": {"type": "string", "description": "the address to remove"},
}
CHANGES: Schema = {
    "type": "object",
    "description": "A merge patch (RFC 7396) of the document: null gives a key its usual value",
    "properties": {name: {"anyOf": [schema, {"type": "null"}]} for name, schema in _DOCUMENT.items()},
    "additionalProperties": False,
}
COMPONENTS: dict[str, Schema] = {
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": _TEXT, "title": _TEXT, "status": _NUMBER, "code": _TEXT, "detail": _TEXT, "field": _TEXT,
            "scope": _TEXT, "page": _TEXT, "faults": {"type": "object", "additionalProperties": _TEXT},
        },
    },
    "ApplicationDocument": {
        "type": "object",
        "required": ["name", "description", "website"],
        "properties": {"vitrine_application": {"const": FORMAT}, "client_id": _TEXT, **_DOCUMENT},
        "additionalProperties": False,
    },
    "Application": _object(**_APPLICATION),
    "NewApplication": {**_object(**_APPLICATION, client_secret=_TEXT), "required": list(_APPLICATION)},
    "ApplicationList": _object(
        applications=_list({"anyOf": [named("Application"), _DELETED]}), page=_NUMBER, per_page=_NUMBER, more=_FLAG
    ),
    "SecretList": _object(secrets=_list(_object(**_SECRET))),
    "NewSecret": _object(**_SECRET, client_secret=_TEXT),
    "TokenList": _object(tokens=_list(_object(**_TOKEN))),
    "NewToken": _object(**_TOKEN, token=_TEXT),
    "Person": _object(id="integer", login="string", name="string"),
    "People": _object(
        creator={"anyOf": [named("Person"), {"type": "null"}]},
        owners=_list(named("Person")),
        testers=_list(named("Person")),
    ),
    "Limits": _object(
        application=_object(**_LEFT), account=_object(**_LEFT),
        tokens=_list(_object(id="integer", name="string", **_LEFT)),
    ),
    "HabitList": _object(habits=_list(_object(habit="string", uses="integer", last=_MOMENT, last_address="string"))),
    "ScopeList": _object(
        limit=_SCOPES,
        scopes=_list(
            _object(scope="string", people="integer", uses=_PERHAPS_NUMBER, last=_PERHAPS_MOMENT, allowed="boolean")
        ),
    ),
}  # fmt: skip
