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

import vitrine
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server
from vitrine.testing.wire import WireServer

PACKAGE = str(Path(vitrine.__file__).parent)
BOUNDARY = "a-boundary"
MECHANISM = ("api/cors.py", "api/wire/", "app.py", "edge/", "platform/", "settings.py")  # the same for every request


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
        names = {str(Path(name).relative_to(PACKAGE)) for name in ours}
        return sorted(name for name in names if not name.startswith("testing/"))


async def files_of(recorder: Recorder, server: WireServer, request: Callable[[], bytes]) -> list[str]:
    """The second time counts: the first one fills what is filled once, and starts the worker threads."""
    first, second = await server.answer(request()), request()
    if not first.startswith(b"HTTP/1.1 200"):
        raise SystemExit(first.decode("latin-1"))
    recorder.seen.clear()
    await server.answer(second)
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
    base_id, wire, recorder = int(server.photographs.id), WireServer(server.application), Recorder()
    requests: dict[str, Callable[[], bytes]] = {
        "record": lambda: get(f"/api/v1/records/{key.databox}/{key.number}/", token),
        "me": lambda: get("/api/v1/me/", token),
        "upload": lambda: upload("/api/v1/records/add/", token, base_id, next(pictures)),
    }
    recorder.install()
    return {name: await files_of(recorder, wire, request) for name, request in requests.items()}


def main() -> None:
    for fast in (True, False):
        with tempfile.TemporaryDirectory() as name:
            server = Server(Path(name) / "data", log_level="warning", fast_paths=fast)
            for request, files in asyncio.run(counted(server, Path(name))).items():
                apart = [file for file in files if file.startswith(MECHANISM)]
                print(f"{request}, fast_paths={fast}: {len(files)} files, {len(apart)} of them mechanism")
                if "--list" in sys.argv:
                    print("".join(f"  {file}\n" for file in files), end="")
            server.close()


if __name__ == "__main__":
    main()
