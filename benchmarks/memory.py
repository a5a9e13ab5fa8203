"""Memory of a real server and its worker: at rest, with ten large photographs at once, with one huge file.

Sampled from /proc twenty times a second; a process's resident memory, without what it shares with nobody else being
told apart. BENCH_HUGE_GB sets the size of the huge file.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from benchmarks.fixtures import Instance
from vitrine.testing import media_factory as make

HUGE_GB = float(os.environ.get("BENCH_HUGE_GB", "10"))
AT_ONCE = 10
MIB = 2**20
BOUNDARY = "----vitrine-benchmark"


@dataclass(slots=True)
class Watch:
    """Highest resident bytes by role: server, worker, decoder."""

    pid: int
    highest: dict[str, int] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self._stop.wait(0.05):
            self.sample()

    def sample(self) -> None:
        try:
            server = psutil.Process(self.pid)
            for process in (server, *server.children(recursive=True)):
                role = "server" if process.pid == self.pid else _role(process)
                self.highest[role] = max(self.highest.get(role, 0), process.memory_info().rss)
        except psutil.NoSuchProcess:
            return

    @contextmanager
    def watching(self) -> Iterator[dict[str, int]]:
        self.highest.clear()
        self._stop.clear()
        thread = threading.Thread(target=self.run, daemon=True)
        thread.start()
        try:
            yield self.highest
        finally:
            self._stop.set()
            thread.join()


def _role(process: psutil.Process) -> str:
    return "decoder" if "vitrine.media.child" in process.cmdline() else "worker"


def measure(instance: Instance, scratch: Path, port: int = 17313) -> dict[str, float]:
    """MiB by row: idle server, highest decoder with ten photographs of 24 megapixels, growth for the huge file."""
    root = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "vitrine", "serve", "--data", str(instance.data), "--port", str(port)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    watch = Watch(process.pid)
    try:
        _wait(f"{root}/api/")
        headers = {"Authorization": f"Bearer {instance.token}"}
        with httpx.Client(headers=headers, timeout=600) as http:
            for _ in range(50):
                http.get(f"{root}/api/v1/search/?per_page=25").raise_for_status()
            idle = psutil.Process(process.pid).memory_info().rss
            base = http.get(f"{root}/api/v1/me/").json()["response"]["collections"][0]["base_id"]
            photographs = [make.jpeg(scratch / f"large-{n}.jpg", 6000, 4000, seed=n) for n in range(AT_ONCE)]
            with watch.watching() as highest:
                with ThreadPoolExecutor(AT_ONCE) as pool:
                    list(pool.map(lambda path: _upload(http, root, base, path), photographs))
                _settled(http, root, len(photographs))
                at_once = dict(highest)
            before = psutil.Process(process.pid).memory_info().rss
            with watch.watching() as highest:
                _huge(http, root, base)
                grown = highest["server"] - before
    finally:
        process.terminate()
        process.wait(30)
    worst = max(at_once.get("decoder", 0), at_once.get("worker", 0))
    return {"idle": idle / MIB, "at once": worst / MIB, "huge": max(0, grown) / MIB}


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            httpx.get(url, timeout=1)
            return
        except httpx.HTTPError:
            time.sleep(0.1)


def _upload(http: httpx.Client, root: str, base: int, path: Path) -> None:
    with path.open("rb") as file:
        form = {"base_id": str(base), "forceBehavior": "0"}
        http.post(f"{root}/api/v1/records/add/", data=form, files={"file": (path.name, file)}).raise_for_status()


def _settled(http: httpx.Client, root: str, many: int) -> None:
    for _ in range(600):
        results = http.get(f"{root}/api/v1/search/?per_page={many}&sort=recordid").json()["response"]["results"][
            "records"
        ]
        if all(result["thumbnail"] for result in results):
            return
        time.sleep(0.1)


def _huge(http: httpx.Client, root: str, base: int) -> None:
    """A file of HUGE_GB, made while it is sent; of no known type, so that it is kept and nothing is made of it."""
    size = int(HUGE_GB * 2**30)
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="base_id"\r\n\r\n{base}\r\n--{BOUNDARY}\r\n'
        f'Content-Disposition: form-data; name="file"; filename="huge.bin"\r\n\r\n'
    ).encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    piece = os.urandom(MIB)

    def body() -> Iterator[bytes]:
        yield head
        for start in range(0, size, MIB):
            yield piece[: min(MIB, size - start)]
        yield tail

    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(len(head) + size + len(tail)),
    }
    http.post(f"{root}/api/v1/records/add/", content=body(), headers=headers).raise_for_status()
