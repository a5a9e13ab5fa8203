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

log = logging.get("vitrine.ledger")
EVERY_S = 2.0
MOST_ROWS = 20_000


class RequestLine(NamedTuple):
    """One API call: *route* is the pattern, never the path with its values; *habits* names discouraged features.

    A tuple, since every call creates one."""

    at: datetime
    request_id: str
    account_id: int | None
    application_id: int | None
    method: str
    route: str
    status: int
    duration_us: int
    habits: str = ""


_COLUMNS = RequestLine._fields
_INSERT = f"INSERT INTO request_log ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608


def _write_lines(work: UnitOfWork, lines: list[RequestLine]) -> None:
    """Use the driver if there is one: a busy server writes thousands of these every two seconds."""
    if work.driver is None:
        work.db.execute(request_log.insert(), [line._asdict() for line in lines])
    else:
        work.driver.executemany(_INSERT, [(to_micros(line.at), *line[1:]) for line in lines])


TokenMarks = dict[int, tuple[datetime, str]]
# (application, habit, day) -> (uses, last time, last address)
HabitMarks = dict[tuple[int, str, date], tuple[int, datetime, str]]
HabitWriter = Callable[[UnitOfWork, HabitMarks], None]
MarkWriter = Callable[[UnitOfWork, TokenMarks], None]
SessionMarks = dict[int, datetime]
SessionWriter = Callable[[UnitOfWork, SessionMarks], None]


class Ledger:
    """Collects rows from any thread. `start()` writes them in a thread of its own; `close()` writes the rest."""

    def __init__(
        self,
        database: Database,
        write_marks: MarkWriter,
        write_sessions: SessionWriter,
        write_habits: HabitWriter = lambda _work, _marks: None,
    ) -> None:
        self._database = database
        self._write_marks = write_marks
        self._write_sessions = write_sessions
        self._sessions: SessionMarks = {}
        self._guard = threading.Lock()
        self._lines: deque[RequestLine] = deque()
        self._marks: TokenMarks = {}
        self._write_habits = write_habits
        self._habits: HabitMarks = {}
        self._habit_guard = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def request(self, line: RequestLine) -> None:
        if len(self._lines) < MOST_ROWS:  # a database that stays locked must not fill the memory
            self._lines.append(line)  # atomic: calls need no lock

    def token_used(self, token_id: int, at: datetime, address: str) -> None:
        self._marks[token_id] = (at, address)

    def session_used(self, session_id: int, at: datetime) -> None:
        self._sessions[session_id] = at

    def habit(self, application_id: int, habit: str, at: datetime, address: str) -> None:
        """Count one use of a discouraged feature."""
        key = (application_id, habit, at.date())
        with self._habit_guard:
            uses = self._habits.get(key, (0, at, ""))[0]
            self._habits[key] = (uses + 1, at, address)

    def _take_habits(self) -> HabitMarks:
        with self._habit_guard:
            habits, self._habits = self._habits, {}
        return habits

    def _put_back(self, habits: HabitMarks) -> None:
        with self._habit_guard:
            for key, (uses, at, address) in habits.items():
                newer = self._habits.get(key)
                self._habits[key] = (uses, at, address) if newer is None else (uses + newer[0], *newer[1:])

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self.flush()

    def flush(self) -> None:
        """Write everything collected so far. If the write fails, the rows are kept for the next attempt."""
        with self._guard:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            marks = {token: self._marks.pop(token) for token in list(self._marks)}
            sessions = {session: self._sessions.pop(session) for session in list(self._sessions)}
        habits = self._take_habits()
        if not lines and not marks and not sessions and not habits:
            return
        try:
            with self._database.write(alone=False) as work:
                if lines:
                    _write_lines(work, lines)
                if marks:
                    self._write_marks(work, marks)
                if sessions:
                    self._write_sessions(work, sessions)
                if habits:
                    self._write_habits(work, habits)
        except Unavailable as failure:
            log.warning("ledger.waits", why=failure.why, lines=len(lines))
            self._put_back(habits)
            self._lines.extendleft(reversed(lines))
            for token, mark in marks.items():
                self._marks.setdefault(token, mark)
            for session, at in sessions.items():
                self._sessions.setdefault(session, at)

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)
        self.flush()
