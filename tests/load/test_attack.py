"""An attack on a real server while somebody works: slow heads, slow bodies, silent sockets, large headers, large forms,
uploads without the right, clients that do not read. Other people's requests go on, and the memory stays.

The attackers are a process of their own, at a low priority: what they take of this machine's processors is not what
they take of the server."""

import multiprocessing
import os
import select
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import pytest

from tests.browser.conftest import free_port, is_up, wait_for
from vitrine.accounts import Right
from vitrine.testing import media_factory as make
from vitrine.testing.listening import answer_on
from vitrine.testing.server import PASSWORD, Server, hidden

MIB = 2**20
# Shorter than the defaults, so that every limit is met during the attack.
SHORT = {"REQUEST_HEAD_SECONDS": "4", "REQUEST_STALL_SECONDS": "4", "RESPONSE_STALL_SECONDS": "4"}
ATTACKERS = tuple(f"127.0.0.{number}" for number in range(20, 28))
USER = "127.0.0.9"


@dataclass
class Target:
    port: int
    pid: int
    large: str  # path of a document of 24 MiB
    small: str
    adder: str  # tokens of somebody who may add, and of somebody who may not
    looker: str

    def connect(self, source: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 10, (source, 0))

    def memory_bytes(self) -> int:
        """What the server took for itself: pages of files do not count."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no RssAnon")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("attack")
    server = Server(folder / "data")
    ada, eve = server.user("ada"), server.user("eve", Right.actif)
    (folder / "large.bin").write_bytes(os.urandom(24 * MIB))
    links = []
    for path in (folder / "large.bin", make.jpeg(folder / "small.jpg", 640, 480)):
        key = server.add(path, ada)
        embed = server.get(f"/records/{key.databox}/{key.number}/embed/", server.token(ada))["embed"]
        url = next(file for file in embed if file["name"] == "document")["permalink"]["url"]
        links.append(url.removeprefix("http://dam.test"))
    adder, looker = server.token(ada), server.token(eve)
    server.close()
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "vitrine",
        "serve",
        "--no-worker",
        "--data",
        str(folder / "data"),
        "--port",
        str(port),
    ]
    settings = {f"VITRINE_{name}": value for name, value in SHORT.items()}
    process = subprocess.Popen(
        command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: is_up(f"http://127.0.0.1:{port}/health"), 60, "the server answers")
        yield Target(port, process.pid, links[0], links[1], adder, looker)
    finally:
        process.terminate()
        process.wait(30)


# -- the attack ------------------------------------------------------------------------------------------------------


@dataclass
class Attack:
    """*outcomes* counts what the server did about it, by the name of the attack."""

    target: Target
    sockets: int
    stop: threading.Event = field(default_factory=threading.Event)
    outcomes: Counter[str] = field(default_factory=Counter)

    def hold(self, name: str, source: str, opening: bytes, piece: bytes = b"", *, reads: int = 0) -> None:
        """Keep sockets open: each sends *opening*, then *piece* again and again, and reads nothing. One that the server
        closed is opened again."""
        poll, held = select.poll(), dict[int, socket.socket]()
        while not self.stop.is_set():
            with suppress(OSError):
                while len(held) < self.sockets:
                    connection = self.target.connect(source)
                    if reads:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, reads)
                    held[connection.fileno()] = connection
                    poll.register(connection, select.POLLRDHUP)
                    connection.sendall(opening)
            for connection in held.values():
                with suppress(OSError):
                    connection.sendall(piece)
            for number, _event in poll.poll(50):
                poll.unregister(number)
                held.pop(number).close()
                self.outcomes[name] += 1
        for connection in held.values():
            connection.close()

    def flood(self, name: str, source: str, head: str, piece: bytes, pieces: int) -> None:
        """Send whole requests as fast as they are taken; the answers are counted by their status."""
        while not self.stop.is_set():
            with suppress(OSError), self.target.connect(source) as connection:
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(head.encode())
                    for _ in range(pieces):
                        connection.sendall(piece)
                with suppress(ConnectionError):
                    self.outcomes[f"{name} {answer_on(connection).status}"] += 1
            self.outcomes[name] += 1

    def kinds(self) -> list[Callable[[], None]]:
        get, form = "GET /health HTTP/1.1\r\nHost: a\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"
        post = "POST /api/oauthv2/token HTTP/1.1\r\nHost: a\r\n"
        add = "POST /api/v1/records/add/ HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        long = f"Content-Length: {300 * MIB}\r\n\r\n"
        part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        mib = b"x" * MIB
        attacks: dict[str, Callable[..., None]] = {
            "silent": partial(self.hold, opening=b""),
            "slow heads": partial(self.hold, opening=f"{get}X-Long: ".encode(), piece=b"x"),
            "slow bodies": partial(
                self.hold, opening=f"{post}{form}Content-Length: 60000\r\n\r\n".encode(), piece=b"x"
            ),
            "slow readers": partial(
                self.hold, opening=f"GET {self.target.large} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), reads=4096
            ),
            "headers": partial(self.flood, head=f"{get}X-Long: ", piece=mib, pieces=244),
            "forms": partial(self.flood, head=f"{post}{form}{long}a=", piece=mib, pieces=300),
            "uploads": partial(
                self.flood, head=f"{add}Authorization: Bearer {self.target.looker}\r\n{long}", piece=mib, pieces=300
            ),
            "strangers": partial(self.flood, head=f"{add}{long}{part}", piece=mib, pieces=300),
        }
        return [partial(run, name, source) for (name, run), source in zip(attacks.items(), ATTACKERS, strict=True)]

    def run(self, reports: Connection) -> None:
        """In the attackers' process: until the other end of *reports* sends anything. What the server did is reported
        ten times a second."""
        kinds = self.kinds()
        with ThreadPoolExecutor(len(kinds)) as threads:
            runs = [threads.submit(kind) for kind in kinds]
            while not reports.poll(0.1):
                reports.send(Counter(self.outcomes))
            reports.recv()
            self.stop.set()
            for run in runs:
                run.result()
        reports.send(Counter(self.outcomes))


def _attack(target: Target, sockets: int, reports: Connection) -> None:
    os.nice(10)
    Attack(target, sockets).run(reports)


class Attackers:
    """*outcomes* is what they have reported last."""

    def __init__(self, target: Target, sockets: int) -> None:
        self.outcomes = Counter[str]()
        self._reports, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_attack, args=(target, sockets, theirs))

    @contextmanager
    def running(self) -> Iterator[None]:
        self._process.start()
        try:
            yield
        finally:
            self._reports.send("stop")
            while self._process.is_alive():  # a full pipe would keep it from ending
                self.read()
                self._process.join(0.1)
        self.read()
        assert self._process.exitcode == 0

    def read(self) -> None:
        with suppress(EOFError):
            while self._reports.poll():
                self.outcomes = self._reports.recv()


# -- somebody who works ----------------------------------------------------------------------------------------------


class Worker:
    """A person's browser and application, from an address of their own."""

    def __init__(self, target: Target) -> None:
        self._target = target
        transport = httpx.HTTPTransport(local_address=USER)
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{target.port}", transport=transport, timeout=60)
        page = self._http.get("/login/")
        signed = self._http.post("/login/", data={**hidden(page.text), "login": "ada", "password": PASSWORD})
        assert signed.status_code == 303

    def round(self) -> list[float]:
        """Seconds of each request of a round."""
        bearer = {"Authorization": f"Bearer {self._target.adder}"}
        seconds = []
        for path in ("/", "/upload/", "/api/v1/me/", "/api/v1/search/?query=", self._target.small):
            started = time.perf_counter()
            answer = self._http.get(path, headers=bearer if path.startswith("/api/") else {})
            seconds.append(time.perf_counter() - started)
            assert answer.status_code == 200, (path, answer.status_code)
        return seconds

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def worker(target: Target) -> Iterator[Worker]:
    worker = Worker(target)
    yield worker
    worker.close()


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


REFUSED = (
    "silent", "slow heads", "slow bodies", "slow readers", "headers 431", "forms 400", "uploads 403", "strangers 413",
)  # fmt: skip


@pytest.mark.slow
def test_others_are_answered_and_the_attack_is_refused(target: Target, worker: Worker) -> None:
    """The small form: no clock decides."""
    for _ in range(20):
        worker.round()
    before = target.memory_bytes()
    attack = Attackers(target, sockets=40)
    most = 0
    with attack.running():
        while not all(attack.outcomes[name] for name in REFUSED):
            worker.round()
            attack.read()
            most = max(most, target.memory_bytes())
    assert most - before < 128 * MIB
    worker.round()


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_pages_stay_quick_and_memory_stays(target: Target, worker: Worker) -> None:
    """The whole: 200 sockets of each kind."""
    for _ in range(20):
        worker.round()
    quiet = [second for _ in range(100) for second in worker.round()]
    before = most = target.memory_bytes()
    attack, under = Attackers(target, sockets=200), list[float]()
    with attack.running():
        end = time.monotonic() + 60
        while time.monotonic() < end:
            under += worker.round()
            attack.read()
            most = max(most, target.memory_bytes())
    print(  # noqa: T201 - the numbers are what this is run for
        f"quiet {p95(quiet) * 1000:.1f} ms, under attack {p95(under) * 1000:.1f} ms, "
        f"memory +{(most - before) / MIB:.1f} MiB, {dict(attack.outcomes)}"
    )
    assert all(attack.outcomes[name] for name in REFUSED)
    assert p95(under) < 3 * p95(quiet)
    assert most - before < 64 * MIB
