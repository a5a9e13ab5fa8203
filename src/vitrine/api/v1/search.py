"""GET and POST /search/ and /records/search/ (contract 02 section 6.5)."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v1 import present_stories
from vitrine.api.v1.frame import frame_of, records_json
from vitrine.api.v1.present import Frame
from vitrine.api.wire.envelope import answer, is_extended
from vitrine.edge import SHORT_LIST, bearer, long_read, read, services_of
from vitrine.edge.params import Params
from vitrine.errors import Invalid
from vitrine.library.model import KINDS, Field
from vitrine.library.records import RecordWithThumbnail
from vitrine.platform.database import UnitOfWork
from vitrine.search import QUICK_GRANTS, Hits, ManyGrants, Query

MOST_PER_PAGE = 1000
PageJson = Callable[[Request, UnitOfWork, Frame, list[RecordWithThumbnail]], list[Any]]
_SORTS = {"relevance": "relevance", "created_on": "created_on", "updated_on": "updated_on", "recordid": "recordid"}


def _fields(known: Iterable[Field], params: Params) -> tuple[str, ...]:
    """`fields[]`: names that no field has are ignored (02 section 6.5)."""
    names = {field.name for field in known}
    return tuple(name for name in params.values("fields") if name in names)


async def search(request: Request) -> Response:
    """`results` holds both `stories` and `records`, one of them empty."""
    if not _wants_stories(request.state.params):
        return await _search(request, lambda records: {"stories": [], "records": records}, records_json)
    return await _search(request, lambda stories: {"stories": stories, "records": []}, _stories_json)


async def records_search(request: Request) -> Response:
    """The older form: `results` is the list of records; stories come out as records."""
    return await _search(request, lambda records: records, records_json)


def _wants_stories(params: Params) -> bool:
    return params.text("search_type") in ("1", "2")


def _stories_json(request: Request, work: UnitOfWork, frame: Frame, page: list[RecordWithThumbnail]) -> list[Any]:
    """The search variant of 02 section 5.8: fields in place of the children where the answer is extended and
    `search_type` is 2."""
    views = services_of(request).library.story_views
    if is_extended(request) and request.state.params.text("search_type") == "2":
        summaries = views.summaries(work, frame.actor, page)
        return [present_stories.summary(frame, story, caption=True) for story in summaries]
    return [
        {**present_stories.summary(frame, story), "records": records_json(request, work, frame, children)}
        for story, children in views.with_children(work, frame.actor, page)
    ]


async def _search(request: Request, results: Callable[[list[Any]], Any], page_json: PageJson) -> Response:
    services = services_of(request)
    params: Params = request.state.params

    def call(work: UnitOfWork, actor: Actor, most_granted: int | None = None) -> dict[str, Any]:
        frame = frame_of(request, work, actor, query_only=True)
        query = _query(request, work, actor, params, most_granted)
        hits, page = services.search.find(work, actor, query)
        records = page_json(request, work, frame, page)
        return _page(query, hits, results(records), len(records))

    is_short = _rows(params) <= SHORT_LIST and page_json is records_json  # each story has many children
    if services.search.is_quick() and is_short:
        with suppress(ManyGrants):
            return answer(request, await read(request, bearer, partial(call, most_granted=QUICK_GRANTS)))
    return answer(request, await long_read(request, bearer, call))


def _page(query: Query, hits: Hits, results: Any, count: int) -> dict[str, Any]:
    return {
        "offset_start": query.offset,
        "per_page": query.limit,
        "available_results": count,
        "total_results": hits.total,
        "error": "",
        "warning": "",
        "query_time": round(hits.took_ms, 3),
        "search_indexes": "",
        "suggestions": [],
        "facets": [],
        "results": results,
        "query": query.text,
    }


def _query(request: Request, work: UnitOfWork, actor: Actor, params: Params, most_granted: int | None) -> Query:
    services = services_of(request)
    offset = params.integer("offset_start", 0)
    if offset < 0:
        raise Invalid("offset_start may not be negative.", field="offset_start")
    order = (params.text("ord") or "desc").lower()
    if order not in ("asc", "desc"):
        raise Invalid("ord must be asc or desc.", field="ord")
    sort = params.text("sort")
    kind = params.text("record_type") or ""
    return Query(
        text=params.text("query") or "",
        scope=services.search.scope(work, actor, most_granted=most_granted),
        bases=services.search.usable(work, actor, _bases(params)),
        kinds=frozenset({kind}) if kind in KINDS else None,
        stories=_wants_stories(params),
        fields=_fields(services.library.records.known_fields(work, actor), params),
        truncation=(params.text("truncation") or "0").lower() not in ("", "0", "false"),
        sort="relevance" if sort is None else _SORTS.get(sort, "recordid"),
        descending=order == "desc",
        offset=offset,
        limit=_per_page(params),
    )


def _per_page(params: Params) -> int:
    per_page = params.integer("per_page", 10) or 10
    if per_page < 0:
        raise Invalid("per_page may not be negative.", field="per_page")
    return min(per_page, MOST_PER_PAGE)


def _rows(params: Params) -> int:
    """The most records that the answer can have. Impossible numbers are refused once the token was checked."""
    try:
        return _per_page(params)
    except Invalid:
        return 0


def _bases(params: Params) -> list[int]:
    raw_bases = params.array("bases")
    if raw_bases is None:
        return []
    bases = []
    for value in raw_bases.values():
        if not isinstance(value, str) or not re.fullmatch(r"\d{1,18}", value):
            raise Invalid("bases[] must be numbers (base_id).", field="bases")
        bases.append(int(value))
    return bases
