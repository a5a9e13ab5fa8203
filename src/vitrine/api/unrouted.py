"""Addresses inside of `/api/` where nothing is, and methods that they do not take, each in the shape of its API."""

from collections.abc import Callable, Iterable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from vitrine.api import oauthv2, v1, v4
from vitrine.api.wire.envelope import answer
from vitrine.oauth import metadata

_Answerer = Callable[[Request, int, Mapping[str, str]], Response | None]


def _in_envelope(request: Request, status: int, headers: Mapping[str, str]) -> Response:
    return answer(request, None, status, error_details="", headers=dict(headers))


# By the beginning of the path; the first that fits counts.
_SHAPES: tuple[tuple[str, _Answerer], ...] = (
    (v1.PREFIX + "/", v1.unrouted),
    (v4.PREFIX + "/", v4.unrouted),
    (v4.ALIAS, v4.unrouted),
    (metadata.ROOT + "/", oauthv2.unrouted),
    ("/api/", _in_envelope),
)


def allowed_methods(routes: Iterable[BaseRoute], path: str) -> str:
    """The value of `Allow` for *path* (RFC 9110 section 10.2.1): the methods of every route that it matches."""
    methods: set[str] = set()
    for route in routes:
        if isinstance(route, Route | Mount) and route.path_regex.match(path):
            methods |= (route.methods or set()) if isinstance(route, Route) else {"GET", "HEAD"}  # files are mounted
    return ", ".join(sorted(methods))


def respond(request: Request, status: int, headers: Mapping[str, str]) -> Response | None:
    """The 404 or 405 of the API that *request* was meant for; None for what is no API's, or is answered with a page."""
    path = request.url.path
    if not path.startswith("/api/"):
        return None
    with_slash = path if path.endswith("/") else path + "/"
    shape = next(shape for prefix, shape in _SHAPES if with_slash.startswith(prefix))
    return shape(request, status, headers)
