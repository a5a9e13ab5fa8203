"""A million hostile requests over sockets to a running server: no failure, the server alive, its memory level.

FUZZ_REQUESTS sends another number, FUZZ_SEED draws others. What ends a run is printed as a curl command with its seed.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path

import pytest

from tests.browser.conftest import free_port, is_up, wait_for
from tests.fuzz.generator import Generator
from tests.fuzz.request import Request
from tests.fuzz.world import UNLIMITED, World
from vitrine.api import openapi
from vitrine.testing.server import Server

SEED = int(os.environ.get("FUZZ_SEED", "1"))
REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "1000000"))
CONNECTIONS = 4
HEALED_EVERY_S = 5
WARM = 0.2  # of the requests, after which the memory is level
MOST_GROWTH_MIB = 64
MOST_BUSY = 0.01
HANGING_S = 60


class Run:
    """The requests of all connections, drawn until there were enough or one made the server fail."""

    def __init__(self, world: World, port: int, server_pid: int) -> None:
        self.world, self.port, self.server_pid = world, port, server_pid
        self.statuses: Counter[int] = Counter()
        self.busy = self.refused_by_parser = 0
        self.reports: list[str] = []
        self.warm_mib = 0.0
        self._guard = threading.Lock()
        self._left = REQUESTS

    def generator(self, seed: int) -> Generator:
        """Made before the threads: Python 3.11 cannot read source text (`ast.parse`) in two at once."""
        application = self.world.server.application
        return Generator(self.world, application.routes, openapi.document(self.world.server.settings), seed)

    def send(self, generator: Generator, seed: int) -> None:
        """One connection at a time, kept alive as long as the server keeps it."""
        connection: socket.socket | None = None
        number = 0
        while self._take() and not self.reports:
            request, number = generator.next(), number + 1
            try:
                connection = connection or socket.create_connection(("127.0.0.1", self.port), timeout=HANGING_S)
                connection.sendall(request.encoded())
                if not self._note(request, connection, f"request {number} of seed {seed}"):
                    connection.close()
                    connection = None
            except TimeoutError:
                self.reports.append(
                    f"no answer in {HANGING_S} s to request {number} of seed {seed}\n{self._curl(request)}"
                )
            except (OSError, HTTPException):  # the parser refused the request and closed: the next one tells
                if connection is not None:
                    connection.close()
                connection = None
                with self._guard:
                    self.refused_by_parser += 1
        if connection is not None:
            connection.close()

    def _take(self) -> bool:
        with self._guard:
            self._left -= 1
            if self._left == int(REQUESTS * (1 - WARM)):
                self.warm_mib = anonymous_mib(self.server_pid)
            return self._left >= 0

    def _note(self, request: Request, connection: socket.socket, label: str) -> bool:
        """Read the answer; False when the connection ends with it."""
        with HTTPResponse(connection, method=request.method) as answer:
            answer.begin()
            body = answer.read()
            is_busy = answer.status == 503 and bool(answer.headers.get("Retry-After"))
            with self._guard:
                self.statuses[answer.status] += 1
                self.busy += is_busy
            is_named = is_busy or (answer.status == 501 and _may_be_unknown(request))
            if answer.status >= 500 and not is_named:
                self.reports.append(f"{label}: {answer.status}\n{self._curl(request)}\n{body[:400]!r}")
            return not answer.will_close

    def _curl(self, request: Request) -> str:
        return request.curl(f"http://127.0.0.1:{self.port}")


def _may_be_unknown(request: Request) -> bool:
    """What standards answer with 501: a format of oEmbed, CONNECT, and a coding of the message other than chunked
    (RFC 9110 section 9.3.6, RFC 9112 section 6.1)."""
    has_coding = any(name == b"transfer-encoding" for name, _value in request.headers)
    return b"oembed" in request.target or request.method == "CONNECT" or has_coding


def anonymous_mib(pid: int) -> float:
    """RssAnon of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no RssAnon")


@contextmanager
def serving(data: Path, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server without the limits that a stream from one address would reach."""
    environment = {
        f"VITRINE_{name.upper()}": ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in {**UNLIMITED, "base_url": "http://dam.test", "log_level": "error"}.items()
    }
    command = [sys.executable, "-m", "vitrine", "serve", "--data", str(data), "--port", str(port)]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env={**os.environ, **environment})
        try:
            wait_for(lambda: is_up(f"http://127.0.0.1:{port}/api/"), 60, "the server answers")
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


@pytest.mark.nightly
@pytest.mark.timeout(4 * 3600)
def test_a_million_hostile_requests_make_no_failure(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", **UNLIMITED)
    world, port, log = World(server, tmp_path), free_port(), tmp_path / "log"
    with serving(tmp_path / "data", port, log) as process:
        run = Run(world, port, process.pid)
        seeds = range(SEED, SEED + CONNECTIONS)
        threads = [threading.Thread(target=run.send, args=(run.generator(seed), seed)) for seed in seeds]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            threads[0].join(HEALED_EVERY_S)
            with suppress(OSError):
                world.heal()
        seconds, after = time.monotonic() - started, anonymous_mib(process.pid)
        assert process.poll() is None, "the server ended"
        assert is_up(f"http://127.0.0.1:{port}/health")
    server.close()
    sys.stdout.write(  # the figures of a run are what it is for
        f"{REQUESTS} requests in {seconds:.0f} s: {dict(run.statuses)}, {run.busy} busy, {run.refused_by_parser} "
        f"connections closed; RssAnon {run.warm_mib:.0f} MiB after the first {WARM:.0%}, {after:.0f} MiB at the end\n"
    )
    assert not run.reports, "\n\n".join(run.reports[:5]) + "\n" + log.read_text(errors="replace")[-4_000:]
    assert run.statuses[200] > REQUESTS // 10
    assert run.busy <= REQUESTS * MOST_BUSY
    assert after - run.warm_mib < MOST_GROWTH_MIB
