"""Which of our source files a request passes: how far a reader must go to follow it.

    python -m benchmarks.files_read [--list]

Counts the distinct files of the package in which a function runs from the first byte of the request to the last byte of
the answer, on a warm server. Requests come over uvicorn's own protocol object, as `vitrine serve` has it.
"""

import asyncio
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import uvicorn
from uvicorn.server import ServerState

import vitrine
from vitrine import app
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server

PACKAGE = str(Path(vitrine.__file__).parent)
BOUNDARY = "a-boundary"


class Wire(asyncio.Transport):
    """What the protocol writes to, instead of a socket."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 5), "sockname": ("127.0.0.1", 8000)})
        self.sent = b""

    def write(self, data: Any) -> None:
        self.sent += bytes(data)

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        self.sent += b"(closed)"

    def pause_reading(self) -> None:
        self.sent += b"(paused)"

    def resume_reading(self) -> None:
        return None


def connection(application: app.Application) -> tuple[Any, Wire]:
    """One connection of a server that is not listening anywhere."""
    http: Any = protocol() if application.services.settings.fast_paths else "httptools"
    config = uvicorn.Config(application, http=http, access_log=False, log_config=None, proxy_headers=False)
    config.load()
    state, wire = ServerState(), Wire()
    made: Any = config.http_protocol_class(  # type: ignore[call-arg]
        config=config, server_state=state, app_state={}, _loop=asyncio.get_running_loop()
    )
    made.connection_made(wire)
    return made, wire


def protocol() -> Any:
    from vitrine.edge.fast.protocol import Protocol

    return Protocol


async def answered(connected: tuple[Any, Wire], request: bytes) -> bytes:
    handler, wire = connected
    wire.sent = b""
    handler.data_received(request)
    while not handler.cycle.response_complete:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0)
    return wire.sent


class Recorder:
    """Notes the code that runs in this thread and in those that start after `install`."""

    def __init__(self) -> None:
        self.seen: set[CodeType] = set()

    def install(self) -> None:
        threading.setprofile(self)
        sys.setprofile(self)

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            self.seen.add(frame.f_code)

    def files(self) -> list[str]:
        ours = {code.co_filename for code in list(self.seen) if code.co_filename.startswith(PACKAGE)}
        return sorted(str(Path(name).relative_to(PACKAGE)) for name in ours)


async def files_of(recorder: Recorder, connected: tuple[Any, Wire], request: Callable[[], bytes]) -> list[str]:
    """The second time counts: the first one fills what is filled once, and starts the worker threads."""
    first = await answered(connected, request())
    if not first.startswith(b"HTTP/1.1 200"):
        raise SystemExit(first.decode("latin-1"))
    sent = request()
    recorder.seen.clear()
    await answered(connected, sent)
    return recorder.files()


def get(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: dam.test\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def upload(path: str, token: str, base_id: int, picture: bytes) -> bytes:
    parts = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="base_id"\r\n\r\n{base_id}\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = parts.encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: dam.test\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def counted(server: Server, folder: Path) -> dict[str, list[str]]:
    ada = server.user("ada")
    token, key = server.token(ada), server.add(make.jpeg(folder / "a.jpg", 640, 480), ada)
    pictures = iter([make.jpeg(folder / f"{seed}.jpg", 320, 240, seed=seed).read_bytes() for seed in range(1, 3)])
    connected = connection(server.application)
    recorder = Recorder()
    recorder.install()
    base_id = int(server.photographs.id)
    return {
        "record": await files_of(
            recorder, connected, lambda: get(f"/api/v1/records/{key.databox}/{key.number}/", token)
        ),
        "me": await files_of(recorder, connected, lambda: get("/api/v1/me/", token)),
        "upload": await files_of(
            recorder, connected, lambda: upload("/api/v1/records/add/", token, base_id, next(pictures))
        ),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        server = Server(Path(name) / "data", log_level="warning")
        for request, files in asyncio.run(counted(server, Path(name))).items():
            print(f"{request}: {len(files)} files")
            if "--list" in sys.argv:
                print("".join(f"  {file}\n" for file in files), end="")
        server.close()


if __name__ == "__main__":
    main()
