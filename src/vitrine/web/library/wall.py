"""The library: a wall of pictures with search, and the page of one record."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, Right
from vitrine.edge import long_read, read, services_of, write
from vitrine.library import access
from vitrine.library.model import DOCUMENT, PREVIEW, Collection
from vitrine.library.records import RecordWithThumbnail
from vitrine.platform.database import UnitOfWork
from vitrine.search import Hits, NoUsableBases, Query
from vitrine.search.model import DEEPEST
from vitrine.web.library import links
from vitrine.web.library.links import RECORD, key_of, sharing_of
from vitrine.web.library.stories import tiles_of_story
from vitrine.web.library.tiles import Tile
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import page, redirect

PER_PAGE = 60
KINDS = ("image", "video", "audio", "document")
SORTS = {"newest": ("created_on", True), "oldest": ("created_on", False), "relevance": ("relevance", True)}
_NUMBER = re.compile(r"\d{1,18}")


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """The search as the address says it; a part that is wrong counts as absent on a page."""

    text: str
    kind: str
    base: int
    sort: str
    start: int

    def link(self, **changes: Any) -> str:
        values = {
            "q": self.text,
            "kind": self.kind,
            "base": self.base,
            "sort": self.sort,
            "start": self.start,
            **changes,
        }
        plain = {name: value for name, value in values.items() if value}
        return "/?" + urlencode(plain) if plain else "/"


def _search_request(request: Request) -> SearchRequest:
    query = request.query_params
    text = query.get("q", "").strip()[:500]
    base, start = (
        int(query.get(name, "0")) if _NUMBER.fullmatch(query.get(name, "0")) else 0 for name in ("base", "start")
    )
    sort = query.get("sort", "")
    return SearchRequest(
        text=text,
        kind=query.get("kind", "") if query.get("kind") in KINDS else "",
        base=base,
        sort=sort if sort in SORTS else "",
        start=min(start, DEEPEST) // PER_PAGE * PER_PAGE,
    )


async def wall(request: Request) -> Response:
    services = services_of(request)
    search = _search_request(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[Hits, list[RecordWithThumbnail], list[Collection], bool]:
        structure = services.library.records.structure(work)
        collections = [structure.collections[grant.base_id] for grant in actor.rights.live(work.now)]  # type: ignore[index]
        name, descending = SORTS[search.sort or ("relevance" if search.text else "newest")]
        try:
            bases = services.search.usable(work, actor, [search.base] if search.base else [])
        except NoUsableBases:
            bases = None
        query = Query(
            text=search.text,
            scope=services.search.scope(work, actor),
            bases=bases,
            kinds=frozenset({search.kind}) if search.kind else None,
            stories=None,
            sort=name,
            descending=descending,
            offset=search.start,
            limit=PER_PAGE,
        )
        hits, matches = services.search.find(work, actor, query)
        return hits, matches, collections, bool(actor.rights.bases_with(Right.canaddrecord, work.now))

    hits, matches, collections, may_add = await long_read(request, known, call)
    return page(
        request,
        "library/wall.html",
        search=search,
        find=search.text,
        tiles=[Tile(match.record, match.thumbnail) for match in matches],
        total=hits.total,
        collections=collections,
        kinds=KINDS,
        per_page=PER_PAGE,
        may_add=may_add,
    )


async def show_record(request: Request) -> Response:
    services = services_of(request)
    key = key_of(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        record = services.library.records.get(work, actor, key)
        files = services.library.records.all_renditions(work, actor, record)
        ready = {file.name: file for file in files if file.is_ready}
        shown = ready.get(PREVIEW) or ready.get("poster") or ready.get("thumbnail")
        if record.kind == "image" and shown is None:
            shown = ready.get(DOCUMENT)
        original, structure = ready.get(DOCUMENT), services.library.records.structure(work)
        if (
            PREVIEW not in ready
            and original is not None
            and original.mime.startswith(("audio/mpeg", "application/pdf"))
        ):
            shown = original  # every browser plays or shows it as it is
        return {
            "record": record,
            "collection": structure.collections[record.collection_id],
            "values": _by_field(services.library.records.values(work, actor, record, business=True)),
            "files": files,
            "shown": shown,
            "poster": ready.get("poster") or ready.get("thumbnail"),
            "sharing": sharing_of(services, work, actor, record, files),
            "may_retry": access.may(work, actor, record, Right.imgtools),
            "failed": [file for file in files if file.state == "failed"],
            "waiting": [file for file in files if file.state == "waiting"],
            "children": tiles_of_story(request, work, actor, record) if record.is_story else None,
            "parents": services.library.story_views.names_of_parents(work, actor, record),
        }

    return page(request, "library/record.html", frames="'self'", **await long_read(request, known, call))


def _by_field(values: list[Any]) -> list[tuple[Any, list[str]]]:
    grouped: dict[int, tuple[Any, list[str]]] = {}
    for field, value in values:
        if field.gui_visible:
            grouped.setdefault(field.id, (field, []))[1].append(value.value)
    return list(grouped.values())


async def retry(request: Request) -> Response:
    """Make failed renditions again."""
    services = services_of(request)
    key = key_of(request)

    def permit(work: UnitOfWork, actor: Actor) -> None:
        services.library.structure.permit_retry(work, actor, services.library.records.get(work, actor, key))

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.library.structure.retry(work, actor, services.library.records.get(work, actor, key))

    await read(request, known, permit)  # before the body
    await posted(request)
    await write(request, known, call)
    return redirect(f"/records/{key.databox}/{key.number}/#files")


ROUTES = [
    Route("/", wall, methods=["GET"]),
    Route(RECORD, show_record, methods=["GET"]),
    *links.ROUTES,
    Route(RECORD + "retry/", retry, methods=["POST"]),
]
