"""Writes that leave PostgreSQL's one lock to others of their kind (docs/decisions/0107): each beside itself, beside the
other, and beside a write that must be alone."""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from tests.browser.conftest import wait_for
from tests.oauth.flows import TOKEN, act_as_owner, refresh, status_of, tokens
from tests.oauth.test_refresh import age, audited
from vitrine.accounts import User, Via
from vitrine.applications import Switch
from vitrine.oauth import refresh_store, store
from vitrine.testing.server import Registered, Server

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
PATIENCE_S = 30.0
SHARED = {"oauth/grants/client_credentials.py", "oauth/grants/refresh_token.py"}
Json = dict[str, Any]
REFRESH_TOO_OLD = timedelta(minutes=1)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def post(server: Server, app: Registered, **form: str) -> Json:
    client = TestClient(server.application, base_url=server.settings.base_url)
    answer = client.post(TOKEN, data={"client_id": app.client_id, "client_secret": app.secret, **form})
    return {"status": answer.status_code, **answer.json()}


def by_credentials(server: Server, app: Registered) -> Json:
    return post(server, app, grant_type="client_credentials", scope="account:read")


def by_refresh(server: Server, app: Registered, secret: str) -> Json:
    return post(server, app, grant_type="refresh_token", refresh_token=secret)


class Pause:
    """Holds the first write that adds a token, in its open transaction."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.may_go_on = threading.Event(), threading.Event()
        self._guard = threading.Lock()
        add = store.add_token

        def paused(work: Any, values: Any) -> int:
            token_id = add(work, values)
            with self._guard:
                is_first = not self.reached.is_set()
                self.reached.set()
            if is_first:
                assert self.may_go_on.wait(PATIENCE_S)
            return token_id

        monkeypatch.setattr(store, "add_token", paused)


@contextmanager
def paused(monkeypatch: pytest.MonkeyPatch, call: Callable[[], Future[Json]]) -> Iterator[Future[Json]]:
    """The call, held in its transaction until the end of the block."""
    pause = Pause(monkeypatch)
    future = call()
    try:
        assert pause.reached.wait(PATIENCE_S)
        yield future
    finally:
        pause.may_go_on.set()


def somebody_waits(server: Server, kind: str) -> Callable[[], bool]:
    """Whether a connection waits for a lock of this kind: `advisory`, or `transactionid` for a row."""

    def check() -> bool:
        with server.services.database.read() as work:
            waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = :kind")
            return bool(work.db.scalar(waiting, {"kind": kind}))

    return check


def test_tokens_by_credentials_are_made_beside_each_other(
    server: Server, ada: User, strict: Registered, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as_owner(server, ada, strict)
    with paused(monkeypatch, lambda: pool.submit(by_credentials, server, strict)) as first:
        second = pool.submit(by_credentials, server, strict).result(PATIENCE_S)
        assert not first.done()
    secrets = {first.result(PATIENCE_S)["access_token"], second["access_token"]}
    assert [status_of(server, secret) for secret in secrets] == [200, 200]
    assert audited(server, "token.by_credentials") == 2


def test_refreshes_of_different_tokens_and_tokens_by_credentials_run_beside_each_other(
    server: Server, ada: User, strict: Registered, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as_owner(server, ada, strict)
    own, other = (tokens(server, ada, strict)["refresh_token"] for _ in range(2))
    with paused(monkeypatch, lambda: pool.submit(by_refresh, server, strict, own)) as first:
        answers = [
            pool.submit(by_refresh, server, strict, other).result(PATIENCE_S),
            pool.submit(by_credentials, server, strict).result(PATIENCE_S),
        ]
        assert not first.done()
    assert [answer["status"] for answer in (*answers, first.result(PATIENCE_S))] == [200, 200, 200]


def test_two_refreshes_of_one_token_meet_at_its_row_and_give_the_same(
    server: Server, ada: User, strict: Registered, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tokens(server, ada, strict)["refresh_token"]
    with paused(monkeypatch, lambda: pool.submit(by_refresh, server, strict, secret)) as first:
        second = pool.submit(by_refresh, server, strict, secret)
        wait_for(somebody_waits(server, "transactionid"), PATIENCE_S, "the second waits for the row")
    answers = [future.result(PATIENCE_S) for future in (first, second)]
    assert [answer["status"] for answer in answers] == [200, 200]
    assert len({(answer["access_token"], answer["refresh_token"]) for answer in answers}) == 1


def test_what_is_refreshed_while_its_family_ends_ends_too(
    server: Server, ada: User, strict: Registered, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stolen = tokens(server, ada, strict)["refresh_token"]
    successor = refresh(server, strict, stolen).json()["refresh_token"]
    age(server, REFRESH_TOO_OLD)
    with paused(monkeypatch, lambda: pool.submit(by_refresh, server, strict, successor)) as refreshed:
        reuse = pool.submit(by_refresh, server, strict, stolen)
        wait_for(somebody_waits(server, "advisory"), PATIENCE_S, "the end of the family waits to be alone")
    assert reuse.result(PATIENCE_S)["error"] == "invalid_grant"
    assert audited(server, "refresh_token.reused") == 1
    answer = refreshed.result(PATIENCE_S)
    assert status_of(server, answer["access_token"]) == 401
    assert refresh(server, strict, answer["refresh_token"]).json()["error"] == "invalid_grant"
    with server.services.database.read() as work:
        assert not refresh_store.families_of_code(work, 1)


def test_an_owner_who_takes_back_their_word_ends_what_is_being_made(
    server: Server, ada: User, strict: Registered, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as_owner(server, ada, strict)

    def take_back() -> None:
        with server.services.database.write() as work:
            actor = server.services.accounts.users.actor_of(work, ada, Via.COMMAND)
            switch = server.services.applications.registry.set_switch
            switch(work, actor, strict.application.id, Switch.ACTS_AS_OWNER, on=False)

    with paused(monkeypatch, lambda: pool.submit(by_credentials, server, strict)) as first:
        change = pool.submit(take_back)
        wait_for(somebody_waits(server, "advisory"), PATIENCE_S, "the change waits to be alone")
    change.result(PATIENCE_S)
    assert status_of(server, first.result(PATIENCE_S)["access_token"]) == 401
    assert by_credentials(server, strict)["error"] == "unauthorized_client"


def test_every_shared_write_has_its_races_here(database_url: str) -> None:
    source = Path(store.__file__).parents[1]
    paths = (path for path in source.rglob("*.py") if re.search(r"write\(shared=", path.read_text(encoding="utf-8")))
    assert {path.relative_to(source).as_posix() for path in paths} == SHARED
