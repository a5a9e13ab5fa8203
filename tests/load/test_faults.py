"""Faults around a server: killed decoders, a full disk, a read-only store, a locked database. Each is reported clearly,
nothing is lost, and all work is done once the cause is gone.

The full and the read-only disk are a small tmpfs, which only root may mount; without root those tests are skipped.
"""

import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import sqlalchemy as sa
from structlog.testing import CapturingLogger

from tests.browser.conftest import free_port, wait_for
from tests.load.test_kill import serving
from vitrine import composition
from vitrine.accounts import User, Via
from vitrine.jobs import service as job_service
from vitrine.jobs import store as jobs
from vitrine.jobs.tables import jobs as job_rows
from vitrine.library import store
from vitrine.library.jobs import KILLED_OFTEN
from vitrine.library.model import CollectionId
from vitrine.media.errors import Killed
from vitrine.media.sandbox import Sandbox
from vitrine.operations import doctor, findings
from vitrine.operations.findings import Finding
from vitrine.platform import database, engines
from vitrine.settings import Settings
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server


def faults(settings: Settings) -> list[Finding]:
    return findings.faults(doctor.examine(settings, deep=True))


def end_pauses(server: Server) -> None:
    """End the pauses of all jobs."""
    with server.services.database.write() as work:
        work.db.execute(job_rows.update().values(run_after=work.now))


def upload(server: Server, token: str, path: Path) -> httpx.Response:
    answer: httpx.Response = server.call(
        "POST",
        "/api/v1/records/add/",
        token,
        data={"base_id": str(server.photographs.id), "forceBehavior": "0"},
        files={"file": (path.name, path.read_bytes())},
    )  # type: ignore[assignment]
    return answer


# -- killed decoders ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kills", "files"),  # enough files that the last ones are not hit until they are abandoned
    [
        pytest.param(30, 24, marks=pytest.mark.timeout(240)),
        pytest.param(1000, 2000, marks=[pytest.mark.nightly, pytest.mark.timeout(3600)]),
    ],
)
def test_decoders_and_workers_killed_at_random(tmp_path: Path, kills: int, files: int) -> None:
    rng = random.Random(kills)
    server = Server(tmp_path / "data")
    ada = server.user("ada")
    settings = server.settings
    for n in range(files):
        path = make.jpeg(tmp_path / f"{n}.jpg", 900, 700, seed=n)
        arrival = server.services.library.ingest.take(path, path.name)
        with server.services.database.write() as work:
            actor = server.services.accounts.users.actor_of(work, ada, Via.COMMAND)
            server.services.library.ingest.add(work, actor, arrival, CollectionId(server.photographs.id), force=True)
    server.close()
    killed = 0
    # A worker that dies within a minute restarts with a growing pause, up to half a minute: two dozen kills are enough.
    workers = 0.1 if kills < 100 else 0.025
    port = free_port()
    with serving(settings.data_dir, port) as process:
        while killed < kills and not _done(settings):
            time.sleep(rng.uniform(0.02, 0.25))
            kill_count = _kill_one(process.pid, rng, workers=workers)
            killed += kill_count
            if not kill_count:  # often-killed jobs pause for minutes, and then there is nothing to kill
                _end_pauses_until_done(settings)
        # Paused jobs become due at once: pauses are for lasting causes.
        wait_for(lambda: _end_pauses_until_done(settings), 150 if kills < 100 else 1200, "everything is done")
    assert killed >= (kills if kills > 100 else 10), "the test did what it says"
    assert faults(settings) == []
    services = composition.make_services(settings)
    with services.database.read() as work:
        assert store.rendition_states(work) == {"ready": files * 5}
        assert jobs.dead(work) == []
    services.database.close()


def test_what_was_killed_often_is_seen_to_fail_and_is_made_when_the_killing_ends(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/decisions/0077."""
    call = Sandbox.call

    def killed(sandbox: Sandbox, op: str, arguments: Any, *, timeout: timedelta) -> Any:
        if op == "make_many":
            raise Killed("This file could not be read: its decoder was ended.", why="killed from outside")
        return call(sandbox, op, arguments, timeout=timeout)

    monkeypatch.setattr(Sandbox, "call", killed)
    server.add(make.jpeg(tmp_path / "a.jpg", 900, 700), server.user("ada"))

    def states(rounds: int) -> dict[str, int]:
        for _ in range(rounds):
            end_pauses(server)
            server.work()
        with server.services.database.read() as work:
            return store.rendition_states(work)

    assert states(KILLED_OFTEN - 2) == {"ready": 1, "waiting": 4}
    assert states(2) == {"ready": 1, "failed": 4}, "people see it now"
    monkeypatch.setattr(Sandbox, "call", call)
    assert states(1) == {"ready": 5}
    with server.services.database.read() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(job_rows)) == 0


def _kill_one(server: int, rng: random.Random, *, workers: float) -> int:
    """Kill a decoder with SIGKILL, or, in the share *workers* of cases, a busy worker."""
    with suppress(psutil.NoSuchProcess):
        workers_running = psutil.Process(server).children()
        decoders = [child for child_worker in workers_running for child in child_worker.children()]
        if decoders:
            os.kill(rng.choice(workers_running if rng.random() < workers else decoders).pid, signal.SIGKILL)
            return 1
    return 0


def _done(settings: Settings) -> bool:
    with sqlite3.connect(settings.data_dir / "vitrine.sqlite3", timeout=10) as connection:
        unfinished = connection.execute("SELECT count(*) FROM renditions WHERE state <> 'ready'").fetchone()[0]
    connection.close()
    return bool(unfinished == 0)


def _end_pauses_until_done(settings: Settings) -> bool:
    with sqlite3.connect(settings.data_dir / "vitrine.sqlite3", timeout=10) as connection:
        connection.execute("UPDATE jobs SET run_after = 0 WHERE leased_until IS NULL")
        unfinished = connection.execute("SELECT count(*) FROM jobs WHERE kind <> 'media.sweep'").fetchone()[0]
    connection.close()
    return bool(unfinished == 0) and _done(settings)


# -- full and closed disks ---------------------------------------------------------------------------------------------


def mount(*arguments: str) -> None:
    result = subprocess.run(["mount", *arguments], capture_output=True, check=False)
    if result.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {result.stderr.decode().strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder))
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def small(disk: Path) -> Iterator[Server]:
    server = Server(disk / "data")
    yield server
    server.close()


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


def test_a_full_disk_is_told_and_all_is_done_when_there_is_room(small: Server, disk: Path, tmp_path: Path) -> None:
    ada: User = small.user("ada")
    token = small.token(ada)
    before = make.jpeg(tmp_path / "before.jpg", 1200, 900, seed=1)
    assert upload(small, token, before).status_code == 200  # its renditions wait
    filler = fill(disk)
    refused = upload(small, token, make.jpeg(tmp_path / "refused.jpg", 1200, 900, seed=2))
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert small.http.get("/ready").status_code == 503
    for _ in range(8):
        with suppress(Exception):  # the queue cannot record the failure if there is no space even for a row
            small.work()
            end_pauses(small)
    assert small.get("/records/1/1/", token)["record"]["record_id"] == 1, "reading goes on"
    filler.unlink()
    with small.services.database.read() as work:
        assert jobs.dead(work) == []
        assert "failed" not in store.rendition_states(work), "it was not the file's fault"
        assert store.rendition_states(work).get("waiting")
    _release(small)
    small.work()
    assert upload(small, token, tmp_path / "refused.jpg").status_code == 200
    small.work()
    with small.services.database.read() as work:
        assert set(store.rendition_states(work)) == {"ready"}
    assert small.get("/search/?query=", token)["available_results"] == 2
    assert list((small.settings.data_dir / "blobs" / "incoming").iterdir()) == []
    other_faults = [fault for fault in faults(small.settings) if fault.check != "disk"]  # the disk itself is small
    assert other_faults == []


def _release(server: Server) -> None:
    with server.services.database.write() as work:
        work.db.execute(job_rows.update().values(leased_until=None, leased_by=None, run_after=work.now))


def test_a_store_that_is_closed_to_writing(tmp_path: Path) -> None:
    blobs = tmp_path / "data" / "blobs"
    blobs.mkdir(parents=True)
    mount("-t", "tmpfs", "-o", "size=24m", "tmpfs", str(blobs))
    server = Server(tmp_path / "data")
    try:
        token = server.token(server.user("ada"))
        assert upload(server, token, make.jpeg(tmp_path / "a.jpg", 800, 600)).status_code == 200
        mount("-o", "remount,ro", str(blobs))
        assert upload(server, token, make.jpeg(tmp_path / "b.jpg", 800, 600, seed=2)).status_code == 503
        assert server.http.get("/ready").json()["store"] == "unavailable"
        assert server.get("/records/1/1/", token)["record"]["record_id"] == 1
        server.work()
        mount("-o", "remount,rw", str(blobs))
        end_pauses(server)
        server.work()
        with server.services.database.read() as work:
            assert store.rendition_states(work) == {"ready": 5}
        assert upload(server, token, tmp_path / "b.jpg").status_code == 200
    finally:
        server.close()
        subprocess.run(["umount", "-l", str(blobs)], check=True)


# -- a locked database -------------------------------------------------------------------------------------------------


def test_a_database_that_is_locked_for_longer_than_anybody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (engines, database):
        monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    server = Server(tmp_path / "data")
    ada = server.user("ada")
    token = server.token(ada)
    logger = CapturingLogger()
    monkeypatch.setattr(job_service, "log", logger)
    server.worker.start()
    holder = sqlite3.connect(server.settings.data_dir / "vitrine.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        refused = upload(server, token, make.jpeg(tmp_path / "a.jpg", 640, 480))
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "5"
        assert "busy" in refused.json()["meta"]["error_details"] or "busy" in refused.text
        assert server.get("/me/", token)["user"]["login"] == "ada", "reading does not need the lock"
        server.services.deferred_writes.flush()
        wait_for(
            lambda: any(call.args == ("worker.heartbeat_failed",) for call in logger.calls), 30, "the worker met it"
        )
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert upload(server, token, tmp_path / "a.jpg").status_code == 200
    wait_for(lambda: _done(server.settings), 60, "the worker went on")
    server.worker.stop()
    server.services.deferred_writes.flush()
    with server.services.database.read() as work:
        routes = work.db.exec_driver_sql("SELECT count(*) FROM request_log WHERE route LIKE '%me%'").scalar()
    assert routes == 1, "lines that could not be written were kept"
    assert faults(server.settings) == []
    server.close()
