"""Writers of one process on SQLite: in the order in which they came."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from vitrine.errors import Unavailable
from vitrine.platform import database as databases
from vitrine.platform.database import Database, DatabaseBusy
from vitrine.platform.fair_lock import FairLock
from vitrine.testing import template


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return template.copied_database(tmp_path)


def waits_for(lock: FairLock, count: int) -> None:
    """Until *count* threads wait."""
    condition = threading.Event()
    while lock.waiting < count:
        condition.wait(0.001)


def started(call: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=call)
    thread.start()
    return thread


def test_writers_get_their_turn_in_the_order_in_which_they_came(database: Database) -> None:
    order: list[int] = []

    def write(number: int) -> None:
        with database.write():
            order.append(number)

    with database.write():
        threads = []
        for number in range(8):
            threads.append(started(lambda number=number: write(number)))  # type: ignore[misc]  # a default is enough
            waits_for(database._writers, number + 1)
        assert order == []
    for thread in threads:
        thread.join()
    assert order == list(range(8))
    database.close()


def test_a_write_that_must_not_wait_does_not_push_in(database: Database) -> None:
    with database.write():
        waiting = started(lambda: _write(database))
        waits_for(database._writers, 1)

        def hurry() -> None:
            with pytest.raises(DatabaseBusy), database.without_waiting(), database.write():
                raise AssertionError("unreachable")

        started(hurry).join()
    waiting.join()
    database.close()


def _write(database: Database) -> None:
    with database.write() as work:
        work.db.execute(sa.text("SELECT 1"))


def test_who_waits_too_long_is_refused_and_the_next_ones_go_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "BUSY_TIMEOUT_MS", 1)

    def refused() -> None:
        with pytest.raises(Unavailable), database.write():
            raise AssertionError("unreachable")

    with database.write():
        started(refused).join()
        assert database._writers.waiting == 0
    _write(database)
    database.close()


def test_a_failed_write_leaves_the_lock(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write():
        _ = 1 / 0
    with pytest.raises(ZeroDivisionError), database.without_waiting(), database.write():
        _ = 1 / 0
    with database.write(), pytest.raises(RuntimeError, match="already open"), database.write():
        raise AssertionError("unreachable")
    _write(database)
    database.close()
