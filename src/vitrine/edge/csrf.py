"""Proof that our own page requested a change.

Forms carry a token bound to the session cookie (or to the visitor cookie before anybody is signed in). The XHR-JSON
routes of contract 07 have no form: they take `X-Requested-With` plus an `Origin` or `Sec-Fetch-Site` that only a page
of this origin can send (design 5.6).
"""

import re

from starlette.requests import Request

from vitrine.edge.cookies import has_visitor, session_secret, visitor_secret
from vitrine.edge.run import services_of
from vitrine.errors import Forbidden
from vitrine.platform.crypto import same

_STALE = (
    "This form is from an earlier visit, or your browser did not send the cookie of this site. "
    "Please load the page again; if this happens again, allow cookies for this site."
)
_WEIGHT = re.compile(r"\bq\s*=\s*([01](?:\.\d{0,3})?)")


class NotFromOurPage(Forbidden):
    """A page of another site sent this request."""

    code = "csrf"


class StaleForm(NotFromOurPage):
    """The form token is missing, or belongs to another visitor or session: the cookie was lost, or somebody signed in
    or out in another tab. The form may be shown again."""


def token(request: Request) -> str:
    return services_of(request).accounts.sessions.csrf_token(session_secret(request) or visitor_secret(request))


def require_possible(request: Request) -> None:
    """What can be refused before a form is read: without a cookie no token can be right, nor from a foreign page."""
    _require_own_origin(request)
    if not (session_secret(request) or has_visitor(request)):
        raise StaleForm(_STALE)


def require(request: Request, form_token: str | None, *, opens_session: bool = False) -> None:
    """Raises StaleForm unless *form_token* is this visitor's token, NotFromOurPage for a foreign Origin.

    A form that *opens_session* may have been loaded before somebody signed in in another tab: its token is that of
    the visitor, who is still the same."""
    _require_own_origin(request)
    if form_token and same(form_token, token(request)):
        return
    csrf_token = services_of(request).accounts.sessions.csrf_token
    if opens_session and form_token and same(form_token, csrf_token(visitor_secret(request))):
        return
    raise StaleForm(_STALE)


def _require_own_origin(request: Request) -> None:
    origin, own = request.headers.get("origin"), services_of(request).settings.origin
    if origin is not None and origin not in (own, "null"):
        raise NotFromOurPage(
            "This form was sent from {origin}, but this site is {site}. Open it there and send it again.",
            values={"origin": origin[:200], "site": own},
        )


def require_same_origin(request: Request) -> None:
    """For XHR-JSON routes: raises NotFromOurPage unless a page of this origin sent the request."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site")
    from_us = origin == services_of(request).settings.origin if origin is not None else site == "same-origin"
    if request.headers.get("x-requested-with", "").lower() != "xmlhttprequest" or not from_us:
        raise NotFromOurPage("This request did not come from a page of this site.")


def prefers_json(request: Request) -> bool:
    """True when the best `Accept` is JSON."""
    best, best_weight = "", 0.0
    for part in request.headers.get("accept", "").split(","):
        kind, _, rest = part.partition(";")
        match = _WEIGHT.search(rest)
        weight = float(match[1]) if match else 1.0
        if weight > best_weight:
            best, best_weight = kind.strip().lower(), weight
    return best == "application/json"


def wants_json(request: Request) -> bool:
    """True for the XHR-JSON routes' callers: both signs that contract 07 requires."""
    return request.headers.get(
        "x-requested-with", ""
    ).lower() == "xmlhttprequest" and "application/json" in request.headers.get("accept", "")
