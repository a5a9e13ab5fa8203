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

_TOO_OLD = "This form is too old or did not come from this site. Please load the page again."
_WEIGHT = re.compile(r"\bq\s*=\s*([01](?:\.\d{0,3})?)")


class NotFromOurPage(Forbidden):
    """The form token is missing, stale or somebody else's."""

    code = "csrf"


def token(request: Request) -> str:
    return services_of(request).accounts.sessions.csrf_token(session_secret(request) or visitor_secret(request))


def require_possible(request: Request) -> None:
    """What can be refused before a form is read: without a cookie no token can be right, nor from a foreign page."""
    if _is_foreign(request) or not (session_secret(request) or has_visitor(request)):
        raise NotFromOurPage(_TOO_OLD)


def require(request: Request, form_token: str | None) -> None:
    """Raises NotFromOurPage unless *form_token* is this visitor's token. A foreign Origin is refused as well."""
    if _is_foreign(request) or not form_token or not same(form_token, token(request)):
        raise NotFromOurPage(_TOO_OLD)


def _is_foreign(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is not None and origin not in (services_of(request).settings.origin, "null")


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
