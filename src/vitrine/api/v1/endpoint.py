"""The frame of every v1 route: parameters, token, formats, errors (contract 02 sections 1 to 4; 01 section 5.4)."""

from collections.abc import Awaitable, Callable
from functools import lru_cache

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from vitrine.api.wire.envelope import answer, is_acceptable
from vitrine.edge import nobody, optional_bearer, parameters, read, refusals, services_of
from vitrine.edge.auth import TokenMissing, TwoCarriers, refuse_mistyped
from vitrine.edge.calls import count_deprecated_features
from vitrine.edge.fast.responses import CompleteResponse
from vitrine.edge.params import SMALL_BODY_BYTES, without_body
from vitrine.errors import Conflict, DomainError
from vitrine.library.errors import MayNotAdd, MayNotChange, MayNotSee
from vitrine.oauth import InsufficientScope, TokenRefused
from vitrine.oauth.metadata import PROTECTED_RESOURCE
from vitrine.platform import logging

Handler = Callable[[Request], Awaitable[Response]]
log = logging.get("vitrine.api")
UNPROVEN_BYTES = 64 * 2**20

STATUSES: refusals.Statuses = (
    (MayNotSee, 401),  # a missing right on a record, databox or collection is 401 here (02 section 3)
    (MayNotChange, 401),
    (MayNotAdd, 403),  # except for adding (02 section 6.4)
    (Conflict, 400),
    *refusals.STATUSES,
)


def endpoint(
    handler: Handler, scope: Callable[[str], str], *, max_bytes: Callable[[Request], int] | None = None
) -> Handler:
    """Wrap a handler: read its parameters, turn every refusal into the status v1 specifies, log the call.

    *scope* returns the scope that a token with scopes needs for a method; `edge.auth` checks it when it reads the
    token."""
    needed = {method: _or_none(scope, method) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")}
    needed["HEAD"] = needed["GET"]

    async def wrapped(request: Request) -> Response:
        request.scope["state"]["needs"] = needed.get(request.scope["method"])
        response = await _answered(request, handler, max_bytes)
        count_deprecated_features(request, response)
        return response

    return wrapped


def _or_none(scope: Callable[[str], str], method: str) -> str | None:
    try:
        return scope(method)
    except KeyError:  # the route does not have this method
        return None


async def _answered(request: Request, handler: Handler, max_bytes: Callable[[Request], int] | None) -> Response:
    if not is_acceptable(request):
        return answer(request, None, 406, error_details="Ask for application/json.")
    try:
        allowed = await _allowed_bytes(request, max_bytes) if max_bytes else SMALL_BODY_BYTES
        params = await parameters(request, max_bytes=allowed)
        refuse_mistyped(request)
        try:
            return await handler(request)
        finally:
            if params.files:
                await params.close()
    except TokenMissing:
        return challenge(request, 400, "invalid_request")
    except InsufficientScope as refusal:
        return insufficient(request, refusal)
    except TokenRefused as refusal:
        return challenge(request, 400 if refusal.code == "invalid_request" else 401, refusal.code)
    except TwoCarriers:
        headers = {"Cache-Control": "no-store"}
        return Response(b'{"error":"invalid_request"}', 400, headers, media_type="application/json")
    except DomainError as refusal:
        return refused(request, refusal)
    except HTTPException:
        raise
    except Exception:
        log.exception("request.broke")
        return answer(request, None, 500, error_details="")


async def _allowed_bytes(request: Request, most: Callable[[Request], int]) -> int:
    """The number of body bytes to read. A token in header or query is checked before the first byte, so that strangers
    cannot fill the disk. A client whose token is in the form itself may send at most UNPROVEN_BYTES."""
    state = request.scope["state"]
    state["params"] = without_body(request)
    try:
        actor = await read(request, nobody, lambda work, _actor: optional_bearer(work, request))
    finally:
        del state["params"]
    return most(request) if actor is not None else min(most(request), UNPROVEN_BYTES)


def refused(request: Request, refusal: DomainError) -> Response:
    if refusal.why:
        log.info("refused", code=refusal.code, why=refusal.why)
    status = refusals.status_of(refusal, STATUSES)
    return answer(request, None, status, error_details=refusal.detail, headers=refusals.headers_of(refusal))


def challenge(request: Request, status: int, error: str) -> Response:
    """A missing or wrong token gets no envelope: empty body, single quotes (01 section 5.4).

    The second challenge is for clients that know only Bearer (contract 08). It gives the address of the resource
    metadata (RFC 9728 section 5.1). Without a token it names no error (RFC 6750 section 3.1).
    """
    return CompleteResponse(status, _challenges(status, error, _described_at(request)))


@lru_cache(maxsize=64)
def _challenges(status: int, error: str, described: str) -> tuple[tuple[bytes, bytes], ...]:
    error_part = f', error="{error}"' if status == 401 else ""
    return (
        (b"cache-control", b"no-store"),
        (b"content-length", b"0"),
        (b"www-authenticate", f"OAuth realm='Service', error='{error}'".encode()),
        (b"www-authenticate", f'Bearer realm="Service"{error_part}, {described}'.encode()),
    )


def insufficient(request: Request, refusal: InsufficientScope) -> Response:
    """403 in the envelope, naming the missing scope in the text and in both challenges (RFC 6750 section 3.1)."""
    response = answer(request, None, 403, error_details=f"This needs the scope {refusal.scope}. {refusal.description}")
    old = f"OAuth realm='Service', error='insufficient_scope', scope='{refusal.scope}'"
    new = f'Bearer realm="Service", error="insufficient_scope", scope="{refusal.scope}", {_described_at(request)}'
    for value in (old, new):
        response.headers.append("WWW-Authenticate", value)
    return response


def _described_at(request: Request) -> str:
    return f'resource_metadata="{services_of(request).settings.absolute(PROTECTED_RESOURCE)}"'
