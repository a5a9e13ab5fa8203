"""Deferred writes: request log, last-use times and counters, in one transaction every two seconds.

Requests never wait for them, and losing the last two seconds in a crash does no harm (design 5.10). What is written is
a table of kinds; a capability adds its own with `register`.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, NamedTuple

from vitrine.errors import Unavailable
from vitrine.platform import logging
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.deferred_buffers import Buffer, LatestBuffer, MergedBuffer, Row, RowBuffer
from vitrine.platform.schema import to_micros
from vitrine.platform.supervision import SupervisedThread
from vitrine.platform.tables import request_log

log = logging.get("vitrine.deferred_writes")
FLUSH_INTERVAL_S = 2.0
MAX_FOLDS = 20  # transactions of one kind in a round
MAX_TRANSACTIONS = 1_000  # of one flush, while it looks for rows that cannot be written


class RequestLine(NamedTuple):
    """One API call: *route* is the pattern, never the path with its values; *deprecated_features* are those it used.

    A tuple, since every call creates one."""

    at: datetime
    request_id: str
    account_id: int | None
    application_id: int | None
    method: str
    route: str
    status: int
    duration_us: int
    deprecated_features: str = ""


_COLUMNS = RequestLine._fields
_INSERT = f"INSERT INTO request_log ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608


def write_lines(work: UnitOfWork, lines: Sequence[RequestLine]) -> None:
    """Use the driver if there is one: a busy server writes thousands of these every two seconds."""
    if work.driver is None:
        work.db.execute(request_log.insert(), [line._asdict() for line in lines])
    else:
        work.driver.executemany(_INSERT, [(to_micros(line.at), *line[1:]) for line in lines])


TokenLastUses = dict[int, tuple[datetime, str]]
SessionLastUses = dict[int, datetime]
FeatureKey = tuple[int, str, date]  # application, feature, day
FeatureCount = tuple[int, datetime, str]  # uses, last time, last address
FeatureUses = dict[FeatureKey, FeatureCount]
TokenLastUseWriter = Callable[[UnitOfWork, TokenLastUses], None]
SessionLastUseWriter = Callable[[UnitOfWork, SessionLastUses], None]
FeatureUseWriter = Callable[[UnitOfWork, FeatureUses], None]
# Counts lines in the transaction that writes them, so that counts and log are of one state.
LineCounter = Callable[[UnitOfWork, list[RequestLine]], None]


@dataclass(frozen=True, slots=True)
class DeferredKind(Generic[Row]):
    """One kind of rows that are written later.

    *buffer* is where they wait: one of `deferred_buffers`, or, for a kind whose rows wait in the database itself, an
    object of its own whose `take` says what is due (an hour, a collection) and whose `put_back` may do nothing.
    `write(work, rows)` writes at least one of them, in a transaction that does not hold the write lock, so in an order
    that is the same in every process. `describe(row)` names a row in the log if it alone can never be written, without
    anything secret.
    """

    name: str
    buffer: Buffer[Row]
    write: Callable[[UnitOfWork, list[Row]], None]
    describe: Callable[[Row], Mapping[str, Any]]


class _Batch(NamedTuple):
    """Rows of one kind, at least one."""

    kind: DeferredKind[Any]
    rows: list[Any]


class Fold(NamedTuple):
    """Rows that changes leave behind to be added up later. *fold* adds up a bounded number of them and returns it;
    *is_due* tells, without the write lock, whether there are any."""

    is_due: Callable[[UnitOfWork], bool]
    fold: Callable[[UnitOfWork], int]


class DeferredWrites:
    """Collects rows from any thread. `run` writes them, supervised; `close()` writes the rest.

    The rows of all kinds share one transaction. If it fails for another reason than a database that takes nothing now,
    they are split until the row at fault stands alone: that one is logged and dropped, all others are written.
    """

    def __init__(
        self,
        database: Database,
        write_token_last_uses: TokenLastUseWriter,
        write_sessions: SessionLastUseWriter,
        write_feature_uses: FeatureUseWriter = lambda _work, _uses: None,
        count_lines: LineCounter = lambda _work, _lines: None,
        folds: tuple[Fold, ...] = (),
    ) -> None:
        self._database = database
        self._folds = folds

        def write_and_count(work: UnitOfWork, lines: list[RequestLine]) -> None:
            write_lines(work, lines)
            count_lines(work, lines)

        self._lines: RowBuffer[RequestLine] = RowBuffer()
        self._tokens: LatestBuffer[int, tuple[datetime, str]] = LatestBuffer()
        self._sessions: LatestBuffer[int, datetime] = LatestBuffer()
        self._features: MergedBuffer[FeatureKey, FeatureCount] = MergedBuffer(_add_uses)
        self._kinds: list[DeferredKind[Any]] = [
            DeferredKind("request_lines", self._lines, write_and_count, _describe_line),
            DeferredKind(
                "token_last_uses",
                self._tokens,
                lambda work, rows: write_token_last_uses(work, dict(rows)),
                lambda row: {"token_id": row[0]},
            ),
            DeferredKind(
                "session_last_uses",
                self._sessions,
                lambda work, rows: write_sessions(work, dict(rows)),
                lambda row: {"session_id": row[0]},
            ),
            DeferredKind(
                "feature_uses",
                self._features,
                lambda work, rows: write_feature_uses(work, dict(rows)),
                lambda row: {"application": row[0][0], "feature": row[0][1]},
            ),
        ]
        self._unwritable: dict[str, int] = {}
        self._guard = threading.Lock()

    def register(self, kind: DeferredKind[Any]) -> None:
        """Write one more kind, after those before it. Called while the services are composed."""
        self._kinds.append(kind)

    def request(self, line: RequestLine) -> None:
        self._lines.add(line)

    def token_used(self, token_id: int, at: datetime, address: str) -> None:
        self._tokens.set(token_id, (at, address))

    def session_used(self, session_id: int, at: datetime) -> None:
        self._sessions.set(session_id, at)

    def feature_used(self, application_id: int, feature: str, at: datetime, address: str) -> None:
        """Count one use of a deprecated feature."""
        self._features.add((application_id, feature, at.date()), (1, at, address))

    def dropped(self) -> dict[tuple[str, str], int]:
        """Rows lost since the start by (kind, reason): `unwritable` or `no_room`."""
        unwritable = {(kind.name, "unwritable"): self._unwritable.get(kind.name, 0) for kind in self._kinds}
        return unwritable | {(kind.name, "no_room"): kind.buffer.refused for kind in self._kinds}

    def run(self, thread: SupervisedThread) -> None:
        """Supervised: write what was collected every two seconds."""
        while not thread.wait(FLUSH_INTERVAL_S):
            self.flush()
            self.fold(thread)

    def flush(self) -> None:
        """Write everything collected so far. Rows that cannot be written now are kept for the next attempt."""
        batches = self._take()
        if not batches:
            return
        # What is still to be written, each entry in one transaction, the next one last.
        pending = [batches]
        try:
            self._write(pending)
        finally:
            for batches in pending:  # the oldest rows last, so that they come to stand first
                for kind, rows in batches:
                    kind.buffer.put_back(rows)

    def _take(self) -> list[_Batch]:
        batches = []
        with self._guard:
            for kind in self._kinds:
                try:
                    rows = kind.buffer.take()
                except Exception:
                    log.exception("deferred_writes.take_failed", kind=kind.name)  # the other kinds are written
                    continue
                if rows:
                    batches.append(_Batch(kind, rows))
        return batches

    def _write(self, pending: list[list[_Batch]]) -> None:
        """Write and remove entries of *pending*; what is left in it must wait."""
        for _ in range(MAX_TRANSACTIONS):
            if not pending:
                return
            is_open = False
            try:
                with self._database.write(alone=False) as work:
                    is_open = True
                    for kind, rows in pending[-1]:
                        kind.write(work, rows)
            except Unavailable as failure:
                log.warning("deferred_writes.delayed", why=failure.why, rows=_count(pending))
                return
            except Exception as failure:
                if not is_open:
                    raise  # no row is at fault
                pending.extend(self._split(pending.pop(), failure))
            else:
                pending.pop()
        if pending:
            log.warning("deferred_writes.delayed", why="too many rows cannot be written", rows=_count(pending))

    def _split(self, batches: list[_Batch], failure: Exception) -> list[list[_Batch]]:
        """The parts of what could not be written in one transaction, the first part last. A row that stands alone is
        dropped."""
        if len(batches) > 1:
            return [[batch] for batch in reversed(batches)]
        (kind, rows), *_ = batches
        if len(rows) > 1:
            middle = len(rows) // 2
            return [[_Batch(kind, rows[middle:])], [_Batch(kind, rows[:middle])]]
        with self._guard:
            self._unwritable[kind.name] = self._unwritable.get(kind.name, 0) + 1
        # The message of the failure may hold the values of the row.
        log.error("deferred_writes.dropped", kind=kind.name, error=_name_of(failure), **kind.describe(rows[0]))
        return []

    def fold(self, thread: SupervisedThread | None = None) -> None:
        """Add up what changes have left behind, in short transactions of their own. What fails is done next time."""
        for fold in self._folds:
            try:
                for _ in range(MAX_FOLDS):  # the rest in the next round: rows wait to be written, too
                    if (thread and thread.is_over) or not self._database.reading(fold.is_due):
                        break
                    with self._database.write(alone=False) as work:
                        added_up = fold.fold(work)
                    if not added_up:
                        break  # another server is at it
            except Unavailable as failure:
                log.warning("deferred_writes.fold_delayed", why=failure.why)
            except Exception:
                log.exception("deferred_writes.fold_failed")  # the rows stay, and counts read them until then

    def close(self) -> None:
        """Write the rest, once `run` has ended."""
        self.flush()
        lost = {batch.kind.name: len(batch.rows) for batch in self._take()}
        if lost:
            log.error("deferred_writes.lost", rows=lost)


def _add_uses(older: FeatureCount, newer: FeatureCount) -> FeatureCount:
    return (older[0] + newer[0], *newer[1:])


def _describe_line(line: RequestLine) -> dict[str, Any]:
    return {
        "request_id": line.request_id,
        "method": line.method[:20],
        "route": line.route,
        "status": line.status,
        "duration_us": line.duration_us,
    }


def _count(pending: list[list[_Batch]]) -> int:
    return sum(len(batch.rows) for batches in pending for batch in batches)


def _name_of(failure: Exception) -> str:
    """The class of a failure and, of PostgreSQL's, its SQLSTATE."""
    cause = failure.__cause__ or failure
    state = getattr(getattr(cause, "orig", cause), "sqlstate", None)
    return f"{type(failure).__name__} {state}" if state else type(failure).__name__
