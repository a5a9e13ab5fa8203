"""Feeds: contract 02 section 6.8, objects as in sections 5.16 and 5.17."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v1 import present_feeds
from vitrine.api.v1.frame import frame_of, records_json
from vitrine.api.v1.present import Frame
from vitrine.api.v1.route import V1Route
from vitrine.api.wire.envelope import answer
from vitrine.edge import bearer, long_read, services_of
from vitrine.edge.params import Params, natural
from vitrine.errors import Invalid
from vitrine.feeds import EntryId, FeedId, ReadableEntry
from vitrine.feeds.errors import MayNotRead
from vitrine.library.records import LISTED_AT_ONCE
from vitrine.platform.database import UnitOfWork

PER_PAGE = 5
MOST_AGGREGATED, MOST_OF_FEED = 20, 100
MOST_NAMED = 1_000  # ids in `feeds[]`


async def listed(request: Request) -> Response:
    """GET /feeds/list/"""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        frame = frame_of(request, work, actor)
        return [present_feeds.feed(frame, item) for item in services.feeds.registry.all(work, actor)]

    return answer(request, {"feeds": await long_read(request, bearer, call)})


async def aggregated(request: Request) -> Response:
    """GET /feeds/content/: entries of every feed that the caller may read, also where `feeds[]` names some (D)."""
    services = services_of(request)
    params = request.state.params
    offset, among = _offset(params), _feeds_named(params)
    wanted = params.integer("per_page", PER_PAGE) or PER_PAGE
    limit = wanted if 1 <= wanted <= MOST_AGGREGATED else MOST_AGGREGATED

    def call(work: UnitOfWork, actor: Actor) -> tuple[int, list[dict[str, Any]]]:
        page = services.feeds.entries.latest(work, actor, offset, limit, among)
        return page.total, _entries(request, work, frame_of(request, work, actor), page.entries)

    total, entries = await long_read(request, bearer, call)
    body = {"total_entries": total, "offset_start": offset, "per_page": limit, "entries": entries}
    return answer(request, body)


async def content(request: Request) -> Response:
    """GET /feeds/{feed_id}/content/: an empty response for a feed that the caller may not read."""
    services = services_of(request)
    params = request.state.params
    feed_id = FeedId(int(request.path_params["feed_id"]))
    offset = _offset(params)
    wanted = params.integer("per_page", PER_PAGE)
    limit = wanted if 1 <= wanted <= MOST_OF_FEED else MOST_OF_FEED

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any] | None:
        frame = frame_of(request, work, actor)
        try:
            feed, entries = services.feeds.entries.of_feed(work, actor, feed_id, offset, limit)
        except MayNotRead:
            return None
        return {
            "feed": present_feeds.feed(frame, feed),
            "offset_start": offset,
            "per_page": limit,
            "entries": _entries(request, work, frame, entries),
        }

    return answer(request, await long_read(request, bearer, call))


async def entry(request: Request) -> Response:
    """GET /feeds/entry/{entry_id}/: 403 for an entry of a feed that the caller may not read."""
    services = services_of(request)
    entry_id = EntryId(int(request.path_params["entry_id"]))

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        frame = frame_of(request, work, actor)
        return _entries(request, work, frame, [services.feeds.entries.get(work, actor, entry_id)])[0]

    return answer(request, {"entry": await long_read(request, bearer, call)})


def _entries(
    request: Request, work: UnitOfWork, frame: Frame, entries: Sequence[ReadableEntry]
) -> list[dict[str, Any]]:
    """Entries with their records, each of which is read and written once however many entries have it."""
    by_id = {shown.record.id: shown for readable in entries for _, shown in readable.items}
    page, written = list(by_id.values()), []
    for start in range(0, len(page), LISTED_AT_ONCE):
        written += records_json(request, work, frame, page[start : start + LISTED_AT_ONCE])
    records = dict(zip(by_id, written, strict=True))
    return [
        present_feeds.entry(frame, readable, [(item_id, records[shown.record.id]) for item_id, shown in readable.items])
        for readable in entries
    ]


def _offset(params: Params) -> int:
    return max(0, params.integer("offset_start", 0))


def _feeds_named(params: Params) -> list[FeedId] | None:
    """`feeds[]`; None when it is absent. Raises Invalid for what is no id."""
    texts = [text for text in params.values("feeds") if text]
    if not texts:
        return None
    ids = [natural(text) for text in texts]
    if len(ids) > MOST_NAMED or None in ids:
        raise Invalid("feeds[] holds the numbers of at most {most} feeds.", field="feeds", values={"most": MOST_NAMED})
    return [FeedId(number) for number in ids if number is not None]


ROUTES: tuple[V1Route, ...] = (
    V1Route("/feeds/list/", ("GET",), listed, "02 §6.8", "Feeds that the caller may read", "feeds"),
    V1Route("/feeds/content/", ("GET",), aggregated, "02 §6.8", "Entries of all feeds, the newest first", "feeds"),
    V1Route(
        "/feeds/entry/{entry_id:int}/",
        ("GET",),
        entry,
        "02 §6.8",
        "One entry of a feed",
        "feeds",
        has_lenient_path=True,
    ),
    V1Route(
        "/feeds/{feed_id:int}/content/",
        ("GET",),
        content,
        "02 §6.8",
        "Entries of one feed",
        "feeds",
        has_lenient_path=True,
    ),
)
