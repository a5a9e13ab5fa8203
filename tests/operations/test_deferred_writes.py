"""Deferred writes on a whole server: a row that cannot be written is lost alone, and nothing else with it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import CapturingLogger

from vitrine.accounts.tables import sessions
from vitrine.errors import Unavailable
from vitrine.oauth.tables import access_tokens, deprecated_feature_uses
from vitrine.platform import deferred_writes
from vitrine.platform.database import UnitOfWork
from vitrine.platform.deferred_buffers import LatestBuffer, MergedBuffer, RowBuffer
from vitrine.platform.deferred_writes import MAX_TRANSACTIONS, DeferredKind, DeferredWrites, RequestLine
from vitrine.platform.tables import request_log
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.server import Server

LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
TOO_LARGE = 2**63
NOT_TEXT = "\ud800 a secret"  # half a character: no database takes it


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> CapturingLogger:
    logger = CapturingLogger()
    monkeypatch.setattr(deferred_writes, "log", logger)
    return logger


def dropped(log: CapturingLogger) -> list[dict[str, Any]]:
    return [call.kwargs for call in log.calls if call.args == ("deferred_writes.dropped",)]


def line(duration_us: int = 1, *, request_id: str = "r") -> RequestLine:
    return RequestLine(LATER, request_id, None, None, "GET", "/api/v1/me/", 200, duration_us)


def scalar(server: Server, statement: sa.Select[Any]) -> Any:
    with server.services.database.read() as work:
        return work.db.scalar(statement)


def lines_written(server: Server) -> int:
    return int(scalar(server, sa.select(sa.func.count()).select_from(request_log)))


class Used:
    """A token, a session and an application of a server, with the last uses that the database has of them."""

    def __init__(self, server: Server) -> None:
        user = server.user("ada")
        registered = server.register(user)
        server.browser(user)
        server.services.deferred_writes.flush()
        self.server = server
        self.token = int(scalar(server, sa.select(sa.func.max(access_tokens.c.id))))
        self.session = int(scalar(server, sa.select(sa.func.max(sessions.c.id))))
        self.application = registered.application.id
        self.record = BasketWorld(server).record()
        self.views, self.searches = server.services.library.reports.view_counts, server.services.search.counts
        self.lines = lines_written(server)

    def use(self, lines: int = 3) -> None:
        """Defer good rows of every kind."""
        writes = self.server.services.deferred_writes
        for number in range(lines):
            writes.request(line(request_id=str(number)))
        writes.token_used(self.token, LATER, "192.0.2.1")
        writes.session_used(self.session, LATER)
        writes.feature_used(self.application, "password_grant", LATER, "192.0.2.1")

    def assert_written(self, lines: int = 3, uses: int = 1) -> None:
        assert lines_written(self.server) - self.lines == lines
        rows = (
            (access_tokens.c.last_used, access_tokens.c.id == self.token),
            (sessions.c.last_seen, sessions.c.id == self.session),
            (deprecated_feature_uses.c.last_at, deprecated_feature_uses.c.application_id == self.application),
        )
        for column, condition in rows:
            assert scalar(self.server, sa.select(column).where(condition)) == LATER
        assert scalar(self.server, sa.select(sa.func.sum(deprecated_feature_uses.c.uses))) == uses


BAD_ROWS: dict[str, Callable[[DeferredWrites, Used], None]] = {
    "request_lines": lambda writes, _used: writes.request(line(TOO_LARGE)),
    "token_last_uses": lambda writes, used: writes.token_used(-1, LATER, NOT_TEXT),
    "session_last_uses": lambda writes, used: writes.session_used(-1, LATER.replace(tzinfo=None)),
    "permalink_views": lambda _writes, used: used.views.buffer.add(used.record, NOT_TEXT, "example.org"),
    "search_counts": lambda _writes, used: used.searches.buffer.add((used.server.databox.id, NOT_TEXT), (1, 0)),
    "feature_uses": lambda writes, used: writes.feature_used(used.application, NOT_TEXT, LATER, "192.0.2.1"),
}


@pytest.mark.both_databases
@pytest.mark.parametrize("kind", BAD_ROWS)
def test_a_row_that_cannot_be_written_is_dropped_alone(server: Server, kind: str, log: CapturingLogger) -> None:
    used, writes = Used(server), server.services.deferred_writes
    used.use()
    BAD_ROWS[kind](writes, used)
    writes.flush()
    used.assert_written()
    (entry,) = dropped(log)
    assert entry["kind"] == kind
    assert "secret" not in entry["error"]
    assert writes.dropped()[kind, "unwritable"] == 1
    assert sum(writes.dropped().values()) == 1
    writes.flush()
    used.assert_written()  # nothing is written twice


@pytest.mark.both_databases
def test_bad_rows_of_every_kind_at_once(server: Server) -> None:
    used, writes = Used(server), server.services.deferred_writes
    used.use(300)
    for add in BAD_ROWS.values():
        add(writes, used)
    used.use(300)
    writes.flush()
    used.assert_written(lines=600, uses=2)
    assert sum(writes.dropped().values()) == len(BAD_ROWS)


def test_every_kind_has_a_bad_row(server: Server) -> None:
    assert {kind for kind, _ in server.services.deferred_writes.dropped()} == set(BAD_ROWS)


def test_nothing_is_split_while_the_database_takes_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    used, writes = Used(server), server.services.deferred_writes
    used.use()
    calls = []

    def refuse(_work: UnitOfWork, rows: list[RequestLine]) -> None:
        calls.append(len(rows))
        raise Unavailable("The server cannot write to its disk.", why="disk is full")

    with monkeypatch.context() as patch:
        refusing = DeferredKind("request_lines", writes._kinds[0].buffer, refuse, lambda _row: {})
        patch.setattr(writes, "_kinds", [refusing, *writes._kinds[1:]])
        writes.flush()
    assert calls == [3]
    used.use(1)
    writes.flush()
    used.assert_written(lines=4, uses=2)
    assert sum(writes.dropped().values()) == 0


def test_one_flush_ends_however_many_rows_are_bad(server: Server) -> None:
    used, writes = Used(server), server.services.deferred_writes
    for number in range(MAX_TRANSACTIONS):
        writes.request(line(TOO_LARGE, request_id=str(number)))
    used.use()
    writes.flush()
    dropped = writes.dropped()["request_lines", "unwritable"]
    assert 0 < dropped < MAX_TRANSACTIONS
    writes.flush()
    writes.flush()
    assert writes.dropped()["request_lines", "unwritable"] == MAX_TRANSACTIONS
    used.assert_written()


def test_a_kind_of_another_capability_is_written_with_the_others(server: Server, log: CapturingLogger) -> None:
    writes = server.services.deferred_writes
    buffer: MergedBuffer[str, int] = MergedBuffer(int.__add__)
    written: dict[str, int] = {}

    def write(_work: UnitOfWork, rows: list[tuple[str, int]]) -> None:
        if ("bad", 1) in rows:
            raise ValueError
        written.update(rows)

    writes.register(DeferredKind("counts", buffer, write, lambda row: {"collection": row[0]}))
    for name in ("a", "bad", "b", "a"):
        buffer.add(name, 1)
    writes.flush()
    assert written == {"a": 2, "b": 1}
    assert [entry["collection"] for entry in dropped(log)] == ["bad"]


def test_rows_without_room_are_counted() -> None:
    rows: RowBuffer[int] = RowBuffer(capacity=2)
    latest: LatestBuffer[int, int] = LatestBuffer(capacity=2)
    merged: MergedBuffer[int, int] = MergedBuffer(int.__add__, capacity=2)
    for number in (1, 2, 3):
        rows.add(number)
        latest.set(number, number)
        merged.add(number, number)
    latest.set(1, 5)
    merged.add(1, 5)
    assert [rows.refused, latest.refused, merged.refused] == [1, 1, 1]
    assert (rows.take(), latest.take(), merged.take()) == ([1, 2], [(1, 5), (2, 2)], [(1, 6), (2, 2)])


def test_rows_that_come_back_are_the_older_ones() -> None:
    rows: RowBuffer[int] = RowBuffer()
    latest: LatestBuffer[str, int] = LatestBuffer()
    merged: MergedBuffer[str, tuple[int, str]] = MergedBuffer(lambda old, new: (old[0] + new[0], new[1]))
    rows.add(3)
    latest.set("a", 3)
    merged.add("a", (3, "new"))
    rows.put_back([1, 2])
    latest.put_back([("a", 1), ("b", 1)])
    merged.put_back([("a", (1, "old"))])
    assert rows.take() == [1, 2, 3]
    assert latest.take() == [("a", 3), ("b", 1)]
    assert merged.take() == [("a", (4, "new"))]


def test_a_flush_that_cannot_begin_keeps_its_rows(server: Server) -> None:
    writes = server.services.deferred_writes
    writes.request(line())
    with server.services.database.write(), pytest.raises(RuntimeError, match="already open"):
        writes.flush()  # a fault of its caller
    writes.flush()
    assert lines_written(server) == 1
    assert sum(writes.dropped().values()) == 0


def test_rows_that_are_lost_at_the_end_are_told(
    server: Server, log: CapturingLogger, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = server.services.deferred_writes
    writes.request(line())

    def locked(**_options: Any) -> Any:
        raise Unavailable("The library is busy.", why="locked")

    monkeypatch.setattr(server.services.database, "write", locked)
    writes.close()
    assert [call.kwargs["rows"] for call in log.calls if call.args == ("deferred_writes.lost",)] == [
        {"request_lines": 1}
    ]
