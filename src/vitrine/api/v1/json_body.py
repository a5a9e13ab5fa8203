"""Bodies of JSON, for the routes that contract 02 marks *JSON body*."""

from typing import Any

from starlette.requests import Request

from vitrine.edge.params import FORM_MEDIA_TYPES, body
from vitrine.edge.text import json_value
from vitrine.errors import Invalid
from vitrine.platform import json_text

BODY_BYTES = 2 * 2**20
JSON_TYPES = ("", "application/json", "application/x-json")


class NotJsonType(Invalid):
    """406: the body is declared as something other than JSON (02 section 6.9)."""

    code = "not_json"


class Undecodable(Invalid):
    """422: the body is no JSON (02 section 3)."""

    code = "undecodable"


class WrongShape(Invalid):
    """422: the body is JSON, but not of the shape that its route takes (02 section 6.12)."""

    code = "wrong_shape"


async def json_body(request: Request, *, any_type: bool = False, parameter: str = "") -> Any:
    """The JSON value of the body. One without a `Content-Type` is accepted, since real clients send none (08);
    *any_type*: so is one with a wrong type (02 sections 6.10 to 6.12). *parameter*: where there is no body, the JSON is
    the value of this parameter of the query or of a form (02 section 6.9).

    Raises NotJsonType, Undecodable (an empty body too) or BodyTooLarge."""
    params = request.state.params
    text = params.text(parameter) if parameter else None
    if text is not None and params.media_type in FORM_MEDIA_TYPES:
        return _decoded(text.encode())
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not any_type and media_type not in JSON_TYPES:
        raise NotJsonType("Send JSON, with Content-Type: application/json.", field="body")
    raw = await body(request, max_bytes=BODY_BYTES)
    return _decoded(text.encode() if text is not None and not raw else raw)


def _decoded(raw: bytes) -> Any:
    try:
        return json_value(raw)
    except json_text.NotJson as failure:
        raise Undecodable("The body is not well-formed JSON.", field="body") from failure
