"""POST endpoints: token, revocation, introspection, device authorization."""

from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.api.oauthv2.conventions import CORS, answer
from vitrine.api.wire.endpoint import GUIDE
from vitrine.edge import parameters, run_in_thread, services_of
from vitrine.edge.params import FORM_MEDIA_TYPES, body, header, scalars
from vitrine.edge.services import Services
from vitrine.edge.text import json_value, shown_name
from vitrine.errors import Invalid
from vitrine.oauth import TokenAnswer, deprecated_features
from vitrine.oauth.metadata import DEVICE_PAGE
from vitrine.platform import json_text
from vitrine.platform.database import DatabaseBusy


async def token(request: Request) -> Response:
    services = services_of(request)
    tokens = await _exchanged(services, await _form(request), _authorization(request), request.state.address)
    for feature in tokens.deprecated_features:
        services.deferred_writes.feature_used(tokens.application_id, feature, datetime.now(UTC), request.state.address)
    headers = deprecated_features.headers(services.settings.absolute(GUIDE)) if tokens.deprecated_features else {}
    return answer(request, _token_answer(tokens), 200, headers)


async def revoke(request: Request) -> Response:
    """RFC 7009: an unknown token is as good as a revoked one. `{}`, since libraries read JSON from everything."""
    revoke_token = services_of(request).oauth.server.revoke
    await run_in_thread(partial(revoke_token, await _form(request), _authorization(request)))
    return answer(request, {})


async def introspect(request: Request) -> Response:
    """RFC 7662."""
    services = services_of(request)
    call = partial(services.oauth.server.introspect, await _form(request), _authorization(request))
    return answer(request, call() if services.database.is_sqlite else await run_in_thread(call))


async def device_authorization(request: Request) -> Response:
    """RFC 8628 section 3.2."""
    services = services_of(request)
    page = services.settings.absolute(DEVICE_PAGE)
    authorize = services.oauth.server.authorize_device
    codes = await run_in_thread(
        partial(authorize, await _form(request), _authorization(request), request.state.address)
    )
    value = {
        "device_code": codes.device_code,
        "user_code": codes.user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={codes.user_code}",
        "expires_in": round(codes.expires_in.total_seconds()),
        "interval": codes.interval_s,
    }
    return answer(request, value)


async def _exchanged(services: Services, form: dict[str, str], authorization: str, address: str) -> TokenAnswer:
    """The tokens for a grant. A short write runs in the event loop unless another one is under way."""
    server, database = services.oauth.server, services.database
    exchange = partial(server.exchange, form, authorization, address)
    tokens: TokenAnswer | None = None
    if database.is_sqlite and database.has_fast_paths and server.is_short(form):
        with suppress(DatabaseBusy), database.without_waiting():
            tokens = exchange()
    if tokens is None:
        tokens = await run_in_thread(exchange)
    return tokens if tokens.unsigned is None else await run_in_thread(partial(server.signed, tokens))


def _token_answer(tokens: TokenAnswer) -> dict[str, Any]:
    """Contract 01 section 4.2, or RFC 6749 section 5.1 for applications of the newer profiles."""
    value: dict[str, Any] = {"access_token": tokens.access_token}
    if tokens.old_shape:
        value["scope"] = None
    value["token_type"] = "Bearer"  # noqa: S105 - a kind
    if tokens.expires_in is not None:
        value["expires_in"] = round(tokens.expires_in.total_seconds())
    optional = {"refresh_token": tokens.refresh_token, "scope": tokens.scope, "id_token": tokens.id_token}
    return value | {name: text for name, text in optional.items() if text is not None}


def _authorization(request: Request) -> str:
    return header(request.scope, b"authorization")


async def _form(request: Request) -> dict[str, str]:
    """Only the body counts; a JSON object is welcome too (01 section 4 D)."""
    params = await parameters(request)
    if params.media_type in FORM_MEDIA_TYPES:
        if params.repeated:
            raise Invalid(f"The parameter {shown_name(min(params.repeated))} came more than once.")
        return scalars(dict(params.form))
    raw = await body(request)
    try:
        return scalars(json_value(raw, dict[str, Any]) if raw else {})
    except json_text.NotJson as failure:
        raise Invalid("Send the parameters as a form or as a JSON object.") from failure


async def preflight(_request: Request) -> Response:
    headers = {
        **CORS,
        "Access-Control-Allow-Methods": "POST, GET",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": "86400",
    }
    return Response(b"", 200, headers)
