"""Many pairs of people at once (tests/concurrency). CONCURRENCY_PAIRS sends another number, CONCURRENCY_SEED draws
others."""

import os
from pathlib import Path

import pytest

from tests.concurrency.pairs import Run
from tests.concurrency.world import World
from vitrine.testing.server import Server

PAIRS = int(os.environ.get("CONCURRENCY_PAIRS", "3000"))
SEED = int(os.environ.get("CONCURRENCY_SEED", "1"))


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.both_databases
def test_of_two_at_once_nothing_is_lost_nothing_fails_and_counts_are_right(tmp_path: Path, database_url: str) -> None:
    server = Server(tmp_path / "data", database_url=database_url)
    world = World(server, SEED)
    run = Run(world)
    try:
        for number in range(PAIRS):
            run.pair()
            if number % 50 == 49:
                assert world.faults() == [], f"after pair {number} of seed {SEED}"
    finally:
        run.close()
        world.close()
        server.close()
