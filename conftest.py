"""Fixtures that several capabilities' tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from vitrine.testing.server import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "data")
    yield made
    made.close()
