"""Some thousand hostile requests to every route, in this process: no failure of the server (`make load` sends a million
over sockets). FUZZ_SEED draws others; FUZZ_REQUESTS sends more."""

import asyncio
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.generator import Generator
from tests.fuzz.in_process import Failures, is_failure, send
from tests.fuzz.world import UNLIMITED, World
from vitrine.api import openapi
from vitrine.testing.server import Server

SEED = int(os.environ.get("FUZZ_SEED", "1"))
REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "1500"))
HEALED_EVERY = 400


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    server = Server(tmp_path / "data", database_url=database_url, **UNLIMITED)
    yield World(server, tmp_path)
    server.close()


@pytest.fixture
def failures() -> Iterator[Failures]:
    handler = Failures()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


@pytest.mark.both_databases
def test_no_request_makes_the_server_fail(world: World, failures: Failures) -> None:
    application = world.server.application
    generator = Generator(world, application.routes, openapi.document(world.server.settings), SEED)
    statuses: dict[int, int] = {}

    async def run() -> list[str]:
        reports = []
        for number in range(REQUESTS):
            if number and number % HEALED_EVERY == 0:
                world.heal()
            request = generator.next()
            answer = await send(application, request, failures)
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            if is_failure(request, answer):
                reports.append(f"request {number} of seed {SEED}: {answer.status}\n{request.curl()}\n{answer.failure}")
        return reports

    reports = asyncio.run(run())
    assert not reports, "\n\n".join(reports[:5])
    assert statuses[200] > REQUESTS // 10, f"too few requests come through to say anything: {statuses}"
    assert {302, 303, 400, 401, 403, 404, 405} <= statuses.keys()


def test_the_same_seed_draws_the_same_requests(world: World) -> None:
    document = openapi.document(world.server.settings)
    first, again = (Generator(world, world.server.application.routes, document, 7) for _ in range(2))
    for _ in range(100):
        assert first.next() == again.next()
