"""What every request passes: request id, the caller's address, one log line, headers that always hold.

Plain ASGI: a wrapped request object per layer would cost more than the work done here.
"""

import time
from collections.abc import Callable, Iterable
from itertools import count
from logging import INFO, getLogger
from secrets import token_hex

from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitrine.edge.fast.encoded_headers import Pair, block_of
from vitrine.edge.fast.responses import ACCEPTED, COMPLETE, SendComplete
from vitrine.edge.metrics import Counts
from vitrine.edge.proxies import Caller, Proxies, caller_of
from vitrine.edge.services import Services
from vitrine.edge.text import ascii_target
from vitrine.platform import logging

log = getLogger("vitrine.http")
# The route, the headers and the body of a response of status 200; None where the request must take the ordinary way.
Shortcut = Callable[[Scope], tuple[Route, Iterable[Pair], bytes] | None]


class Outermost:
    """Gives each request an id and an address, logs one line at its end, adds the headers of every answer."""

    def __init__(
        self,
        app: ASGIApp,
        services: Services,
        *,
        proxies: Proxies,
        https: bool,
        counts: Counts | None = None,
        fast_paths: bool = True,
        shortcut: Shortcut | None = None,
        closed: ASGIApp | None = None,
    ) -> None:
        """*shortcut* may answer a request before a task is made for it. *closed* takes the place of *app* during
        maintenance."""
        self.app = app
        self._closed = closed
        self._is_fast = fast_paths
        self._shortcut = shortcut
        self.counts = counts
        self.services = services
        self.proxies = proxies
        self._always: list[tuple[bytes, bytes]] = [(b"x-content-type-options", b"nosniff")]
        if https:
            self._always.append((b"strict-transport-security", b"max-age=31536000"))
        self._always_block = block_of(self._always)
        # Unique by process and count; it need not be hard to guess.
        self._prefix = token_hex(5)
        self._count = count(1)

    def respond_without_task(self, scope: Scope, send: SendComplete) -> bool:
        """Answer an HTTP request where the shortcut has the complete response; False when nothing was done."""
        started = time.perf_counter()
        response = None if self._shortcut is None or self._way() is not self.app else self._shortcut(scope)
        if response is None:
            return False
        scope["route"], headers, body = response
        request_id = f"{self._prefix}{next(self._count):06x}"
        if not send(200, headers, body, self._always_of(request_id)):
            return False
        self._note(scope, request_id, 200, started, caller_of(scope, self.proxies).address)
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = f"{self._prefix}{next(self._count):06x}"
        caller = caller_of(scope, self.proxies)
        address = caller.address
        _apply(scope, caller)
        # Removed at once: in the scope it would make a reference cycle with the connection's own object.
        send_complete: SendComplete | None = scope.get("extensions", {}).pop(COMPLETE, None)
        scope["vitrine"] = self.services
        scope["query_string"] = ascii_target(scope.get("query_string", b""))  # as a browser would have sent it
        if self._is_fast:
            scope[ACCEPTED] = True
        scope["state"] = {"request_id": request_id, "address": address, "started": started}
        logging.request_id.set(request_id)
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            kind = message["type"]
            if kind == COMPLETE:
                status = message["status"]
                if send_complete is not None and send_complete(
                    status, message["headers"], message["body"], self._always_of(request_id)
                ):
                    return
                await send(self._start(status, message["headers"], request_id))
                await send({"type": "http.response.body", "body": message["body"]})
                return
            if kind == "http.response.start":
                status = message["status"]
                message = self._start(status, message["headers"], request_id)
            await send(message)

        try:
            await self._way()(scope, receive, answer)
        finally:
            self._note(scope, request_id, status, started, address)

    def _way(self) -> ASGIApp:
        return self.app if self._closed is None or not self.services.maintenance.is_on else self._closed

    def _note(self, scope: Scope, request_id: str, status: int, started: float, address: str) -> None:
        seconds = time.perf_counter() - started
        path = getattr(scope.get("route"), "path", "-")
        if self.counts is not None:
            self.counts.add(path, status, seconds)
        if log.isEnabledFor(INFO):
            logging.request_line(request_id, scope["method"], path, status, seconds * 1000, address)

    def _always_of(self, request_id: str) -> bytes:
        """The headers of every answer as they go over the wire."""
        return b"%bx-request-id: %b\r\n" % (self._always_block, request_id.encode())

    def _start(self, status: int, headers: Iterable[Pair], request_id: str) -> Message:
        """The start of an answer with the headers that every one has."""
        more = [*headers, *self._always, (b"x-request-id", request_id.encode())]
        return {"type": "http.response.start", "status": status, "headers": more}


def _apply(scope: Scope, caller: Caller) -> None:
    """Scheme and host of the request as its client sent it, for all who read them in the scope."""
    scope["scheme"] = caller.scheme
    if caller.host is not None:
        others = [header for header in scope["headers"] if header[0] != b"host"]
        scope["headers"] = [(b"host", caller.host.encode()), *others]
