"""The growth gate in small: no statement does much more work among 4,000 records than among 300.

`make load` runs it with 1,000 and 100,000. What work is, and what is asked: `benchmarks/scale`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from benchmarks.scale.build import build
from benchmarks.scale.growth import Measured, Report, compare, measure
from benchmarks.scale.growth_exceptions import EXCEPTIONS, TO_BE_MENDED
from benchmarks.scale.requests import REQUESTS
from benchmarks.scale.traffic import Client
from benchmarks.scale.work import StatementWork

from vitrine.api import v1, v4
from vitrine.testing.postgresql import PostgreSQL

SMALL, LARGE = 300, 4_000
RUNS = 2
pytestmark = pytest.mark.timeout(900)  # two instances are built and asked everything


@dataclass(frozen=True, slots=True)
class Copies:
    """Two instances of different sizes on one database, after everything was asked of them."""

    kind: str
    folders: tuple[Path, Path]
    small: Measured
    large: Measured

    def compared(self, requests: dict[str, Callable[[Client], object]]) -> Report:
        """The report about other *requests*, without exceptions."""
        small, large = (measure(folder, requests, runs=RUNS).works for folder in self.folders)
        return compare(small, large, self.kind, {})


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def copies(request: pytest.FixtureRequest) -> Iterator[Copies]:
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    with TemporaryDirectory(prefix="vitrine-growth-") as name:
        small, large = Path(name) / "small", Path(name) / "large"
        for folder, records in ((small, SMALL), (large, LARGE)):
            build(folder, records, server.empty() if server else "")
        yield Copies(request.param, (small, large), measure(small, runs=RUNS), measure(large, runs=RUNS))


def test_no_statement_grows(copies: Copies) -> None:
    report = compare(copies.small.works, copies.large.works, copies.kind)
    assert report.grown == [], str(report)
    if copies.kind == "sqlite":  # in small, PostgreSQL reads a few blocks more where SQLite makes thousands of steps
        assert set(report.idle) & set(TO_BE_MENDED) == set(), "these lines of growth_exceptions.py are mended: remove"


def test_every_route_of_api_v1_is_asked(copies: Copies) -> None:
    visited = copies.large.visited
    for route in v1.ROUTES:
        pattern = re.compile(v1.PREFIX + re.sub(r"\{[^}]+\}", "[^/]+", route.path))
        methods = {"GET"} if set(route.methods) == set(v1.ANY) else set(route.methods)
        seen = {method for method, path in visited if pattern.fullmatch(path)}
        assert methods <= seen, route.path


def test_every_list_of_v4_is_asked(copies: Copies) -> None:
    visited = {path for method, path in copies.large.visited if method == "GET"}
    for route in v4.ROUTES:
        pattern = re.compile(v4.PREFIX + re.sub(r"\{[^}]+\}", "[^/]+", route.path))
        assert not route.is_list or any(map(pattern.fullmatch, visited)), route.path


def scan(client: Client) -> None:
    with client.server.services.database.read() as work:
        work.db.execute(sa.text("SELECT number FROM records WHERE title = 'nobody has this'")).all()


def count(client: Client) -> None:
    with client.server.services.database.read() as work:
        work.db.execute(sa.text("SELECT count(*) FROM field_values")).all()


def by_key(client: Client) -> None:
    with client.server.services.database.read() as work:
        work.db.execute(sa.text("SELECT title FROM records WHERE id = 7")).all()


def unindexed_reference(client: Client) -> None:
    """A foreign key without an index: to delete what it refers to is to look at every row."""
    with client.server.services.database.write() as work:
        reference = "(record_id BIGINT REFERENCES records(id) ON DELETE CASCADE)"
        work.db.execute(sa.text(f"CREATE TABLE planted {reference}"))
        work.db.execute(sa.text("INSERT INTO planted SELECT id FROM records"))
        work.db.execute(sa.text("DELETE FROM records WHERE number = :number"), {"number": client.number()})
        work.db.execute(sa.text("DROP TABLE planted"))


def test_the_gate_sees_planted_scans(copies: Copies) -> None:
    planted = {"scan": scan, "count": count, "by key": by_key, "unindexed reference": unindexed_reference}
    grown = {(grown.request, grown.statement.split()[0]) for grown in copies.compared({**planted}).grown}
    assert grown == {
        ("scan", "SELECT"), ("count", "SELECT"), ("unindexed reference", "INSERT"), ("unindexed reference", "DELETE"),
    }  # fmt: skip


def works(request: str, *units: int) -> dict[str, dict[str, list[StatementWork]]]:
    return {request: {"SELECT 1": [StatementWork(1, some) for some in units]}}


@pytest.mark.parametrize(
    ("small", "large", "grows"),
    [
        ((1000, 1000), (1300, 1300), False),
        ((1000, 1000), (1000, 1301), True),
        ((1000, 1000), (1301, 1000), True),  # with empty caches only
        ((5, 5), (78, 78), False),  # too little to count
        ((5, 5), (79, 79), True),
        ((1000, 1000), (10, 10), False),
    ],
)
def test_three_tenths_more_are_allowed(small: tuple[int, ...], large: tuple[int, ...], grows: bool) -> None:
    report = compare(works("me", *small), works("me", *large), "sqlite", {})
    assert [(grown.request, grown.statement) for grown in report.grown] == ([("me", "SELECT 1")] if grows else [])


def test_a_statement_that_only_the_larger_runs_counts() -> None:
    report = compare({"me": {}}, works("me", 1000, 1000), "sqlite", {})
    assert str(report) == "GROWS   me: 0 -> 1000 (x inf)\n    SELECT 1"


def test_exceptions_name_a_request_and_a_part_of_the_statement() -> None:
    small, large = works("quarantine: add", 1000, 1000), works("quarantine: add", 9000, 9000)
    for name in ("quarantine: add", "quarantine: add: SELECT", "*: SELECT 1"):
        report = compare(small, large, "sqlite", {name: "a reason"})
        assert (report.grown, len(report.excused), report.idle) == ([], 1, [])
    for name in ("quarantine", "quarantine: SELECT", "quarantine: add: DELETE", "*: DELETE"):
        report = compare(small, large, "sqlite", {name: "a reason"})
        assert (len(report.grown), report.excused, report.idle) == (1, [], [name])


def test_exceptions_are_about_requests_of_the_table() -> None:
    for name in (*EXCEPTIONS, *TO_BE_MENDED):
        assert any(name == request or name.startswith(f"{request}: ") for request in ("*", *REQUESTS)), name
