"""Where signing in may lead in the end: to the application that asked for it.

Browsers hold a page's `form-action` against every redirect that follows its form, not against the first alone (CSP
level 3, as Chromium does it). A sign-in whose answer leads by way of the authorize endpoint straight back to an
application, because its person allowed it before, must name that application's address too.
"""

from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from vitrine.edge import nobody, read, services_of
from vitrine.oauth import OutOfBandError, PageError, RedirectedError
from vitrine.oauth.authorize import AuthorizationRequest
from vitrine.oauth.redirect_matching import form_target

AUTHORIZE = "/api/oauthv2/authorize"


def form_action_of(authorization: AuthorizationRequest) -> list[str]:
    """What `form-action` lists beside ourselves, for a page of the request *asked*."""
    return [] if authorization.is_out_of_band else [form_target(authorization.redirect_uri)]


async def form_action_after(request: Request, back: str) -> list[str]:
    """The same for a page whose form goes on at *back*, a local path."""
    parts = urlsplit(back)
    if parts.path != AUTHORIZE:
        return []
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    try:
        return form_action_of(
            await read(request, nobody, lambda work, _actor: services_of(request).oauth.server.validate(work, given))
        )
    except RedirectedError as refusal:
        return [form_target(refusal.location)]
    except (PageError, OutOfBandError):
        return []  # both are pages of ours
