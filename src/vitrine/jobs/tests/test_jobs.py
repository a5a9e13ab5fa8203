import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from vitrine.errors import Invalid, Unavailable
from vitrine.jobs import Job, JobKind, Jobs, Lane, Worker, store, tables
from vitrine.jobs.model import pause_after
from vitrine.platform.database import Database
from vitrine.testing.template import copied_database

PAINT = JobKind("paint", lane="media", max_attempts=3)
INDEX = JobKind("index", lane="index")
jobs = Jobs()
pytestmark = pytest.mark.both_databases


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Database]:
    database = Database(database_url) if database_url else copied_database(tmp_path)
    yield database
    database.close()


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
        work.db.execute(tables.jobs.update().values(run_after=work.now - timedelta(days=1)))


def test_a_job_appears_with_its_change_or_not_at_all(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as work:
        jobs.add(work, PAINT, {})
        raise RuntimeError
    assert waiting(database) == {}


def test_a_done_job_is_deleted(database: Database) -> None:
    job_ids: list[int] = []
    add(database)
    assert worker(database, lambda job: job_ids.append(job.id)).run_ready() == 1
    assert len(job_ids) == 1
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


def test_a_permanent_refusal_is_not_retried(database: Database) -> None:
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


def batch_worker(database: Database, handler: Callable[[list[Job]], None]) -> Worker:
    return Worker(database, {}, {"paint": handler}, (Lane("media", batch=50),), "here")


def add_numbers(database: Database, count: int) -> None:
    with database.write() as work:
        for number in range(count):
            jobs.add(work, PAINT, {"n": number})


def test_one_bad_job_of_a_batch_fails_alone(database: Database) -> None:
    done: list[int] = []

    def paint(batch: list[Job]) -> None:
        if any(job.payload["n"] == 7 for job in batch):
            raise ValueError("of this one")
        done.extend(job.payload["n"] for job in batch)

    add_numbers(database, 20)
    running = batch_worker(database, paint)
    assert running.run_ready() == 20
    assert sorted(done) == [number for number in range(20) if number != 7]
    assert waiting(database) == {"paint": 1}
    for _ in range(PAINT.max_attempts):
        make_ready(database)
        running.run_ready()
    with database.read() as work:
        assert [error for _, _, error in store.dead(work)] == ["ValueError: of this one"]


def test_a_batch_is_not_split_while_the_cause_is_elsewhere(database: Database) -> None:
    sizes: list[int] = []

    def paint(batch: list[Job]) -> None:
        sizes.append(len(batch))
        raise Unavailable("The disk is full.")

    add_numbers(database, 20)
    batch_worker(database, paint).run_ready()
    assert sizes == [20]
    assert waiting(database) == {"paint": 20}


def test_two_jobs_with_one_key_that_were_under_way_are_one_after_a_crash(database: Database) -> None:
    dead = f"here:{2**22 + 7}"
    for _ in range(2):
        add(database, "a")
        with database.write() as work:
            assert len(store.lease(work, "media", dead, work.now + timedelta(hours=1), 5)) == 1
    with database.write() as work:
        assert store.release(work, [dead]) == 1
    assert waiting(database) == {"paint": 1}
    assert worker(database, lambda job: None).run_ready() == 1


def test_an_error_text_that_no_database_takes_is_recorded_readably(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL + 1, "vitrine.jobs")  # half a character can be in no report of a test

    def fail(_job: Job) -> None:
        raise ValueError("half \ud800, nothing \0")

    add(database)
    running = worker(database, fail)
    for _ in range(PAINT.max_attempts):
        running.run_ready()
        make_ready(database)
    with database.read() as work:
        assert [error for _, _, error in store.dead(work)] == ["ValueError: half ?, nothing ?"]


def test_a_job_of_a_kind_that_a_newer_worker_knows_waits_for_it(database: Database) -> None:
    with database.write() as work:
        jobs.add(work, JobKind("sculpt", lane="media"), {})
    add(database)
    assert worker(database, lambda job: None).run_ready() == 2
    assert waiting(database) == {"sculpt": 1}
    make_ready(database)
    assert Worker(database, {"sculpt": lambda job: None}, {}, (Lane("media"),), "here").run_ready() == 1


def test_a_dead_workers_jobs_are_taken_over_at_once_by_its_successor(database: Database) -> None:
    add(database, "a")
    dead, living = f"here:{2**22 + 7}", "here:1"  # beyond the largest process number; the first process always runs
    with database.write() as work:
        assert len(store.lease(work, "media", dead, work.now + timedelta(hours=1), 5)) == 1
        jobs.add(work, PAINT, {"n": 2}, key="b")
        assert len(store.lease(work, "media", living, work.now + timedelta(hours=1), 5)) == 1
    successor = worker(database, lambda job: None)
    assert successor.run_ready() == 0, "both are leased"
    successor.start()
    successor.stop()
    with database.read() as work:
        other_jobs = work.db.execute(tables.jobs.select().where(tables.jobs.c.leased_by != living)).all()
        assert other_jobs == [], "the dead worker's job was done, the living one kept its own"
        assert store.waiting(work) == {"paint": 1}


def test_a_worker_records_its_heartbeat(database: Database) -> None:
    running = worker(database, lambda job: None)
    with database.read() as work:
        assert store.last_seen(work) is None
    running.start()
    running.stop()
    with database.read() as work:
        last_seen = store.last_seen(work)
        assert last_seen is not None
        assert work.now - last_seen < timedelta(minutes=1)


def test_a_job_queued_in_an_open_transaction_is_leased_after_the_commit(database: Database) -> None:
    """Otherwise the worker would read before the change is committed, and nothing would queue the job again."""
    add(database, "record 1")
    job_counts: list[int] = []

    def lease() -> None:
        with database.write(alone=False) as other:
            job_counts.append(len(store.lease(other, "media", "here:1", other.now + timedelta(hours=1), 5)))

    with database.write() as work:
        jobs.add(work, PAINT, {"n": 1}, key="record 1")
        thread = threading.Thread(target=lease)
        thread.start()
        thread.join(0.3)
        assert job_counts in ([], [0]), "it waits (SQLite) or finds nothing (PostgreSQL)"
    thread.join()
    if job_counts == [0]:
        lease()
    assert job_counts[-1] == 1


def test_workers_side_by_side_never_share_a_job(database: Database) -> None:
    for _ in range(40):
        add(database)
    job_ids: list[int] = []
    gate = threading.Barrier(4)

    def run() -> None:
        gate.wait()
        worker(database, lambda job: job_ids.append(job.id)).run_ready()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(job_ids) == len(set(job_ids)) == 40


def test_a_lease_that_ran_out_is_free_and_its_late_owner_cannot_end_the_job(database: Database) -> None:
    add(database)
    with database.write() as work:
        (first,) = store.lease(work, "media", "slow:1", work.now - timedelta(seconds=1), 1)
    with database.write() as work:
        (second,) = store.lease(work, "media", "quick:2", work.now + timedelta(seconds=60), 1)
        store.finish(work, [first.id], "slow:1")
    assert (second.id, second.attempts) == (first.id, 2)
    assert waiting(database) == {"paint": 1}


def test_a_newer_request_replaces_a_failed_job(database: Database) -> None:
    payloads: list[int] = []

    def fail_once(job: Job) -> None:
        payloads.append(job.payload["n"])
        if job.payload["n"] == 1:
            with database.write() as work:
                jobs.add(work, PAINT, {"n": 2}, key="same")
            raise Unavailable("later")

    add(database, "same")
    worker(database, fail_once).run_ready()
    assert payloads == [1, 2]
    assert waiting(database) == {}, "the failed job did not come back"


def test_pauses_grow_and_end() -> None:
    pauses = [pause_after(n) for n in range(1, 30)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(minutes=30)
