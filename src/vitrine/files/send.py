"""One rendition as an HTTP answer: validators, ranges, names, freshness (contract 04 section 3)."""

from collections.abc import Iterator
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from vitrine.edge import services
from vitrine.library.model import Record, Rendition
from vitrine.media.delivery import (
    Conditions,
    RangeNotSatisfiable,
    Span,
    content_disposition,
    etag,
    http_date,
    is_unchanged,
    wanted_span,
)

CHUNK = 256 * 1024
SMALL = 1 << 20
_OFF = frozenset({"0", "false", "no", "off"})
# A document is opened in the browser under our origin only when it cannot run anything there.
_INERT = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "video/", "audio/", "application/pdf")


def conditions(request: Request) -> Conditions:
    headers = request.headers
    return Conditions(
        none_match=headers.get("if-none-match", ""),
        modified_since=headers.get("if-modified-since", ""),
        if_range=headers.get("if-range", ""),
        range=headers.get("range", ""),
    )


def is_download(request: Request) -> bool:
    """`download` present and not 0, false, no or off: an attachment, also with an empty value (04 section 2 DO)."""
    value = request.query_params.get("download")
    return value is not None and value.lower() not in _OFF


def is_inert(mime: str) -> bool:
    return mime.startswith(_INERT)


def send(request: Request, record: Record, rendition: Rendition, *, public: bool, link: str | None = None) -> Response:
    """The file, a part of it, or 304. *public* says whether shared caches may keep it; *link* goes into `Link`."""
    assert rendition.sha256 is not None
    tag, modified = etag(rendition.sha256), rendition.updated
    kind = "attachment" if is_download(request) or not is_inert(rendition.mime) else "inline"
    headers = {
        "ETag": tag,
        "Last-Modified": http_date(modified),
        "Accept-Ranges": "bytes",
        "Cache-Control": "public, max-age=3600" if public else "private, max-age=0, must-revalidate",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",
    }
    if rendition.mime != "application/pdf":  # browsers do not show a PDF inside a sandbox
        headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    if link is not None:
        headers["Link"] = link
    asked = conditions(request)
    if is_unchanged(asked, tag, modified):
        return Response(b"", 304, headers)
    headers["Content-Disposition"] = content_disposition(kind, _name(request, record, rendition))
    try:
        span = wanted_span(asked, rendition.size, tag, modified)
    except RangeNotSatisfiable:
        headers["Content-Range"] = f"bytes */{rendition.size}"
        return Response(b"", 416, headers)
    return _body(request, rendition, span, headers)


def _name(request: Request, record: Record, rendition: Rendition) -> str:
    asked = request.query_params.get("filename")
    if asked:
        return asked[:200]
    if rendition.name == "document":
        return record.original_name or f"document.{rendition.extension}"
    stem = (record.original_name or record.title).rpartition(".")[0] or record.title
    return f"{stem}-{rendition.name}.{rendition.extension}"


def _body(request: Request, rendition: Rendition, span: Span | None, headers: dict[str, str]) -> Response:
    assert rendition.sha256 is not None
    status = 206 if span is not None else 200
    length = span.length if span is not None else rendition.size
    if span is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end}/{rendition.size}"
    if request.method == "HEAD":
        headers["Content-Length"] = str(length)
        return Response(None, status, headers, media_type=rendition.mime)
    file = services(request).media.store.open(rendition.sha256)
    if span is not None:
        file.seek(span.start)
    if length <= SMALL:
        with file:
            return Response(file.read(length), status, headers, media_type=rendition.mime)
    headers["Content-Length"] = str(length)
    return StreamingResponse(_pieces(file, length), status, headers, media_type=rendition.mime)


def _pieces(file: BinaryIO, length: int) -> Iterator[bytes]:
    with file:
        while length > 0:
            piece = file.read(min(CHUNK, length))
            if not piece:
                return
            length -= len(piece)
            yield piece
