"""A server on a real socket of this machine, with the protocol and the options of `vitrine serve`."""

import socket
import threading
from contextlib import closing
from dataclasses import dataclass

import uvicorn

from vitrine.app import AsgiApplication
from vitrine.edge.http_server import configuration


@dataclass(frozen=True, slots=True)
class RawAnswer:
    status: int
    headers: dict[str, str]
    body: bytes


class ListeningServer:
    """*application* in a thread of its own; its services stay open when it is closed."""

    def __init__(self, application: AsgiApplication) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.address: tuple[str, int] = self._listener.getsockname()
        fast_paths = application.services.settings.fast_paths
        self._server = uvicorn.Server(
            configuration(application, fast_paths=fast_paths, lifespan="off", timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})
        self._thread.start()

    def connect(self, source: str = "127.0.0.1", timeout_s: float = 30) -> socket.socket:
        """A connection from the loopback address *source*."""
        return socket.create_connection(self.address, timeout_s, (source, 0))

    def ask(self, request: str | bytes, source: str = "127.0.0.1") -> RawAnswer:
        """The answer to one request, given as it goes over the wire."""
        with closing(self.connect(source)) as connection:
            connection.sendall(request.encode() if isinstance(request, str) else request)
            return answer_on(connection)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self._listener.close()


def answer_on(connection: socket.socket) -> RawAnswer:
    """The next answer on *connection*, and not a byte of those behind it. Raises ConnectionError when it was closed
    before the answer's end."""
    status, *lines = _until(connection, b"\r\n\r\n").decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(_until(connection, b"\r\n"), 16):
            body += _exactly(connection, size + 2)[:-2]
        _until(connection, b"\r\n")
    else:
        body = _exactly(connection, int(headers.get("content-length", 0)))
    return RawAnswer(int(status.split(" ")[1]), headers, body)


def _until(connection: socket.socket, end: bytes) -> bytes:
    read = b""
    while not read.endswith(end):
        read += _exactly(connection, 1)
    return read.removesuffix(end)


def _exactly(connection: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        piece = connection.recv(size - len(read))
        if not piece:
            raise ConnectionError("closed before the end of the answer")
        read += piece
    return read


def is_closed(connection: socket.socket) -> bool:
    """True when the server has ended *connection*; waits for that as long as its time-out allows."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True
