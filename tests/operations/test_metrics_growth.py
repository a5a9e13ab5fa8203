"""/metrics costs the same in a small and in a large library, and tells the age of what was counted (decision 0102)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from vitrine.edge.metrics import Counts, Metrics
from vitrine.jobs.tables import jobs
from vitrine.library import census, store
from vitrine.library.tables import records, renditions
from vitrine.platform.database import Database
from vitrine.platform.tables import stamps
from vitrine.testing.server import Server

STATES = ("ready", "ready", "ready", "ready", "ready", "ready", "ready", "failed", "waiting", "ready")


def fill(server: Server, start: int, stop: int) -> None:
    with server.services.database.write() as work:
        for number in range(start, stop):
            row = {
                "databox_id": server.databox.id, "number": number + 1, "collection_id": server.photographs.id,
                "kind": "image", "title": "x", "uuid": f"{number:036}", "status": 0, "technical": "[]",
                "created": work.now, "updated": work.now,
            }  # fmt: skip
            record = work.db.execute(records.insert().values(**row)).inserted_primary_key[0]  # type: ignore[index]
            state = STATES[number % 10] if number < 100 else "ready"
            digest = f"{number:064}" if state == "ready" else None
            part = {"record_id": record, "name": "document", "state": state, "sha256": digest, "size": 10}
            work.db.execute(renditions.insert().values(created=work.now, updated=work.now, **part))
            if number < 100:
                job = {"kind": f"kind{number % 3}", "lane": "x", "payload": {}, "run_after": work.now}
                dead = work.now if number % 4 == 0 else None
                work.db.execute(jobs.insert().values(created=work.now, dead_at=dead, **job))


@contextmanager
def counted_steps(database: Database) -> Iterator[list[int]]:
    """Hundreds of steps of SQLite's virtual machine, on this thread's connection."""
    steps = [0]

    def step() -> None:
        steps[0] += 1

    driver = database.reading(lambda work: work.driver)
    assert driver is not None
    driver.set_progress_handler(step, 100)
    try:
        yield steps
    finally:
        driver.set_progress_handler(None, 0)


def test_a_reading_costs_the_same_in_a_large_library(server: Server) -> None:
    metrics, costs = Metrics(server.services, Counts(), server.application.connection_guard), []
    for start, stop in ((0, 100), (100, 5_000)):
        fill(server, start, stop)
        census.run(server.services.database, threading.Event())
        with counted_steps(server.services.database) as steps:
            text = metrics.text().decode()
        costs.append(steps[0])
    assert "vitrine_documents_files 4980.0" in text
    assert costs[1] <= costs[0] * 1.3 + 2, costs


@pytest.mark.both_databases
def test_the_numbers_are_those_of_a_plain_count(server: Server) -> None:
    metrics = Metrics(server.services, Counts(), server.application.connection_guard)
    with server.services.database.write() as work:
        work.db.execute(jobs.delete())
    before = metrics.text().decode()
    assert "vitrine_documents_files" not in before, "nothing is told before it was counted"
    fill(server, 0, 100)
    for _ in range(3):
        census.run(server.services.database, threading.Event(), rows=30, steps=1)
        assert "vitrine_documents_files" not in metrics.text().decode(), "a part is not published"
    census.run(server.services.database, threading.Event(), rows=30, steps=1)
    text = metrics.text().decode()
    with server.services.database.read() as work:
        states = store.rendition_states(work)
        by_kind: dict[str, int] = dict(
            work.db.execute(
                sa.select(jobs.c.kind, sa.func.count()).where(jobs.c.dead_at.is_(None)).group_by(jobs.c.kind)
            ).all()
        )
    assert states == {"ready": 80, "failed": 10, "waiting": 10}
    for state, number in states.items():
        assert f'vitrine_renditions_total{{state="{state}"}} {number}.0' in text
    assert "vitrine_documents_files 80.0" in text
    assert "vitrine_documents_bytes 800.0" in text
    for kind, number in by_kind.items():
        assert f'vitrine_jobs_waiting{{kind="{kind}"}} {number}.0' in text
    assert "vitrine_jobs_dead 25.0" in text
    with server.services.database.write() as work:
        hour_ago = round((work.now - timedelta(hours=1)).timestamp())
        work.db.execute(stamps.update().where(stamps.c.name == "census_published_at").values(value=hour_ago))
    (age,) = [
        float(line.split()[1])
        for line in metrics.text().decode().splitlines()
        if line.startswith("vitrine_documents_count_age_seconds ")
    ]
    assert 3590 <= age < 3700


@pytest.mark.both_databases
def test_a_census_goes_on_where_a_killed_worker_was_and_begins_again_afterwards(server: Server) -> None:
    fill(server, 0, 100)
    database = server.services.database
    census.run(database, threading.Event(), rows=40, steps=2)  # and this process is killed
    with database.write() as work:
        work.db.execute(renditions.update().where(renditions.c.state == "failed").values(state="ready"))
    census.run(database, threading.Event(), rows=40, steps=25)
    with database.read() as work:
        first = census.totals(work)
    assert first is not None
    assert (first.files, first.size, first.ready) == (80, 800, 82), "two failed ones were ahead of it"
    census.run(database, threading.Event(), rows=40, steps=25)
    with database.read() as work:
        second = census.totals(work)
    assert second is not None
    assert second.ready == 90


def test_a_stopped_worker_takes_no_more_steps(server: Server) -> None:
    fill(server, 0, 10)
    stop = threading.Event()
    stop.set()
    census.run(server.services.database, stop)
    with server.services.database.read() as work:
        assert census.totals(work) is None
