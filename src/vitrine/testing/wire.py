"""A server that listens nowhere: bytes of a request in, bytes of the answer out, by the protocol that `serve` uses."""

import asyncio
from typing import Any

from uvicorn.server import ServerState

from vitrine.app import AsgiApplication
from vitrine.edge.http_server import configuration


class Wire(asyncio.Transport):
    """What the protocol writes to, instead of a socket."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 5), "sockname": ("127.0.0.1", 8000)})
        self.sent = b""
        self.closed = self.paused = False

    def write(self, data: Any) -> None:
        self.sent += bytes(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = write_eof = close

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class WireServer:
    """*application* as `vitrine serve` serves it, or by another *http* protocol.

    Its methods belong to one event loop."""

    def __init__(self, application: AsgiApplication, http: Any = None) -> None:
        self._config = configuration(application, fast_paths=application.services.settings.fast_paths, http=http)
        self._config.load()
        self._state = ServerState()

    def open(self) -> tuple[Any, Wire]:
        """A connection: uvicorn's protocol object, and what it writes to."""
        protocol: Any = self._config.http_protocol_class
        handler = protocol(
            config=self._config, server_state=self._state, app_state={}, _loop=asyncio.get_running_loop()
        )
        handler.access_log = False  # handlers of a test's own logs make uvicorn believe that somebody reads it
        wire = Wire()
        handler.connection_made(wire)
        return handler, wire

    async def answer(self, request: bytes, connection: tuple[Any, Wire] | None = None) -> bytes:
        """Everything that is sent back, on *connection* or a new one."""
        handler, wire = connection or self.open()
        wire.sent = b""
        handler.data_received(request)
        while handler.cycle is not None and not handler.cycle.response_complete:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        if connection is None:
            handler.connection_lost(None)
        return wire.sent
