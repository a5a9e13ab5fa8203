"""Accounts that nobody uses are told, then suspended; any use counts, and nobody is suspended without a word."""

from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine import housekeeping
from vitrine.accounts import COMMAND, User, Via
from vitrine.accounts.events import AccountUnused
from vitrine.accounts.tables import sessions, users
from vitrine.applications.tables import accounts
from vitrine.errors import Forbidden, Invalid
from vitrine.jobs.tables import jobs
from vitrine.oauth import inactive_accounts
from vitrine.oauth.inactive_accounts import InactiveAccounts
from vitrine.testing.server import Server

DAY = timedelta(days=1)
LIMIT, WARNING = 60, 10


def of(server: Server) -> InactiveAccounts:
    """As with the settings account_inactive_days and account_inactive_warning_days."""
    return InactiveAccounts(server.services.accounts.administration, LIMIT * DAY, WARNING * DAY)


def age(server: Server, days: float) -> None:
    """Let so much time pass for all accounts, sessions and tokens."""
    passed = timedelta(days=days)
    with server.services.database.write() as work:
        for table, names in (
            (users, ("created", "last_connection", "last_active", "inactivity_warned")),
            (sessions, ("last_seen",)),
            (accounts, ("last_used",)),
        ):
            for row in work.db.execute(sa.select(table)).mappings().all():
                moved = {name: row[name] - passed for name in names if row[name] is not None}
                if moved:
                    work.db.execute(table.update().where(table.c.id == row["id"]).values(moved))


def run(server: Server) -> None:
    of(server).run(server.services.database, Event())


def is_suspended(server: Server, user: User) -> bool:
    with server.services.database.read() as work:
        return bool(work.db.scalar(sa.select(users.c.mail_locked).where(users.c.id == user.id)))


def mails(server: Server) -> list[Any]:
    with server.services.database.read() as work:
        payloads = work.db.scalars(sa.select(jobs.c.payload).where(jobs.c.kind == "mail.send").order_by(jobs.c.id))
        return [payload["user"] for payload in payloads if payload["letter"] == "account-unused"]


@pytest.mark.both_databases
def test_the_owner_is_told_first_and_the_account_suspended_when_nothing_happens(server: Server) -> None:
    told: list[tuple[int, bool]] = []
    server.services.database.listen(
        AccountUnused, lambda _work, event: told.append((event.user_id, event.is_suspended))
    )
    ada = server.user("ada", email="ada@example.org")
    token = server.token(ada)
    run(server)
    age(server, LIMIT - WARNING - 1)
    run(server)
    assert (mails(server), told) == ([], [])
    age(server, 2)
    run(server)
    run(server)
    assert (mails(server), told) == ([ada.id], [(ada.id, False)]), "told once"
    age(server, WARNING - 1)
    run(server)
    assert not is_suspended(server, ada)
    age(server, 1)
    run(server)
    assert is_suspended(server, ada)
    assert told == [(ada.id, False), (ada.id, True)]
    assert server.call("GET", "/api/v1/me/", token).status_code == 401, "a suspended account's tokens open nothing"
    with server.services.database.write() as work:
        server.services.accounts.administration.resume(work, COMMAND, "ada")
    run(server)
    assert not is_suspended(server, ada), "let in again, it has its whole time"
    assert server.call("GET", "/api/v1/me/", token).status_code == 200


@pytest.mark.both_databases
@pytest.mark.parametrize("use", ["sign-in", "session", "token", "session that is deleted"])
def test_any_use_keeps_an_account(server: Server, use: str) -> None:
    ada = server.user("ada", email="ada@example.org")
    server.token(ada)
    age(server, LIMIT - WARNING + 1)
    run(server)
    assert mails(server) == [ada.id]
    with server.services.database.write() as work:
        if use == "token":
            work.db.execute(accounts.update().where(accounts.c.user_id == ada.id).values(last_used=work.now))
        elif use == "sign-in":
            work.db.execute(users.update().where(users.c.id == ada.id).values(last_connection=work.now))
        else:
            row = {"digest": b"x" * 32, "user_id": ada.id, "created": work.now - 50 * DAY, "auth_time": work.now,
                   "last_seen": work.now, "expires": work.now + DAY}  # fmt: skip
            work.db.execute(sessions.insert().values(row))
    run(server)
    if use == "session that is deleted":
        with server.services.database.write() as work:
            work.db.execute(sessions.delete())
    age(server, WARNING + 5)
    run(server)
    assert not is_suspended(server, ada)
    assert mails(server) == [ada.id], "the warning of before is over"


def test_nobody_is_suspended_at_once_when_the_setting_is_switched_on(server: Server) -> None:
    ada, silent = server.user("ada", email="ada@example.org"), server.user("silent")
    age(server, 1_000)
    run(server)
    assert not is_suspended(server, ada)
    assert not is_suspended(server, silent), "one without an address has the same time"
    age(server, WARNING)
    run(server)
    assert is_suspended(server, ada)
    assert is_suspended(server, silent)


def test_administrators_and_guests_stay_and_a_killed_run_goes_on(server: Server) -> None:
    root = server.user("root", is_admin=True)
    people = [server.user(f"person{number}") for number in range(5)]
    with server.services.database.write() as work:
        work.db.execute(users.update().where(users.c.id == people[0].id).values(is_guest=True))
    age(server, 1_000)
    inactive, database = of(server), server.services.database
    stopped = Event()
    stopped.set()
    inactive.run(database, stopped)
    for _ in range(4):
        inactive.run(database, Event(), rows=2, rows_a_step=2)
    age(server, WARNING)
    for _ in range(4):
        inactive.run(database, Event(), rows=2, rows_a_step=2)
    assert [is_suspended(server, person) for person in (root, *people)] == [False, False, *[True] * 4]


def test_without_the_setting_nobody_is_told_or_suspended(server: Server) -> None:
    ada = server.user("ada", email="ada@example.org")
    age(server, 5_000)
    housekeeping.purge(server.services, Event())
    assert (mails(server), is_suspended(server, ada)) == ([], False)


def test_the_worker_looks_with_the_settings(tmp_path: Path) -> None:
    server = Server(tmp_path / "other", account_inactive_days=LIMIT, account_inactive_warning_days=0)
    try:
        ada = server.user("ada", email="ada@example.org")
        age(server, LIMIT + 1)
        housekeeping.purge(server.services, Event())
        assert (mails(server), is_suspended(server, ada)) == ([], True), "no warning was wanted"
    finally:
        server.close()


@pytest.mark.both_databases
def test_administrators_see_who_does_not_use_their_account(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [server.user(f"person{number}") for number in range(5)]
    age(server, 100)
    fresh = server.user("fresh")
    root = server.user("root", is_admin=True)
    monkeypatch.setattr(inactive_accounts, "ROWS_A_PAGE", 3)
    token, numbers, path = server.token(root), [], "/api/v4/users/inactive?limit=2"
    while path:
        page = server.call("GET", path, token).json()
        numbers += [row["user_id"] for row in page["data"]]
        path = page["next"] and f"/api/v4/users/inactive?limit=2&cursor={page['next']}"
    assert numbers == [person.id for person in people]
    assert server.call("GET", "/api/v4/users/inactive?days=200", token).json()["data"] == []
    for days in ("0", "x", "99999"):
        assert server.call("GET", f"/api/v4/users/inactive?days={days}", token).status_code == 400
    assert server.call("GET", "/api/v4/users/inactive", server.token(fresh)).status_code == 403
    inactive = server.services.accounts.inactive
    with server.services.database.read() as work:
        person = server.services.accounts.users.actor_of(work, root, Via.TOKEN, scope=frozenset({"users"}))
        with pytest.raises(Forbidden):
            inactive.page(work, person, limit=5)
        with pytest.raises(Invalid):
            inactive.page(work, COMMAND, -1, limit=5)
