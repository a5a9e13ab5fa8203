"""Request targets with bytes beyond ASCII, as curl, scripts and pasted links send them.

RFC 9112 section 3.2 has none, and the parser refuses them. Browsers percent-encode what is typed, so the request line
is made what a browser would have sent, before the parser sees it; whether it is UTF-8 is for the route to say.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from vitrine.edge.text import ascii_target


class RawTargets(HttpToolsProtocol):
    """Changes nothing but the first line of a message, and only where a chunk is known to begin with it or to go on
    with it: a byte changed in a body would change its length, and with it where the next request begins."""

    _in_request_line = True

    def data_received(self, data: bytes) -> None:
        if not self._in_request_line:
            super().data_received(data)
            return
        end = data.find(b"\n")
        if not data.isascii():
            line = data if end < 0 else data[:end]
            data = ascii_target(line) + data[len(line) :]
        super().data_received(data)
        if end < 0:
            self._in_request_line = True

    def on_message_begin(self) -> None:
        self._in_request_line = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._in_request_line = True
        super().on_message_complete()
