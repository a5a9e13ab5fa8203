"""JSON schemas that the parts of API v4 share, and what to build others from."""

from typing import Any

Schema = dict[str, Any]


def named(name: str) -> Schema:
    """A reference to a component of the OpenAPI document."""
    return {"$ref": f"#/components/schemas/{name}"}


def object_of(**properties: Any) -> Schema:
    """An object with these properties; a string is the name of a type."""
    schemas = {name: {"type": schema} if isinstance(schema, str) else schema for name, schema in properties.items()}
    return {"type": "object", "properties": schemas, "additionalProperties": False}


def full_object_of(**properties: Any) -> Schema:
    """The same with all of them required: what we answer."""
    return {**object_of(**properties), "required": list(properties)}


def sparse_object_of(*always: str, **properties: Any) -> Schema:
    """What we answer where the caller may choose with `fields`; the names in *always* are there whatever was chosen."""
    return {**object_of(**properties), "required": list(always)}


def list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def page_of(items: Schema) -> Schema:
    """One page of a list: `data`, and `next` while there is more."""
    return full_object_of(data=list_of(items), next={"type": ["string", "null"], "description": NEXT})


NEXT = "send it as `cursor` for the next page; null on the last page"
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
PERHAPS_TEXT: Schema = {"type": ["string", "null"]}
PERHAPS_MOMENT: Schema = {"type": ["string", "null"], "format": "date-time"}
PERHAPS_NUMBER: Schema = {"type": ["integer", "null"]}
COMPONENTS: dict[str, Schema] = {
    "Problem": {
        "type": "object",
        "description": "A refusal (RFC 9457). Programs match `code`; `detail` is for people",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": TEXT, "title": TEXT, "status": NUMBER, "code": TEXT, "detail": TEXT,
            "field": {"type": "string", "description": "the input at fault"},
            "scope": {"type": "string", "description": "the scope that the token lacks"},
            "page": {"type": "string", "description": "where a person can do it after signing in"},
            "location": {"type": "string", "description": "what was made by the first request"},
            "faults": {
                "type": "object", "additionalProperties": TEXT, "description": "every wrong value, by its name",
            },
        },
    },
}  # fmt: skip
