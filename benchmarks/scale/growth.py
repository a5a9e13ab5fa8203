"""Does the work of a statement grow with the number of records? Two copies of different sizes are asked the same, and
each statement's work is compared (work.py). What may grow is named in EXCEPTIONS, with its reason.

    python -m benchmarks.scale.growth --small var/scale-1k --large var/scale-100k
"""

import argparse
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.scale.growth_exceptions import EXCEPTIONS, TO_BE_MENDED
from benchmarks.scale.instance import Instance
from benchmarks.scale.requests import REQUESTS, Request
from benchmarks.scale.traffic import Client
from benchmarks.scale.work import StatementWork, WorkCounter, counted
from vitrine.platform import cache
from vitrine.testing.server import Server

LIMIT = 1.3
# Less work than this is not compared: a look-up by key is 15 to 40 steps on SQLite, 3 to 5 buffers on
# PostgreSQL, where a small table is read whole in some dozens although an index serves the large one.
FLOOR = {"sqlite": 60, "postgresql": 40}
RUNS = 3  # the first finds empty caches, the others what a server that is in use does
UNLIMITED: dict[str, Any] = dict.fromkeys(("application_calls", "account_calls", "token_calls"), 0)
UPLOADERS = ("127.0.0.1",)  # that no worker may fetch from: nothing leaves the machine
ALL_EXCEPTIONS = {**EXCEPTIONS, **TO_BE_MENDED}
Works = dict[str, dict[str, list[StatementWork]]]  # by request, by statement: one for each run


@dataclass(frozen=True, slots=True)
class Measured:
    """The work on one copy, and every (method, path) that was asked for."""

    works: Works
    visited: set[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Grown:
    """A statement that did more work on the large copy than the limit allows."""

    request: str
    statement: str
    small: float
    large: float

    def __str__(self) -> str:
        ratio = self.large / self.small if self.small else float("inf")
        return f"{self.request}: {self.small:.0f} -> {self.large:.0f} (x {ratio:.1f})\n    {self.statement[:300]}"


@dataclass(slots=True)
class Report:
    """*grown* fails the gate; *excused* are exceptions that grew, *idle* those that no longer grow."""

    grown: list[Grown] = field(default_factory=list)
    excused: list[Grown] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"GROWS   {grown}" for grown in self.grown]
        lines += [f"excused {grown}" for grown in self.excused]
        lines += [f"idle    the exception {name!r} has nothing to excuse" for name in self.idle]
        return "\n".join(lines)


def measure(folder: Path, requests: Mapping[str, Request] = REQUESTS, *, runs: int = RUNS) -> Measured:
    """Ask everything of the instance in *folder*, which is changed by it."""
    instance = Instance.load(folder)
    scratch = folder / "scratch-uploads"
    scratch.mkdir(exist_ok=True)
    works: Works = {}
    with counted() as counter:
        server = Server.of(folder, database_url=instance.database_url, upload_queue_hosts=UPLOADERS, **UNLIMITED)
        client = Client(instance, server, scratch)
        try:
            for who in ("admin", "reader", "borrower"):
                client.visitor(who)
            for name, request in requests.items():
                works[name] = _runs(counter, client, request, runs)
        finally:
            server.close()
    return Measured(works, client.visited)


def _runs(counter: WorkCounter, client: Client, request: Request, runs: int) -> dict[str, list[StatementWork]]:
    by_statement: dict[str, list[StatementWork]] = {}
    _forget_everything()
    for number in range(runs):
        counter.take()
        request(client)
        for statement, work in counter.take().items():
            of_runs = by_statement.setdefault(statement, [StatementWork() for _ in range(runs)])
            of_runs[number] = work
    return by_statement


def _forget_everything() -> None:
    """Empty the caches of this process: what they hold depends on what was asked before."""
    for counters in cache.counters().values():
        for each in list(counters.caches):
            each.clear()


def compare(small: Works, large: Works, kind: str, exceptions: Mapping[str, str] = ALL_EXCEPTIONS) -> Report:
    """*kind* is the name of the database. Both copies were asked the same requests."""
    report = Report()
    used = set()
    for request, statements in large.items():
        for statement, work in statements.items():
            before = small[request].get(statement, [StatementWork()])
            grown = _grown(request, statement, before, work, kind)
            if grown is None:
                continue
            excuse = next((name for name in exceptions if _excuses(name, request, statement)), None)
            used.add(excuse)
            (report.excused if excuse else report.grown).append(grown)
    report.grown.sort(key=lambda grown: -grown.large)
    report.idle = sorted(name for name in exceptions if name not in used)
    return report


def _excuses(name: str, request: str, statement: str) -> bool:
    """An exception is named by a request, or by a request and a part of the statement: `request: part`."""
    if name in (request, "*"):
        return True
    where, colon, part = name.rpartition(": ")
    return bool(colon) and where in (request, "*") and part in statement


def _grown(
    request: str, statement: str, small: list[StatementWork], large: list[StatementWork], kind: str
) -> Grown | None:
    """The first run, which finds empty caches, or else the middle one of the others."""
    for some, more in ((small[:1], large[:1]), (small[1:] or small, large[1:] or large)):
        before, after = _middle(some), _middle(more)
        probes = statistics.median(work.probes for work in more) if kind == "postgresql" else 0
        if after > LIMIT * max(before, FLOOR[kind]) + probes:
            return Grown(request, statement, before, after)
    return None


def _middle(works: list[StatementWork]) -> float:
    return statistics.median(work.units for work in works)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--small", type=Path, required=True, help="folder of an instance; it is changed")
    arguments.add_argument("--large", type=Path, required=True, help="folder of a larger one; it is changed")
    arguments.add_argument("--only", default="", help="requests whose names contain this")
    given = arguments.parse_args()
    requests = {name: request for name, request in REQUESTS.items() if given.only in name}
    small, large = measure(given.small, requests).works, measure(given.large, requests).works
    kind = "postgresql" if Instance.load(given.large).database_url else "sqlite"
    report = compare(small, large, kind)
    print(report)
    raise SystemExit(1 if report.grown else 0)


if __name__ == "__main__":
    main()
