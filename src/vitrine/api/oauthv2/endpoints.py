"""POST endpoints: token, revocation, introspection, device authorization."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.api.wire.envelope import is_acceptable
from vitrine.edge import parameters, run_in_thread, services_of
from vitrine.edge.calls import GUIDE
from vitrine.edge.fast.responses import CompleteResponse, content_length
from vitrine.edge.limits import TooMany
from vitrine.edge.params import SMALL_BODY_BYTES, body, header, scalars
from vitrine.edge.services import Services
from vitrine.edge.text import json_value, shown_name
from vitrine.errors import Forbidden, Invalid, Unavailable
from vitrine.oauth import TokenAnswer, TokenError, deprecated_features
from vitrine.oauth.metadata import DEVICE_PAGE
from vitrine.platform.database import DatabaseBusy

# Any page may ask here: nothing is answered without a code or a secret, and cookies play no part (02 section 4.5 D).
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, Deprecation, Sunset",
}
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
Call = Callable[[dict[str, str], str], Any]


async def token(request: Request) -> Response:
    services = services_of(request)
    return await _posted(
        request,
        lambda form, sent: services.oauth.server.exchange(form, sent, request.state.address),
        _token_answer,
        without_waiting=True,
    )


async def revoke(request: Request) -> Response:
    """RFC 7009: an unknown token is as good as a revoked one. `{}`, since libraries read JSON from everything."""
    return await _posted(request, services_of(request).oauth.server.revoke, lambda _request, _made: ({}, {}))


async def introspect(request: Request) -> Response:
    """RFC 7662."""
    call = services_of(request).oauth.server.introspect
    return await _posted(request, call, lambda _request, made: (made, {}), in_loop=True)


async def device_authorization(request: Request) -> Response:
    """RFC 8628 section 3.2."""
    services = services_of(request)
    page = services.settings.absolute(DEVICE_PAGE)

    def told(_request: Request, made: Any) -> tuple[dict[str, Any], dict[str, str]]:
        return {
            "device_code": made.device_code,
            "user_code": made.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={made.user_code}",
            "expires_in": round(made.expires_in.total_seconds()),
            "interval": made.interval_s,
        }, {}

    return await _posted(
        request, lambda form, sent: services.oauth.server.authorize_device(form, sent, request.state.address), told
    )


AnswerOf = Callable[[Request, Any], tuple[dict[str, Any], dict[str, str]]]


async def _called(
    here: Services, call: Call, form: dict[str, str], sent: str, *, in_loop: bool, without_waiting: bool
) -> Any:
    """Run *call* where it belongs. A short write runs in the loop unless somebody else is writing just now."""
    made: Any = None
    if here.database.is_sqlite:
        if in_loop:
            return call(form, sent)
        if without_waiting and here.database.has_fast_paths and here.oauth.server.is_short(form):
            with suppress(DatabaseBusy), here.database.without_waiting():
                made = call(form, sent)
    if made is None:
        made = await run_in_thread(lambda: call(form, sent))
    if isinstance(made, TokenAnswer) and made.unsigned is not None:
        return await run_in_thread(lambda: here.oauth.server.signed(made))
    return made


async def _posted(
    request: Request, call: Call, told: AnswerOf, *, in_loop: bool = False, without_waiting: bool = False
) -> Response:
    """What the four endpoints share: https, the limit, the form, the refusals. *in_loop*: a short read;
    *without_waiting*: a write that is short for some forms."""
    if not is_acceptable(request):
        page = "<!doctype html><title>406</title><p>This endpoint answers in JSON.</p>"
        return Response(page, 406, {"Cache-Control": "no-store", **CORS}, media_type="text/html")
    services = services_of(request)
    scheme = "https" if services.settings.is_https else request.scope["scheme"]
    if services.settings.https_required and scheme != "https":
        return answer({"msg": "This endpoint must be called over https.", "code": 400}, 400)
    try:
        limited = services.limits.requests.token.hit(request.state.address)
    except TooMany as refusal:
        refused = {"error": "temporarily_unavailable", "error_description": refusal.detail}
        return answer(refused, 429, refusal.headers)
    try:
        form = await _form(request)
        sent = header(request.scope, b"authorization")
        made = await _called(services, call, form, sent, in_loop=in_loop, without_waiting=without_waiting)
    except TokenError as refusal:
        headers = {"WWW-Authenticate": 'Basic realm="Service"'} if refusal.status == 401 else {}
        return answer({"error": refusal.code, **_described(refusal)}, refusal.status, {**limited, **headers})
    except Forbidden as refusal:  # the application is not open to this person yet
        return answer({"error": "invalid_grant", "error_description": refusal.detail}, 400, limited)
    except Invalid as refusal:
        return answer({"error": "invalid_request", "error_description": refusal.detail}, 400, limited)
    except Unavailable as refusal:
        return answer({"error": "temporarily_unavailable", "error_description": refusal.detail}, 503, limited)
    value, headers = told(request, made)
    return answer(value, 200, {**limited, **headers})


def _token_answer(request: Request, made: TokenAnswer) -> tuple[dict[str, Any], dict[str, str]]:
    """Contract 01 section 4.2, or RFC 6749 section 5.1 for applications of the newer profiles."""
    value: dict[str, Any] = {"access_token": made.access_token}
    if made.old_shape:
        value["scope"] = None
    value["token_type"] = "Bearer"  # noqa: S105 - a kind
    if made.expires_in is not None:
        value["expires_in"] = round(made.expires_in.total_seconds())
    more = {"refresh_token": made.refresh_token, "scope": made.scope, "id_token": made.id_token}
    value |= {name: text for name, text in more.items() if text is not None}
    services = services_of(request)
    for habit in made.deprecated_features:
        services.deferred_writes.feature_used(made.application_id, habit, datetime.now(UTC), request.state.address)
    return value, deprecated_features.headers(services.settings.absolute(GUIDE)) if made.deprecated_features else {}


def _described(refusal: TokenError) -> dict[str, str]:
    return {"error_description": refusal.description} if refusal.description else {}


async def _form(request: Request) -> dict[str, str]:
    """Only the body counts; a JSON object is welcome too (01 section 4 D)."""
    kind = header(request.scope, b"content-type").partition(";")[0].strip().lower()
    if kind in _FORMS:
        params = await parameters(request)
        if params.repeated:
            raise Invalid(f"The parameter {shown_name(min(params.repeated))} came more than once.")
        given: dict[str, Any] = dict(params.form)
    else:
        raw = await body(request, max_bytes=SMALL_BODY_BYTES)
        try:
            given = json_value(raw, dict[str, Any]) if raw else {}
        except msgspec.DecodeError as failure:
            raise Invalid("Send the parameters as a form or as a JSON object.") from failure
    return scalars(given)


_USUAL = tuple(
    (name.lower().encode(), value.encode())
    for name, value in {
        "Cache-Control": "no-store", "Pragma": "no-cache", **CORS, "Content-Type": "application/json",
    }.items()
)  # fmt: skip


def answer(value: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> Response:
    """JSON, with the headers that change before those that are always the same."""
    body = msgspec.json.encode(value)
    given = [(name.lower().encode(), text.encode("latin-1")) for name, text in (headers or {}).items()]
    return CompleteResponse(status, (content_length(len(body)), *given, *_USUAL), body)


async def preflight(_request: Request) -> Response:
    headers = {
        **CORS,
        "Access-Control-Allow-Methods": "POST, GET",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": "86400",
    }
    return Response(b"", 200, headers)
