"""The routes of contract 04 section 9, and one entry alone, whose address is its `id` in Atom.

The memory of validators holds the tag of each page that was sent and when it was first sent as it is: a page depends on
entries, records, files, links and rights, so no instant in the database tells when it changed.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import NOBODY, Actor
from vitrine.api.syndication.addresses import FORMS, FeedAddress
from vitrine.api.syndication.documents import Document, cooliris, document_of
from vitrine.edge import long_read, nobody, run_in_thread, services_of
from vitrine.edge.params import natural
from vitrine.edge.text import text_routes
from vitrine.errors import Invalid, NotFound
from vitrine.feeds import EntryId, FeedId
from vitrine.feeds.syndication import LAST_PAGE, SyndicatedPage
from vitrine.media.delivery import Conditions, etag, http_date, is_unchanged
from vitrine.platform.cache import Cache
from vitrine.platform.crypto import digest
from vitrine.platform.database import UnitOfWork

_validators: Cache[bytes, tuple[str, datetime]] = Cache("feed_validators", 10_000)
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)  # fmt: skip
Build = Callable[[UnitOfWork, Actor], SyndicatedPage]


async def feed(request: Request) -> Response:
    """GET /feeds/feed/{id}/{rss|atom}/: one public feed; 404 unknown, 403 when it is not public."""
    return await _sent(request, FeedAddress(_form(request), _feed_id(request)))


async def all_feeds(request: Request) -> Response:
    """GET /feeds/aggregated/{rss|atom}/: all public feeds."""
    return await _sent(request, FeedAddress(_form(request)))


async def own_feed(request: Request) -> Response:
    """GET /feeds/userfeed/{token}/{id}/{rss|atom}/: a feed that the owner of the address may read (D: the token counts,
    not the number)."""
    return await _sent(request, FeedAddress(_form(request), _feed_id(request), request.path_params["token"]))


async def all_own_feeds(request: Request) -> Response:
    """GET /feeds/userfeed/aggregated/{token}/{rss|atom}/: all feeds that the owner of the address may read."""
    return await _sent(request, FeedAddress(_form(request), None, request.path_params["token"]))


async def cooliris_feed(request: Request) -> Response:
    """GET /feeds/cooliris/: all public feeds, one item a file."""
    services, number = services_of(request), _page(request)
    page = await long_read(
        request, nobody, lambda work, _actor: services.feeds.syndication.page(work, NOBODY, None, number)
    )
    return _answer(request, await run_in_thread(lambda: cooliris(services.settings, page)), is_public=True)


async def _sent(request: Request, address: FeedAddress) -> Response:
    services = services_of(request)
    syndication = services.feeds.syndication
    entry, number = request.path_params.get("entry_id"), _page(request)

    def call(work: UnitOfWork, _actor: Actor) -> SyndicatedPage:
        reader = _reader(request, work, address)
        if entry is None:
            return syndication.page(work, reader, address.feed_id, number)
        assert address.feed_id is not None
        return syndication.entry(work, reader, address.feed_id, EntryId(_number(str(entry))))

    page = await long_read(request, nobody, call)
    written = await run_in_thread(lambda: document_of(services.settings, address, page))
    return _answer(request, written, is_public=address.token is None)


async def icon(request: Request) -> Response:
    """GET /feeds/feed/{id}/icon/ and /feeds/userfeed/{token}/{id}/icon/: the picture of a feed."""
    services = services_of(request)
    address = FeedAddress("icon", _feed_id(request), request.path_params.get("token"))

    def call(work: UnitOfWork, _actor: Actor) -> str:
        reader = _reader(request, work, address)
        return services.feeds.syndication.icon(work, reader, _feed_id(request))

    sha256 = await long_read(request, nobody, call)
    content = await run_in_thread(lambda: _content(request, sha256))
    mime = next((mime for start, mime in _SIGNATURES if content.startswith(start)), None)
    if mime is None:
        raise NotFound("There is no picture at this address.")
    return _answer(request, Document(content, mime), is_public=address.token is None)


def _content(request: Request, sha256: str) -> bytes:
    with services_of(request).media.store.open(sha256) as file:
        return file.read()


def _reader(request: Request, work: UnitOfWork, address: FeedAddress) -> Actor:
    """Whose rights count: nobody's for a public address, else those of the person whose token it is."""
    if address.token is None:
        return NOBODY
    return services_of(request).feeds.addresses.reader(work, address.token, address.feed_id)


def _form(request: Request) -> str:
    form: str = request.path_params["form"]
    if form not in FORMS:
        raise NotFound("There is nothing at this address.")
    return form


def _feed_id(request: Request) -> FeedId:
    return FeedId(_number(str(request.path_params["feed_id"])))


def _number(text: str) -> int:
    number = natural(text)
    if number is None:  # more digits than any id has
        raise NotFound("There is nothing at this address.")
    return number


def _page(request: Request) -> int:
    text = request.query_params.get("page", "") or "1"
    number = natural(text)
    if number is None or not 1 <= number <= LAST_PAGE:
        raise Invalid("page must be a whole number from 1.", field="page")
    return number


def _answer(request: Request, document: Document, *, is_public: bool) -> Response:
    """The page, or 304. Caches must ask again each time: what is withdrawn is gone at once."""
    tag, modified = _validators_of(request, document.content)
    headers = {
        "ETag": tag,
        "Last-Modified": http_date(modified),
        "Cache-Control": "public, no-cache" if is_public else "private, no-cache",
    }
    if not is_public:
        headers["Referrer-Policy"] = "no-referrer"
    none_match = request.headers.get("if-none-match", "")
    if none_match:
        unchanged = is_unchanged(Conditions(none_match=none_match), tag, modified)
    else:
        unchanged = request.headers.get("if-modified-since", "").strip() == headers["Last-Modified"]
    if unchanged:
        return Response(b"", 304, headers)
    return Response(
        document.content, 200, {**headers, "Content-Type": document.media_type, "X-Content-Type-Options": "nosniff"}
    )


def _validators_of(request: Request, content: bytes) -> tuple[str, datetime]:
    """The tag of *content*, and since when it is what this address sends, to the second."""
    key = digest(f"{request.url.path}?{request.url.query}")
    tag = etag(digest(content.decode("latin-1")).hex())
    known = _validators.get(key)
    if known is not None and known[0] == tag:
        return known
    now = datetime.now(UTC).replace(microsecond=0)
    # Two states of one address never share an instant.
    fresh = (tag, now if known is None else max(now, known[1] + timedelta(seconds=1)))
    _validators.put(key, fresh)
    return fresh


ONE, OWN = "/feeds/feed/{feed_id:int}/", "/feeds/userfeed/{token}/{feed_id:int}/"
ENTRY = "{form}/entry/{entry_id:int}/"
ROUTES = text_routes(
    [
        Route("/feeds/cooliris/", cooliris_feed, methods=["GET"]),
        Route("/feeds/aggregated/{form}/", all_feeds, methods=["GET"]),
        Route("/feeds/userfeed/aggregated/{token}/{form}/", all_own_feeds, methods=["GET"]),
        Route(ONE + "icon/", icon, methods=["GET"]),
        Route(OWN + "icon/", icon, methods=["GET"]),
        Route(ONE + "{form}/", feed, methods=["GET"]),
        Route(OWN + "{form}/", own_feed, methods=["GET"]),
        Route(ONE + ENTRY, feed, methods=["GET"]),
        Route(OWN + ENTRY, own_feed, methods=["GET"]),
    ]
)
