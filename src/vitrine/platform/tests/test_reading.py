"""The memory of short reads, and writes that do not wait (docs/decisions/0075 and 0076). SQLite only."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from vitrine.platform.database import _TIDY_EVERY, Database, NotNow, UnitOfWork
from vitrine.platform.prepared import Prepared, PreparedChange
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
def other_process(tmp_path: Path, database: Database) -> Iterator[sqlite3.Connection]:
    """Another process, as far as SQLite can tell."""
    with closing(
        sqlite3.connect(tmp_path / "vitrine.sqlite3", isolation_level=None, check_same_thread=False)
    ) as connection:
        yield connection


def value(work: UnitOfWork) -> int | None:
    row = BY_NAME.raw(work, name="a")
    return None if row is None else int(row[0])


def statements(database: Database) -> list[str]:
    statements: list[str] = []
    database.reading(lambda work: work.driver.set_trace_callback(statements.append))  # type: ignore[union-attr]
    return statements


def test_a_row_is_asked_for_once_while_nobody_changes_anything(database: Database) -> None:
    executed = statements(database)
    assert [database.reading(value) for _ in range(3)] == [1, 1, 1]
    assert [database.glance(value) for _ in range(3)] == [1, 1, 1]
    assert len([sql for sql in executed if sql.startswith("SELECT")]) == 1


@pytest.mark.parametrize("way", ["reading", "glance", "recalling"])
def test_the_next_read_sees_what_another_process_committed(
    database: Database, other_process: sqlite3.Connection, way: str
) -> None:
    read = getattr(database, way)
    assert read(value) == 1
    other_process.execute("UPDATE stamps SET value = 2")
    assert read(value) == 2
    other_process.execute("DELETE FROM stamps")
    assert read(value) is None
    other_process.execute("INSERT INTO stamps (name, value) VALUES ('a', 3)")
    assert read(value) == 3, "a missing row is not remembered longer either"


def test_the_next_read_sees_what_this_thread_wrote_itself(database: Database) -> None:
    assert database.reading(value) == 1
    with database.write() as work:
        SET.run(work, which="a", new=5)
    assert database.reading(value) == 5
    with database.hurried(), database.write() as work:
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
    database: Database, other_process: sqlite3.Connection
) -> None:
    def call(work: UnitOfWork) -> tuple[int | None, int | None]:
        before = value(work)
        other_process.execute("UPDATE stamps SET value = 2")
        after = work.db.scalar(sa.select(stamps.c.value))
        return before, after

    assert database.reading(call) == (1, 1)
    assert database.reading(value) == 2


def test_what_is_remembered_needs_no_transaction(database: Database, other_process: sqlite3.Connection) -> None:
    executed = statements(database)
    assert [database.recalling(value) for _ in range(3)] == [1, 1, 1]
    assert (
        len([sql for sql in executed if sql == "BEGIN"]) == len([sql for sql in executed if sql == "COMMIT"]) - 1 == 1
    )
    executed.clear()
    other_process.execute("UPDATE stamps SET value = 2")
    assert database.recalling(value) == 2
    assert next(sql for sql in executed if not sql.startswith("PRAGMA")) == "BEGIN"


def test_what_is_not_remembered_is_found_in_one_snapshot(database: Database, other_process: sqlite3.Connection) -> None:
    """The call runs again, so that rows from memory and rows from the database are from one state."""
    values = []

    def call(work: UnitOfWork) -> tuple[int | None, int | None]:
        values.append(value(work))
        other_process.execute("UPDATE stamps SET value = value + 1")
        return values[-1], work.db.scalar(sa.select(stamps.c.value))

    assert database.recalling(value) == 1
    assert database.recalling(call) == (2, 2)
    assert values == [1, 2]
    assert database.recalling(value) == 3
    with pytest.raises(ZeroDivisionError):
        database.recalling(lambda work: 1 // ((value(work) or 0) - 3))
    assert database.recalling(value) == 3, "and the thread is free again"


def test_few_rows_are_remembered_as_a_whole(database: Database, other_process: sqlite3.Connection) -> None:
    def few(work: UnitOfWork) -> list[tuple[int, ...]]:
        return BY_NAME.few_raw(work, "a")

    executed = statements(database)
    assert database.reading(few) == database.reading(few) == [(1,)]
    assert len([sql for sql in executed if sql.startswith("SELECT")]) == 1
    other_process.execute("UPDATE stamps SET value = 2")
    assert database.reading(few) == [(2,)]


def test_a_change_tells_how_many_rows_it_met(database: Database) -> None:
    with database.write() as work:
        assert (SET.run(work, which="a", new=2), SET.run(work, which="b", new=2)) == (1, 0)


def test_a_hurried_write_does_not_wait_and_has_done_nothing(
    database: Database, other_process: sqlite3.Connection
) -> None:
    other_process.execute("BEGIN IMMEDIATE")
    entered = False
    with pytest.raises(NotNow), database.hurried(), database.write():
        entered = True
    assert not entered
    other_process.execute("ROLLBACK")
    with database.hurried(), database.write() as work:
        SET.run(work, which="a", new=2)
    assert database.reading(value) == 2


def test_only_the_first_write_of_a_hurry_does_not_wait(database: Database, other_process: sqlite3.Connection) -> None:
    """After it something was done; repeating the call would do it twice."""
    with database.hurried():
        with database.write() as work:
            SET.run(work, which="a", new=2)
        other_process.execute("BEGIN IMMEDIATE")
        threading.Timer(0.1, other_process.execute, ("COMMIT",)).start()
        with database.write() as work:  # waits for the other_process
            SET.run(work, which="a", new=3)
    assert database.reading(value) == 3


def test_a_hurried_write_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.hurried(), database.write() as work:
        SET.run(work, which="a", new=9)
        raise RuntimeError
    assert database.reading(value) == 1
    with database.write() as work:
        SET.run(work, which="a", new=2)
    assert database.reading(value) == 2


def test_hurried_writes_are_moved_into_the_file_by_somebody_else(database: Database, tmp_path: Path) -> None:
    for number in range(_TIDY_EVERY):
        with database.hurried(), database.write() as work:
            SET.run(work, which="a", new=number)
    database.close()  # waits for the thread, and SQLite itself moves what is left
    assert not (tmp_path / "vitrine.sqlite3-wal").exists()
    with closing(sqlite3.connect(tmp_path / "vitrine.sqlite3")) as connection:
        assert connection.execute("SELECT value FROM stamps").fetchone() == (_TIDY_EVERY - 1,)


def test_after_commit_runs_after_a_hurried_write_too(database: Database) -> None:
    values: list[int | None] = []
    with database.hurried(), database.write() as work:
        SET.run(work, which="a", new=4)
        work.after_commit(lambda: values.append(database.reading(value)))
    assert values == [4]
