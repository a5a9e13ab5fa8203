"""The envelope of every answer: `meta` and `response` (contract 02 sections 1 to 3)."""

import re
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.api.wire.dates import atom
from vitrine.edge import services

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
    500: ("Internal Server Error", "The server failed; the request id in the headers tells its operator more."),
    503: ("Service Temporarily Unavailable", "Please try again later."),
}
CALLBACK = re.compile(r"[A-Za-z_$][0-9A-Za-z_$]*(?:\.[A-Za-z_$][0-9A-Za-z_$]*)*")
EXTENDED = "application/vnd.phraseanet.record-extended+json"
_ACCEPTED = ("*/*", "application/*", "application/json", "text/javascript", "application/javascript", "text/*")
_encode = msgspec.json.Encoder().encode
JSON = "application/json"


def meta(request: Request, status: int, error_details: str | None) -> dict[str, Any]:
    """The eight keys of `meta`; `request` is method and path without the query, so that no token gets into it."""
    error_type, message = MESSAGES.get(status, MESSAGES[500]) if status >= 400 else (None, None)
    return {
        "api_version": API_VERSION,
        "request": f"{request.method} {request.url.path}",
        "response_time": atom(datetime.now(UTC).replace(microsecond=0), services(request).settings.zone),
        "http_code": status,
        "error_type": error_type,
        "error_message": message,
        "error_details": error_details if status >= 400 else None,
        "charset": "UTF-8",
    }


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
    started = getattr(request.state, "started", None)
    sent = {"Cache-Control": "private, no-store", "Vary": "Origin, Authorization, Accept", **(headers or {})}
    if started is not None:
        sent["Server-Timing"] = f"_global;dur={(time.perf_counter() - started) * 1000:.1f}"
    callback = callback_of(request)
    if callback:
        return _padded(request, callback, body, status, sent)
    return Response(body, status, sent, media_type=JSON)


def callback_of(request: Request) -> str:
    """The parameter `callback`, from query or form (02 section 2)."""
    given = request.query_params.get("callback")
    params = getattr(request.state, "params", None)
    if given is None and params is not None:
        given = params.text("callback")
    return (given or "").strip()


def _padded(request: Request, callback: str, body: bytes, status: int, headers: dict[str, str]) -> Response:
    """JSONP: always 200 except 500; the true status is in `meta.http_code` (02 section 2)."""
    if not CALLBACK.fullmatch(callback):
        wrong = meta(request, 400, "callback must be a JavaScript identifier.")
        return Response(_encode({"meta": wrong, "response": {}}), 400, headers, media_type=JSON)
    padded = b"/**/" + callback.encode() + b"(" + body + b");"
    return Response(padded, 500 if status == 500 else 200, headers, media_type="text/javascript")


def is_extended(request: Request) -> bool:
    """Extended records are asked for by media type; a callback cancels it (02 section 2)."""
    return EXTENDED in request.headers.get("accept", "") and not callback_of(request)


def is_acceptable(request: Request) -> bool:
    """False for an `Accept` that allows none of our formats: 406."""
    accept = request.headers.get("accept", "")
    if not accept or request.query_params.get("callback"):
        return True
    asked = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return any(one in _ACCEPTED or one.startswith("application/vnd.phraseanet.record-extended+") for one in asked)
