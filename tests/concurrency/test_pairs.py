"""A bounded run; `make load` runs a long one (tests/load). CONCURRENCY_SEED draws other pairs."""

import os
from collections.abc import Iterator

import pytest

from tests.concurrency.operations import EVERY
from tests.concurrency.pairs import Run
from tests.concurrency.world import World
from vitrine.testing.server import Server

SEED = int(os.environ.get("CONCURRENCY_SEED", "1"))
PAIRS = 70


@pytest.fixture
def run(server: Server) -> Iterator[Run]:
    world = World(server, SEED)
    run = Run(world)
    yield run
    run.close()
    world.close()


@pytest.mark.both_databases
def test_of_two_at_once_nothing_is_lost_nothing_fails_and_counts_are_right(run: Run) -> None:
    for number in range(PAIRS):
        run.pair()
        if number % 10 == 9:
            assert run.world.faults() == [], f"after pair {number} of seed {SEED}"
    assert sum(run.done.values()) > PAIRS, f"too little was done to say anything: {run.done}"
    assert run.lost_races > 5
    assert {operation.__name__ for operation in EVERY} >= run.done.keys()
