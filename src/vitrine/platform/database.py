"""Connections and the unit of work.

One unit of work is one request or one job: it commits whole or not at all. Reads see one snapshot and never wait.
Writes are serialized on both databases, so a rule that reads before it writes holds on both: on SQLite by BEGIN
IMMEDIATE, on PostgreSQL by one advisory lock that ends with the transaction. Writes that are safe to run concurrently
(leases, heartbeats, last-use times) pass `alone=False` and do not queue. See docs/decisions/0030-postgresql.md.

On SQLite each thread keeps one connection open for its life: no pool checkout on the hot path. The thread also keeps
the rows that short reads found since the database last changed: one `PRAGMA data_version`, inside the snapshot, tells
whether anybody has committed, and costs a fifth of a token look-up. See docs/decisions/0075.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Engine, TextClause, func, select, text

from vitrine.errors import Unavailable
from vitrine.platform.cache import Cache
from vitrine.platform.engines import BUSY_TIMEOUT_MS, FAILURES, engine_of, translated
from vitrine.platform.fair_lock import FairLock
from vitrine.platform.supervision import SupervisedThread

_ALONE = text("SELECT pg_advisory_xact_lock(8606)")  # any number, the same in every process
_TOGETHER = text("SELECT pg_advisory_xact_lock_shared(8606)")
_MOST_REMEMBERED = 1_000
_CHECKPOINT_EVERY = 400  # some tens of megabytes of the log; a page that changed often is moved once
CHECKPOINT_LOOK_S = 30.0  # it is woken when there is something to do
Memory = Cache[tuple[Any, ...], Any]
T = TypeVar("T")


@dataclass(slots=True)
class UnitOfWork:
    """What a service may use while one transaction is open.

    `db` is the open connection, `now` the one instant of this unit of work (aware, UTC). Events given to `emit` reach
    their listeners just before the commit, inside the same transaction; callables given to `after_commit` run once the
    change is durable, and not at all if it is not. `driver` is SQLite's own connection for the few statements where
    SQLAlchemy's overhead is measurable, None on other databases. `memory` holds rows by statement and values that are
    still what this snapshot would give; None where nothing may be remembered. Only `platform.prepared` reads it.
    """

    db: Connection
    now: datetime
    writable: bool
    driver: sqlite3.Connection | None = None
    memory: Memory | None = None
    events: list[object] = field(default_factory=list)
    _afterwards: list[Callable[[], None]] = field(default_factory=list)

    def emit(self, event: object) -> None:
        self.events.append(event)

    def after_commit(self, call: Callable[[], None]) -> None:
        self._afterwards.append(call)


class DatabaseBusy(Exception):
    """Another transaction is writing. The call can be repeated in a thread that may wait."""


class _NotRemembered(Exception):
    """A row was requested that is not in memory, while only the memory may be used."""


class _Nothing:
    """Replaces the database while only the memory may be used: any access raises _NotRemembered."""

    def __getattr__(self, name: str) -> Any:
        raise _NotRemembered


_NOTHING: Any = _Nothing()
Listener = Callable[[UnitOfWork, Any], None]


class Database:
    """Opens units of work on one database. Thread-safe; `close()` releases this thread's connection and the engine."""

    def __init__(self, url: str, *, fast_paths: bool = True) -> None:
        """*fast_paths* False makes every read a snapshot that asks for all its rows."""
        self.engine: Engine = engine_of(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self.has_fast_paths = fast_paths and self.is_sqlite
        if not self.is_sqlite:
            self._snapshots = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._local = threading.local()
        self._writes_left_in_log = 0
        self._is_checkpoint_due = False
        self._checkpointer: SupervisedThread | None = None
        self._opened: list[Connection] = []
        self._guard = threading.Lock()
        self._writers = FairLock()  # of this process: SQLite's own waiting is a lottery (docs/decisions/0098)
        self._listeners: dict[type[object], list[Listener]] = {}

    @classmethod
    def in_folder(cls, folder: Path, *, fast_paths: bool = True) -> "Database":
        """The SQLite database of an instance. Other users of the machine cannot read folder and file, which hold
        password hashes, addresses and texts; the group may enter the folder, so that a proxy can reach `blobs`. Raises
        Unavailable if folder or file cannot be created."""
        file = folder / "vitrine.sqlite3"
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            if not file.exists():
                file.touch(mode=0o600)  # SQLite gives its -wal and -shm the same mode
        except OSError as failure:
            raise Unavailable(f"{folder} cannot be used as data folder: {failure.strerror}.") from failure
        return cls(f"sqlite:///{file}", fast_paths=fast_paths)

    def listen(self, kind: type[object], listener: Listener) -> None:
        """Call *listener(work, event)* inside the transaction for every event of exactly this type."""
        self._listeners.setdefault(kind, []).append(listener)

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """A consistent snapshot, for calls that only read."""
        with self._transaction("BEGIN") as work:
            yield work

    def reading(self, call: Callable[[UnitOfWork], T]) -> T:
        """`read()` for one call. Every API request uses it, so on SQLite it avoids the context manager."""
        return self._short(self._in_snapshot, call)

    def cached_read(self, call: Callable[[UnitOfWork], T]) -> T:
        """`reading()` for a call whose rows are nearly always in memory. No transaction is needed then, since all rows
        are from one state of the database. If one is missing, *call* starts again in a snapshot, so its effects outside
        the database must be repeatable."""
        return self._short(self._from_memory if self.has_fast_paths else self._in_snapshot, call)

    def single_statement(self, call: Callable[[UnitOfWork], T]) -> T:
        """`reading()` for a call of exactly one statement: such a statement is a snapshot by itself."""
        return self._short(self._alone if self.has_fast_paths else self._in_snapshot, call)

    def _short(self, way: Callable[[Connection, Callable[[UnitOfWork], T]], T], call: Callable[[UnitOfWork], T]) -> T:
        if not self.is_sqlite:
            with self.read() as work:
                return call(work)
        db = self._connection()
        try:
            return way(db, call)
        except FAILURES as failure:
            raise translated(failure) or failure from failure
        finally:
            self._local.busy = False

    def _in_snapshot(self, db: Connection, call: Callable[[UnitOfWork], T]) -> T:
        driver: sqlite3.Connection = self._local.driver
        driver.execute("BEGIN")
        try:
            return self._alone(db, call)
        finally:
            driver.execute("COMMIT")  # nothing was written; ends the snapshot in every case

    def _from_memory(self, db: Connection, call: Callable[[UnitOfWork], T]) -> T:
        memory = self._remembered(self._local.driver)
        if len(memory):
            try:
                return call(UnitOfWork(_NOTHING, datetime.now(UTC), False, _NOTHING, memory))
            except _NotRemembered:
                pass  # read it in a snapshot
        return self._in_snapshot(db, call)

    def _alone(self, db: Connection, call: Callable[[UnitOfWork], T]) -> T:
        driver: sqlite3.Connection = self._local.driver
        memory = self._remembered(driver) if self.has_fast_paths else None
        return call(UnitOfWork(db, datetime.now(UTC), False, driver, memory))

    @contextmanager
    def write(self, *, alone: bool = True, shared: bool = False) -> Iterator[UnitOfWork]:
        """One write transaction. Raises Unavailable if the database stays locked or the disk is full.

        With *alone*, no other write transaction runs at the same time. Without it, others may on PostgreSQL: only for
        statements that are safe to run concurrently. With *shared*, PostgreSQL runs it beside other shared ones, but
        never beside one that is alone: for writes that only add rows which no other shared write reads, each with a
        test of the race (docs/decisions/0107).
        """
        if self._local.__dict__.get("without_waiting"):
            self._local.without_waiting = False
            with self._at_once() as work:
                yield work
            return
        lock = _TOGETHER if shared else _ALONE if alone else None
        with self._transaction("BEGIN IMMEDIATE", lock) as work:
            yield work

    @contextmanager
    def without_waiting(self) -> Iterator[None]:
        """The next `write()` of this thread does not wait: it raises DatabaseBusy, before anything is done, while
        another one writes. SQLite only, for a few short statements in the event loop: a hop to a thread costs more
        than they do (docs/decisions/0076)."""
        local = self._local.__dict__
        local["without_waiting"] = True
        try:
            yield
        finally:
            local["without_waiting"] = False

    @contextmanager
    def _at_once(self) -> Iterator[UnitOfWork]:
        """A write transaction that does not wait, on this thread's own connection, whose pages are in memory. Another
        thread checkpoints the log."""
        db = self._connection(writing=True)
        driver: sqlite3.Connection = self._local.driver
        try:
            self._begin_at_once(driver)
            try:
                work = UnitOfWork(db, datetime.now(UTC), True, driver)
                yield work
                self._dispatch(work)
                driver.execute("COMMIT")
                self._count_left_in_log()
            except BaseException:
                self._end(db, "ROLLBACK")
                raise
            finally:
                self._writers.release()
        except FAILURES as failure:
            raise translated(failure) or failure from failure
        finally:
            self._local.busy = False
        for call in work._afterwards:
            call()

    def _begin_at_once(self, driver: sqlite3.Connection) -> None:
        local = self._local.__dict__
        local["seen"] = None
        if not local.get("leaves_log"):
            driver.execute("PRAGMA wal_autocheckpoint=0")
            local["leaves_log"] = True
        self._set_waiting(driver, is_waiting=False)
        self._queue(driver, wait=False)

    def _queue(self, driver: sqlite3.Connection, *, wait: bool) -> None:
        """Begin to write on SQLite: first the threads of this process one after the other in the order in which they
        came, then against other processes. Raises DatabaseBusy at once without *wait*."""
        if not self._writers.acquire(BUSY_TIMEOUT_MS / 1000 if wait else 0):
            if not wait:
                raise DatabaseBusy
            raise sqlite3.OperationalError("database is locked by other threads")
        try:
            driver.execute("BEGIN IMMEDIATE")
        except BaseException as failure:
            self._writers.release()
            if isinstance(failure, sqlite3.OperationalError) and not wait:
                raise DatabaseBusy from failure
            raise

    def _set_waiting(self, driver: sqlite3.Connection, *, is_waiting: bool) -> None:
        """Whether this thread's connection waits for locks of others. It stays as it was set until somebody needs the
        other: two statements less for each of many writes without waiting."""
        local = self._local.__dict__
        if local.get("is_waiting", True) is not is_waiting:
            driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS if is_waiting else 0}")
            local["is_waiting"] = is_waiting

    def _count_left_in_log(self) -> None:
        self._writes_left_in_log += 1
        if self._writes_left_in_log % _CHECKPOINT_EVERY == 0:
            self._is_checkpoint_due = True
            if self._checkpointer is not None:
                self._checkpointer.wake()

    def run_checkpoints(self, thread: SupervisedThread) -> None:
        """Supervised: checkpoint SQLite's log after writes made without waiting, which do not."""
        self._checkpointer = thread
        while not thread.wait(CHECKPOINT_LOOK_S):
            if self._is_checkpoint_due:
                self._is_checkpoint_due = False
                with suppress(Unavailable):  # a full disk, a locked file: retried next time
                    self.checkpoint()

    def checkpoint(self) -> None:
        """Move writes from SQLite's log into the file, as far as possible without blocking anybody."""
        try:
            self._connection()
            self._local.driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except FAILURES as failure:
            raise translated(failure) or failure from failure
        finally:
            self._local.busy = False

    @contextmanager
    def _transaction(self, begin: str, lock: TextClause | None = None) -> Iterator[UnitOfWork]:
        """*lock* is taken first on PostgreSQL."""
        self._local.seen = None  # a connection's own changes do not change its `data_version`
        try:
            db = self._connection(writing=begin != "BEGIN")
            try:
                self._begin(db, begin, lock)
                try:
                    driver = self._local.driver if self.is_sqlite else None
                    work = UnitOfWork(db, datetime.now(UTC), begin != "BEGIN", driver)
                    yield work
                    self._dispatch(work)
                    self._end(db, "COMMIT")
                except BaseException:
                    self._end(db, "ROLLBACK")
                    raise
                finally:
                    if self.is_sqlite and begin != "BEGIN":
                        self._writers.release()
            finally:
                self._local.busy = False
                if not self.is_sqlite:
                    db.close()
        except FAILURES as failure:
            raise translated(failure) or failure from failure
        for call in work._afterwards:
            call()

    def _dispatch(self, work: UnitOfWork) -> None:
        # A listener may emit further events, so the list is walked by position while it grows.
        position = 0
        while position < len(work.events):
            event = work.events[position]
            for listener in self._listeners.get(type(event), ()):
                listener(work, event)
            position += 1

    def _connection(self, *, writing: bool = False) -> Connection:
        local = self._local.__dict__
        if local.get("busy"):
            raise RuntimeError("a unit of work is already open in this thread")
        if not self.is_sqlite:
            opened = (self.engine if writing else self._snapshots).connect()
            local["busy"] = True
            return opened
        if local.get("connection") is None:
            self._local.connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._local.driver = _driver(self._local.connection)
            with self._guard:
                self._opened.append(self._local.connection)
        local["busy"] = True
        connection: Connection = local["connection"]
        return connection

    def _remembered(self, driver: sqlite3.Connection) -> Memory:
        """The rows that this thread's reads found; cleared as soon as anybody has committed a change."""
        local = self._local.__dict__
        try:
            version = driver.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.OperationalError:
            # A read waits in the rare cases where it must, and this is the first statement of each.
            if local.get("is_waiting", True):
                raise
            self._set_waiting(driver, is_waiting=True)
            version = driver.execute("PRAGMA data_version").fetchone()[0]
        memory: Memory | None = local.get("memory")
        if memory is None:
            memory = local["memory"] = Cache("rows", _MOST_REMEMBERED)
        if local.get("seen") != version:
            memory.clear()
            local["seen"] = version
        return memory

    def _begin(self, db: Connection, statement: str, lock: TextClause | None) -> None:
        if self.is_sqlite:
            self._set_waiting(self._local.driver, is_waiting=True)
            if statement == "BEGIN":
                self._local.driver.execute(statement)
            else:
                self._queue(self._local.driver, wait=True)
        elif lock is not None:
            db.execute(lock)

    def _end(self, db: Connection, statement: str) -> None:
        if not self.is_sqlite:
            if statement == "COMMIT":
                db.commit()
            else:
                db.rollback()
            return
        driver = self._local.driver
        if statement == "COMMIT" or driver.in_transaction:
            driver.execute(statement)

    def release_thread(self) -> None:
        """Close the connection that this thread keeps. It may go on: its next unit of work opens another one."""
        connection: Connection | None = self._local.__dict__.get("connection")
        self._local.__dict__.clear()
        if connection is not None:
            with self._guard:
                if connection in self._opened:
                    self._opened.remove(connection)
            _close(connection)

    def close(self) -> None:
        with self._guard:
            for connection in self._opened:
                _close(connection)
            self._opened.clear()
        self._local = threading.local()
        self.engine.dispose()


def _close(connection: Connection) -> None:
    raw = connection.connection.driver_connection
    connection.invalidate()
    if raw is not None:
        raw.close()


def inserted_id(result: CursorResult[Any]) -> int:
    """The number of the row just inserted."""
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def size_bytes(work: UnitOfWork) -> int:
    """The size of the database on disk, without indexes stored elsewhere or a log not merged yet."""
    if work.driver is not None:
        pages = work.driver.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return int(pages.fetchone()[0])
    return int(work.db.scalar(select(func.pg_database_size(func.current_database()))) or 0)


def _driver(db: Connection) -> sqlite3.Connection:
    raw = db.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw
