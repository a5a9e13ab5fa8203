"""The table of growth: CPU of the server for a request, and what else grows, on one filled instance.

    python -m benchmarks.scale.measure --data var/scale-100k [--rows reads,pages,writes,…] [--seconds 1.5]

Each figure in milliseconds is the server's CPU for one request (its process clock; worker and database apart), of the
least disturbed of ROUNDS rounds. The instance is changed. Results are kept in benchmarks/results/.
"""

import argparse
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.scale import many, processes
from benchmarks.scale.instance import Instance
from benchmarks.scale.questions import Question, lists, pages, reads, writes
from benchmarks.scale.served import Served, cpu_s, memory_mib, serving

HERE = Path(__file__).parents[1]
PORT = 8370
ROUNDS = 6
DELETED = 4  # records a round
MOST = 3_000
Rows = dict[str, Any]


def cpu_ms(server: Served, questions: Iterable[Question], seconds: float, most: int = MOST) -> float:
    """Milliseconds a request, *most* of them in a round. Raises SystemExit for an answer that is no success."""
    rounds = []
    source = iter(questions)
    for number in range(ROUNDS + 1):  # the first warms up
        before, began, count = cpu_s(server.pid), time.perf_counter(), 0
        while count < most and (not count or time.perf_counter() - began < seconds / ROUNDS):
            _ask(server, next(source))
            count += 1
        if number:
            rounds.append((cpu_s(server.pid) - before) / count * 1000)
    return round(min(rounds), 3)


def _ask(server: Served, question: Question) -> None:
    answer = server.ask(*question)
    if answer.status not in (200, 303):
        raise SystemExit(f"{question[0]} {question[1]}: {answer.status} {answer.body[:300]!r}")


def _table(server: Served, questions: dict[str, Iterator[Question]], seconds: float, most: int = MOST) -> Rows:
    rows: Rows = {}
    for name, of_row in questions.items():
        rows[name] = cpu_ms(server, of_row, seconds, most)
        print(f"{name:44} {rows[name]:9.3f} ms", flush=True)
    return rows


def _sign_in(server: Served) -> float:
    best = []
    for _ in range(ROUNDS):
        before = cpu_s(server.pid)
        server.sign_in("reader")
        best.append((cpu_s(server.pid) - before) * 1000)
    return round(min(best), 1)


def _rest(server: Served, _seconds: float) -> Rows:
    server.wait_for_worker()
    return {"memory at rest, MiB": memory_mib(server.pid)}


def _mixed(server: Served, _seconds: float) -> Rows:
    for question in many.mixture(server, seed=3, count=1_000):
        _ask(server, question)
    return {"memory after 1,000 requests, MiB": memory_mib(server.pid)}


def _reads(server: Served, seconds: float) -> Rows:
    return _table(server, reads(server), seconds)


def _lists(server: Served, seconds: float) -> Rows:
    return _table(server, lists(server), seconds)


def _pages(server: Served, seconds: float) -> Rows:
    rows = _table(server, pages(server), seconds)
    return {**rows, "sign-in": _sign_in(server), "first /metrics, ms wall": processes.first_metrics_ms(server)}


def _writes(server: Served, seconds: float) -> Rows:
    server.wait_for_worker()
    rows = _table(server, writes(server, DELETED * (ROUNDS + 1)), seconds, DELETED)
    return {**rows, "upload, all processes": processes.upload_ms(server)}


def _many(server: Served, seconds: float) -> Rows:
    return {"32 clients": many.searching(server, clients=32, seconds=10 * seconds),
            "20 deletes by four clients": many.deleting(server, clients=4, each=5)}  # fmt: skip


PARTS: dict[str, Callable[[Served, float], Rows]] = {
    "rest": _rest, "mixed": _mixed, "reads": _reads, "lists": _lists, "pages": _pages, "writes": _writes, "many": _many,
}  # fmt: skip
ALONE: dict[str, Callable[[Path], Rows]] = {
    "loop": lambda folder: processes.longest_callbacks(folder, PORT + 1),
    "doctor": processes.doctor,
    "sweep": processes.sweep,
}


def measure(folder: Path, parts: Iterable[str], seconds: float, port: int = PORT) -> Rows:
    """The rows of *parts*, in the order of PARTS and ALONE."""
    parts = set(parts)
    rows: Rows = {}
    served = [name for name in PARTS if name in parts]
    if served:
        with serving(folder, port) as server:
            for name in served:
                rows |= PARTS[name](server, seconds)
    for name in (name for name in ALONE if name in parts):
        rows |= ALONE[name](folder)
    return rows


def keep(rows: Rows, instance: Instance) -> Path:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=HERE
    ).stdout.strip()
    kept = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "records": instance.records,
        "database": "postgresql" if instance.database_url else "sqlite",
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "load": os.getloadavg()},
        "rows": rows,
    }
    path = HERE / "results" / f"scale-{datetime.now(UTC):%Y-%m-%d}-{commit}.json"
    earlier = json.loads(path.read_text()) if path.exists() else []
    path.write_text(json.dumps([*earlier, kept], indent=1) + "\n")
    return path


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--rows", default=",".join([*PARTS, *ALONE]))
    arguments.add_argument("--seconds", type=float, default=1.5, help="of asking for each row")
    given = arguments.parse_args()
    rows = measure(given.data, given.rows.split(","), given.seconds)
    for name, value in rows.items():
        print(f"{name:44} {value}")
    print(keep(rows, Instance.load(given.data)))


if __name__ == "__main__":
    main()
