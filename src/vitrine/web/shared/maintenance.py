"""Who still gets in while the server is under maintenance (contract 06 section 1)."""

from contextlib import suppress

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from vitrine.accounts import Actor
from vitrine.edge import cookie, nobody, read, services_of
from vitrine.edge.auth import TwoCarriers, presented
from vitrine.edge.params import without_body
from vitrine.errors import DomainError
from vitrine.oauth import TokenRefused
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.errors import under_maintenance

# What says how the server is, what pages are made of, and where an administrator signs in and out.
_OPEN = ("/health", "/ready", "/metrics", "/static/", "/login/", "/api/oauthv2/provider/")
_CLOSED = ("/login/register", "/login/confirm")  # nobody joins meanwhile
# Paths that depend on no cookie (04 section 2 DO) never read one.
_WITHOUT_COOKIE = ("/api/", "/embed", "/oembed", "/permalink/", "/medias/", "/.well-known/")


class MaintenanceGate:
    """Lets administrators through to *app*, and everybody to the few paths that stay open."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        if await _is_administrator(request):
            await self._app(scope, receive, send)
            return
        await under_maintenance(request)(scope, receive, send)


def _is_open(path: str) -> bool:
    return path.startswith(_OPEN) and not path.startswith(_CLOSED)


async def _is_administrator(request: Request) -> bool:
    """By the cookie on pages, by the token on the API, never both. False also where nobody can tell."""
    with suppress(DomainError, TokenRefused, TwoCarriers):
        if request.url.path.startswith("/api/"):
            return await read(request, nobody, lambda work, _actor: _holds_token(request, work))
        if not request.url.path.startswith(_WITHOUT_COOKIE):
            return await read(request, cookie, lambda _work, actor: actor.administers)
    return False


def _holds_token(request: Request, work: UnitOfWork) -> bool:
    """The token in header or query: no body is read for this."""
    services = services_of(request)
    token = presented(request, without_body(request), header_only=services.settings.api_header_tokens_only)
    if token is None:
        return False
    facts = services.oauth.server.tokens.check(work, token.secret, request.scope["state"]["address"])
    actor: Actor = facts.actor
    return actor.administers and (token.in_header or facts.allows_parameter_token)
