"""Nothing dies in silence: any supervised thread of a running server may be ended. `/ready` says so, it comes back, and
nothing is lost."""

import signal
import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import sqlalchemy as sa
import uvicorn
from prometheus_client.parser import text_string_to_metric_families

from tests.browser.conftest import free_port, wait_for
from tests.load.test_kill import serving
from vitrine import app, composition
from vitrine.accounts import COMMAND, Via
from vitrine.accounts.passwords import Passwords
from vitrine.edge.fast.protocol import Protocol
from vitrine.jobs.tables import jobs
from vitrine.library.sweep import SWEEP
from vitrine.platform.supervision import SELF
from vitrine.platform.tables import request_log
from vitrine.testing import media_factory as make
from vitrine.testing.faults import kill_thread
from vitrine.testing.postgresql import PostgreSQL
from vitrine.testing.server import PASSWORD, Server, furnish_database

EVERYWHERE = (
    "deferred-writes", "decoder-starter", "lane-media-0", "lane-index-0", "lane-rebuild-0", "lane-upkeep-0",
    "lane-mail-0", "lane-uploads-0", "lane-bulk-0", "lane-structure-0", "lane-rules-0", "lane-downloads-0",
    "heartbeat", "maintenance", "maintenance-switch", "hot-folders", SELF,
)  # fmt: skip
NAMES = [
    *(pytest.param("sqlite", name, id=f"sqlite-{name}") for name in (*EVERYWHERE, "checkpoints")),
    *(pytest.param("postgresql", name, id=f"postgresql-{name}") for name in EVERYWHERE),
]
ADDED = "/api/v1/records/add/"


class Running:
    """Server and worker in this process, at a real socket, with threads and decoders of their own."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        settings = {"metrics_from": ("127.0.0.1",), "worker_media_children": 1}
        furnished = Server(folder, database_url=database_url, base_url=self.base, **settings)
        self.token = furnished.token(furnished.user("ada"))
        furnished.close()
        self.folder = folder
        self.uploads = self.mails = 0
        self.services = composition.make_services(furnished.settings, passwords=Passwords(memory_kib=64, passes=1))
        config = uvicorn.Config(
            app.AsgiApplication(self.services), http=Protocol, loop="uvloop", access_log=False, log_config=None
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self.listening]})
        self._thread.start()
        app.start_worker(self.services)
        self.http = httpx.Client(base_url=self.base, timeout=30)

    def close(self) -> None:
        self.http.close()
        self.services.supervisor.stop()
        self._server.should_exit = True
        self._thread.join(30)
        self.listening.close()

    def upload(self) -> None:
        self.uploads += 1
        path = make.jpeg(self.folder / f"{self.uploads}.jpg", 640, 480, seed=self.uploads)
        answer = self.http.post(
            ADDED,
            params={"oauth_token": self.token},
            data={"base_id": "1", "forceBehavior": "0"},
            files={"file": (path.name, path.read_bytes())},
        )
        assert answer.status_code == 200, answer.text

    def send_mail(self) -> None:
        self.mails += 1
        services = self.services
        login = f"reader{self.mails}"  # mails to one person are limited
        with services.database.write() as work:
            user = services.accounts.users.add(work, COMMAND, login=login, password=PASSWORD)
            actor = services.accounts.users.actor_of(work, user, Via.COMMAND)
            services.accounts.mail.request_address_change(work, actor, f"{login}@museum.example", "en")

    def sweep(self) -> None:
        with self.services.database.write() as work:
            self.services.jobs.add(work, SWEEP, {}, key="all")

    def ready(self) -> Any:
        answer = self.http.get("/ready")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def degraded(self) -> dict[str, str]:
        return dict(self.ready()["degraded"])

    def found_by_search(self) -> int:
        answer = self.http.get("/api/v1/search/", params={"query": "", "oauth_token": self.token})
        return int(answer.json()["response"]["total_results"])

    def is_all_done(self) -> bool:
        """Every upload is logged, has its renditions and is found; every mail is out, at least once."""
        with self.services.database.read() as work:
            waiting = work.db.scalar(sa.select(sa.func.count()).select_from(jobs))
            logged = work.db.scalar(
                sa.select(sa.func.count()).select_from(request_log).where(request_log.c.route == ADDED)
            )
        mails = len(list((self.folder / "outbox").glob("*.eml")))
        is_found = self.found_by_search() == self.uploads
        return is_found and (waiting, logged) == (0, self.uploads) and mails >= self.mails


@pytest.fixture(scope="module")
def running_by_database(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[str, Running]]:
    """One server for each database, since each thread is ended once."""
    servers: dict[str, Running] = {}
    postgresql: PostgreSQL = request.getfixturevalue("postgresql")
    with postgresql.database(postgresql.template("furnished", furnish_database)) as address:
        try:
            for name, url in (("sqlite", ""), ("postgresql", address)):
                servers[name] = Running(tmp_path_factory.mktemp(name) / "data", url)
                servers[name].upload()  # the first decoder is started with it
            yield servers
        finally:
            for running in servers.values():
                running.close()


@pytest.mark.parametrize(("database", "name"), NAMES)
def test_a_thread_that_is_ended_comes_back_and_nothing_is_lost(
    running_by_database: dict[str, Running], database: str, name: str
) -> None:
    running = running_by_database[database]
    running.upload()
    running.send_mail()
    assert name not in running.degraded()
    kill_thread(running.services.supervisor, name)
    wait_for(lambda: name in running.degraded(), 30, f"/ready tells of {name}")
    wait_for(lambda: running.degraded().get(name) == "restarted", 30, f"{name} runs again")
    if name == "lane-index-0":
        wait_for(lambda: f"worker/{name}" in running.degraded(), 30, "the worker's heartbeat tells it to other servers")
        assert running.ready()["worker"] == "ok"
    running.upload()
    running.send_mail()
    running.sweep()
    wait_for(running.is_all_done, 60, "everything before and after is done")
    (status,) = [status for status in running.services.supervisor.statuses() if status.name == name]
    assert (status.restarts, status.failure.split()[0]) == (1, "InjectedFault")
    families = text_string_to_metric_families(running.http.get("/metrics").text)
    restarts = {
        (sample.labels["process"], sample.labels["thread"]): sample.value
        for family in families
        for sample in family.samples
        if sample.name == "vitrine_thread_restarts_total"
    }
    assert restarts["server", name] == 1


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_every_supervised_thread_is_ended_by_these_tests(
    running_by_database: dict[str, Running], database: str
) -> None:
    statuses = running_by_database[database].services.supervisor.statuses()
    assert {status.name for status in statuses} == {param.values[1] for param in NAMES if param.values[0] == database}


def worker_of(server: int) -> psutil.Process:
    (worker,) = psutil.Process(server).children()
    return worker


@pytest.mark.slow
def test_a_worker_process_that_is_killed_is_told_and_started_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    furnished = Server(folder)
    token = furnished.token(furnished.user("ada"))
    furnished.close()
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with serving(folder, port) as process, httpx.Client(base_url=base, timeout=30) as http:

        def degraded() -> dict[str, str]:
            return dict(http.get("/ready").json()["degraded"])

        wait_for(lambda: http.get("/ready").json()["worker"] == "ok", 60, "the worker runs")
        assert "worker" not in degraded()
        worker_of(process.pid).send_signal(signal.SIGKILL)
        wait_for(lambda: "worker" in degraded(), 30, "/ready tells of the worker")
        wait_for(lambda: degraded().get("worker") == "restarted", 30, "it runs again")
        path = make.jpeg(tmp_path / "a.jpg", 640, 480)
        answer = http.post(
            ADDED, params={"oauth_token": token}, data={"base_id": "1"}, files={"file": (path.name, path.read_bytes())}
        )
        assert answer.status_code == 200
        wait_for(partial(_is_found, http, token), 60, "the new worker works")
        process.terminate()
        assert process.wait(30) in (0, -signal.SIGTERM)
        assert not psutil.pid_exists(process.pid)


def _is_found(http: httpx.Client, token: str) -> bool:
    answer = http.get("/api/v1/search/", params={"query": "", "oauth_token": token})
    return bool(answer.json()["response"]["total_results"] == 1)
