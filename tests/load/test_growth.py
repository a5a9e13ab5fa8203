"""The growth gate as a whole: 1,000 records beside 100,000, on both databases (benchmarks/scale)."""

from pathlib import Path

import pytest
from benchmarks.scale.build import build
from benchmarks.scale.growth import compare, measure

from vitrine.testing.postgresql import PostgreSQL

SMALL, LARGE = 1_000, 100_000


@pytest.mark.nightly
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_statement_grows(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if kind == "postgresql" else None
    works = []
    for records in (SMALL, LARGE):
        folder = tmp_path / str(records)
        build(folder, records, server.empty() if server else "")
        works.append(measure(folder).works)
    small, large = works
    report = compare(small, large, kind)
    assert report.grown == [], str(report)
