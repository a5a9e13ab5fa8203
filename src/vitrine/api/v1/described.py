"""The bodies and the parameters of the query of API v1, for the OpenAPI document.

Parameters may stand in the query or in a form, whatever the method (contract 02 section 4.2); here each stands where
clients send it."""

from typing import Any


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
BODIES: dict[str, dict[str, Any]] = {
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
    "/baskets/add/": _form(("name",), name=_TEXT),
    "/baskets/{basket:int}/setname/": _form(("name",), name=_TEXT),
    "/baskets/{basket:int}/setdescription/": _form((), description=_TEXT),
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

_LIST: dict[str, Any] = {"type": "array", "items": _TEXT, "maxItems": 50}
_LIFE: dict[str, Any] = {
    "subdef_url_ttl": {"type": "integer", "description": "life of signed addresses in seconds; negative: no end"},
}
_FILES: dict[str, Any] = {"devices[]": _LIST, "mimes[]": _LIST, **_LIFE}
_PAGE: dict[str, Any] = {"offset_start": {"type": "integer", "default": 0}, "per_page": _NUMBER}
_SEARCH: dict[str, Any] = {
    "query": {"type": "string", "description": "in the search language; empty finds everything"},
    "bases[]": {"type": "array", "items": _NUMBER, "maxItems": 50},
    "search_type": {"type": "integer", "description": "0 records, 1 or 2 stories"},
    "record_type": {"type": "string", "description": "image, video, audio, document, flash or unknown; others are all"},
    "sort": {"type": "string", "description": "relevance, created_on, updated_on, recordid or the name of a field"},
    "ord": {"type": "string", "description": "asc or desc"},
    "fields[]": _LIST,
    "date_field": {"type": "string", "description": "names of fields with | between"},
    "date_min": {"type": "string", "description": "YYYY/MM/DD"},
    "date_max": {"type": "string", "description": "YYYY/MM/DD"},
    "truncation": _TEXT,
    "stemme": _TEXT,
    **_PAGE,
    **_LIFE,
}
QUERIES: dict[str, dict[str, Any]] = {
    "/search/": _SEARCH,
    "/records/search/": _SEARCH,
    _RECORD: _LIFE,
    _RECORD + "embed/": _FILES,
    "/stories/{databox_id:int}/{record_id:int}/": _LIFE,
    "/stories/{databox_id:int}/{record_id:int}/embed/": _FILES,
    "/baskets/{basket:int}/content/": _LIFE,
    "/quarantine/list/": _PAGE,
    "/feeds/content/": {**_PAGE, "feeds[]": {"type": "array", "items": _NUMBER, "maxItems": 50}, **_LIFE},
    "/feeds/{feed_id:int}/content/": {**_PAGE, **_LIFE},
    "/feeds/entry/{entry_id:int}/": _LIFE,
}
