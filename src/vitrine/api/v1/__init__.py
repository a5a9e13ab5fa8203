"""API v1: the routes, each with its clause (contract 02)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.api.v1 import changes, library, quarantine, search, structure
from vitrine.api.v1.endpoint import endpoint
from vitrine.api.wire.envelope import answer
from vitrine.edge import bearer, read, services
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork
from vitrine.settings import Settings

PREFIX = "/api/v1"
Handler = Callable[[Request], Awaitable[Response]]
ANY = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class V1Route:
    """One row of the route table, from which the router and the OpenAPI document are made.

    *needs* is a scope, or one by method; so is *handler*."""

    path: str
    methods: tuple[str, ...]
    handler: Handler | Mapping[str, Handler]
    clause: str
    summary: str
    needs: str | Mapping[str, str]
    has_twin: bool = False
    takes_file: bool = False

    def handlers(self) -> list[tuple[list[str], Handler]]:
        """Each handler with its methods."""
        if callable(self.handler):
            return [(list(self.methods), self.handler)]
        return [([method], handler) for method, handler in self.handler.items()]

    def scope(self, method: str) -> str:
        """What a token with scopes must have for *method* (docs/decisions/0042)."""
        return self.needs if isinstance(self.needs, str) else self.needs[method]


BOX = "/databoxes/{databox_id:int}/"
RECORD = "/records/{databox_id:int}/{record_id:int}/"
ROUTES: tuple[V1Route, ...] = (
    V1Route("/me/", ("GET",), library.me, "02 §6.10", "The caller and their rights", "account:read"),
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
        has_twin=True,
    ),
    V1Route(
        BOX + "status/",
        ("GET",),
        structure.status,
        "02 §6.2",
        "Status bits of a databox",
        "library:read",
        has_twin=True,
    ),
    V1Route(
        BOX + "metadatas/", ("GET",), structure.fields, "02 §6.2", "Fields of a databox", "library:read", has_twin=True
    ),
    V1Route(
        BOX + "termsOfUse/",
        ("GET",),
        structure.terms,
        "02 §6.2",
        "Terms of use of a databox",
        "library:read",
        has_twin=True,
    ),
    V1Route(
        "/embed/substitute/", ("POST",), changes.substitute, "02 §6.4", "Replace a file", "delete", takes_file=True
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
    V1Route("/records/add/", ("POST",), library.add, "02 §6.4", "Add a document", "upload", takes_file=True),
    V1Route("/records/search/", ANY, search.records_search, "02 §6.5", "Search, the older form", "search"),
    V1Route("/search/", ANY, search.search, "02 §6.5", "Search records and stories", "search"),
    V1Route(
        RECORD,
        ("GET", "DELETE"),
        {"GET": library.record, "DELETE": changes.remove},
        "02 §6.6",
        "One record, shown or deleted",
        {"GET": "library:read", "DELETE": "delete"},
        has_twin=True,
    ),
    V1Route(
        RECORD + "caption/",
        ("GET",),
        library.caption,
        "02 §6.6",
        "Fields, values joined",
        "library:read",
        has_twin=True,
    ),
    V1Route(
        RECORD + "metadatas/",
        ("GET",),
        library.metadatas,
        "02 §6.6",
        "Fields, one entry a value",
        "library:read",
        has_twin=True,
    ),
    V1Route(
        RECORD + "status/",
        ("GET",),
        changes.status,
        "02 §6.6",
        "Status bits of a record",
        "library:read",
        has_twin=True,
    ),
    V1Route(
        RECORD + "related/",
        ("GET",),
        changes.related,
        "02 §6.6",
        "Where a record is used",
        "library:read",
        has_twin=True,
    ),
    V1Route(
        RECORD + "setmetadatas/",
        ("POST",),
        changes.set_metadatas,
        "02 §6.6",
        "Change fields",
        "metadata:edit",
        has_twin=True,
    ),
    V1Route(
        RECORD + "setstatus/",
        ("POST",),
        changes.set_status,
        "02 §6.6",
        "Change status bits",
        "metadata:edit",
        has_twin=True,
    ),
    V1Route(
        RECORD + "setcollection/",
        ("POST",),
        changes.set_collection,
        "02 §6.6",
        "Move a record",
        "metadata:edit",
        has_twin=True,
    ),
    V1Route(RECORD + "embed/", ("GET",), library.embed, "02 §6.6", "Files of a record", "library:read", has_twin=True),
)


async def _twin(request: Request) -> Response:
    """Ids that are not digits: 400 with empty details, after the token was looked at (02 section 6.13)."""

    def call(_work: UnitOfWork, _actor: Actor) -> None:
        raise Invalid("")

    await read(request, bearer, call)
    raise AssertionError("unreachable")


async def _unknown(request: Request) -> Response:
    """Unknown routes are 404 without a look at the token; a missing last slash is a 301 for GET and HEAD."""
    path = request.url.path
    if request.method in ("GET", "HEAD") and not path.endswith("/") and _is_known(path.removeprefix(PREFIX) + "/"):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{path}/{query}", 301)
    return answer(request, None, 404, error_details="")


def _is_known(path: str) -> bool:
    return any(_compiled(one.path).path_regex.match(path) for one in ROUTES)


def _compiled(path: str) -> Route:
    return Route(path, _unknown)


def _wrong_method(methods: tuple[str, ...]) -> Handler:
    allowed = ", ".join(sorted({*methods, *(("HEAD",) if "GET" in methods else ())}))

    async def wrong_method(request: Request) -> Response:
        return answer(request, None, 405, error_details="", headers={"Allow": allowed})

    return wrong_method


def routes(settings: Settings) -> list[Route]:
    """The routes for Starlette: each path, its refusal of other methods, its twin, and what is unknown."""
    if not settings.api_enabled:
        return []
    made: list[Route] = []
    for one in ROUTES:
        limit = _upload_limit if one.takes_file else None
        made.extend(
            Route(PREFIX + one.path, endpoint(handler, one.scope, max_bytes=limit), methods=methods)
            for methods, handler in one.handlers()
        )
        if set(one.methods) != set(ANY):
            made.append(Route(PREFIX + one.path, _wrong_method(one.methods), methods=list(ANY)))
    for one in ROUTES:
        if one.has_twin:
            loose = one.path.replace(":int", "")
            methods = tuple(method for method in one.methods if method != "DELETE")  # which has no twin (02 §6.6)
            made.append(Route(PREFIX + loose, endpoint(_twin, one.scope), methods=list(methods)))
            made.append(Route(PREFIX + loose, _wrong_method(methods), methods=list(ANY)))
    made.append(Route(PREFIX + "/{rest:path}", _unknown, methods=list(ANY)))
    return made


def _upload_limit(request: Request) -> int:
    return services(request).settings.upload_max_bytes + 1_000_000
