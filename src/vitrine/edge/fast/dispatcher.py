"""The way to a route without a detour: one look-up for fixed paths, a few patterns for the others.

Starlette's own way (error middleware, exception middleware, every pattern in turn) costs more than a small API answer
itself. The routes stay Starlette's `Route` objects, from which OpenAPI is made and tests read; only the walk to them is
ours. What no route here matches goes to the Starlette application: pages, static files, 404 and 405 as pages.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from re import Pattern
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from vitrine.edge.fast.responses import is_complete, send_complete

Handler = Callable[[Request], Awaitable[Response]]
Refusal = Callable[[Request, Exception], Awaitable[Response]]
_Convert = tuple[str, Callable[[str], Any]]


@dataclass(slots=True)
class _Path:
    """Every route of one path, by method; *any* pattern values are converted as the route says."""

    pattern: Pattern[str]
    converters: tuple[_Convert, ...]
    by_method: dict[str, Route] = field(default_factory=dict)

    def add(self, route: Route) -> None:
        for method in route.methods or ():
            self.by_method.setdefault(method, route)


class Dispatcher:
    """An ASGI application over *routes* (the first one that fits counts, as in Starlette), before *rest*."""

    def __init__(self, routes: Iterable[Route], rest: ASGIApp, refusals: Mapping[type[Exception], Refusal]) -> None:
        self._rest = rest
        self._refusals = refusals
        self._fixed: dict[str, _Path] = {}
        self._patterns: dict[str, list[_Path]] = {}
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        if not route.param_convertors:
            known = self._fixed.setdefault(route.path, _Path(route.path_regex, ()))
            known.add(route)
            return
        converters = tuple((name, converter.convert) for name, converter in route.param_convertors.items())
        bucket = self._patterns.setdefault(_bucket(route.path), [])
        same = next((path for path in bucket if path.pattern.pattern == route.path_regex.pattern), None)
        if same is None:
            same = _Path(route.path_regex, converters)
            bucket.append(same)
        same.add(route)

    def _match(self, path: str, method: str) -> tuple[Route, dict[str, Any]] | None:
        fixed = self._fixed.get(path)
        if fixed is not None and method in fixed.by_method:
            return fixed.by_method[method], {}
        for pattern in self._patterns.get(_bucket(path), ()):
            route = pattern.by_method.get(method)
            if route is None:
                continue
            values = pattern.pattern.match(path)
            if values is not None:
                texts = values.groupdict()
                return route, {name: convert(texts[name]) for name, convert in pattern.converters}
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        matched = self._match(scope["path"], scope["method"])
        if matched is None:
            await self._rest(scope, receive, send)
            return
        scope["route"], scope["path_params"] = matched
        request = Request(scope, receive, send)
        try:
            response: Response = await matched[0].endpoint(request)
            prepare = getattr(response, "prepare", None)
            if prepare is not None:  # it fetches from elsewhere: what fails now can still be refused
                await prepare()
        except Exception as failure:
            refuse = next((self._refusals[kind] for kind in type(failure).__mro__ if kind in self._refusals), None)
            if refuse is None:
                raise
            response = await refuse(request, failure)
        if is_complete(response):
            await send_complete(scope, send, response)
            return
        await response(scope, receive, send)


def _bucket(path: str) -> str:
    """What comes before the first part that may vary: `/api/v1` of `/api/v1/records/…`, `/medias` of `/medias/…`."""
    first = path.find("/", 1)
    if first < 0:
        return path
    if not path.startswith("/api/"):
        return path[:first]
    second = path.find("/", first + 1)
    return path[:second] if second > 0 else path
