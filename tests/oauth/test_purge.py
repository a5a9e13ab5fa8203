"""Expired rows are deleted, in small batches and on both databases (design 5.9, anchors: "dead tokens are never
purged", django-oauth-toolkit 1783 and pim-community-dev 18882)."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from tests.oauth.flows import DEVICE, REVOKE, post, refresh, status_of, tokens
from vitrine import housekeeping
from vitrine.accounts import User
from vitrine.accounts.tables import passkey_challenges, sessions, sign_in_failures
from vitrine.applications import portal_store, usage, usage_rollup
from vitrine.applications.tables import (
    accounts,
    applications,
    consents,
    usage_hours,
    usage_people,
    usage_routes,
)
from vitrine.oauth import idle_tokens, store
from vitrine.oauth.tables import (
    access_tokens,
    authorization_codes,
    deprecated_feature_uses,
    device_codes,
    refresh_tokens,
)
from vitrine.platform.database import UnitOfWork
from vitrine.platform.deferred_writes import RequestLine, write_lines
from vitrine.platform.expiry import Expiry, delete_expired
from vitrine.platform.tables import audit_log, request_log
from vitrine.testing.server import Registered, Server, Visitor

pytestmark = pytest.mark.both_databases


def count(server: Server, table: sa.Table) -> int:
    with server.services.database.read() as work:
        return work.db.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def server_now(server: Server) -> datetime:
    with server.services.database.read() as work:
        return work.now


def change(server: Server, table: sa.Table, **values: Any) -> None:
    with server.services.database.write() as work:
        work.db.execute(table.update().values(**values))


def purge(server: Server) -> None:
    housekeeping.purge(server.services, threading.Event())


def call(work: UnitOfWork, application_id: int, days_ago: float, status: int = 200, account: int = 1) -> None:
    at = work.now - timedelta(days=days_ago)
    lines = [RequestLine(at, "r", account, application_id, "GET", "/api/v1/me/", status, 1000)]
    write_lines(work, lines)
    usage_rollup.add(work, lines)


def test_codes_tokens_devices_and_sessions_go_when_their_time_is_over(
    server: Server, ada: User, strict: Registered, visitor: Visitor
) -> None:
    granted = tokens(server, ada, strict)
    refresh(server, strict, granted["refresh_token"])
    post(server, strict, DEVICE)
    visitor.xhr("POST", "/login/passkey/options/")
    visitor.submit("/login/", "/login/", {"login": "ada", "password": "wrong"})
    purge(server)
    ended = (authorization_codes, access_tokens, refresh_tokens, device_codes, sessions, passkey_challenges)
    living = {table.name: count(server, table) for table in ended}
    assert all(living.values()), living
    with server.services.database.read() as work:
        long_ago = work.now - timedelta(days=2)
    for table in ended:
        if table is access_tokens:
            with server.services.database.write() as work:
                work.db.execute(table.update().where(~table.c.is_developer).values(expires=long_ago))
        else:
            change(server, table, expires=long_ago)
    change(server, sign_in_failures, at=long_ago)
    purge(server)
    left = {table.name: count(server, table) for table in (*ended, sign_in_failures)}
    assert left == {**dict.fromkeys(left, 0), "access_tokens": 1}, "the developer token has no end"
    assert status_of(server, strict.developer_token) == 200


def test_a_backlog_is_worked_off_at_once_in_batches_of_their_own(server: Server, ada: User, strict: Registered) -> None:
    for _ in range(5):
        tokens(server, ada, strict)
    with server.services.database.write() as work:
        work.db.execute(access_tokens.update().values(expires=work.now - timedelta(seconds=1)))
    sizes: list[int] = []

    class Watched(Expiry):
        def delete(self, work: UnitOfWork, keys: Sequence[tuple[Any, ...]]) -> int:
            sizes.append(super().delete(work, keys))
            return sizes[-1]

    (expiry,) = [expiry for expiry in store.EXPIRIES if expiry.table is access_tokens]
    watched = Watched(expiry.table, expiry.is_over)
    assert delete_expired(server.services.database, watched, threading.Event(), batch_rows=4) == 6
    assert count(server, access_tokens) == 0
    assert sizes == [4, 2], "never more than a batch in one transaction"


def test_what_was_renewed_since_it_was_found_stays(server: Server, ada: User, strict: Registered) -> None:
    """Candidates are found outside the transaction that deletes them."""
    tokens(server, ada, strict)
    (expiry,) = [expiry for expiry in store.EXPIRIES if expiry.table is access_tokens]
    with server.services.database.write() as work:
        work.db.execute(access_tokens.update().values(expires=work.now - timedelta(seconds=1)))
        keys = expiry.find(work, 10)
        assert len(keys) == 2
        renewed = access_tokens.update().where(access_tokens.c.id == keys[0][0])
        work.db.execute(renewed.values(expires=work.now + timedelta(days=1)))
        assert expiry.delete(work, keys) == 1
        assert list(work.db.scalars(sa.select(access_tokens.c.id))) == [keys[0][0]]


def test_a_stopped_worker_begins_no_other_batch(server: Server, ada: User, strict: Registered) -> None:
    tokens(server, ada, strict)
    change(server, sessions, expires=server_now(server) - timedelta(days=2))
    before = count(server, sessions)
    assert before > 0
    stop = threading.Event()
    stop.set()
    housekeeping.purge(server.services, stop)
    assert count(server, sessions) == before


def test_what_expires_is_found_without_reading_what_does_not(server: Server) -> None:
    """Each condition is answered by an index on its column; SQLite shows a scan as SCAN, with or without an index."""
    with server.services.database.read() as work:
        if work.driver is None:
            return
        for expiry in housekeeping.expiries(server.services):
            statement = sa.select(*expiry.table.primary_key.columns).where(expiry.is_over(work)).limit(1)
            compiled = statement.compile(work.db, compile_kwargs={"literal_binds": False})
            bound = [compiled.params[name] for name in compiled.positiontup or ()]
            bound = [value if isinstance(value, int | str) else 0 for value in bound]
            plan = work.driver.execute(f"EXPLAIN QUERY PLAN {compiled}", bound).fetchall()
            scanned = [row[3] for row in plan if row[3].startswith(f"SCAN {expiry.table.name}")]
            if expiry.table.name not in FEW_ROWS:
                assert not scanned, (expiry.table.name, plan)


# Scanned: as many rows as there are applications; the others get their indexes with those of foreign keys.
FEW_ROWS = ("applications", "deprecated_feature_uses", "sessions", "passkey_challenges", "sign_in_failures",
            "mailed_links")  # fmt: skip


def test_a_token_without_end_goes_when_it_rested_too_long_and_not_before(
    server: Server, ada: User, old: Registered
) -> None:
    kept, gone = (tokens(server, ada, old, code_verifier="v" * 64)["access_token"] for _ in range(2))
    with server.services.database.write() as work:
        newest = sa.select(sa.func.max(access_tokens.c.id)).scalar_subquery()
        age = {"created": work.now - timedelta(days=91), "last_used": None}
        work.db.execute(access_tokens.update().where(access_tokens.c.id == newest).values(**age))
        rested = {"created": work.now - timedelta(days=300), "last_used": work.now - timedelta(days=89)}
        others = access_tokens.update().where(access_tokens.c.id != newest, ~access_tokens.c.is_developer)
        work.db.execute(others.values(**rested))
    assert status_of(server, gone) == 401
    with server.services.database.read() as work:
        idle, end = store.idle(work, 0, 100)
        assert end == 0
    with server.services.database.write() as work:
        store.delete_idle(work, [*idle, *work.db.scalars(sa.select(access_tokens.c.id))])
        assert len(idle) == 1, "only what opens nothing any more"
    assert status_of(server, kept) == 200
    purge(server)
    assert count(server, access_tokens) == 2, "the one that was used, and the developer token"


def test_the_look_for_unused_tokens_goes_on_where_it_stopped(server: Server, ada: User, old: Registered) -> None:
    for _ in range(2):
        tokens(server, ada, old, code_verifier="v" * 64)
    with server.services.database.write() as work:
        newest = sa.select(sa.func.max(access_tokens.c.id)).scalar_subquery()
        age = {"created": work.now - timedelta(days=91), "last_used": None}
        work.db.execute(access_tokens.update().where(access_tokens.c.id == newest).values(**age))
    left = []
    for _ in range(4):
        idle_tokens.delete_idle(server.services.database, threading.Event(), rows=1, rows_a_step=1)
        left.append(count(server, access_tokens))
    assert left == [3, 3, 2, 2], "one token a look, the unused one is the third"


def test_a_deleted_application_goes_after_14_days_with_all_that_was_its_own(
    server: Server, ada: User, strict: Registered, old: Registered
) -> None:
    granted = tokens(server, ada, strict)
    other = tokens(server, ada, old)["access_token"]
    with server.services.database.write() as work:
        work.db.execute(
            deprecated_feature_uses.insert().values(
                application_id=strict.application.id, feature="implicit", day=work.now.date(), uses=1, last_at=work.now
            )
        )
        work.db.execute(
            applications.update()
            .where(applications.c.id == strict.application.id)
            .values(deleted_at=work.now - portal_store.KEPT + timedelta(minutes=1))
        )
    lines = count(server, audit_log)
    purge(server)
    assert count(server, applications) == 2, "its owner may still bring it back"
    with server.services.database.write() as work:
        work.db.execute(
            applications.update()
            .where(applications.c.deleted_at.is_not(None))
            .values(deleted_at=work.now - portal_store.KEPT - timedelta(minutes=1))
        )
    purge(server)
    with server.services.database.read() as work:
        assert list(work.db.scalars(sa.select(applications.c.id))) == [old.application.id]
        assert set(work.db.scalars(sa.select(accounts.c.application_id))) == {old.application.id}
    assert (count(server, refresh_tokens), count(server, deprecated_feature_uses), count(server, consents)) == (0, 0, 1)
    assert count(server, audit_log) == lines, "what happened stays written down"
    assert post(server, strict, REVOKE, token=granted["access_token"]).json()["error"] == "invalid_client"
    assert status_of(server, other) == 200


def test_the_request_log_keeps_thirty_days(server: Server, strict: Registered) -> None:
    mine = strict.application.id
    with server.services.database.write() as work:
        for days_ago in (0.5, 29.9, 30.1, 400):
            call(work, mine, days_ago)
    purge(server)
    assert count(server, request_log) == 2
    with server.services.database.read() as work:
        shown = sum(
            (work.now - timedelta(days=days_ago)).date() >= usage.first_day(work) for days_ago in (0.5, 29.9, 30.1, 400)
        )
    counts = (usage_hours, usage_routes, usage_people)
    assert [count(server, table) for table in counts] == [shown] * 3, "30 days of UTC, today included, are shown"


def test_the_request_log_keeps_a_number_of_lines_and_the_counts_stay(server: Server, strict: Registered) -> None:
    mine = strict.application.id
    retention = usage.Retention(days=30, rows=3)
    with server.services.database.write() as work:
        for _ in range(8):
            call(work, mine, 0)
    database = server.services.database
    gone = [delete_expired(database, expiry, threading.Event(), batch_rows=2) for expiry in retention.expiries()]
    assert gone == [0, 5, 0, 0, 0]
    with database.read() as work:
        newest = work.db.scalar(sa.select(sa.func.max(request_log.c.id)))
        assert sorted(work.db.scalars(sa.select(request_log.c.id))) == [newest - 2, newest - 1, newest]
        assert usage.days(work, mine)[-1].requests == 8
        assert usage.summaries(work, [mine], usage.day_ago(work))[mine].requests == 8


def test_usage_counts_days_in_utc_with_the_empty_ones(server: Server, strict: Registered) -> None:
    """The first and the last microsecond of a day belong to it."""
    mine = strict.application.id
    with server.services.database.write() as work:
        midnight = work.now.replace(hour=0, minute=0, second=0, microsecond=0)
        since = partial(lambda at: (work.now - at) / timedelta(days=1))
        call(work, mine, since(midnight), account=1)
        call(work, mine, since(midnight - timedelta(microseconds=1)), status=404, account=1)
        call(work, mine, since(midnight - timedelta(days=1)), status=500, account=2)
        call(work, mine, since(midnight - timedelta(days=1)), account=2)
        call(work, mine + 1, 0, account=3)
        days = usage.days(work, mine)
        summary = usage.summaries(work, [mine], usage.first_hour(work))[mine]
    assert len(days) == 30
    assert [day.day for day in days] == [days[0].day + timedelta(days=at) for at in range(30)]
    today, yesterday = days[-1], days[-2]
    assert (today.day, today.requests, today.failures, today.people) == (midnight.date(), 1, 0, 1)
    assert (yesterday.requests, yesterday.failures, yesterday.people) == (3, 2, 2)
    assert sum(day.requests for day in days) == summary.requests == 4
    assert summary.failures == 2


@pytest.mark.parametrize(
    ("table", "column"), [(access_tokens, "code_id"), (access_tokens, "family"), (refresh_tokens, "code_id")], ids=str
)
def test_what_hangs_on_a_code_or_a_family_is_found_without_reading_every_token(
    server: Server, table: sa.Table, column: str
) -> None:
    """Their indexes leave out the rows that have neither (decision 0076), and must still be used for those that have:
    by revocation and replay, and by the database itself when a code is purged."""
    statement = f"DELETE FROM {table.name} WHERE {column} = 7"
    with server.services.database.write() as work:
        if work.driver is not None:
            plan = str(work.driver.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall())
        else:
            work.db.execute(sa.text("SET LOCAL enable_seqscan = off"))  # of two rows, reading both is cheaper
            plan = str(work.db.execute(sa.text(f"EXPLAIN {statement}")).all())
    assert f"ix_{table.name}_{column}" in plan
