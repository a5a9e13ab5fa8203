"""A running server on a filled instance, as its people reach it: requests over one kept connection, the CPU and the
memory of its processes."""

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
import sqlalchemy as sa

from benchmarks.scale.instance import PASSWORD, Instance
from vitrine.testing.server import hidden

UNLIMITED = ("TOKEN_REQUESTS", "AUTHORIZE_REQUESTS", "APPLICATION_CALLS", "ACCOUNT_CALLS", "TOKEN_CALLS")
START_S = 120.0
Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: http.client.HTTPMessage
    ms: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)["response"]


def cpu_s(pid: int) -> float:
    """Seconds of a processor that a process has used, ended threads included: its clock of `clock_getcpuclockid`."""
    return time.clock_gettime((~pid << 3) | 2)


def family_cpu_s(pid: int) -> float:
    """The same of a process with its children and those that they waited for."""
    total = 0.0
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


def memory_mib(pid: int) -> dict[str, float]:
    """Resident memory, and the part of it that is no mapped file, such as those of the index."""
    text = Path(f"/proc/{pid}/status").read_text()
    kib = {name: int(value) for name, value in re.findall(r"^(VmRSS|RssAnon):\s+(\d+)", text, re.MULTILINE)}
    return {"rss": round(kib["VmRSS"] / 1024, 1), "anon": round(kib["RssAnon"] / 1024, 1)}


def highest_mib(pid: int) -> float:
    """The highest resident memory that a running process had; 0 when it has ended. `ru_maxrss` would count what the
    parent had when it started the process."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    highest = re.search(r"^VmHWM:\s+(\d+)", text, re.MULTILINE)
    return round(int(highest[1]) / 1024, 1) if highest else 0.0


@dataclass(slots=True)
class Served:
    """*pid* is that of the server; its worker is a child."""

    instance: Instance
    folder: Path
    port: int
    pid: int
    _connection: http.client.HTTPConnection | None = None
    _cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, headers: Form | None = None, body: Any = None) -> Answer:
        """Over the kept connection, which is opened again when the server has closed it."""
        for is_last in (False, True):
            connection = self._connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
            self._connection = connection
            began = time.perf_counter()
            try:
                connection.request(method, path, body=body, headers={**(headers or {})})
                answer = connection.getresponse()
                content = answer.read()
            except OSError as failure:
                self.close()
                if is_last or not isinstance(failure, BrokenPipeError | ConnectionResetError):
                    raise
            else:
                return Answer(answer.status, content, answer.headers, (time.perf_counter() - began) * 1000)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the kept connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def bearer(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.instance.tokens[who]}"}

    def cookie(self, who: str) -> dict[str, str]:
        if who not in self._cookies:
            self._cookies[who] = self.sign_in(who)
        return {"Cookie": self._cookies[who]}

    def sign_in(self, login: str) -> str:
        """The cookies of a new session."""
        page = self.ask("GET", "/login/")
        form = {**hidden(page.body.decode()), "login": login, "password": PASSWORD}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded", "Cookie": _cookies(page),
            "Origin": f"http://127.0.0.1:{self.port}",
        }  # fmt: skip
        answer = self.ask("POST", "/login/", headers, urlencode(form))
        if answer.status != 303:
            raise SystemExit(f"The sign-in was answered {answer.status}.")
        return _cookies(answer)

    def wait_for_worker(self) -> None:
        """Until no job waits: the worker begins with a sweep."""
        file = self.folder / "vitrine.sqlite3"
        engine = sa.create_engine(self.instance.database_url or f"sqlite:///{file}", poolclass=sa.NullPool)
        time.sleep(4)  # its first job comes a moment after its start
        while True:
            with engine.connect() as db:
                if not db.execute(sa.text("SELECT count(*) FROM jobs WHERE dead_at IS NULL")).scalar():
                    return
            time.sleep(0.5)


def _cookies(answer: Answer) -> str:
    return "; ".join(value.partition(";")[0] for value in answer.headers.get_all("Set-Cookie") or ())


@contextmanager
def serving(folder: Path, port: int, module: str = "vitrine", **environment: str) -> Iterator[Served]:
    """`python -m MODULE serve` on *folder*, with its worker, until the block ends."""
    instance = Instance.load(folder)
    settings = {
        **{f"VITRINE_{name}": "1000000000" for name in UNLIMITED}, "VITRINE_METRICS_FROM": "127.0.0.0/8",
        "VITRINE_BASE_URL": f"http://127.0.0.1:{port}",
        **({"VITRINE_DATABASE_URL": instance.database_url} if instance.database_url else {}),
    }  # fmt: skip
    command = [sys.executable, "-m", module, "serve", "--data", str(folder), "--port", str(port)]
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **settings, **environment})
    server = Served(instance, folder, port, process.pid)
    try:
        _wait(server, process)
        yield server
    finally:
        server.close()
        process.terminate()
        process.wait(60)


def _wait(server: Served, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            if server.ask("GET", "/api/v1/me/", server.bearer("reader")).status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"The server did not start; see {server.folder / 'serve.log'}.")
