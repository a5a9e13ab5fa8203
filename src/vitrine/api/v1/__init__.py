"""The routes of API v1, each with its clause (contract 02)."""

from collections.abc import Mapping
from functools import cache

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, compile_path

from vitrine.accounts import Actor
from vitrine.api import capabilities
from vitrine.api.v1 import (
    baskets,
    changes,
    feeds,
    library,
    monitor,
    own_account,
    quarantine,
    search,
    stories,
    structure,
    uploads,
    user_accounts,
)
from vitrine.api.v1.conventions import CONVENTIONS
from vitrine.api.v1.route import V1Route
from vitrine.api.wire.endpoint import TakesFiles, endpoint
from vitrine.api.wire.envelope import answer
from vitrine.edge import bearer, read, services_of
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork

PREFIX = "/api/v1"
ANY = ("GET", "POST", "PUT", "PATCH", "DELETE")


BOX = "/databoxes/{databox_id:int}/"
RECORD = "/records/{databox_id:int}/{record_id:int}/"
_LIBRARY: tuple[V1Route, ...] = (
    V1Route(
        "/me/structures/",
        ("GET",),
        structure.structures,
        "02 §6.10",
        "Fields of the caller's databoxes",
        "library:read",
    ),
    V1Route("/me/subdefs/", ("GET",), structure.subdefs, "02 §6.10", "Files that are made of records", "library:read"),
    V1Route(
        "/me/collections/", ("GET",), structure.my_collections, "02 §6.10", "The caller's collections", "account:read"
    ),
    V1Route("/collections/{base_id}/", ("GET",), structure.collection, "02 §6.2", "One collection", "library:read"),
    V1Route(
        "/databoxes/list/", ("GET",), library.databoxes, "02 §6.2", "Databoxes the caller has access to", "library:read"
    ),
    V1Route(
        "/databoxes/{databox_id:int}/collections/",
        ("GET",),
        library.collections,
        "02 §6.2",
        "Collections of a databox",
        "library:read",
        has_lenient_path=True,
    ),
    V1Route(
        BOX + "status/",
        ("GET",),
        structure.status,
        "02 §6.2",
        "Status bits of a databox",
        "library:read",
        has_lenient_path=True,
    ),
    V1Route(
        BOX + "metadatas/",
        ("GET",),
        structure.fields,
        "02 §6.2",
        "Fields of a databox",
        "library:read",
        has_lenient_path=True,
    ),
    V1Route(
        BOX + "termsOfUse/",
        ("GET",),
        structure.terms,
        "02 §6.2",
        "Terms of use of a databox",
        "library:read",
        has_lenient_path=True,
    ),
    V1Route(
        "/embed/substitute/",
        ("POST",),
        changes.substitute,
        "02 §6.4",
        "Replace a file",
        "delete",
        may_send_file=changes.may_substitute,
    ),
    V1Route(
        "/quarantine/list/", ("GET",), quarantine.listed, "02 §6.3", "Files that wait for a decision", "quarantine"
    ),
    V1Route(
        "/quarantine/item/{item}/",
        ("GET",),
        quarantine.item,
        "02 §6.3",
        "One file that waits for a decision",
        "quarantine",
    ),
    V1Route(
        "/records/add/", ("POST",), library.add, "02 §6.4", "Add a document", "upload", may_send_file=library.may_add
    ),
    V1Route("/records/search/", ANY, search.records_search, "02 §6.5", "Search, the older form", "search"),
    V1Route("/search/", ANY, search.search, "02 §6.5", "Search records and stories", "search"),
    V1Route(
        RECORD,
        ("GET", "DELETE"),
        {"GET": library.record, "DELETE": changes.remove},
        "02 §6.6",
        "One record, shown or deleted",
        {"GET": "library:read", "DELETE": "delete"},
        has_lenient_path=True,
    ),
    V1Route(
        RECORD + "caption/",
        ("GET",),
        library.caption,
        "02 §6.6",
        "Fields, values joined",
        "library:read",
        has_lenient_path=True,
    ),
    V1Route(
        RECORD + "metadatas/",
        ("GET",),
        library.metadatas,
        "02 §6.6",
        "Fields, one entry a value",
        "library:read",
        has_lenient_path=True,
    ),
    V1Route(
        RECORD + "status/",
        ("GET",),
        changes.status,
        "02 §6.6",
        "Status bits of a record",
        "library:read",
        has_lenient_path=True,
    ),
    V1Route(
        RECORD + "related/",
        ("GET",),
        changes.related,
        "02 §6.6",
        "Where a record is used",
        "library:read",
        has_lenient_path=True,
    ),
    V1Route(
        RECORD + "setmetadatas/",
        ("POST",),
        changes.set_metadatas,
        "02 §6.6",
        "Change fields",
        "metadata:edit",
        has_lenient_path=True,
    ),
    V1Route(
        RECORD + "setstatus/",
        ("POST",),
        changes.set_status,
        "02 §6.6",
        "Change status bits",
        "metadata:edit",
        has_lenient_path=True,
    ),
    V1Route(
        RECORD + "setcollection/",
        ("POST",),
        changes.set_collection,
        "02 §6.6",
        "Move a record",
        "metadata:edit",
        has_lenient_path=True,
    ),
    V1Route(
        RECORD + "embed/",
        ("GET",),
        library.embed,
        "02 §6.6",
        "Files of a record",
        "library:read",
        has_lenient_path=True,
    ),
)

ROUTES: tuple[V1Route, ...] = (
    *_LIBRARY,
    *baskets.ROUTES,
    *feeds.ROUTES,
    *monitor.ROUTES,
    *own_account.ROUTES,
    *stories.ROUTES,
    *uploads.ROUTES,
    *user_accounts.ROUTES,
)
for _route in ROUTES:
    capabilities.register(PREFIX + _route.path, _route.scopes())


async def _not_a_number(request: Request) -> Response:
    """400 with empty details for ids that are not numbers, after the token has been checked (02 section 6.13)."""

    def call(_work: UnitOfWork, _actor: Actor) -> None:
        raise Invalid("")

    await read(request, bearer, call)
    raise AssertionError("unreachable")


def unrouted(request: Request, status: int, headers: Mapping[str, str]) -> Response:
    """404 or 405 without checking the token; 301 for GET and HEAD if only the last slash is missing (02 section 4)."""
    path = request.url.path
    if status == 404 and request.method in ("GET", "HEAD") and not path.endswith("/") and _is_known(path + "/"):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{path}/{query}", 301)
    return answer(request, None, status, error_details="", headers=dict(headers))


def _is_known(path: str) -> bool:
    patterns = (route.path.replace(":int", "") if route.has_lenient_path else route.path for route in ROUTES)
    return any(compile_path(PREFIX + pattern)[0].match(path) for pattern in patterns)


@cache
def routes() -> tuple[Route, ...]:
    """The routes for Starlette: each path, and its lenient path; the same for every server of a process."""
    routes: list[Route] = []
    for route in ROUTES:
        files = None if route.may_send_file is None else TakesFiles(_upload_limit, route.may_send_file)
        routes.extend(
            Route(
                PREFIX + route.path, endpoint(handler, CONVENTIONS, route.scopes(), takes_files=files), methods=methods
            )
            for methods, handler in route.handlers()
        )
    for route in ROUTES:
        if route.has_lenient_path:
            # DELETE has no lenient path (02 §6.6).
            methods = [method for method in route.methods if method != "DELETE"]
            handler = endpoint(_not_a_number, CONVENTIONS, route.scopes())
            routes.append(Route(PREFIX + route.path.replace(":int", ""), handler, methods=methods))
    return tuple(routes)


def _upload_limit(request: Request) -> int:
    return services_of(request).settings.upload_max_bytes + 1_000_000
