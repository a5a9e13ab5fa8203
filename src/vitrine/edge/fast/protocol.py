"""uvicorn's HTTP protocol with one way more to answer: status, headers and body of a complete response in one call.

The ordinary way checks every header of every answer by two regular expressions and takes two calls, which is most of
the cost of a small answer. Whatever is not the plain case (a connection to be closed, a slow reader, a body in chunks,
a length that does not fit) is declined here, and the caller sends it the ordinary way. See docs/decisions/0074.

The extension is offered in `scope["extensions"]`, as ASGI provides for; nothing depends on it being there.
"""

from collections.abc import Iterable
from functools import partial
from logging import getLogger
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from vitrine.edge.connections.protocol import BoundedProtocol
from vitrine.edge.fast.encoded_headers import EncodedHeaders, Pair, block_of
from vitrine.edge.fast.responses import COMPLETE, SendComplete
from vitrine.edge.raw_targets import RawTargets

_JOINED = 64 * 1024  # to copy more costs more than a second write
_BODILESS = frozenset({204, 304})
_APART = frozenset({b"connection", b"transfer-encoding"})


log = getLogger("vitrine.http")


class Protocol(RawTargets, BoundedProtocol):
    """For `uvicorn.Config(http=…)`: every request is offered the extension.

    An application that names `paths_without_task`, beginnings of paths, is asked for those by its method
    `respond_without_task(scope, send)` before a task is made for the request: it answers by calling *send* and gives
    True, or gives False and has done nothing.
    """

    def _begin(self, cycle: RequestResponseCycle, app: Any) -> None:
        sending = partial(send_complete, cycle)
        # Not while others wait behind this one: each would be answered inside the answer of the one before.
        if not self.pipeline and app is self.app and self._is_answered(cycle, sending):
            return
        extended: dict[str, Any] = {COMPLETE: sending}
        cycle.scope["extensions"] = extended
        super()._begin(cycle, app)

    def _is_answered(self, cycle: RequestResponseCycle, sending: SendComplete) -> bool:
        paths: tuple[str, ...] = getattr(self.app, "paths_without_task", ())
        if not paths or not cycle.scope["path"].startswith(paths):
            return False
        try:
            done: bool = self.app.respond_without_task(cycle.scope, sending)
        except Exception:
            log.exception("a request could not be answered without a task")
            done = cycle.response_complete  # else the ordinary way will tell the client
        if done:
            cycle.on_response = _nothing  # as after a task: no circle of objects is left
        return done


def _nothing() -> None:
    pass


def send_complete(
    cycle: RequestResponseCycle, status: int, headers: Iterable[Pair], body: bytes, always: bytes
) -> bool:
    """Send a complete response; *always* are more header lines as `block_of` makes them.

    False when nothing was sent: it is not the plain case, or no right answer, of which the ordinary way will tell."""
    if (
        not cycle.keep_alive
        or cycle.response_started
        or cycle.disconnected
        or cycle.flow.write_paused
        or cycle.access_log
        or cycle.transport.is_closing()
    ):
        return False
    is_head, has_body = cycle.scope["method"] == "HEAD", status not in _BODILESS
    read = (headers.block, headers.length) if type(headers) is EncodedHeaders else _read(headers)
    if read is None:
        return False
    block, length = read
    if length is None and has_body and not is_head:
        return False  # it would go out in chunks
    if not is_head and (length or 0) != (len(body) if has_body else 0):
        return False
    head = b"%b%b%b%b\r\n" % (STATUS_LINE[status], _default.of(cycle.default_headers), block, always)
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    if is_head or not has_body or not body:
        cycle.transport.write(head)
    elif len(body) <= _JOINED:
        cycle.transport.write(head + body)
    else:
        cycle.transport.write(head)
        cycle.transport.write(body)
    cycle.message_event.set()
    cycle.on_response()
    return True


class _Default:
    """The server's own headers, written down once for the list that uvicorn makes anew each second (`Date`)."""

    def __init__(self) -> None:
        self._known: tuple[list[Pair], bytes] = ([], b"")

    def of(self, headers: list[Pair]) -> bytes:
        known, block = self._known
        if known is not headers:
            block = block_of(headers)
            self._known = (headers, block)
        return block


_default = _Default()


def _read(headers: Iterable[Pair]) -> tuple[bytes, int | None] | None:
    """The block, and the length that it names; None when the ordinary way must look at it."""
    length, others = None, []
    for pair in headers:
        name = pair[0]
        if name == b"content-length":
            if length is not None or not pair[1].isdigit():
                return None
            length = int(pair[1])
        elif name in _APART or name != name.lower():
            return None
        else:
            others.append(pair)
    block = block_of(others)
    return (block if length is None else b"content-length: %d\r\n%b" % (length, block)), length
