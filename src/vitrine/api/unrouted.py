"""Addresses inside of `/api/` where nothing is, methods that they do not take, and maintenance, each in the shape of
its API."""

from collections.abc import Callable, Iterable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from vitrine.api import oauthv2, v1, v4
from vitrine.api.oauthv2 import conventions as oauth_conventions
from vitrine.api.v4.conventions import problem
from vitrine.api.wire.envelope import answer
from vitrine.edge import refusals
from vitrine.edge.csrf import prefers_json
from vitrine.errors import Unavailable
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


def unavailable(request: Request, refusal: Unavailable) -> Response | None:
    """The 503 of the API that *request* was meant for (02 section 3); None for what is no API's, or is read as a page:
    the addresses of OAuth where a browser is sent to."""
    path, headers = request.url.path, refusals.headers_of(refusal)
    if path.startswith((v4.PREFIX + "/", v4.ALIAS)):
        return problem(503, refusal.code, refusal.detail, headers)
    if path.startswith(metadata.ROOT + "/"):
        if request.method in ("GET", "HEAD") and not prefers_json(request):
            return None
        return oauth_conventions.error(request, "temporarily_unavailable", refusal.detail, 503, headers)
    if path.startswith("/api/"):
        return answer(request, None, 503, error_details=refusal.detail, headers=headers)
    return None
