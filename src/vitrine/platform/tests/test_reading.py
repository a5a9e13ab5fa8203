"""What short reads remember, and writes that do not wait (docs/decisions/0075 and 0076). SQLite only."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.errors import Unavailable
from vitrine.platform.database import _CHECKPOINT_EVERY, Database, DatabaseBusy, UnitOfWork
from vitrine.platform.engines import BUSY_TIMEOUT_MS
from vitrine.platform.prepared import Prepared, PreparedChange
from vitrine.platform.supervision import Supervisor
from vitrine.platform.tables import stamps

BY_NAME = Prepared(sa.select(stamps.c.value).where(stamps.c.name == sa.bindparam("name")))
SET = PreparedChange(
    stamps.update().where(stamps.c.name == sa.bindparam("which")).values(value=sa.bindparam("new", type_=sa.Integer))
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.in_folder(tmp_path)
    with database.write() as work:
        stamps.create(work.db)
        work.db.execute(stamps.insert().values(name="a", value=1))
    yield database
    database.close()


@pytest.fixture
def stranger(tmp_path: Path, database: Database) -> Iterator[sqlite3.Connection]:
    """Another process, as far as SQLite can tell."""
    with closing(
        sqlite3.connect(tmp_path / "vitrine.sqlite3", isolation_level=None, check_same_thread=False)
    ) as connection:
        yield connection


def value(work: UnitOfWork) -> int | None:
    row = BY_NAME.raw(work, name="a")
    return None if row is None else int(row[0])


def statements(database: Database) -> list[str]:
    seen: list[str] = []
    database.reading(lambda work: work.driver.set_trace_callback(seen.append))  # type: ignore[union-attr]
    return seen


def test_a_row_is_asked_for_once_while_nobody_changes_anything(database: Database) -> None:
    seen = statements(database)
    assert [database.reading(value) for _ in range(3)] == [1, 1, 1]
    assert [database.single_statement(value) for _ in range(3)] == [1, 1, 1]
    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 1


@pytest.mark.parametrize("way", ["reading", "single_statement", "cached_read"])
def test_the_next_read_sees_what_another_process_committed(
    database: Database, stranger: sqlite3.Connection, way: str
) -> None:
    read = getattr(database, way)
    assert read(value) == 1
    stranger.execute("UPDATE stamps SET value = 2")
    assert read(value) == 2
    stranger.execute("DELETE FROM stamps")
    assert read(value) is None
    stranger.execute("INSERT INTO stamps (name, value) VALUES ('a', 3)")
    assert read(value) == 3, "that nothing was there is not remembered longer either"


def test_the_next_read_sees_what_this_thread_wrote_itself(database: Database) -> None:
    assert database.reading(value) == 1
    with database.write() as work:
        SET.run(work, which="a", new=5)
    assert database.reading(value) == 5
    with database.without_waiting(), database.write() as work:
        SET.run(work, which="a", new=6)
    assert database.reading(value) == 6


def test_what_another_thread_rolled_back_was_never_there(database: Database) -> None:
    assert database.reading(value) == 1
    with pytest.raises(RuntimeError), database.write() as work:
        SET.run(work, which="a", new=9)
        assert value(work) == 9, "a write sees its own changes, and remembers nothing"
        raise RuntimeError
    assert database.reading(value) == 1


def test_a_read_that_began_keeps_its_snapshot_while_others_commit(
    database: Database, stranger: sqlite3.Connection
) -> None:
    def call(work: UnitOfWork) -> tuple[int | None, int | None]:
        before = value(work)
        stranger.execute("UPDATE stamps SET value = 2")
        after = work.db.scalar(sa.select(stamps.c.value))
        return before, after

    assert database.reading(call) == (1, 1)
    assert database.reading(value) == 2


def test_what_is_remembered_needs_no_transaction(database: Database, stranger: sqlite3.Connection) -> None:
    seen = statements(database)
    assert [database.cached_read(value) for _ in range(3)] == [1, 1, 1]
    assert (
        len([statement for statement in seen if statement == "BEGIN"])
        == len([statement for statement in seen if statement == "COMMIT"]) - 1
        == 1
    )
    seen.clear()
    stranger.execute("UPDATE stamps SET value = 2")
    assert database.cached_read(value) == 2
    assert next(statement for statement in seen if not statement.startswith("PRAGMA")) == "BEGIN"


def test_what_is_not_remembered_is_found_in_one_snapshot(database: Database, stranger: sqlite3.Connection) -> None:
    """The call begins again, so that rows of memory and rows of the database are of one state."""
    tries = []

    def call(work: UnitOfWork) -> tuple[int | None, int | None]:
        tries.append(value(work))
        stranger.execute("UPDATE stamps SET value = value + 1")
        return tries[-1], work.db.scalar(sa.select(stamps.c.value))

    assert database.cached_read(value) == 1
    assert database.cached_read(call) == (2, 2)
    assert tries == [1, 2]
    assert database.cached_read(value) == 3
    with pytest.raises(ZeroDivisionError):
        database.cached_read(lambda work: 1 // ((value(work) or 0) - 3))
    assert database.cached_read(value) == 3, "and the thread is free again"


def test_few_rows_are_remembered_as_a_whole(database: Database, stranger: sqlite3.Connection) -> None:
    def few(work: UnitOfWork) -> list[tuple[int, ...]]:
        return BY_NAME.cached_raw(work, "a")

    seen = statements(database)
    assert database.reading(few) == database.reading(few) == [(1,)]
    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 1
    stranger.execute("UPDATE stamps SET value = 2")
    assert database.reading(few) == [(2,)]


def test_a_change_tells_how_many_rows_it_met(database: Database) -> None:
    with database.write() as work:
        assert (SET.run(work, which="a", new=2), SET.run(work, which="b", new=2)) == (1, 0)


def test_a_write_without_waiting_does_not_wait_and_has_done_nothing(
    database: Database, stranger: sqlite3.Connection
) -> None:
    stranger.execute("BEGIN IMMEDIATE")
    entered = False
    with pytest.raises(DatabaseBusy), database.without_waiting(), database.write():
        entered = True
    assert not entered
    stranger.execute("ROLLBACK")
    with database.without_waiting(), database.write() as work:
        SET.run(work, which="a", new=2)
    assert database.reading(value) == 2


def test_only_the_first_write_of_a_call_does_not_wait(database: Database, stranger: sqlite3.Connection) -> None:
    """After it something was done: to do everything again would do it twice."""
    with database.without_waiting():
        with database.write() as work:
            SET.run(work, which="a", new=2)
        stranger.execute("BEGIN IMMEDIATE")
        threading.Timer(0.1, stranger.execute, ("COMMIT",)).start()
        with database.write() as work:  # waits for the stranger
            SET.run(work, which="a", new=3)
    assert database.reading(value) == 3


def test_a_write_without_waiting_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.without_waiting(), database.write() as work:
        SET.run(work, which="a", new=9)
        raise RuntimeError
    assert database.reading(value) == 1
    with database.write() as work:
        SET.run(work, which="a", new=2)
    assert database.reading(value) == 2


def test_writes_without_waiting_are_moved_into_the_file_by_somebody_else(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = threading.Event()
    checkpoint = database.checkpoint

    def and_tell() -> None:
        checkpoint()
        moved.set()

    monkeypatch.setattr(database, "checkpoint", and_tell)
    supervisor = Supervisor(database.release_thread)
    supervisor.start("checkpoints", database.run_checkpoints)
    for number in range(_CHECKPOINT_EVERY):
        with database.without_waiting(), database.write() as work:
            SET.run(work, which="a", new=number)
    assert moved.wait(30)
    supervisor.stop()
    database.close()  # SQLite itself moves what is left
    assert not (tmp_path / "vitrine.sqlite3-wal").exists()
    with closing(sqlite3.connect(tmp_path / "vitrine.sqlite3")) as connection:
        assert connection.execute("SELECT value FROM stamps").fetchone() == (_CHECKPOINT_EVERY - 1,)


def test_after_commit_runs_after_a_write_without_waiting_too(database: Database) -> None:
    ran: list[int | None] = []
    with database.without_waiting(), database.write() as work:
        SET.run(work, which="a", new=4)
        work.after_commit(lambda: ran.append(database.reading(value)))
    assert ran == [4]


def timeout_ms(database: Database) -> int:
    return int(database._local.driver.execute("PRAGMA busy_timeout").fetchone()[0])


def test_many_writes_without_waiting_say_once_that_they_do_not_wait(database: Database) -> None:
    seen = statements(database)
    for new in range(3):
        with database.without_waiting(), database.write() as work:
            SET.run(work, which="a", new=new)
        assert database.reading(value) == new
    assert [statement for statement in seen if "busy_timeout" in statement] == ["PRAGMA busy_timeout=0"]
    with database.write() as work:
        SET.run(work, which="a", new=9)
    assert timeout_ms(database) == BUSY_TIMEOUT_MS, "a write that may wait does so again"


class Locked:
    """A connection whose first look is refused, as by another process that repairs the log after a crash."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver
        self.refusals = 1

    def __getattr__(self, name: str) -> object:
        return getattr(self._driver, name)

    def execute(self, sql: str, *bound: Any) -> sqlite3.Cursor:
        if sql == "PRAGMA data_version" and self.refusals:
            self.refusals -= 1
            raise sqlite3.OperationalError("database is locked")
        return self._driver.execute(sql, *bound)


def test_a_read_after_a_write_without_waiting_waits_where_it_must(database: Database) -> None:
    with database.without_waiting(), database.write() as work:
        SET.run(work, which="a", new=4)
    database._local.driver = locked = Locked(database._local.driver)
    assert database.reading(value) == 4
    assert (locked.refusals, timeout_ms(database)) == (0, BUSY_TIMEOUT_MS)
    locked.refusals = 1
    with pytest.raises(Unavailable):
        database.reading(value)
    assert database.reading(value) == 4, "and the thread is free again"
