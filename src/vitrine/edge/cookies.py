"""The cookies: the session, a visitor id that protects forms before anybody is signed in, and for a minute the login
that was typed."""

from secrets import token_urlsafe
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from vitrine.edge.run import services_of

_TYPED_LOGIN = "vitrine-login"
LONGEST_TYPED_LOGIN = 254  # characters


def session_name(request: Request) -> str:
    return "__Host-vitrine" if services_of(request).settings.is_https else "vitrine"


def visitor_name(request: Request) -> str:
    return "__Host-vitrine-visitor" if services_of(request).settings.is_https else "vitrine-visitor"


def session_secret(request: Request) -> str | None:
    return request.cookies.get(session_name(request))


def visitor_secret(request: Request) -> str:
    """The visitor's id; created the first time, and sent with the answer by `keep_visitor`."""
    secret = request.cookies.get(visitor_name(request)) or getattr(request.state, "visitor", None)
    if secret is None:
        secret = token_urlsafe(24)
        request.state.visitor = secret
    return secret


def has_visitor(request: Request) -> bool:
    return bool(request.cookies.get(visitor_name(request)))


def keep_visitor(request: Request, response: Response) -> None:
    """Send the visitor cookie if this request created one."""
    secret = getattr(request.state, "visitor", None)
    if secret is not None:
        _set(request, response, visitor_name(request), secret, None)


def set_session(request: Request, response: Response, secret: str) -> None:
    days = services_of(request).settings.session_days
    _set(request, response, session_name(request), secret, days * 86_400)


def keep_session(request: Request, response: Response) -> None:
    """Send the session cookie again when this request extended the session, so that the browser keeps it as long."""
    secret = getattr(request.state, "renewed_session", None)
    if secret is not None:
        set_session(request, response, secret)


def keep_typed_login(request: Request, response: Response, login: str) -> None:
    """Keep what was typed as login for a minute, so that the form can be shown again with it."""
    response.set_cookie(
        _TYPED_LOGIN, quote(login[:LONGEST_TYPED_LOGIN], safe=""), max_age=60, path="/api/oauthv2/",
        secure=services_of(request).settings.is_https, httponly=True, samesite="lax",
    )  # fmt: skip


def typed_login(request: Request) -> str:
    return unquote(request.cookies.get(_TYPED_LOGIN, ""))[:LONGEST_TYPED_LOGIN]


def clear_session(request: Request, response: Response) -> None:
    response.delete_cookie(
        session_name(request), path="/", secure=services_of(request).settings.is_https, httponly=True, samesite="lax"
    )


def _set(request: Request, response: Response, name: str, value: str, max_age_s: int | None) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age_s,
        path="/",
        secure=services_of(request).settings.is_https,
        httponly=True,
        samesite="lax",  # strict would sign people out on their way back from a third-party application
    )
