"""Deferred writes: the request log and last-use times, in one transaction every two seconds.

Requests never wait for them, and losing the last two seconds in a crash does no harm (design 5.9).
"""

import threading
from collections import deque
from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple

from vitrine.errors import Unavailable
from vitrine.platform import logging
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.schema import to_micros
from vitrine.platform.tables import request_log

log = logging.get("vitrine.deferred_writes")
FLUSH_INTERVAL_S = 2.0
MAX_PENDING_ROWS = 20_000


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


def write_lines(work: UnitOfWork, lines: list[RequestLine]) -> None:
    """Use the driver if there is one: a busy server writes thousands of these every two seconds."""
    if work.driver is None:
        work.db.execute(request_log.insert(), [line._asdict() for line in lines])
    else:
        work.driver.executemany(_INSERT, [(to_micros(line.at), *line[1:]) for line in lines])


TokenLastUses = dict[int, tuple[datetime, str]]
# (application, feature, day) -> (uses, last time, last address)
FeatureUses = dict[tuple[int, str, date], tuple[int, datetime, str]]
FeatureUseWriter = Callable[[UnitOfWork, FeatureUses], None]
# Counts lines in the transaction that writes them, so that counts and log are of one state.
LineCounter = Callable[[UnitOfWork, list[RequestLine]], None]
TokenLastUseWriter = Callable[[UnitOfWork, TokenLastUses], None]
SessionLastUses = dict[int, datetime]
SessionLastUseWriter = Callable[[UnitOfWork, SessionLastUses], None]


class DeferredWrites:
    """Collects rows from any thread. `start()` writes them in a thread of its own; `close()` writes the rest."""

    def __init__(
        self,
        database: Database,
        write_token_last_uses: TokenLastUseWriter,
        write_sessions: SessionLastUseWriter,
        write_feature_uses: FeatureUseWriter = lambda _work, _uses: None,
        count_lines: LineCounter = lambda _work, _lines: None,
    ) -> None:
        self._database = database
        self._write_token_last_uses = write_token_last_uses
        self._write_session_last_uses = write_sessions
        self._session_last_uses: SessionLastUses = {}
        self._guard = threading.Lock()
        self._lines: deque[RequestLine] = deque()
        self._token_last_uses: TokenLastUses = {}
        self._write_feature_uses = write_feature_uses
        self._count_lines = count_lines
        self._feature_uses: FeatureUses = {}
        self._feature_uses_guard = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def request(self, line: RequestLine) -> None:
        if len(self._lines) < MAX_PENDING_ROWS:  # a database that stays locked must not fill the memory
            self._lines.append(line)  # atomic: calls need no lock

    def token_used(self, token_id: int, at: datetime, address: str) -> None:
        self._token_last_uses[token_id] = (at, address)

    def session_used(self, session_id: int, at: datetime) -> None:
        self._session_last_uses[session_id] = at

    def feature_used(self, application_id: int, feature: str, at: datetime, address: str) -> None:
        """Count one use of a deprecated feature."""
        key = (application_id, feature, at.date())
        with self._feature_uses_guard:
            uses = self._feature_uses.get(key, (0, at, ""))[0]
            self._feature_uses[key] = (uses + 1, at, address)

    def _take_feature_uses(self) -> FeatureUses:
        with self._feature_uses_guard:
            feature_uses, self._feature_uses = self._feature_uses, {}
        return feature_uses

    def _put_back(self, feature_uses: FeatureUses) -> None:
        with self._feature_uses_guard:
            for key, (uses, at, address) in feature_uses.items():
                newer = self._feature_uses.get(key)
                self._feature_uses[key] = (uses, at, address) if newer is None else (uses + newer[0], *newer[1:])

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="deferred writes", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_INTERVAL_S):
            self.flush()

    def flush(self) -> None:
        """Write everything collected so far. If the write fails, the rows are kept for the next attempt."""
        with self._guard:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            token_uses = {token: self._token_last_uses.pop(token) for token in list(self._token_last_uses)}
            sessions = {session: self._session_last_uses.pop(session) for session in list(self._session_last_uses)}
        feature_uses = self._take_feature_uses()
        if not lines and not token_uses and not sessions and not feature_uses:
            return
        try:
            with self._database.write(alone=False) as work:
                if lines:
                    write_lines(work, lines)
                    self._count_lines(work, lines)
                if token_uses:
                    self._write_token_last_uses(work, token_uses)
                if sessions:
                    self._write_session_last_uses(work, sessions)
                if feature_uses:
                    self._write_feature_uses(work, feature_uses)
        except Unavailable as failure:
            log.warning("deferred_writes.delayed", why=failure.why, lines=len(lines))
            self._put_back(feature_uses)
            self._lines.extendleft(reversed(lines))
            for token, last_use in token_uses.items():
                self._token_last_uses.setdefault(token, last_use)
            for session, at in sessions.items():
                self._session_last_uses.setdefault(session, at)

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)
        self.flush()
