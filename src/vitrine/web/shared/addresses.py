"""The addresses of pages: with or without the slash at the end, and under the one name where cookies count."""

from collections.abc import Iterable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vitrine.edge import services_of

_READING = ("GET", "HEAD")
# A proxy wrote one of these, so the Host header may be its own: the browser may already be where it should be.
_FROM_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def with_slash_twins(routes: Iterable[Route]) -> list[Route]:
    """*routes*, and for each page its address with the other ending, which redirects to it."""
    pages = list(routes)
    taken = {route.path for route in pages}
    return pages + [_twin(route, twin) for route in pages if (twin := _other_ending(route.path)) and twin not in taken]


def _other_ending(path: str) -> str | None:
    """None for the front page, for files, and for a path whose last part may be anything."""
    if path.endswith("/"):
        return path[:-1] or None
    last = path.rpartition("/")[2]
    return None if "." in last or "{" in last else path + "/"


def _twin(route: Route, path: str) -> Route:
    async def lead_on(request: Request) -> Response:
        path = request.scope["raw_path"].decode("ascii", "replace").partition("?")[0]
        address = path[:-1] if path.endswith("/") else path + "/"
        query = request.scope["query_string"].decode("ascii")
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return RedirectResponse(f"{address}?{query}" if query else address, 307, headers)

    return Route(path, lead_on, methods=sorted(route.methods or ()), include_in_schema=False)


def at_base_address(routes: Iterable[Route]) -> list[Route]:
    """*routes*, whose pages lead to the same page under `base_url` when they are read under another name of this
    server: cookies and form tokens would not count there."""
    return [_at_base_address(route) for route in routes]


def _at_base_address(route: Route) -> Route:
    handler = route.endpoint

    @wraps(handler)
    async def checked(request: Request) -> Any:
        address = _base_address_of(request)
        if address is not None:
            return RedirectResponse(address, 302, {"Cache-Control": "no-store"})
        return await handler(request)

    methods = sorted(route.methods or ())
    return Route(route.path, checked, methods=methods, name=route.name, include_in_schema=route.include_in_schema)


def _base_address_of(request: Request) -> str | None:
    """Where the page is under `base_url`; None if the browser is there, or may be.

    Only where that surely is this server and the browser surely is elsewhere: plain http, the same port, no trace of a
    proxy. Else a proxy that changes the Host header would make a loop of it."""
    settings = services_of(request).settings
    if not settings.redirect_to_base_url or request.method not in _READING:
        return None
    base, host = urlsplit(settings.origin), request.headers.get("host", "").lower()
    if base.scheme != "http" or host == base.netloc.lower() or "text/html" not in request.headers.get("accept", ""):
        return None
    if _port_of(host) != (base.port or _DEFAULT_PORTS["http"]) or any(
        name in request.headers for name in _FROM_PROXIES
    ):
        return None
    path = request.scope["raw_path"].decode("ascii", "replace").partition("?")[0]
    query = request.scope["query_string"].decode("ascii")
    return f"{settings.origin}{path}?{query}" if query else f"{settings.origin}{path}"


def _port_of(host: str) -> int | None:
    """The port of a Host header (RFC 9110 section 7.2); None if it is no host."""
    try:
        parts = urlsplit(f"//{host}")
        return (parts.port or _DEFAULT_PORTS["http"]) if parts.hostname else None
    except ValueError:
        return None
