"""Rows of the table that are no single request: commands, an upload until it is found, metrics, the event loop."""

import itertools
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.scale import many
from benchmarks.scale.instance import Instance
from benchmarks.scale.questions import pages, reads, writes
from benchmarks.scale.served import Served, family_cpu_s, highest_mib, serving
from benchmarks.scale.watched import CALLBACKS
from vitrine import composition
from vitrine.library.sweep import BLOBS_AN_HOUR, DERIVATIVES_AN_HOUR, GRACE, Sweeper
from vitrine.settings import Settings
from vitrine.testing import media_factory

BOUNDARY = "----vitrine-scale"
UPLOADS = 4
PATIENCE_S = 120.0
EACH = 3
HOURS = 3


def command(folder: Path, *arguments: str) -> dict[str, Any]:
    """A command of the product on *folder*: seconds, and its highest resident memory."""
    url = Instance.load(folder).database_url
    environment = {**os.environ, **({"VITRINE_DATABASE_URL": url} if url else {})}
    before, began, peak = _children_cpu_s(), time.perf_counter(), 0.0
    process = subprocess.Popen(
        [sys.executable, "-m", "vitrine", *arguments, "--data", str(folder)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    while process.poll() is None:
        peak = max(peak, highest_mib(process.pid))
        time.sleep(0.05)
    return {
        "wall_s": round(time.perf_counter() - began, 1), "cpu_s": round(_children_cpu_s() - before, 1),
        "peak_mib": peak, "status": process.returncode,
    }  # fmt: skip


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def doctor(folder: Path) -> dict[str, Any]:
    return {"doctor": command(folder, "doctor")}


def sweep(folder: Path) -> dict[str, Any]:
    """The command, which looks at everything, and what the worker does each hour. Every original is older than the week
    after which the sweep looks at it."""
    return {"sweep by command": command(folder, "sweep"), "hourly sweep, cpu_s": hourly_sweep(folder)}


def hourly_sweep(folder: Path) -> float:
    """CPU seconds of the job as the worker runs it, the mean of a few hours."""
    url = Instance.load(folder).database_url
    services = composition.make_services(Settings(data_dir=folder, database_url=url))
    sweeper, before = Sweeper(services.database, services.media), time.process_time()
    for _ in range(HOURS):
        sweeper.sweep(GRACE, blobs=BLOBS_AN_HOUR, derivatives=DERIVATIVES_AN_HOUR)
    return round((time.process_time() - before) / HOURS, 2)


def first_metrics_ms(server: Served) -> float:
    answer = server.ask("GET", "/metrics")
    if answer.status != 200:
        raise SystemExit(f"/metrics: {answer.status}")
    return round(answer.ms, 1)


def upload_ms(server: Served) -> float:
    """CPU of server, worker and decoders for one small picture until it is found; the first is left out."""
    spent = []
    for number in range(UPLOADS + 1):
        before = family_cpu_s(server.pid)
        _upload(server, number)
        spent.append((family_cpu_s(server.pid) - before) * 1000)
    return round(min(spent[1:]), 1)


def _upload(server: Served, number: int) -> None:
    admin, word = server.bearer("admin"), f"upl{time.time_ns():x}"
    path = media_factory.jpeg(server.folder / "upload.jpg", 600, 400, seed=time.time_ns() % 2**31, grain=20)
    into = server.instance.collections[number]
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="base_id"\r\n\r\n{into}\r\n--{BOUNDARY}\r\n'
        f'Content-Disposition: form-data; name="file"; filename="{word}.jpg"\r\n\r\n'
    ).encode() + path.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()  # fmt: skip
    headers = {**admin, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = server.ask("POST", "/api/v1/records/add/", headers, body)
    if answer.status != 200:
        raise SystemExit(f"The upload was answered {answer.status}: {answer.body[:300]!r}")
    record = f"/api/v1{answer.json['url']}"
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        time.sleep(0.1)
        is_complete = len(server.ask("GET", f"{record}embed/", admin).json["embed"]) == 5
        if is_complete and server.ask("GET", f"/api/v1/search/?query={word}", admin).json["total_results"]:
            return
    raise SystemExit(f"{word} was not found in {PATIENCE_S:.0f} s.")


def longest_callbacks(folder: Path, port: int) -> dict[str, Any]:
    """The longest callback of the event loop during each row, in milliseconds of its thread's CPU; 0: below 2 ms."""
    log = folder / "callbacks.log"
    log.write_text("")
    longest: dict[str, float] = {}
    with serving(folder, port, "benchmarks.scale.watched", **{CALLBACKS: str(log)}) as server:
        server.wait_for_worker()
        for name, questions in {**reads(server), **pages(server), **writes(server, EACH + 1)}.items():
            server.ask(*next(questions))  # templates are compiled at their first use
            place = log.stat().st_size
            for question in itertools.islice(questions, EACH):
                server.ask(*question)
            longest[name] = _longest(log, place)
        place = log.stat().st_size
        first_metrics_ms(server)
        longest["first /metrics"] = _longest(log, place)
        place = log.stat().st_size
        many.deleting(server, clients=4, each=5)
        longest["20 deletes by four clients"] = _longest(log, place)
    worst = max(longest, key=lambda name: longest[name])
    return {"longest callback, ms": longest, "longest callback of all, ms": (longest[worst], worst)}


def _longest(log: Path, place: int) -> float:
    lines = log.read_text()[place:].splitlines()
    return max((float(line.partition("\t")[0]) for line in lines), default=0.0)
