"""Where a call runs, and in which transaction.

Services are synchronous. On SQLite a short indexed read costs less than a hop to another thread, so it runs in the
event loop; writes, long reads and everything on other databases run in a worker thread (design section 4).
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request

from vitrine.accounts import Actor
from vitrine.edge.services import Services
from vitrine.platform.database import UnitOfWork

SHORT_LIST = 50  # records with everything that belongs to them are read and written as JSON in about 5 ms
T = TypeVar("T")
Call = Callable[[UnitOfWork, Actor], T]
Authenticator = Callable[[UnitOfWork, Request], Actor]


def services_of(request: Request) -> Services:
    services: Services = request.scope["vitrine"]
    return services


async def read(request: Request, who: Authenticator, call: Call[T]) -> T:
    """Run a short read: *who* authenticates and *call* does the rest, in one snapshot."""
    if services_of(request).database.is_sqlite:
        return _read(request, who, call)
    return await run_in_thread(partial(_read, request, who, call))


async def listing(request: Request, who: Authenticator, call: Call[T], *, rows: int | None = None) -> T:
    """A read whose work grows with the length of a list. *rows* is the most that *call* may read, None where only the
    database knows: a list of more than SHORT_LIST rows is read in a worker thread."""
    run = read if rows is not None and rows <= SHORT_LIST else long_read
    return await run(request, who, call)


async def cached_read(request: Request, who: Authenticator, call: Call[T]) -> T:
    """`read` for a call of a few rows that are read again and again; *call* may run twice."""
    database = services_of(request).database
    if not database.is_sqlite:
        return await read(request, who, call)
    return database.cached_read(lambda work: call(work, who(work, request)))


async def single_statement(request: Request, call: Callable[[UnitOfWork], T]) -> T:
    """Run one statement that depends on no rights, such as that of a permalink with its token."""
    database = services_of(request).database
    return (
        database.single_statement(call)
        if database.is_sqlite
        else await run_in_thread(partial(database.single_statement, call))
    )


async def long_read(request: Request, who: Authenticator, call: Call[T]) -> T:
    """The same for reads that may take more than a few milliseconds: never in the event loop."""
    return await run_in_thread(partial(_read, request, who, call))


async def write(request: Request, who: Authenticator, call: Call[T]) -> T:
    """Run a change in a worker thread, in one writing transaction that is committed when *call* returns."""
    return await run_in_thread(partial(_write, request, who, call))


async def run_in_thread(call: Callable[[], T], *, limiter: anyio.CapacityLimiter | None = None) -> T:
    """Run something slow without a transaction (a hash, a probe, a copy) in a worker thread; *limiter* limits
    calls that wait for others to a few threads of their own."""
    return await anyio.to_thread.run_sync(call, limiter=limiter)


def _read(request: Request, who: Authenticator, call: Call[T]) -> T:
    return services_of(request).database.reading(lambda work: call(work, who(work, request)))


def _write(request: Request, who: Authenticator, call: Call[T]) -> T:
    with services_of(request).database.write() as work:
        return call(work, who(work, request))
