"""The envelope of every answer: `meta` and `response` (contract 02 sections 1 to 3)."""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.api.wire.dates import atom
from vitrine.api.wire.formats import JSON, PLAIN, YAML, Form, as_yaml, form_of
from vitrine.edge import services_of
from vitrine.edge.fast.encoded_headers import Pair
from vitrine.edge.fast.responses import CompleteResponse, content_length
from vitrine.edge.params import header

API_VERSION = "2.0.0"
MESSAGES = {
    400: ("Bad Request", "The request is not right; error_details says what is wrong."),
    401: ("Unauthorized", "The token is right, but its owner may not do this."),
    403: ("Forbidden", "This is not allowed."),
    404: ("Not Found", "There is nothing at this address."),
    405: ("Method Not Allowed", "This address does not take this method."),
    406: ("Unacceptable", "None of the formats asked for can be sent."),
    413: ("Bad Request", "The request is too large."),
    422: ("Unprocessable Entity", "The body could not be read as JSON."),
    429: ("Too Many Requests", "Too many calls in a minute; Retry-After says when to come back."),
    500: ("Internal Server Error", "The server failed; the request id in the headers tells its operator more."),
    503: ("Service Temporarily Unavailable", "Please try again later."),
}
CALLBACK = re.compile(r"[A-Za-z_$][0-9A-Za-z_$]*(?:\.[A-Za-z_$][0-9A-Za-z_$]*)*")
_encode = msgspec.json.Encoder().encode


def meta(request: Request, status: int, error_details: str | None) -> dict[str, Any]:
    """The eight keys of `meta`; `request` is method and path without the query, so that no token gets into it."""
    error_type, message = MESSAGES.get(status, MESSAGES[500]) if status >= 400 else (None, None)
    return {
        "api_version": API_VERSION,
        "request": f"{request.scope['method']} {request.scope['path']}",
        "response_time": _second(int(time.time()), services_of(request).settings.timezone),
        "http_code": status,
        "error_type": error_type,
        "error_message": message,
        "error_details": error_details if status >= 400 else None,
        "charset": "UTF-8",
    }


@lru_cache(maxsize=4)
def _second(seconds: int, zone: str) -> str:
    return atom(datetime.fromtimestamp(seconds, UTC), ZoneInfo(zone))


def answer(
    request: Request,
    data: Any,
    status: int = 200,
    *,
    error_details: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """One answer in the envelope; no data is `{}`, never null."""
    body = _encode({"meta": meta(request, status, error_details), "response": {} if data is None else data})
    took = (time.perf_counter() - request.scope["state"]["started"]) * 1000
    callback = callback_of(request)
    if callback:
        sent = {"Cache-Control": "private, no-store", "Vary": _VARY, **(headers or {})}
        return _padded(request, callback, body, status, {**sent, "Server-Timing": f"_global;dur={took:.1f}"})
    form = _accepted(request)
    if form.is_script and status < 500:
        status = 200  # the true one is in `meta.http_code` (02 section 2)
    if form.is_yaml:
        body, headers = as_yaml(body), {"Content-Type": YAML, **(headers or {})}
    return CompleteResponse(status, _headers(len(body), took, headers), body)


_VARY = "Origin, Authorization, Accept"
_ALWAYS = (
    (b"content-type", JSON.encode()),
    (b"vary", _VARY.encode()),
    (b"cache-control", b"private, no-store"),
)


def _headers(length: int, took_ms: float, headers: Mapping[str, str] | None) -> list[Pair]:
    """What changes first, then what is always the same; *headers* replace those."""
    changing = [content_length(length), (b"server-timing", b"_global;dur=%.1f" % took_ms)]
    if not headers:
        return [*changing, *_ALWAYS]
    replacing = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    replaced = {name for name, _ in replacing}
    return [*changing, *replacing, *(pair for pair in _ALWAYS if pair[0] not in replaced)]


def callback_of(request: Request) -> str:
    """The parameter `callback`, from query or form (02 section 2)."""
    params = request.scope["state"].get("params")
    if params is None:  # not read yet
        return request.query_params.get("callback", "").strip() if request.scope["query_string"] else ""
    return (params.text("callback") or "").strip() if params.query or params.form else ""


def _padded(request: Request, callback: str, body: bytes, status: int, headers: dict[str, str]) -> Response:
    """JSONP: always 200 except 500; the true status is in `meta.http_code` (02 section 2)."""
    if not CALLBACK.fullmatch(callback):
        wrong = meta(request, 400, "callback must be a JavaScript identifier.")
        return Response(_encode({"meta": wrong, "response": {}}), 400, headers, media_type=JSON)
    padded = b"/**/" + callback.encode() + b"(" + body + b");"
    return Response(padded, 500 if status == 500 else 200, headers, media_type="text/javascript")


def requested_form(request: Request) -> Form:
    """The requested form; a callback makes it plain JSON (02 section 2)."""
    return PLAIN if callback_of(request) else _accepted(request)


def _accepted(request: Request) -> Form:
    """What the `Accept` header asks for, looked at once for each request."""
    state: dict[str, Any] = request.scope["state"]
    form: Form | None = state.get("accepted")
    if form is None:
        form = state["accepted"] = form_of(header(request.scope, b"accept"))
    return form


def is_extended(request: Request) -> bool:
    """True if the media type requests extended records."""
    return requested_form(request).is_extended


def is_acceptable(request: Request) -> bool:
    """False for an `Accept` that allows none of our formats: 406."""
    return requested_form(request).is_served


def refuse_unacceptable(request: Request) -> Response | None:
    """The 406 to a request that allows none of our formats; None for all others."""
    return None if is_acceptable(request) else answer(request, None, 406, error_details="Ask for application/json.")


def refuse_wrong_callback(request: Request) -> Response | None:
    """The 400 to a `callback` that is no JavaScript identifier, before anything is done; None for all others."""
    callback = callback_of(request)
    return answer(request, None) if callback and not CALLBACK.fullmatch(callback) else None
