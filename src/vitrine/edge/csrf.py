"""Proof that our own page requested a change.

Forms carry a token bound to the session cookie (or to the visitor cookie before anybody is signed in). The XHR-JSON
routes of contract 07 have no form: they take `X-Requested-With` plus an `Origin` or `Sec-Fetch-Site` that only a page
of this origin can send (design 5.6).
"""

import re

from starlette.requests import Request

from vitrine.edge.cookies import session_secret, visitor_secret
from vitrine.edge.run import services_of
from vitrine.errors import Forbidden
from vitrine.platform.crypto import same

_WEIGHT = re.compile(r"\bq\s*=\s*([01](?:\.\d{0,3})?)")


class NotFromOurPage(Forbidden):
    """The form token is missing, stale or somebody else's."""

    code = "csrf"


def token(request: Request) -> str:
    return services_of(request).accounts.sessions.csrf_token(session_secret(request) or visitor_secret(request))


def require(request: Request, given: str | None) -> None:
    """Raises NotFromOurPage unless *given* is this visitor's token. A foreign Origin is refused besides."""
    origin = request.headers.get("origin")
    foreign = origin is not None and origin not in (services_of(request).settings.origin, "null")
    if foreign or not given or not same(given, token(request)):
        raise NotFromOurPage("This form is too old or did not come from this site. Please load the page again.")


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
