"""JSON in and out of API v4, and the entity tags that guard changes."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.edge.params import body
from vitrine.edge.text import json_value
from vitrine.errors import Conflict, Invalid
from vitrine.platform import json_text
from vitrine.platform.schema import to_micros

BODY_BYTES = 64 * 1024
JSON_TYPES = ("", "application/json", "application/merge-patch+json")
NO_BODY = hashlib.sha256(b"").digest()


class Changed(Conflict):
    """Somebody changed the thing after the caller read it (RFC 9110 section 13.1.1)."""

    code = "changed_meanwhile"


class Unguarded(Conflict):
    """A change without `If-Match` where it is required (RFC 6585 section 3)."""

    code = "if_match_required"


class NotJson(Invalid):
    code = "not_json"


class SecretResponse(Response):
    """An answer that holds a secret: shown once and kept nowhere."""


def answer(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = "application/json"
) -> Response:
    return _response(Response, value, status, headers, media_type)


def secret_answer(value: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """`answer` for a value with a secret in it."""
    return _response(SecretResponse, value, status, headers, "application/json")


def _response(
    kind: type[Response], value: Any, status: int, headers: Mapping[str, str] | None, media_type: str
) -> Response:
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return kind(msgspec.json.encode(value), status, sent, media_type=media_type)


def nothing() -> Response:
    return Response(b"", 204, {"Cache-Control": "no-store"})


def moment(value: datetime | None) -> str | None:
    """RFC 3339, in UTC."""
    return None if value is None else value.isoformat(timespec="seconds").replace("+00:00", "Z")


async def json_body(request: Request) -> Any:
    """The JSON value of the body; an empty one is an empty object. Its digest is kept for `idempotency`. Raises
    NotJson, Invalid or BodyTooLarge."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in JSON_TYPES:
        raise NotJson("Send JSON, with Content-Type: application/json.", field="body")
    raw = await body(request, max_bytes=BODY_BYTES)
    try:
        value = json_value(raw) if raw.strip() else {}
    except json_text.NotJson as failure:
        raise Invalid("The body is not well-formed JSON.", field="body") from failure
    # The order of members means nothing (RFC 8259 section 4): a client may write the same value in another one.
    request.state.body_digest = hashlib.sha256(msgspec.json.encode(value, order="sorted")).digest()
    return value


async def json_members(request: Request, **types: type | tuple[type, ...]) -> dict[str, Any]:
    """An object with some of the names in *types*, each of its type; what is missing is None. Raises Invalid, naming
    the member."""
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
    request.state.body_members = frozenset(values)  # which of them are there, for a merge patch
    return {name: values.get(name) for name in types}


def tag_of(updated: datetime, *identity: int) -> str:
    """A strong entity tag of a thing whose every change writes its *updated*."""
    return f'"{"-".join(map(str, identity))}-{to_micros(updated):x}"'


def require_tag(request: Request, tag: str, *, required: bool = False) -> None:
    """Compare `If-Match` inside the transaction of the change, so that no change in between is lost.

    Raises Changed (412), or Unguarded (428) where the header is missing and *required*."""
    if_match = request.headers.get("if-match")
    if if_match is None:
        if required:
            raise Unguarded("Send If-Match with the ETag that you got with it, or * for whatever is there.")
        return
    tags = {candidate.strip() for candidate in if_match.split(",")}
    if "*" not in tags and tag not in tags:
        raise Changed("It was changed since you looked. Fetch it again and repeat your change.")


def chosen(request: Request, names: Iterable[str]) -> frozenset[str] | None:
    """The members that the caller chose with `fields`; None for all. Raises Invalid for one that is not in *names*."""
    text = request.query_params.get("fields")
    if text is None:
        return None
    wanted = frozenset(part.strip() for part in text.split(",")) - {""}
    unknown = sorted(wanted - set(names))
    if unknown:
        raise Invalid(f"fields may name {', '.join(names)}; not {unknown[0][:80]}.", field="fields")
    return wanted


def sparse(value: dict[str, Any], wanted: frozenset[str] | None, *always: str) -> dict[str, Any]:
    """*value* with the members in *wanted* and *always* only."""
    if wanted is None:
        return value
    return {name: member for name, member in value.items() if name in wanted or name in always}
