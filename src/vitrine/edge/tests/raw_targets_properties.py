"""Whatever bytes come in whatever pieces, a body keeps its bytes and a request ends where its client said."""

from typing import Any

import httptools
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from vitrine.edge.raw_targets import RawTargets

_TARGETS = st.sampled_from([b"/a", "/é".encode(), b"/x?q=\xe9", b"/%C3", b"/\xff\xfe"])
_BODIES = st.one_of(
    st.sampled_from([b"", "é\n".encode(), b"\n\n\xff", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"]),
    st.binary(max_size=40),
)
_HEADERS = st.sampled_from([b"", b"X-Name: \xe9\r\n", b"Expect: 100-continue\r\n"])


class _Recorder(HttpToolsProtocol):
    """The parser of uvicorn with nothing behind it: bodies of the messages that are complete."""

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.bodies: list[bytes] = []
        self.complete = 0
        self.is_refused = False

    def data_received(self, data: bytes) -> None:
        if self.is_refused:
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.is_refused = True

    def on_message_begin(self) -> None:
        self.bodies.append(b"")

    def on_url(self, url: bytes) -> None:
        """Nothing is done with it here."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Nothing is done with it here."""

    def on_headers_complete(self) -> None:
        """Nothing is done with them here."""

    def on_body(self, body: bytes) -> None:
        self.bodies[-1] += body

    def on_message_complete(self) -> None:
        self.complete += 1


class _Recorded(RawTargets, _Recorder):
    """Its next class is the recorder, not uvicorn's protocol."""


def _chunked(body: bytes) -> bytes:
    parts = [part for part in (body[:1], body[1:]) if part]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@st.composite
def requests(draw: Any) -> tuple[bytes, bytes]:
    """The bytes of a request, and its body."""
    target, header, body = draw(_TARGETS), draw(_HEADERS), draw(_BODIES)
    head = b"POST " + target + b" HTTP/1.1\r\nHost: x\r\n" + header
    if draw(st.booleans()):
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + _chunked(body), body
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body, body


@given(st.lists(requests(), min_size=1, max_size=3), st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_bodies_and_borders_of_requests_stay(sent: list[tuple[bytes, bytes]], sizes: list[int]) -> None:
    stream, connection, position = b"".join(request for request, _ in sent), _Recorded(), 0
    while position < len(stream):
        size = sizes[position % len(sizes)]
        connection.data_received(stream[position : position + size])
        position += size
    expected = [body for _, body in sent]
    assert connection.bodies[: connection.complete] == expected[: connection.complete]
    assert connection.is_refused or connection.complete == len(sent)


@given(requests(), st.integers(1, 12))
def test_one_request_in_pieces_is_understood(request: tuple[bytes, bytes], size: int) -> None:
    data, body = request
    connection = _Recorded()
    for start in range(0, len(data), size):
        connection.data_received(data[start : start + size])
    assert (connection.is_refused, connection.complete, connection.bodies) == (False, 1, [body])
