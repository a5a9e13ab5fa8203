"""API v4: our own, for new applications, pages and programs (docs/decisions/0123). The frame is in the modules of this
folder; each part has its operations in `ROUTES` and the schemas of what it answers in `COMPONENTS`."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.api import capabilities
from vitrine.api.v4 import (
    administration,
    applications,
    baskets,
    bulk,
    downloads,
    feeds,
    hot_folders,
    me,
    originals,
    people,
    quarantine,
    record_history,
    records,
    reports,
    schemas,
    search,
    server,
    stories,
    structure,
    uploads,
)
from vitrine.api.v4.applications.registration import ALIAS
from vitrine.api.v4.conventions import CONVENTIONS, problem
from vitrine.api.v4.route import PREFIX, V4Route
from vitrine.api.v4.schemas import Schema
from vitrine.api.wire.endpoint import anybody, endpoint

__all__ = ["ALIAS", "COMPONENTS", "PREFIX", "ROUTES", "V4Route", "operations", "routes", "unrouted"]
ROUTES: tuple[V4Route, ...] = (
    *me.ROUTES,
    *structure.ROUTES,
    *search.ROUTES,
    *uploads.ROUTES,
    *records.ROUTES,
    *administration.ROUTES,
    *stories.ROUTES,
    *baskets.ROUTES,
    *record_history.ROUTES,
    *originals.ROUTES,
    *bulk.ROUTES,
    *downloads.ROUTES,
    *server.ROUTES,
    *quarantine.ROUTES,
    *people.ROUTES,
    *applications.ROUTES,
    *feeds.ROUTES,
    *reports.ROUTES,
    *hot_folders.ROUTES,
)
COMPONENTS: dict[str, Schema] = {
    **schemas.COMPONENTS,
    **me.COMPONENTS,
    **structure.COMPONENTS,
    **search.COMPONENTS,
    **uploads.COMPONENTS,
    **records.COMPONENTS,
    **administration.COMPONENTS,
    **stories.COMPONENTS,
    **baskets.COMPONENTS,
    **record_history.COMPONENTS,
    **originals.COMPONENTS,
    **bulk.COMPONENTS,
    **downloads.COMPONENTS,
    **server.COMPONENTS,
    **quarantine.COMPONENTS,
    **people.COMPONENTS,
    **applications.COMPONENTS,
    **feeds.COMPONENTS,
    **reports.COMPONENTS,
    **hot_folders.COMPONENTS,
}
# Addresses of operations, the older ones too. Only the newer ones refuse parameters that they do not know.
_ALIASES = applications.ALIASES
for _path, _row in (*((PREFIX + route.path, route) for route in ROUTES), *_ALIASES):
    capabilities.register(_path, {_row.method: _row.needs})


def unrouted(request: Request, status: int, headers: Mapping[str, str]) -> Response:
    """404 or 405 as a problem."""
    if status == 405:
        return problem(405, "method_not_allowed", f"This address takes {headers['Allow']}.", headers)
    ending = "end with a slash" if request.url.path.startswith(ALIAS) else "have no slash at their end"
    return problem(404, "not_found", f"There is nothing at this address. Addresses of this API {ending}.")


@cache
def routes() -> tuple[Route, ...]:
    """The routes for Starlette, the same for every server of a process."""
    return tuple(
        Route(
            path,
            endpoint(handler, CONVENTIONS, _needs(row), takes_files=row.takes_files, permit=row.permit or anybody),
            methods=[row.method],
        )
        for path, row, handler in (
            *((PREFIX + row.path, row, row.strict()) for row in ROUTES),
            *((path, row, row.handler) for path, row in _ALIASES),
        )
    )


def _needs(row: V4Route) -> dict[str, str]:
    return {row.method: row.needs, **({"HEAD": row.needs} if row.method == "GET" else {})}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, description) of every operation, for the OpenAPI document."""
    for row in ROUTES:
        yield PREFIX + row.path, row.method.lower(), row.described()
    for path, row in _ALIASES:
        name = f"applications_{row.method.lower()}_{row.words().removeprefix('applications').strip('_')}".rstrip("_")
        yield path, row.method.lower(), row.described(name=name)
