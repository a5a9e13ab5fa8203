"""How API v4 refuses: RFC 9457 problems, and challenges of RFC 6750."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts.errors import RecentAuthRequired, TooManyMails
from vitrine.accounts.model import ADMINISTRATION
from vitrine.api.v4.content import Changed, NotJson, Unguarded, answer
from vitrine.api.v4.idempotency import KeyReused, NotRepeated
from vitrine.api.wire.challenges import resource_metadata
from vitrine.api.wire.endpoint import Conventions
from vitrine.applications import BadApplication, NoSuchApplication
from vitrine.baskets.errors import BasketChanged, BasketNotShared, NoSuchBasket
from vitrine.edge import bearer, refusals, services_of
from vitrine.edge.auth import TokenMissing, TwoCarriers
from vitrine.errors import DomainError
from vitrine.feeds.errors import MayNotRead, NoSuchEntry, NoSuchFeed
from vitrine.library.bulk.service import NoSuchOperation
from vitrine.library.errors import (
    ChangedMeanwhile,
    MayNotSee,
    NoSuchChange,
    NoSuchCollection,
    NoSuchDatabox,
    NoSuchRecord,
    NoSuchRendition,
    NoSuchVersion,
)
from vitrine.library.quarantine.service import MayNotDecide, NoSuchItem
from vitrine.library.stories.errors import ChildHidden
from vitrine.oauth import InsufficientScope, TokenRefused

TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict", 412: "Precondition Failed", 413: "Content Too Large", 415: "Unsupported Media Type",
    422: "Unprocessable Content", 428: "Precondition Required", 429: "Too Many Requests", 500: "Internal Server Error",
    503: "Service Unavailable",
}  # fmt: skip

STATUSES: refusals.Statuses = (
    (Changed, 412),
    (ChangedMeanwhile, 412),
    (BasketChanged, 412),
    (Unguarded, 428),
    (NotJson, 415),
    (BadApplication, 422),
    (KeyReused, 422),
    (TooManyMails, 429),  # the caller's limit, not the server's trouble
    *refusals.STATUSES,
)


def problem(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """RFC 9457: `code` is stable, `detail` a sentence, `field` and `faults` name what is wrong in the body."""
    value = {"type": "about:blank", "title": TITLES[status], "status": status, "code": code, "detail": detail, **more}
    return answer(value, status, headers, media_type="application/problem+json")


def _refused(_request: Request, refusal: DomainError, status: int) -> Response:
    more: dict[str, Any] = {"field": refusal.field} if refusal.field else {}
    faults = getattr(refusal, "faults", None)
    if isinstance(faults, Mapping):
        more["faults"] = faults
    return problem(status, refusal.code, refusal.detail, refusals.headers_of(refusal), **more)


def _broken(_request: Request) -> Response:
    return problem(500, "error", "The server failed; the request id in the headers tells its operator more.")


def _token_missing(request: Request, _refusal: TokenMissing) -> Response:
    """Without a token the challenge names no error (RFC 6750 section 3)."""
    return _challenged(request, 401, "invalid_token", "Send an access token: Authorization: Bearer …", error="")


def _token_refused(request: Request, refusal: TokenRefused) -> Response:
    code = refusal.code if refusal.code == "invalid_request" else "invalid_token"
    status = 400 if code == "invalid_request" else 401
    detail = refusal.description or "This access token opens nothing any more."
    return _challenged(request, status, code, detail, error=f' error="{code}",')


def _challenged(request: Request, status: int, code: str, detail: str, *, error: str) -> Response:
    challenge = f'Bearer realm="Service",{error} {resource_metadata(request)}'
    return problem(status, code, detail, {"WWW-Authenticate": challenge})


def _two_carriers(_request: Request, _refusal: TwoCarriers) -> Response:
    return problem(400, "invalid_request", "Send one access token, in the Authorization header.")


def _insufficient_scope(request: Request, refusal: InsufficientScope) -> Response:
    return _insufficient(request, refusal.scope)


def _insufficient(request: Request, scope: str) -> Response:
    error = f'error="insufficient_scope", scope="{scope}"'
    headers = {"WWW-Authenticate": f'Bearer realm="Service", {error}, {resource_metadata(request)}'}
    detail = f"The token needs the scope {scope} for this."
    return problem(403, "insufficient_scope", detail, headers, scope=scope)


def _unknown_application(request: Request, refusal: NoSuchApplication) -> Response:
    """404, except for an administrator whose token lacks the scope: they may know what is missing."""
    facts = request.scope["state"].get("bearer")
    if facts is not None and facts.actor.is_admin and not facts.actor.administers:
        return _insufficient(request, ADMINISTRATION)
    return _refused(request, refusal, refusals.status_of(refusal, STATUSES))


def _hidden(_request: Request, _refusal: DomainError) -> Response:
    """What is not there, and what the caller may not know of, look alike."""
    return problem(404, "not_found", "There is no such thing, or you may not see it.")


def _not_repeated(_request: Request, refusal: NotRepeated) -> Response:
    more: dict[str, Any] = {} if refusal.location is None else {"location": refusal.location}
    return problem(409, refusal.code, refusal.detail, **more)


def _recent_auth_required(request: Request, refusal: RecentAuthRequired) -> Response:
    """What no token may do (docs/decisions/0080): *page* is where a person does it, after signing in."""
    number = request.path_params.get("id")
    path = "new/" if number is None else f"{number}/"
    page = services_of(request).settings.absolute(f"/developers/application/{path}")
    return problem(403, refusal.code, refusal.detail, page=page)


_HIDDEN: tuple[type[DomainError], ...] = (
    MayNotSee, NoSuchDatabox, NoSuchCollection, NoSuchRecord, NoSuchRendition, NoSuchItem, MayNotDecide,
    ChildHidden, MayNotRead, NoSuchFeed, NoSuchEntry,
    NoSuchBasket, BasketNotShared,
    NoSuchChange, NoSuchVersion, NoSuchOperation,
)  # fmt: skip
CONVENTIONS = Conventions(
    refused=_refused,
    statuses=STATUSES,
    challenges=(
        (TokenMissing, _token_missing),
        (InsufficientScope, _insufficient_scope),
        (TokenRefused, _token_refused),
        (TwoCarriers, _two_carriers),
        (NoSuchApplication, _unknown_application),
        (RecentAuthRequired, _recent_auth_required),
        (NotRepeated, _not_repeated),
        *((kind, _hidden) for kind in _HIDDEN),
    ),
    broken=_broken,
    authenticate=bearer,  # before the body: its refusals tell what it may hold, which strangers do not learn
)
