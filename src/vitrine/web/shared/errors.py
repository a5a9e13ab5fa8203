"""Refusals as pages, or as JSON for the XHR routes and the API."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import NOBODY
from vitrine.accounts.errors import LinkUsed
from vitrine.api import unrouted
from vitrine.api.v1.conventions import challenge, insufficient
from vitrine.edge import cookie, read, refusals, services_of
from vitrine.edge.auth import TokenMissing, TwoCarriers
from vitrine.edge.cookies import session_secret
from vitrine.edge.csrf import NotFromOurPage, StaleForm, prefers_json, wants_json
from vitrine.errors import DomainError, Unavailable
from vitrine.library.errors import ChangedMeanwhile, MayNotSee, NoSuchDatabox, NoSuchRecord, NoSuchRendition
from vitrine.library.sharing.permalinks import WrongToken
from vitrine.oauth import InsufficientScope, TokenRefused
from vitrine.operations.maintenance import UnderMaintenance
from vitrine.platform import logging
from vitrine.web.shared.forms import MustSignIn, NotJson, sign_in_address
from vitrine.web.shared.render import local_path, page, redirect, said, translate

log = logging.get("vitrine.web")
STATUSES: refusals.Statuses = (
    (MayNotSee, 404),  # a person may not know that the thing exists (design 5.6)
    (NotJson, 400),
    *refusals.STATUSES,
)
_UNSAID = (MayNotSee, NoSuchDatabox, NoSuchRecord, NoSuchRendition, WrongToken)
HEADINGS = {
    400: "That did not work",
    403: "This is not allowed",
    404: "There is nothing here",
    405: "This address is used differently",
    409: "That is not possible now",
    413: "That is too large",
    429: "Please try again in a moment",
    500: "The server failed",
    503: "Please try again in a moment",
}


# Scripts written for these pages look at `success`, never at the status (contract 07, common rules).
_SCRIPTED = ("/account/", "/developers/", "/session/")
# Other people's pages read these from anywhere, also when the answer is a refusal (04 section 2 DO).
_OPEN = ("/embed", "/oembed", "/permalink/", "/medias/")


def _as_json(request: Request) -> bool:
    return wants_json(request) or (request.url.path.startswith(_SCRIPTED) and prefers_json(request))


def json_answer(value: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return Response(msgspec.json.encode(value), status, sent, media_type="application/json")


# What to do about a refusal on a page: the words of a link, and where it leads.
_WAYS_ON: tuple[tuple[type[DomainError], str, tuple[str, str]], ...] = (
    (LinkUsed, "/account/", ("Change the address again", "/account/reset-email/")),
    (LinkUsed, "/login/confirm/", ("Sign in", "/login/")),  # which a link that was followed before allows
    (LinkUsed, "/", ("Ask for a new link", "/login/forgot-password/")),
)


_HEADINGS_OF: tuple[tuple[type[DomainError], str], ...] = (
    (LinkUsed, "This link no longer works"),
    (StaleForm, "This form is too old"),
    (NotFromOurPage, "This form came from another site"),
)


def _way_on(request: Request, failure: DomainError) -> tuple[str, str] | None:
    if isinstance(failure, (StaleForm, ChangedMeanwhile)):
        return "Load the page again", _page_before(request)
    if isinstance(failure, NotFromOurPage):
        return "Open this site", services_of(request).settings.absolute("/")
    path = request.url.path
    return next((way for kind, below, way in _WAYS_ON if isinstance(failure, kind) and path.startswith(below)), None)


def _page_before(request: Request) -> str:
    """The page of ours that the form was on, else the front page. Only a path, never another site."""
    try:
        referrer = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    is_ours = f"{referrer.scheme}://{referrer.netloc}" == services_of(request).settings.origin
    return local_path(f"{referrer.path}?{referrer.query}" if referrer.query else referrer.path) if is_ours else "/"


async def _recognise(request: Request) -> None:
    """Find out who is signed in when the refusal came before anybody asked: else the page offers them to sign in, in
    a language that is not theirs. Never where no cookie is read (04 section 2 DO)."""
    if hasattr(request.state, "actor") or request.url.path.startswith(_OPEN) or not session_secret(request):
        return
    with suppress(DomainError):
        await read(request, cookie, lambda _work, _actor: None)


async def refused(request: Request, failure: Exception) -> Response:
    """A DomainError from a page."""
    assert isinstance(failure, DomainError)
    if isinstance(failure, MustSignIn) and not _as_json(request):
        return redirect(sign_in_address(request), 302)
    if not isinstance(failure, Unavailable):
        await _recognise(request)
    if failure.why:
        log.info("refused", code=failure.code, why=failure.why)
    # One sentence for what is not there and for what one may not see: else the words tell that it exists.
    hidden = isinstance(failure, _UNSAID)
    detail = translate(request, "There is nothing at this address.") if hidden else said(request, failure)
    if _as_json(request):
        return json_answer({"success": False, "message": detail})
    status = refusals.status_of(failure, STATUSES)
    heading = next((words for kind, words in _HEADINGS_OF if isinstance(failure, kind)), "")
    return _page(
        request, status, detail, refusals.headers_of(failure), heading=heading, way_on=_way_on(request, failure)
    )


def _page(
    request: Request,
    status: int,
    detail: str,
    headers: dict[str, str] | None = None,
    *,
    heading: str = "",
    way_on: tuple[str, str] | None = None,
) -> Response:
    heading = translate(request, heading or HEADINGS.get(status, HEADINGS[400]))
    path, given = request.url.path, headers or {}
    if path.startswith(_OPEN):
        given = given | {"Access-Control-Allow-Origin": "*"}
    # A frame in somebody's page says what is wrong, instead of the browser's "refused to connect".
    framed = path.rstrip("/") == "/embed"
    return page(
        request,
        "embed/embed_error.html" if framed else "shared/error.html",
        status=status,
        headers=given,
        ancestors=services_of(request).settings.embed_frame_ancestors if framed else None,
        heading=heading,
        detail=detail,
        way_on=way_on and (translate(request, way_on[0]), way_on[1]),
    )


async def http_error(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)
    headers = dict(failure.headers or {})
    if failure.status_code == 405:  # the router names the methods of one route, though several may share a path
        headers["Allow"] = unrouted.allowed_methods(request.app.routes, request.scope["path"])
    of_api = unrouted.respond(request, failure.status_code, headers) if failure.status_code in (404, 405) else None
    if of_api is not None:
        return of_api
    if request.url.path.startswith(_SCRIPTED) and _as_json(request):
        message = translate(request, "There is nothing at this address.")
        return json_answer({"success": False, "message": message}, headers=headers)
    await _recognise(request)
    details = {404: "There is nothing at this address.", 405: "This address does not take this kind of request."}
    return _page(
        request,
        failure.status_code,
        translate(request, details.get(failure.status_code, failure.detail)),
        headers,
    )


def under_maintenance(request: Request) -> Response:
    """What everybody but administrators gets while the server is closed, in the shape of what was asked for."""
    refusal = UnderMaintenance()
    of_api = unrouted.unavailable(request, refusal)
    if of_api is not None:
        return of_api
    headers = refusals.headers_of(refusal)
    detail = said(request, refusal)
    if _as_json(request):
        return json_answer({"success": False, "message": detail}, 503, headers)
    stranger = not getattr(request.state, "actor", NOBODY).is_known
    way_on = ("Sign in as administrator", "/login/") if stranger else None
    return _page(request, 503, detail, headers, heading="Maintenance", way_on=way_on)


async def token_refused(request: Request, failure: Exception) -> Response:
    """An access token on a permalink that is wrong: refused before the file is served (04 section 2)."""
    code = failure.code if isinstance(failure, TokenRefused) else "invalid_request"
    if isinstance(failure, InsufficientScope):
        return insufficient(request, failure)
    return challenge(request, 401 if isinstance(failure, TokenRefused) else 400, code)


async def broke(request: Request, failure: Exception) -> Response:
    # The route, not the path: old permalinks and signed addresses have their token in it.
    log.error("request.broke", exc_info=failure, route=getattr(request.scope.get("route"), "path", "-"))
    detail = "Something went wrong on the server. The error was logged; please try again."
    return _page(request, 500, translate(request, detail))


EXCEPTION_HANDLERS: dict[Any, Any] = {
    DomainError: refused,
    HTTPException: http_error,
    TokenRefused: token_refused,
    TokenMissing: token_refused,
    TwoCarriers: token_refused,
    Exception: broke,
}
