"""The archive of a bundle, by the secret of a link or for its maker (contract 04 section 4)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.edge import bearer, cookie, long_read, nobody, run_in_thread, services_of
from vitrine.edge.params import without_body
from vitrine.edge.text import text_routes
from vitrine.errors import NotFound
from vitrine.files.send import conditions
from vitrine.library.bundles.archive import Layout
from vitrine.library.bundles.service import SCOPE, Packed
from vitrine.media.delivery import (
    RangeNotSatisfiable,
    Span,
    content_disposition,
    etag,
    is_unchanged,
    requested_span,
)
from vitrine.media.service import Media
from vitrine.platform.database import UnitOfWork

EXPLAINED = "These documents are not in the archive:"


async def by_link(request: Request) -> Response:
    """GET, HEAD, POST /download/{token}/get/: the archive, for whoever has the link."""
    bundles, secret = services_of(request).library.bundles, request.path_params["token"]

    def call(work: UnitOfWork, _actor: Actor) -> Packed:
        bundle, link = bundles.by_secret(work, secret)
        return bundles.packed(work, bundles.opened(work, bundle, link), EXPLAINED)

    return await _sent(request, await long_read(request, nobody, call))


async def of_maker(request: Request) -> Response:
    """GET, HEAD /downloads/{id}/archive.zip: for its maker, by a token or in a signed-in browser."""
    bundles, number = services_of(request).library.bundles, request.path_params["bundle_id"]
    who = cookie
    if "authorization" in request.headers:  # never both: a request runs as whom its caller meant
        request.scope["state"]["params"] = without_body(request)
        request.scope["state"]["needs"] = SCOPE
        who = bearer

    def call(work: UnitOfWork, actor: Actor) -> Packed:
        if not actor.is_known:
            raise NotFound("There is nothing at this address.", why="no session")
        bundle = bundles.get(work, actor, number)
        return bundles.packed(work, bundles.opened(work, bundle, None, actor), EXPLAINED)

    return await _sent(request, await long_read(request, who, call))


async def _sent(request: Request, packed: Packed) -> Response:
    # Laid out at this moment: rights may have changed since any earlier date, so only its tag says that it is the same.
    layout, tag, modified = packed.layout, etag(packed.tag), datetime.now(UTC)
    name = packed.bundle.title or services_of(request).settings.title
    headers = {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "Content-Disposition": content_disposition("attachment", f"{name}.zip"),
        "Content-Type": "application/zip",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",  # the address is the right
        "X-Accel-Buffering": "no",
    }
    span: Span | None = None
    conditional = conditions(request)
    if conditional is not None:
        if is_unchanged(conditional, tag, modified):
            return Response(status_code=304, headers=headers)
        try:
            span = requested_span(conditional, layout.size, tag, modified)
        except RangeNotSatisfiable:
            return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{layout.size}"})
    start, length, status = 0, layout.size, 200
    if span is not None:
        start, length, status = span.start, span.length, 206
        headers["Content-Range"] = f"bytes {span.start}-{span.end}/{layout.size}"
    headers["Content-Length"] = str(length)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    if start == 0:
        await run_in_thread(partial(_count, request, packed))
    return StreamingResponse(_pieces(services_of(request).media, layout, start, length), status, headers)


def _count(request: Request, packed: Packed) -> None:
    services = services_of(request)
    with services.database.write() as work:
        services.library.bundles.count_download(work, packed.bundle, packed.link)


def _pieces(media: Media, layout: Layout, start: int, length: int) -> Iterator[bytes]:
    yield from layout.read(start, length, media.store.open)


ROUTES = text_routes(
    [
        Route("/download/{token}/get/", by_link, methods=["GET", "POST"]),
        Route("/downloads/{bundle_id:int}/archive.zip", of_maker, methods=["GET"]),
    ]
)
