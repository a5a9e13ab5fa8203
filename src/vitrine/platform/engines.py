"""The two databases: how connections are prepared, and how their failures are translated.

PostgreSQL needs the extra `grown` (psycopg). Only this file, `database.py` and the hot-path statements that use
SQLite's driver (and Core elsewhere) know which one is in use.
"""

import sqlite3

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool, QueuePool

from vitrine.errors import Invalid, NotFound, Unavailable

BUSY_TIMEOUT_MS = 5_000
POOL, OVERFLOW = 10, 30  # together the number of the server's worker threads
PAGES_BYTES = 24 * 2**20  # of all threads together; cache_size bounds each connection alone
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "cache_size=-16000",
    f"soft_heap_limit={PAGES_BYTES}",  # of the process: near it a connection reuses its own pages (decision 0098)
)
_TRANSIENT_STATES = (
    "08",
    "40",
    "53",
    "55",
    "57",
    "25006",
)  # connections, conflicts, resources, locks, operator, read-only
_TOO_LONG, _TOO_LARGE, _NOT_TEXT = "22001", "22003", "22021"


def engine_of(url: str) -> Engine:
    """An engine for `sqlite:///…` or `postgresql+psycopg://…`. Raises Invalid for any other address."""
    try:
        kind = make_url(url).drivername
    except ArgumentError:
        raise Invalid("database_url is not an address such as postgresql+psycopg://user@host/name.") from None
    if kind.startswith("sqlite"):
        return _sqlite(url)
    if kind != "postgresql+psycopg":
        raise Invalid("database_url must begin with postgresql+psycopg:// or sqlite:///.", field="database_url")
    try:
        return _postgresql(url)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise Invalid("PostgreSQL needs psycopg: install vitrine with the extra `grown`.") from None


# Failures are logged with their statement. Its values (digests, e-mail addresses) are private, so both engines hide
# them.


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url,
        poolclass=NullPool,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _postgresql(url: str) -> Engine:
    return create_engine(
        url,
        poolclass=QueuePool,
        pool_size=POOL,
        max_overflow=OVERFLOW,
        pool_timeout=BUSY_TIMEOUT_MS / 1000,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": "vitrine",
            "options": f"-c timezone=UTC -c lock_timeout={BUSY_TIMEOUT_MS}",
        },
    )


FAILURES = (DBAPIError, sqlite3.Error, PoolTimeout, OverflowError)


def translated(failure: Exception) -> Exception | None:
    """Translate a failure of the database into a refusal: busy, full, or an impossible value. None for a bug. *failure*
    is one of FAILURES."""
    if isinstance(failure, PoolTimeout):
        return _busy(str(failure))
    if isinstance(failure, OverflowError):
        return _number_too_large() if "SQLite INTEGER" in str(failure) else None
    cause = failure.orig if isinstance(failure, DBAPIError) else failure
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause)
    return _of_postgresql(cause)


def _of_sqlite(failure: sqlite3.Error) -> Exception | None:
    text = str(failure).lower()
    if not isinstance(failure, sqlite3.OperationalError):
        return None
    if "locked" in text or "busy" in text:
        return _busy(text)
    if "disk is full" in text or "disk i/o" in text or "readonly database" in text or "unable to open" in text:
        return _no_room(text)
    return None


def _of_postgresql(failure: BaseException | None) -> Exception | None:
    state = str(getattr(failure, "sqlstate", None) or "")
    text = str(failure)
    if state == _TOO_LARGE:
        return _number_too_large()
    if state == _TOO_LONG:
        return Invalid("A value is too long.", why=text[:200])
    if state == _NOT_TEXT or "NUL (0x00)" in text:
        return Invalid("A value contains a character that text cannot hold.", why=text[:200])
    if state.startswith("53") or state == "25006":
        return _no_room(text)
    if state.startswith(_TRANSIENT_STATES) or (not state and type(failure).__name__ == "OperationalError"):
        return _busy(text)
    return None


def _busy(why: str) -> Unavailable:
    return Unavailable("The library is busy; please try again in a moment.", why=why[:200], retry_after_s=5)


def _no_room(why: str) -> Unavailable:
    return Unavailable("The server cannot write to its disk.", why=why[:200], retry_after_s=60)


def _number_too_large() -> NotFound:
    # A number from an address, larger than any row number: no such row can exist.
    return NotFound("There is nothing with such a number.")
