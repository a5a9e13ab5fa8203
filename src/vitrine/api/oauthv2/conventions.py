"""How the OAuth endpoints answer and refuse (contract 01 section 4; RFC 6749 section 5.2; RFC 6750 section 3)."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.api.wire.challenges import resource_metadata
from vitrine.api.wire.endpoint import Conventions
from vitrine.api.wire.envelope import is_acceptable
from vitrine.edge import refusals, services_of
from vitrine.edge.auth import TokenMissing, TwoCarriers
from vitrine.edge.fast.responses import CompleteResponse, content_length
from vitrine.edge.limits import TooMany
from vitrine.errors import DomainError, Forbidden, Invalid, Unavailable
from vitrine.oauth import InsufficientScope, TokenError, TokenRefused

# Any page may call these: nothing is answered without a code or a secret, and cookies play no part (02 section 4.5 D).
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, Deprecation, Sunset",
}
STATUSES: refusals.Statuses = ((Unavailable, 503), (TooMany, 429), (DomainError, 400))
_CODES = ((Unavailable, "temporarily_unavailable"), (TooMany, "temporarily_unavailable"), (Forbidden, "invalid_grant"))
_ALWAYS = tuple(
    (name.lower().encode(), value.encode())
    for name, value in {
        "Cache-Control": "no-store", "Pragma": "no-cache", **CORS, "Content-Type": "application/json",
    }.items()
)  # fmt: skip


def answer(request: Request, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON, with the headers that change before those that are always the same."""
    body = msgspec.json.encode(value)
    changing = {**request.scope["state"].get("rate_limit", {}), **(headers or {})}
    encoded = [(name.lower().encode(), text.encode("latin-1")) for name, text in changing.items()]
    return CompleteResponse(status, (content_length(len(body)), *encoded, *_ALWAYS), body)


def error(
    request: Request, code: str, description: str, status: int, headers: dict[str, str] | None = None
) -> Response:
    """RFC 6749 section 5.2."""
    described = {"error_description": description} if description else {}
    return answer(request, {"error": code, **described}, status, headers)


def _refused(request: Request, refusal: DomainError, status: int) -> Response:
    code = next((code for kind, code in _CODES if isinstance(refusal, kind)), "invalid_request")
    headers = refusal.headers if isinstance(refusal, TooMany) else {}
    return answer(request, {"error": code, "error_description": refusal.detail}, status, headers)


def _admit(request: Request) -> Response | None:
    """Refuse other formats than JSON, http where the instance requires https, and addresses that exceed their limit."""
    if not is_acceptable(request):
        page = "<!doctype html><title>406</title><p>This endpoint answers in JSON.</p>"
        return Response(page, 406, {"Cache-Control": "no-store", **CORS}, media_type="text/html")
    services = services_of(request)
    scheme = "https" if services.settings.is_https else request.scope["scheme"]
    if services.settings.https_required and scheme != "https":
        return answer(request, {"msg": "This endpoint must be called over https.", "code": 400}, 400)
    state = request.scope["state"]
    state["rate_limit"] = services.limits.requests.token.hit(state["address"])
    return None


def _client_refused(request: Request, refusal: TokenError) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="Service"'} if refusal.status == 401 else {}
    return error(request, refusal.code, refusal.description, refusal.status, headers)


def _challenge(request: Request, status: int, code: str, more: str = "") -> Response:
    """RFC 6750 section 3: the error in the challenge and as JSON; none without a token."""
    parts = ['Bearer realm="Service"', *([f'error="{code}"'] if code else []), more, resource_metadata(request)]
    header = ", ".join(part for part in parts if part)
    return answer(request, {"error": code} if code else {}, status, {"WWW-Authenticate": header})


def _insufficient_scope(request: Request, refusal: InsufficientScope) -> Response:
    return _challenge(request, 403, refusal.code, f'scope="{refusal.scope}"')


def _token_refused(request: Request, refusal: TokenRefused) -> Response:
    return _challenge(request, 401, refusal.code if refusal.code == "invalid_request" else "invalid_token")


def _token_missing(request: Request, _refusal: TokenMissing) -> Response:
    return _challenge(request, 401, "")


def _invalid_request(request: Request, _refusal: Exception) -> Response:
    return _challenge(request, 400, "invalid_request")


# The client authenticates in the form or by HTTP Basic; `oauth` does both together, so the handler reads the form.
CLIENT_ENDPOINT = Conventions(
    refused=_refused,
    statuses=STATUSES,
    challenges=((TokenError, _client_refused),),
    admit=_admit,
    reads_parameters=False,
    is_counted=False,
)
USERINFO = Conventions(
    refused=_refused,
    statuses=STATUSES,
    challenges=(
        (InsufficientScope, _insufficient_scope),
        (TokenRefused, _token_refused),
        (TokenMissing, _token_missing),
        (TwoCarriers, _invalid_request),
        (Invalid, _invalid_request),
    ),
    is_counted=False,
)
