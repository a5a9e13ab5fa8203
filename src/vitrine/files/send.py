"""One rendition as an HTTP response: validators, ranges, names, freshness (contract 04 section 3)."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from itertools import chain
from typing import BinaryIO

from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from vitrine.edge import run_in_thread, services_of
from vitrine.edge.fast.encoded_headers import EncodedHeaders
from vitrine.edge.fast.responses import CompleteResponse, content_length
from vitrine.edge.proxies import is_in, networks, peer_of
from vitrine.library.model import DOCUMENT, Record, Rendition
from vitrine.media.delivery import (
    Conditions,
    RangeNotSatisfiable,
    Span,
    content_disposition,
    etag,
    http_date,
    is_unchanged,
    requested_span,
)
from vitrine.media.service import Media

CHUNK = 64 * 1024  # larger ones cost less CPU, and each slow reader holds one
SMALL = 1 << 20
_CONDITIONAL = frozenset({b"if-none-match", b"if-modified-since", b"if-range", b"range"})
_OFF = frozenset({"0", "false", "no", "off"})
# A document may be opened in the browser under our origin only if it cannot run code there.
_INERT = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "video/", "audio/", "application/pdf")


def conditions(request: Request) -> Conditions | None:
    """The conditional headers; None if there are none, the common case."""
    headers = request.headers
    if not any(name in _CONDITIONAL for name, _ in headers.raw):
        return None
    return Conditions(
        none_match=headers.get("if-none-match", ""),
        modified_since=headers.get("if-modified-since", ""),
        if_range=headers.get("if-range", ""),
        range=headers.get("range", ""),
    )


def is_download(request: Request) -> bool:
    """True for an attachment: `download` is present and not 0, false, no or off; it may be empty (04 section 2 DO)."""
    value = request.query_params.get("download")
    return value is not None and value.lower() not in _OFF


def is_inert(mime: str) -> bool:
    return mime.startswith(_INERT)


@dataclass(frozen=True, slots=True, eq=False)
class FileToSend:
    """What a response needs to know about a rendition with bytes. Compared by identity, since it is a cache key."""

    sha256: str
    size: int
    mime: str
    modified: datetime
    filename: str

    @classmethod
    def of(cls, record: Record, rendition: Rendition) -> "FileToSend":
        assert rendition.sha256 is not None
        name = filename_of(record.title, record.original_name, rendition.name, rendition.extension)
        return cls(rendition.sha256, rendition.size, rendition.mime, rendition.updated, name)


def filename_of(title: str, original_name: str | None, name: str, extension: str) -> str:
    """The original keeps its name; other renditions get theirs inserted between the stem and the extension."""
    if name == DOCUMENT:
        return _with_extension(original_name, extension) if original_name else f"document.{extension}"
    stem = (original_name or title).rpartition(".")[0] or title
    return f"{stem}-{name}.{extension}"


def _with_extension(name: str, extension: str) -> str:
    """*name* with the extension of the file sent: the overlaid copy of a HEIC picture is a JPEG and is named so."""
    stem, dot, own = name.rpartition(".")
    return f"{stem}.{extension}" if dot and extension and own.lower() != extension else name


def send(request: Request, document: FileToSend, *, public: bool, link: str | None = None) -> Response:
    """The file, a part of it, or 304. *public* says whether shared caches may store it; *link* goes into `Link`."""
    attachment, filename = False, ""
    if b"download" in request.scope["query_string"] or b"filename" in request.scope["query_string"]:
        attachment = is_download(request)
        filename = request.query_params.get("filename", "")[:200]
    headers = _headers(document, public, link, attachment, filename)
    conditional = conditions(request)
    if conditional is None:
        return _body(request, document, None, headers)
    tag = etag(document.sha256)
    if is_unchanged(conditional, tag, document.modified):
        return CompleteResponse(304, headers)
    try:
        span = requested_span(conditional, document.size, tag, document.modified)
    except RangeNotSatisfiable:
        return _file(416, [*headers, (b"content-range", b"bytes */%d" % document.size)])
    return _body(request, document, span, headers)


Headers = Sequence[tuple[bytes, bytes]]


@lru_cache(maxsize=8192)
def _headers(document: FileToSend, public: bool, link: str | None, attachment: bool, filename: str) -> Headers:
    """Every header but length and range: unchanged as long as the file is unchanged."""
    kind = "attachment" if attachment or not is_inert(document.mime) else "inline"
    headers = {
        "ETag": etag(document.sha256),
        "Last-Modified": http_date(document.modified),
        "Accept-Ranges": "bytes",
        "Cache-Control": "public, max-age=3600" if public else "private, max-age=0, must-revalidate",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",
        "Content-Disposition": content_disposition(kind, filename or document.filename),
        "Content-Type": document.mime,
    }
    if document.mime != "application/pdf":  # browsers do not show a PDF inside a sandbox
        headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    if link is not None:
        headers["Link"] = link
    # Bytes of a header (RFC 9110 section 5.5).
    return tuple((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items())


def _file(status: int, headers: Headers, body: bytes = b"", length: int | None = None) -> Response:
    """A complete response; *length* is that of a body that HEAD does not send."""
    return CompleteResponse(status, (*headers, content_length(len(body) if length is None else length)), body)


@lru_cache(maxsize=8192)
def headers_of(document: FileToSend, *, public: bool, link: str | None, length: int) -> EncodedHeaders:
    """The headers of a whole plain answer, shown and not saved."""
    return EncodedHeaders((*_headers(document, public, link, False, ""), content_length(length)), length)


def _body(request: Request, document: FileToSend, span: Span | None, headers: Headers) -> Response:
    media = services_of(request).media
    status, start, length = 200, 0, document.size
    if span is not None:
        status, start, length = 206, span.start, span.length
        content_range = b"bytes %d-%d/%d" % (span.start, span.end, document.size)
        headers = [*headers, (b"content-range", content_range)]
    if request.scope["method"] == "HEAD":
        return _file(status, headers, length=length)
    whole = media.hot.cached_or_local(document.sha256) if document.size <= media.hot.largest else None
    if whole is not None:
        return _file(status, headers, whole if span is None else whole[start : start + length])
    if not media.hot.is_near:
        return _Remote(media, document, start, length, status, headers)
    inside = _internal(request, document.sha256)
    if inside is not None:
        # nginx sends the bytes and answers ranges: it decides by the validators that it finds in this answer.
        plain = [pair for pair in headers if pair[0] not in (b"content-range", b"accept-ranges")]
        return _file(200, [*plain, (b"x-accel-redirect", inside)])
    file = media.store.open(document.sha256)
    if start:
        file.seek(start)
    if length <= SMALL:
        with file:
            return _file(status, headers, file.read(length))
    return _Local(file, length, status, [*headers, content_length(length)])


def _internal(request: Request, sha256: str) -> bytes | None:
    """The file's path inside the proxy's nginx. None when we send it ourselves: there is no such proxy, or the request
    bypassed it."""
    settings = services_of(request).settings
    if not settings.accel_prefix or not is_in(peer_of(request.scope), networks(settings.trusted_proxies)):
        return None
    services_of(request).media.store.size(sha256)  # a missing file is refused here, with our own error
    return f"{settings.accel_prefix.rstrip('/')}/{sha256[:2]}/{sha256[2:4]}/{sha256}".encode()


class _Paced(StreamingResponse):
    """Reads the next piece when the client has taken most of the one before, so that a slow reader holds one of them
    and not two."""

    async def stream_response(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self.body_iterator:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            # The server waits before it writes, not after: nothing is written here.
            await send({"type": "http.response.body", "body": b"", "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Local(_Paced):
    """A part of a file that is open at its beginning; closed also when the client goes away in the middle."""

    def __init__(self, file: BinaryIO, length: int, status: int, headers: Headers) -> None:
        super().__init__(_pieces(file, length), status)
        self.raw_headers = [*headers]
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


class _Remote(_Paced):
    """A part of a blob in remote storage: read in worker threads, and refused before the first byte is sent."""

    def __init__(
        self, media: Media, document: FileToSend, start: int, length: int, status: int, headers: Headers
    ) -> None:
        super().__init__((), status)
        self.raw_headers = [*headers, content_length(length)]
        self._media, self._document, self._start, self._length = media, document, start, length
        self._is_prepared = False
        self._pieces: Iterator[bytes] = iter(())

    async def prepare(self) -> None:
        """Fetch the first piece. Raises NotFound or Unavailable."""
        self._pieces = await run_in_thread(self._open)
        first = await run_in_thread(partial(next, self._pieces, b""))
        self.body_iterator = iterate_in_threadpool(chain((first,), self._pieces))
        self._is_prepared = True

    def _open(self) -> Iterator[bytes]:
        if self._document.size <= self._media.hot.largest:
            content = self._media.hot.read(self._document.sha256)
            return iter((content[self._start : self._start + self._length],))
        file = self._media.store.open(self._document.sha256)
        file.seek(self._start)
        return _pieces(file, self._length)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_prepared:
            await self.prepare()
        try:
            await super().__call__(scope, receive, send)
        finally:
            if isinstance(self._pieces, Generator):
                self._pieces.close()  # and with it the file, when the client goes away in the middle


def _pieces(file: BinaryIO, length: int) -> Iterator[bytes]:
    with file:
        while length > 0:
            piece = file.read(min(CHUNK, length))
            if not piece:
                return
            length -= len(piece)
            yield piece
