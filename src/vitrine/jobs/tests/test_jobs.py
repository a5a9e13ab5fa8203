from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from vitrine.errors import Invalid, Unavailable
from vitrine.jobs import Job, Jobs, Kind, Lane, Worker, store
from vitrine.jobs.model import pause_after
from vitrine.platform import migrate
from vitrine.platform.database import Database

PAINT = Kind("paint", lane="media", max_attempts=3)
INDEX = Kind("index", lane="index")
jobs = Jobs()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database.in_folder(tmp_path)
    migrate.upgrade(made)
    return made


def worker(database: Database, handler: Callable[[Job], None], place: str = "here") -> Worker:
    return Worker(
        database, {"paint": handler}, {"index": lambda batch: None}, (Lane("media"), Lane("index", batch=50)), place
    )


def add(database: Database, key: str | None = None) -> None:
    with database.write() as work:
        jobs.add(work, PAINT, {"n": 1}, key=key)


def waiting(database: Database) -> dict[str, int]:
    with database.read() as work:
        return store.waiting(work)


def make_ready(database: Database) -> None:
    with database.write() as work:
        work.db.exec_driver_sql("UPDATE jobs SET run_after = 0")


def test_a_job_appears_with_its_change_or_not_at_all(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as work:
        jobs.add(work, PAINT, {})
        raise RuntimeError
    assert waiting(database) == {}


def test_a_done_job_is_deleted(database: Database) -> None:
    done: list[int] = []
    add(database)
    assert worker(database, lambda job: done.append(job.id)).run_ready() == 1
    assert len(done) == 1
    assert waiting(database) == {}


def test_waiting_twins_become_one(database: Database) -> None:
    for _ in range(3):
        add(database, "record 1")
    add(database, "record 2")
    assert waiting(database) == {"paint": 2}


def test_a_failed_job_waits_and_is_given_up_after_its_last_attempt(database: Database) -> None:
    def fail(_job: Job) -> None:
        raise Unavailable("The disk is full.")

    add(database)
    running = worker(database, fail)
    for attempt in range(PAINT.max_attempts):
        assert running.run_ready() == 1, attempt
        assert running.run_ready() == 0, "it pauses"
        make_ready(database)
    assert running.run_ready() == 0
    with database.read() as work:
        assert [(kind, "disk is full" in error) for _, kind, error in store.dead(work)] == [("paint", True)]


def test_a_refusal_that_lasts_is_not_tried_again(database: Database) -> None:
    def refuse(_job: Job) -> None:
        raise Invalid("Nothing can be made of this.")

    add(database)
    worker(database, refuse).run_ready()
    make_ready(database)
    assert waiting(database) == {}


def test_a_bug_in_a_handler_does_not_end_the_worker(database: Database) -> None:
    def broken(_job: Job) -> None:
        raise KeyError("bug")

    add(database)
    add(database)
    assert worker(database, broken).run_ready() == 2


def test_a_dead_workers_jobs_are_taken_over_at_once_by_its_successor(database: Database) -> None:
    add(database, "a")
    dead = worker(database, lambda job: None)
    with database.write() as work:
        assert len(store.lease(work, "media", "here:1", work.now + timedelta(hours=1), 5)) == 1
    assert dead.run_ready() == 0, "it is leased"
    with database.write() as work:
        assert store.release(work, "here:") == 1
    assert dead.run_ready() == 1


def test_a_lease_that_ran_out_is_free_and_its_late_owner_cannot_end_the_job(database: Database) -> None:
    add(database)
    with database.write() as work:
        (first,) = store.lease(work, "media", "slow:1", work.now - timedelta(seconds=1), 1)
    with database.write() as work:
        (second,) = store.lease(work, "media", "quick:2", work.now + timedelta(seconds=60), 1)
        store.finish(work, [first.id], "slow:1")
    assert (second.id, second.attempts) == (first.id, 2)
    assert waiting(database) == {"paint": 1}


def test_a_newer_wish_replaces_a_failed_one(database: Database) -> None:
    seen: list[int] = []

    def fail_once(job: Job) -> None:
        seen.append(job.payload["n"])
        if job.payload["n"] == 1:
            with database.write() as work:
                jobs.add(work, PAINT, {"n": 2}, key="same")
            raise Unavailable("later")

    add(database, "same")
    worker(database, fail_once).run_ready()
    assert seen == [1, 2]
    assert waiting(database) == {}, "the failed wish did not come back"


def test_pauses_grow_and_end() -> None:
    pauses = [pause_after(n) for n in range(1, 30)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(minutes=30)
