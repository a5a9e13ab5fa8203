"""Request targets with bytes beyond ASCII, as curl, scripts and pasted links send them.

RFC 9112 section 3.2 has none, and the parser refuses them. Browsers percent-encode what is typed, so the request line
is made what a browser would have sent, before the parser sees it; whether it is UTF-8 is for the route to say.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from vitrine.edge.text import ascii_target


class RawTargets(HttpToolsProtocol):
    """Changes the request line of a message and nothing after it: a byte changed in a header or a body would change its
    length, and with it where the next request begins (request smuggling).

    A read is looked at only while the request line may go on in it: before a message begins, and from its first byte
    to its first line feed. Where that cannot be known (a request line that begins behind the end of another message),
    nothing is changed, and the parser refuses raw bytes.
    """

    _in_request_line = True
    _has_begun = False

    def data_received(self, data: bytes) -> None:
        if not self._in_request_line:
            super().data_received(data)
            return
        end = data.find(b"\n")
        if not data.isascii():
            line = data if end < 0 else data[:end]
            data = ascii_target(line) + data[len(line) :]
        if end >= 0 and self._has_begun:
            self._in_request_line = False  # this line feed ends the request line that an earlier read began
        super().data_received(data)
        if end < 0:
            self._in_request_line = True

    def on_message_begin(self) -> None:
        self._in_request_line, self._has_begun = False, True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._in_request_line, self._has_begun = True, False
        super().on_message_complete()
