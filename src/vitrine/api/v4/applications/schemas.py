"""JSON schemas of applications (components of the OpenAPI document)."""

from vitrine.api.v4.schemas import (
    FLAG,
    MOMENT,
    NUMBER,
    PERHAPS_MOMENT,
    PERHAPS_NUMBER,
    TEXT,
    Schema,
    full_object_of,
    list_of,
    named,
    page_of,
)
from vitrine.applications import LIST_SHAPES, ApplicationKind, Profile, Switch
from vitrine.applications.documents import FORMAT
from vitrine.applications.texts import TEXTS
from vitrine.oauth.scopes import BY_NAME

_SCOPES = {"type": ["array", "null"], "items": {"enum": sorted(BY_NAME)}}
_DOCUMENT = {
    **dict.fromkeys(TEXTS, TEXT),
    "kind": {"enum": [kind.value for kind in ApplicationKind]},
    "profile": {"enum": ["", *(profile.value for profile in Profile)]},
    "redirect_uris": {"type": "array", "items": TEXT, "maxItems": 20},
    "switches": {
        "type": "object",
        "properties": {switch.value: FLAG for switch in Switch},
        "additionalProperties": False,
    },
    "list_shapes": {"enum": list(LIST_SHAPES)},
    "only_testers": FLAG,
    "scopes": _SCOPES,
}
_STATE = full_object_of(active=FLAG, suspended_by=TEXT, suspended_reason=TEXT, approval=TEXT, approval_reason=TEXT)
_APPLICATION = {
    "id": NUMBER, "client_id": TEXT, "owner_id": PERHAPS_NUMBER, "created": MOMENT, "updated": MOMENT,
    "state": _STATE, "document": named("ApplicationDocument"),
}  # fmt: skip
_DELETED = full_object_of(id="integer", client_id="string", name="string", deleted=MOMENT, until=MOMENT)
_SECRET = {
    "id": NUMBER, "last_four": TEXT, "created": MOMENT, "expires": PERHAPS_MOMENT, "last_used": PERHAPS_MOMENT,
    "made_with_token": FLAG,
}  # fmt: skip
_TOKEN = {
    "id": NUMBER, "name": TEXT, "last_four": TEXT, "scopes": _SCOPES, "created": MOMENT,
    "expires": PERHAPS_MOMENT, "last_used": PERHAPS_MOMENT, "last_address": TEXT,
    "made_with_token": FLAG,
}  # fmt: skip
_LEFT = {"limit": PERHAPS_NUMBER, "used": NUMBER, "left": PERHAPS_NUMBER, "resets_in": NUMBER}

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
    "ApplicationDocument": {
        "type": "object",
        "required": ["name", "description", "website"],
        "properties": {"vitrine_application": {"const": FORMAT}, "client_id": TEXT, **_DOCUMENT},
        "additionalProperties": False,
    },
    "Application": full_object_of(**_APPLICATION),
    "NewApplication": {**full_object_of(**_APPLICATION, client_secret=TEXT), "required": list(_APPLICATION)},
    "ApplicationList": full_object_of(
        applications=list_of({"anyOf": [named("Application"), _DELETED]}), page=NUMBER, per_page=NUMBER, more=FLAG
    ),
    "ApplicationPage": page_of({"anyOf": [named("Application"), _DELETED]}),
    "SecretList": full_object_of(secrets=list_of(full_object_of(**_SECRET))),
    "NewSecret": full_object_of(**_SECRET, client_secret=TEXT),
    "TokenList": full_object_of(tokens=list_of(full_object_of(**_TOKEN))),
    "NewToken": full_object_of(**_TOKEN, token=TEXT),
    "Person": full_object_of(id="integer", login="string", name="string"),
    "People": full_object_of(
        creator={"anyOf": [named("Person"), {"type": "null"}]},
        owners=list_of(named("Person")),
        testers=list_of(named("Person")),
    ),
    "Limits": full_object_of(
        application=full_object_of(**_LEFT), account=full_object_of(**_LEFT),
        tokens=list_of(full_object_of(id="integer", name="string", **_LEFT)),
    ),
    "HabitList": full_object_of(
        habits=list_of(full_object_of(habit="string", uses="integer", last=MOMENT, last_address="string"))
    ),
    "ScopeList": full_object_of(
        limit=_SCOPES,
        scopes=list_of(
            full_object_of(
                scope="string", people="integer", uses=PERHAPS_NUMBER, last=PERHAPS_MOMENT, allowed="boolean"
            )
        ),
    ),
}  # fmt: skip
