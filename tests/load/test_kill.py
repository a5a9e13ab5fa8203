"""Kill server and worker in the middle of an import: no accepted file is lost or stored twice."""

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from tests.browser.conftest import free_port, is_up, wait_for
from vitrine import composition
from vitrine.library import store
from vitrine.settings import Settings
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server

MANY = 100
KILLS_AFTER = (20, 55)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("files")
    return [make.jpeg(folder / f"{n:03}.jpg", 640 + n, 480, seed=n) for n in range(MANY)]


@contextmanager
def serving(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "vitrine", "serve", "--data", str(data), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_up(f"http://127.0.0.1:{port}/api/"), 30, "the server answers")
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill the server, its worker and every decoder with SIGKILL, like a power cut."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        os.kill(member.pid, signal.SIGKILL)
    process.wait()


def upload(files: Iterator[Path], address: str, token: str, accepted: set[str], guard: threading.Lock) -> None:
    with httpx.Client(timeout=20) as client:
        while True:
            with guard:
                path = next(files, None)
            if path is None:
                return
            try:
                answer = client.post(
                    f"{address}/api/v1/records/add/?oauth_token={token}",
                    data={"base_id": "1"},
                    files={"file": (path.name, path.read_bytes())},
                )
            except httpx.HTTPError:
                return
            if answer.status_code == 200 and answer.json()["response"]["entity"] == "0":
                with guard:
                    accepted.add(path.name)


def _has(accepted: set[str], count: int) -> bool:
    return len(accepted) >= count


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_what_was_accepted_survives_kills_in_the_middle(tmp_path: Path, files: list[Path]) -> None:
    server = Server(tmp_path / "data")
    token = server.token(server.user("ada"))
    server.close()
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    accepted: set[str] = set()
    guard = threading.Lock()
    for limit in (*KILLS_AFTER, MANY):
        with serving(tmp_path / "data", port) as process:
            remaining = (path for path in files if path.name not in accepted)
            batch = iter(list(itertools.islice(remaining, MANY)))
            threads = [threading.Thread(target=upload, args=(batch, address, token, accepted, guard)) for _ in range(3)]
            for thread in threads:
                thread.start()
            if limit < MANY:
                wait_for(partial(_has, accepted, limit), 60, f"{limit} files are accepted")
                kill_all(process)
            for thread in threads:
                thread.join()
            if limit == MANY:
                _wait_until_done(tmp_path / "data")
    _check(tmp_path / "data", accepted)


def _wait_until_done(data: Path) -> None:
    services = composition.make_services(Settings(data_dir=data))

    def done() -> bool:
        with services.database.read() as work:
            states = store.rendition_states(work)
        return states.get("waiting", 0) == 0 and bool(states)

    wait_for(done, 120, "all renditions are made")
    services.database.close()


def _check(data: Path, accepted: set[str]) -> None:
    """Every accepted file exists once. A file whose response was lost may exist too, but never twice."""
    services = composition.make_services(Settings(data_dir=data))
    with services.database.read() as work:
        names = [row[0] for row in work.db.exec_driver_sql("SELECT original_name FROM records")]
        states = store.rendition_states(work)
        referenced = {row[0] for row in work.db.exec_driver_sql("SELECT sha256 FROM renditions")}
        referenced |= {row[0] for row in work.db.exec_driver_sql("SELECT sha256 FROM quarantine_items")}
        duplicates = [
            row[0]
            for row in work.db.exec_driver_sql(
                "SELECT name FROM permalinks GROUP BY record_id, name HAVING count(*) > 1"
            )
        ]
    services.database.close()
    assert len(names) == len(set(names)), "no file twice"
    assert accepted <= set(names)
    assert set(names) == {f"{n:03}.jpg" for n in range(MANY)}
    assert states == {"ready": MANY * 5}
    assert duplicates == []
    sweep = subprocess.run(
        [sys.executable, "-m", "vitrine", "sweep", "--grace-hours", "0", "--data", str(data)],
        capture_output=True,
        check=True,
    )
    assert b"were deleted" in sweep.stdout
    blobs = {path.name for path in (data / "blobs").rglob("*") if path.is_file()}
    assert blobs == referenced, "the sweep leaves no orphan and deletes nothing that is needed"
