"""uvicorn's HTTP protocol within bounds: bytes and number of headers, time for a head, rate of bodies and answers, and
what must hold of a message before it is a request (RFC 9112 sections 3.2, 6 and 9).

httptools has no limits, and uvicorn none but for idle connections. Whatever is refused here gets a short answer in
plain text, and the connection is closed: where its next message begins is not known, or not wanted.
"""

import re
import socket
import struct
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NoReturn

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from vitrine.edge.connections.guard import ConnectionGuard

# RFC 9110 section 7.2 and RFC 3986 section 3.2.2, with the underscore of names that are no host names.
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~!$&'()*+,;=%-]{0,255})(?::[0-9]{0,5})?")
_TCP_INFO_BYTES, _ACKNOWLEDGED = 192, 120  # tcpi_bytes_acked of Linux
_HIGH_WATER = 64 * 1024
_SLICE = 8 * 1024  # so that few requests come out of one step of the parser
_shared_guard = ConnectionGuard()  # for applications that bring none


class _Refused(Exception):
    """Raised inside the parser, to end it."""


@lru_cache(maxsize=256)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


class _Flow(FlowControl):
    """Does not go on reading while `is_held`, whoever asks for it."""

    is_held = False

    def resume_reading(self) -> None:
        if not self.is_held:
            super().resume_reading()


class _Closing:
    """What a response with a body before it writes to: when it closes the connection, the body is drained first."""

    __slots__ = ("_protocol", "is_closing", "write")

    def __init__(self, protocol: "BoundedProtocol") -> None:
        self._protocol = protocol
        self.write = protocol.transport.write
        self.is_closing = protocol.transport.is_closing

    def close(self) -> None:
        self._protocol.drain()


class BoundedProtocol(HttpToolsProtocol):
    """An application names its `connection_guard`."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.guard: ConnectionGuard = getattr(self.app, "connection_guard", _shared_guard)
        self.limits = self.guard.limits
        self._refusal: tuple[int, str] | None = None
        self._held = b""
        self._is_in_head = self._is_in_message = self._is_closing = False
        self._messages = self._received = self._resumed = 0
        self._room = self._room_before = self._unfinished = 0
        self._drained: int | None = None
        self._has_body = self._is_upgrade = self._is_muted = False
        self._body_length: int | None = 0
        self._active: RequestResponseCycle | None = None
        self._kept_alive: tuple[RequestResponseCycle, bool] | None = None
        self._watched: tuple[str, int] = ("", 0)
        self._watched_since = 0.0
        self._watched_progress = 0

    # -- connection --------------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.flow: _Flow = _Flow(transport)
        self._watched_since = self.loop.time()
        reason = self.guard.admit(self, self._address, self.loop)
        if reason is not None:
            self.guard.count(reason, self._address)
            self._is_closing = True
            transport.write(self._plain_answer(429 if reason == "connections_per_address" else 503))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.guard.release(self)
        super().connection_lost(exc)

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    # -- parser ------------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._is_closing:
            self._drop(len(data))
            return
        self._unset_keepalive_if_required()
        place = 0
        while place < len(data) and not self._is_closing:
            if len(self.pipeline) >= self.limits.pipelined:
                self._hold(data[place:])
                return
            piece = data[place : place + _SLICE]
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade as upgrade:
                place += upgrade.args[0]
                self._go_on_after_upgrade()
                continue
            except httptools.HttpParserError:
                self._refuse_now(*(self._refusal or (400, "malformed")))
                return
            place += len(piece)
            if self._is_in_head:
                self._require_room(len(piece))

    def _go_on_after_upgrade(self) -> None:
        """There is nothing to upgrade to, so the message is an ordinary one (RFC 9110 section 7.8). The parser has
        stopped behind its head and takes no body: another one is told that a body of this length follows. Otherwise the
        body would be read as the next request."""
        self.parser = httptools.HttpRequestParser(self)
        if not self._has_body:
            return
        framing = b"transfer-encoding: chunked"
        if self._body_length is not None:
            framing = b"content-length: %d" % self._body_length
        self._is_upgrade, self._is_muted = False, True
        self.parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n\r\n" % framing)
        self._is_muted = False

    def _hold(self, rest: bytes) -> None:
        """Enough requests wait for their turn: read no further until some of them are answered."""
        self._held = rest
        self.flow.is_held = True
        self.flow.pause_reading()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._held and len(self.pipeline) < self.limits.pipelined:
            self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        rest, self._held = self._held, b""
        self.flow.is_held = False
        if rest and self.parser is not None and not self.transport.is_closing():
            self.flow.resume_reading()
            self.data_received(rest)

    def _require_room(self, size: int) -> None:
        """A header that does not end calls nothing, so what has arrived of it is counted here."""
        self._unfinished = self._unfinished + size if self._room == self._room_before else 0
        self._room_before = self._room
        if self._unfinished > self._room:
            self._refuse_now(431, "header_bytes")

    def _refuse(self, status: int, reason: str) -> NoReturn:
        self._refusal = (status, reason)
        raise _Refused

    def on_message_begin(self) -> None:
        if self._is_muted:
            return
        self._is_in_head = self._is_in_message = True
        self._messages += 1
        self._room = self._room_before = self.limits.header_bytes
        self._unfinished = 0
        self._has_body, self._body_length = False, 0
        self._is_upgrade = False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        if self._is_muted:
            return
        self.url += url
        self._room_before = -1
        if len(self.url) > self.limits.target_bytes:
            self._refuse(414, "target_bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_muted:
            return
        self._room -= len(name) + len(value) + 4
        if self._room < 0:
            self._refuse(431, "header_bytes")
        if not self._is_in_head:
            return  # a trailer field: discarded, as RFC 9110 section 6.5.1 allows, since it may not speak for the head
        if len(self.headers) >= self.limits.headers:
            self._refuse(431, "headers")
        name = name.lower()
        if name == b"content-length":
            self._body_length = int(value)
            self._has_body = self._body_length > 0
        elif name == b"transfer-encoding":
            if value.strip().lower() != b"chunked":
                self._refuse(501, "transfer_encoding")  # RFC 9112 section 6.1
            self._has_body, self._body_length = True, None
        elif name == b"expect":
            self.expect_100_continue = value.lower() == b"100-continue"
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._is_muted:
            return
        if self.parser.get_method() == b"CONNECT":
            self._refuse(501, "connect")  # RFC 9110 section 9.3.6: it is for proxies
        self._is_upgrade = self.parser.should_upgrade()
        is_1_0 = self.parser.get_http_version() == "1.0"
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) > 1 or not (hosts or is_1_0) or (hosts and not _is_host(hosts[0])):
            self._refuse(400, "host")  # RFC 9112 section 3.2
        if is_1_0:
            self.expect_100_continue = False  # RFC 9110 section 10.1.1
            if self._body_length is None:
                self._refuse(400, "transfer_encoding")  # RFC 9112 section 6.1
        super().on_headers_complete()  # raises where the target is none
        self._is_in_head = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._active = cycle
        if self._has_body and cycle is self.cycle and cycle.more_body:
            self._expect_body(cycle)
        self._begin(cycle, app)

    def _begin(self, cycle: RequestResponseCycle, app: Any) -> None:
        super()._start_asgi_task(cycle, app)

    def _expect_body(self, cycle: RequestResponseCycle) -> None:
        """Should the answer come before a long body (or one that waits for `100 Continue`), the connection closes."""
        cycle.transport = _Closing(self)  # type: ignore[assignment]  # it has what a cycle uses
        if cycle.waiting_for_100_continue or self._body_length is None or self._body_length > self.limits.unread_bytes:
            self._kept_alive = (cycle, cycle.keep_alive)
            cycle.keep_alive = False

    def on_message_complete(self) -> None:
        if self._is_upgrade and self._has_body:
            return  # the parser says so behind the head; the body is still to come
        self._is_in_message = False
        if self._kept_alive is not None:
            cycle, kept = self._kept_alive
            if not cycle.response_started:
                cycle.keep_alive = kept
            self._kept_alive = None
        super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        self._received += len(body)
        super().on_body(body)

    def _should_upgrade(self) -> bool:
        return False

    # -- refusal -----------------------------------------------------------------------------------------------------

    def _refuse_now(self, status: int, reason: str) -> None:
        """Answer instead of the application where nothing else is being sent, and close."""
        self.guard.count(reason, self._address)
        cycle: RequestResponseCycle | None = self.cycle
        is_in_body = self._is_in_message and not self._is_in_head
        if cycle is not None and not cycle.response_complete:
            if not is_in_body or self.pipeline:
                self._close_after_answers()  # the fault is in a later message
                return
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                self.transport.abort()
                return
        elif is_in_body:  # of a request that has its answer
            self.drain()
            return
        if not self.transport.is_closing():
            self.transport.write(self._plain_answer(status))
        self.drain()

    def _close_after_answers(self) -> None:
        """Take no further message; the last one that was understood is answered with `Connection: close`."""
        self._is_closing = True
        if self.pipeline and self.pipeline[0][0].more_body:
            self.pipeline.popleft()  # only a part of it arrived
        last = self.pipeline[0][0] if self.pipeline else self._active
        if last is not None:
            last.keep_alive = False
            last.transport = _Closing(self)  # type: ignore[assignment]  # it has what a cycle uses
        self.flow.pause_reading()

    def _plain_answer(self, status: int) -> bytes:
        body = b"%d %b\n" % (status, HTTPStatus(status).phrase.encode())
        lines = [b"%b: %b\r\n" % pair for pair in self.server_state.default_headers]
        lines += [
            b"content-type: text/plain; charset=utf-8\r\nx-content-type-options: nosniff\r\n",
            b"content-length: %d\r\nconnection: close\r\n" % len(body),
            b"retry-after: 10\r\n" if status in (429, 503) else b"",
        ]
        return b"%b%b\r\n%b" % (STATUS_LINE[status], b"".join(lines), body)

    def drain(self) -> None:
        """Close once what was written has been sent. What the client is still sending is read and dropped for a while:
        closing over it would reset the connection, and the client would lose the answer (RFC 9112 section 9.6)."""
        self._is_closing = True
        self._drained = 0
        self.pipeline.clear()
        if self.transport.is_closing():
            return
        self._held, self.flow.is_held = b"", False
        self.flow.resume_reading()
        with suppress(OSError, RuntimeError):  # the client was faster
            self.transport.write_eof()

    def _drop(self, size: int) -> None:
        if self._drained is None:
            self.flow.pause_reading()
            return
        self._drained += size
        if self._drained > self.limits.drained_bytes:
            self.transport.abort()

    # -- guard -------------------------------------------------------------------------------------------------------

    def is_idle(self) -> bool:
        is_waiting = self._is_in_head or not self._is_in_message
        is_answered = self.cycle is None or self.cycle.response_complete
        return is_waiting and is_answered and not self.transport.get_write_buffer_size()

    def evict(self) -> None:
        self._is_closing = True
        self.transport.close()

    def resume_writing(self) -> None:
        self._resumed += 1
        super().resume_writing()

    def inspect(self, now: float) -> None:
        phase, serial, progress = self._phase()
        if (phase, serial) != self._watched:
            self._watched, self._watched_since, self._watched_progress = (phase, serial), now, progress
            return
        period = self._period(phase)
        if period is None or now - self._watched_since < period:
            return
        if phase in ("body", "response") and progress - self._watched_progress >= self.limits.min_rate * period:
            self._watched_since, self._watched_progress = now, progress
            return
        self._end(phase)

    def _phase(self) -> tuple[str, int, int]:
        """What the client is waited for, a number that tells one such wait from the next, and how far it is."""
        cycle: RequestResponseCycle | None = self.cycle
        if self.transport.get_write_buffer_size():
            return "response", 0, self._acknowledged()
        if self._drained is not None:
            return "drain", 0, 0
        if self._is_in_head:
            return "head", self._messages, 0
        if self._is_in_message and not self.flow.read_paused:
            return "body", self._messages, self._received
        if cycle is None:
            return "first", 0, 0
        return ("idle" if cycle.response_complete else "working"), self._messages, 0

    def _period(self, phase: str) -> float | None:
        limits = self.limits
        return {
            "response": limits.response_s, "drain": limits.drain_s, "head": limits.head_s, "first": limits.head_s,
            "body": limits.body_s, "idle": limits.idle_s,
        }.get(phase)  # fmt: skip

    def _acknowledged(self) -> int:
        """Bytes that the client has taken: as the kernel knows it, else by what has left our buffer."""
        with suppress(OSError, AttributeError, struct.error):
            connection = self.transport.get_extra_info("socket")
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
            taken: int = struct.unpack_from("Q", info, _ACKNOWLEDGED)[0]
            return taken
        return self._resumed * _HIGH_WATER - self.transport.get_write_buffer_size()

    def _end(self, phase: str) -> None:
        if phase in ("head", "body") and not self._is_closing:
            self._refuse_now(408, f"slow_{phase}")
        elif phase == "response":
            self.guard.count("slow_reader", self._address)
            self._reset()
        else:
            if phase == "first":
                self.guard.count("silent", self._address)
            self.transport.abort() if phase == "drain" else self.transport.close()

    def _reset(self) -> None:
        """Close without sending what is left, which the kernel would otherwise keep and offer for minutes."""
        with suppress(OSError, AttributeError):
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
