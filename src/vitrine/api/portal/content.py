"""JSON in and out of the portal's API, and the entity tags that guard changes."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.api.portal import present
from vitrine.applications import Application, ApplicationId
from vitrine.edge.params import body
from vitrine.edge.text import json_value
from vitrine.errors import Conflict, Invalid
from vitrine.platform import json_text
from vitrine.platform.schema import to_micros

BODY_BYTES = 64 * 1024
JSON_TYPES = ("", "application/json", "application/merge-patch+json")


class Changed(Conflict):
    """Somebody changed the application after the caller read it (RFC 9110 section 13.1.1)."""

    code = "changed_meanwhile"


class Unguarded(Conflict):
    """A replacement without `If-Match` (RFC 6585 section 3)."""

    code = "if_match_required"


class NotJson(Invalid):
    code = "not_json"


def application_id(request: Request) -> ApplicationId:
    return ApplicationId(request.path_params["id"])


def answer(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = "application/json"
) -> Response:
    return Response(
        msgspec.json.encode(value), status, {"Cache-Control": "no-store", **(headers or {})}, media_type=media_type
    )


def shown(application: Application, status: int = 200, **more: Any) -> Response:
    """The application with its entity tag."""
    return answer({**present.application(application), **more}, status, {"ETag": tag_of(application)})


def nothing() -> Response:
    return Response(b"", 204, {"Cache-Control": "no-store"})


async def json_body(request: Request) -> Any:
    """The JSON value of the body; an empty one is an empty object. Raises NotJson, Invalid or BodyTooLarge."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in JSON_TYPES:
        raise NotJson("Send JSON, with Content-Type: application/json.", field="body")
    raw = await body(request, max_bytes=BODY_BYTES)
    try:
        return json_value(raw) if raw.strip() else {}
    except json_text.NotJson as failure:
        raise Invalid("The body is not well-formed JSON.", field="body") from failure


async def fields(request: Request, **types: type | tuple[type, ...]) -> dict[str, Any]:
    """An object with some of the names in *types*, each of its type; what is missing is None. Raises Invalid, naming
    the field."""
    values = await json_body(request)
    if not isinstance(values, dict):
        raise Invalid("Send a JSON object.", field="body")
    unknown = sorted(set(values) - set(types))
    if unknown:
        raise Invalid(f"There is no field called {unknown[0][:80]} here.", field=unknown[0][:80])
    for name, kinds in types.items():
        value = values.get(name)
        if value is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and kinds is int)):
            raise Invalid(f"The value of {name} has the wrong type.", field=name)
    return {name: values.get(name) for name in types}


def tag_of(application: Application) -> str:
    """A strong entity tag: every change of an application writes its `updated`."""
    return f'"{application.id}-{to_micros(application.updated):x}"'


def require_tag(request: Request, application: Application, *, required: bool = False) -> None:
    """Compare `If-Match` inside the transaction of the change, so that no change in between is lost.

    Raises Changed (412), or Unguarded (428) where the header is missing and *required*."""
    if_match = request.headers.get("if-match")
    if if_match is None:
        if required:
            raise Unguarded(
                "Send If-Match with the ETag that you got with the application, or * for whatever is there."
            )
        return
    tags = {tag.strip() for tag in if_match.split(",")}
    if "*" not in tags and tag_of(application) not in tags:
        raise Changed("The application was changed since you looked. Fetch it again and repeat your change.")
