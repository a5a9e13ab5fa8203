"""Find records, page by page."""

from contextlib import suppress
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4 import present
from vitrine.api.v4.content import chosen
from vitrine.api.v4.paging import Page, page_answer, page_of
from vitrine.api.v4.records import place_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import Schema, named
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import SHORT_LIST, bearer, long_read, read, services_of
from vitrine.edge.params import natural
from vitrine.errors import Invalid
from vitrine.library.model import KINDS
from vitrine.platform.database import UnitOfWork
from vitrine.search import QUICK_GRANTS, ManyGrants, Query
from vitrine.search.model import DEEPEST

SORTS = ("relevance", "created_on", "updated_on", "recordid")
MOST_BASES = 1_000
_QUERY: dict[str, Schema] = {
    "query": {"type": "string", "description": 'words and "quoted phrases", all of which must occur; none: everything'},
    "base_ids": {"type": "string", "description": "only these collections, separated by commas"},
    "types": {"type": "string", "description": f"only these, separated by commas: {', '.join(KINDS)}"},
    "sort": {"enum": list(SORTS), "description": "relevance with words, created_on without, if not given"},
    "order": {"enum": ["asc", "desc"]},
}
_PAGE = page_schema(named("Record"))
COMPONENTS = {
    "RecordPage": {
        **_PAGE,
        "properties": {**_PAGE["properties"], "total": {"type": "integer", "description": "how many were found"}},
        "required": [*_PAGE["required"], "total"],
    }
}


async def find(request: Request) -> Response:
    """A page may hold fewer items than `limit` where a record was removed or hidden a moment ago."""
    services, page, wanted = services_of(request), page_of(request, int), chosen(request, present.RECORD)
    wanted = present.IN_LISTS if wanted is None else wanted
    (offset,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor, most_granted: int | None = None) -> Response:
        query = _query(request, work, actor, page, offset, most_granted)
        hits, shown = services.search.find(work, actor, query)
        full: list[Any] = [None] * len(shown)
        if wanted & present.DEEP:
            full = list(services.library.records.described(work, actor, shown))
        place = place_of(request, work, actor)
        data = [present.record(place, record, more, wanted) for record, more in zip(shown, full, strict=True)]
        after = offset + page.limit
        is_last = after >= min(hits.total, DEEPEST)
        return page_answer(request, data, None if is_last else (after,), total=hits.total)

    if services.search.is_quick() and page.limit <= SHORT_LIST:
        with suppress(ManyGrants):
            return await read(request, bearer, partial(call, most_granted=QUICK_GRANTS))
    return await long_read(request, bearer, call)


def _query(
    request: Request, work: UnitOfWork, actor: Actor, page: Page, offset: int, most_granted: int | None
) -> Query:
    services, given = services_of(request), request.query_params
    if not 0 <= offset <= DEEPEST:
        raise Invalid("This cursor is not of this list.", field="cursor")
    text = given.get("query", "").strip()
    sort = given.get("sort") or ("relevance" if text else "created_on")
    if sort not in SORTS:
        raise Invalid(f"sort must be one of {', '.join(SORTS)}.", field="sort")
    order = given.get("order", "desc")
    if order not in ("asc", "desc"):
        raise Invalid("order must be asc or desc.", field="order")
    kinds = _parts(given.get("types"))
    if not set(kinds) <= set(KINDS):
        raise Invalid(f"types may name {', '.join(KINDS)}.", field="types")
    return Query(
        text=text,
        scope=services.search.scope(work, actor, most_granted=most_granted),
        bases=services.search.usable(work, actor, _bases(given.get("base_ids"))),
        kinds=frozenset(kinds) or None,
        stories=False,
        sort=sort,
        descending=order == "desc",
        offset=offset,
        limit=page.limit,
    )


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _bases(text: str | None) -> list[int]:
    parts = _parts(text)
    numbers = [number for number in map(natural, parts) if number is not None]
    if len(numbers) < len(parts) or len(parts) > MOST_BASES:
        raise Invalid(f"base_ids must be numbers with commas between them, {MOST_BASES} at most.", field="base_ids")
    return numbers


ROUTES = (
    V4Route("/records", "GET", find, "Find records", "search", named("RecordPage"), query=_QUERY, is_list=True,
            chooses=True),
)  # fmt: skip
