"""POST /api/oauthv2/token (contract 01 section 4). The authorize endpoint is a page: `web.authorize`."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.api.wire.envelope import is_acceptable
from vitrine.edge import off, parameters, services
from vitrine.edge.params import SMALL_BODY_BYTES, body, scalars
from vitrine.errors import Invalid, Unavailable
from vitrine.oauth import TokenError
from vitrine.settings import Settings

PATH = "/api/oauthv2/token"
# Any page may ask here: nothing is answered without a code or a secret, and cookies play no part (02 section 4.5 D).
_CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "WWW-Authenticate"}
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


async def token(request: Request) -> Response:
    if not is_acceptable(request):
        page = "<!doctype html><title>406</title><p>This endpoint answers in JSON.</p>"
        return Response(page, 406, {"Cache-Control": "no-store", **_CORS}, media_type="text/html")
    here = services(request)
    scheme = "https" if here.settings.is_https else request.url.scheme
    if here.settings.https_required and scheme != "https":
        return _json({"msg": "This endpoint must be called over https.", "code": 400}, 400)
    try:
        form = await _form(request)
        authorization = request.headers.get("authorization", "")
        answer = await off(lambda: here.oauth.exchange(form, authorization, request.state.address))
    except TokenError as refusal:
        return _json({"error": refusal.code, **_described(refusal)}, 400)
    except Invalid as refusal:
        return _json({"error": "invalid_request", "error_description": refusal.detail}, 400)
    except Unavailable as refusal:
        return _json({"error": "temporarily_unavailable", "error_description": refusal.detail}, 503)
    old = {"scope": None} if answer.old_shape else {}
    made: dict[str, Any] = {"access_token": answer.access_token, **old, "token_type": "Bearer"}
    if answer.expires_in is not None:
        made["expires_in"] = round(answer.expires_in.total_seconds())
    return _json(made, 200)


def _described(refusal: TokenError) -> dict[str, str]:
    return {"error_description": refusal.description} if refusal.description else {}


async def _form(request: Request) -> dict[str, str]:
    """Only the body counts; a JSON object is welcome too (01 section 4 D)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _FORMS:
        params = await parameters(request)
        if params.repeated:
            raise Invalid(f"The parameter {min(params.repeated)} came more than once.")
        given: dict[str, Any] = dict(params.form)
    else:
        raw = await body(request, max_bytes=SMALL_BODY_BYTES)
        try:
            given = msgspec.json.decode(raw, type=dict[str, Any]) if raw else {}
        except msgspec.DecodeError as failure:
            raise Invalid("Send the parameters as a form or as a JSON object.") from failure
    return scalars(given)


def _json(value: dict[str, Any], status: int) -> Response:
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache", **_CORS}
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


async def preflight(_request: Request) -> Response:
    headers = {
        **_CORS,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": "86400",
    }
    return Response(b"", 200, headers)


def routes(settings: Settings) -> list[Route]:
    if not settings.api_enabled:
        return []
    return [Route(PATH, token, methods=["POST"]), Route(PATH, preflight, methods=["OPTIONS"])]
