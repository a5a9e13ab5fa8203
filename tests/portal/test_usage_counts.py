"""Usage is counted exactly, whatever is read or deleted from the request log (decision 0100)."""

import itertools
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vitrine.accounts import User
from vitrine.applications import usage, usage_rollup
from vitrine.platform.database import UnitOfWork
from vitrine.platform.deferred_writes import RequestLine, write_lines
from vitrine.platform.tables import request_log
from vitrine.testing.server import Registered, Server

pytestmark = pytest.mark.both_databases
APPLICATIONS = itertools.count(1_000_000)

# Minutes ago, account, route, status and duration; the minutes gather around the borders of hours and days.
CALL = st.tuples(
    st.integers(0, 29 * 24).flatmap(lambda hour: st.sampled_from([0, 1, 59]).map(lambda minute: hour * 60 + minute)),
    st.none() | st.integers(1, 4),
    st.sampled_from(["/api/v1/me/", "/api/v1/search/", "/api/v1/records/{databox_id}/{record_id}/"]),
    st.sampled_from([200, 201, 302, 401, 404, 500]),
    st.integers(0, 3_000_000_000),
)


def line_of(work: UnitOfWork, application_id: int, call: Any) -> RequestLine:
    minutes, account, route, status, duration_us = call
    at = work.now.replace(minute=0, second=0, microsecond=0) - timedelta(minutes=minutes)
    return RequestLine(at, "r", account, application_id, "GET", route, status, duration_us % 2_000_000_000)


def write(server: Server, application_id: int, flushes: list[list[Any]]) -> list[RequestLine]:
    written = []
    for calls in flushes:
        with server.services.database.write(alone=False) as work:
            lines = [line_of(work, application_id, call) for call in calls]
            if lines:
                write_lines(work, lines)
            usage_rollup.add(work, lines)
        written += lines
    return written


def day_counts(lines: list[RequestLine], what: Callable[[RequestLine], object]) -> dict[Any, int]:
    return Counter(day for day, _ in {(line.at.date(), what(line)) for line in lines})


def test_counts_are_those_of_a_plain_count(server: Server) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.lists(CALL, max_size=12), max_size=4))
    def check(flushes: list[list[Any]]) -> None:
        application_id = next(APPLICATIONS)
        lines = write(server, application_id, flushes)
        with server.services.database.read() as work:
            shown = {day.day: day for day in usage.days(work, application_id) if day.requests}
            failures = usage.failures(work, application_id, limit=100)
            answered = usage.answered(work, application_id)
            assert usage.routes(work, application_id) == sorted({line.route for line in lines})
            recent = usage.day_ago(work)
            summary = usage.summaries(work, [application_id], recent).get(application_id)
        counted = Counter(line.at.date() for line in lines)
        assert {day: row.requests for day, row in shown.items()} == counted
        failed = Counter(line.at.date() for line in lines if line.status >= 400)
        assert {day: row.failures for day, row in shown.items() if row.failures} == failed
        known = [line for line in lines if line.account_id is not None]
        people = day_counts(known, lambda line: line.account_id)
        assert {day: row.people for day, row in shown.items() if row.people} == people
        by_status = Counter((line.route, line.status) for line in lines if line.status >= 400)
        assert {(failure.route, failure.status): failure.count for failure in failures} == by_status
        assert {row.route: row.count for row in answered} == Counter(line.route for line in lines if line.status < 400)
        last = {line.route: line.at for line in sorted(lines, key=lambda line: line.at) if line.status < 400}
        assert {row.route: row.last for row in answered} == last
        if summary is None:
            assert lines == []
        else:
            in_a_day = [line for line in lines if line.at >= recent]
            assert (summary.requests, summary.failures) == (
                len(in_a_day), sum(line.status >= 400 for line in in_a_day),
            )  # fmt: skip
            assert summary.last == max(line.at for line in lines)

    check()


def test_calls_over_http_are_counted_with_their_lines(server: Server, app: Registered, ada: User) -> None:
    for path in ("/api/v1/me/", "/api/v1/me/", "/api/v1/records/1/999/"):
        server.call("GET", path, app.developer_token)
    server.services.deferred_writes.flush()
    with server.services.database.read() as work:
        logged = work.db.scalar(sa.select(sa.func.count()).where(request_log.c.application_id == app.application.id))
        day = usage.days(work, app.application.id)[-1]
    assert (day.requests, day.failures, day.people) == (logged, 1, 1) == (3, 1, 1)


def test_a_filter_looks_at_so_many_lines_a_page_and_goes_on(
    server: Server, app: Registered, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter that fits two lines of a busy application must not read its whole log."""
    monkeypatch.setattr(usage, "LOOKED_AT", 10)
    mine = app.application.id
    calls = [(0, 1, "/api/v1/me/", 404 if number in (2, 20) else 200, 1) for number in range(25)]
    write(server, mine, [calls])
    pages, before = [], None
    with server.services.database.read() as work:
        while True:
            page = usage.calls(work, mine, family="4xx", before=before)
            pages.append(len(page.calls))
            assert page.is_partial == (page.next_before is not None)
            if (before := page.next_before) is None:
                break
        unfiltered = usage.calls(work, mine)
    assert pages == [1, 0, 1]
    assert (len(unfiltered.calls), unfiltered.next_before) == (25, None)
    path = f"/developers/application/{mine}/usage/"
    shown = server.browser(ada).get(f"{path}?status=5xx").text
    assert "among the 10 requests" in shown
    assert "before=" in shown


def test_lines_of_nobody_and_lines_out_of_order_are_counted(server: Server) -> None:
    application_id = next(APPLICATIONS)
    now = datetime.now(UTC)
    early, late = now - timedelta(minutes=3), now
    for at in (late, early):
        lines = [
            RequestLine(at, "r", 1, application_id, "GET", "/api/v1/me/", 200, 5),
            RequestLine(at, "r", 1, None, "GET", "/api/v1/me/", 200, 5),
        ]
        with server.services.database.write(alone=False) as work:
            usage_rollup.add(work, lines)
    with server.services.database.read() as work:
        assert usage.summaries(work, [application_id], usage.day_ago(work))[application_id].last == late
        (answered,) = usage.answered(work, application_id)
    assert (answered.count, answered.last) == (2, late)
