"""Calls of an application, an account and a token in a minute: counted, told, refused (decision 0071)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.portal.conftest import API
from vitrine.accounts import Via
from vitrine.edge.quotas import Quota, Quotas, TooManyCalls
from vitrine.testing.server import Server


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Four calls a token and six an application; the clock stands, so that no minute ends in between."""
    server = Server(tmp_path / "few", token_calls=4, application_calls=6)
    monkeypatch.setattr("vitrine.edge.quotas.time.time", lambda: 1_000_000_060.0)
    yield server
    server.close()


def limit_of(answer: Any) -> tuple[int, str, str | None]:
    return answer.status_code, answer.headers["ratelimit"], answer.headers.get("ratelimit-policy")


def test_every_answer_tells_what_is_left_and_the_one_too_many_is_refused(few: Server) -> None:
    """draft-ietf-httpapi-ratelimit-headers, RFC 6585 section 4."""
    app = few.register(few.user("ada"))
    seen = [limit_of(few.call("GET", "/api/v1/me/", app.developer_token)) for _ in range(4)]
    assert seen == [
        (200, '"token";r=3;t=20', None), (200, '"token";r=2;t=20', None),
        (200, '"token";r=1;t=20', '"token";q=4;w=60'), (200, '"token";r=0;t=20', '"token";q=4;w=60'),
    ]  # fmt: skip
    over = few.call("GET", "/api/v1/me/", app.developer_token)
    assert limit_of(over) == (429, '"token";r=0;t=20', '"token";q=4;w=60')
    assert over.headers["retry-after"] == "20"
    assert over.json()["meta"]["http_code"] == 429
    again = few.call("GET", API, app.developer_token)
    assert (again.status_code, again.json()["code"], again.headers["retry-after"]) == (429, "too_many_requests", "20")
    few.services.deferred_writes.flush()
    with few.services.database.read() as work:
        logged = work.db.exec_driver_sql("SELECT count(*) FROM request_log WHERE status = 429").scalar()
    assert logged == 2, "its owner sees them"


def test_the_application_has_a_limit_of_its_own_and_an_upload_counts_once(few: Server) -> None:
    ada = few.user("ada")
    app = few.register(ada)
    with few.services.database.write() as work:
        actor = few.services.accounts.users.actor_of(work, ada, Via.COMMAND)
        second = few.services.oauth.personal_tokens.add(work, actor, app.application, "second", "7")
    upload = few.call("POST", "/api/v1/records/add/", app.developer_token, data={"base_id": "x"})
    assert limit_of(upload)[1] == '"token";r=3;t=20', "looked at before and after its body"
    assert [few.call("GET", "/api/v1/me/", app.developer_token).status_code for _ in range(3)] == [200] * 3
    assert limit_of(few.call("GET", "/api/v1/me/", second))[1] == '"application";r=1;t=20'
    shown = few.call("GET", f"{API}{app.application.id}/limits/", second).json()
    assert shown["application"] == {"limit": 6, "used": 6, "left": 0, "resets_in": 20}
    assert [(token["name"], token["used"], token["left"]) for token in shown["tokens"]] == [("second", 2, 2)]
    assert few.call("GET", "/api/v1/me/", second).status_code == 429


def test_a_call_that_begins_again_in_a_snapshot_counts_once(few: Server) -> None:
    """Decision 0075: the token is remembered from the first call, the person's own row is not."""
    app = few.register(few.user("ada"))
    assert limit_of(few.call("GET", "/api/v1/databoxes/list/", app.developer_token))[1] == '"token";r=3;t=20'
    assert limit_of(few.call("GET", "/api/v1/me/", app.developer_token))[:2] == (200, '"token";r=2;t=20')


def test_an_account_has_a_limit_through_all_its_applications(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(tmp_path / "one", account_calls=2)
    monkeypatch.setattr("vitrine.edge.quotas.time.time", lambda: 1_000_000_060.0)
    ada, grace = server.user("ada"), server.user("grace")
    first, second, other = server.register(ada), server.register(ada, name="Second"), server.register(grace)
    assert limit_of(server.call("GET", "/api/v1/me/", first.developer_token))[1] == '"account";r=1;t=20'
    shown = server.call("GET", f"{API}{second.application.id}/limits/", second.developer_token).json()
    assert shown["account"] == {"limit": 2, "used": 2, "left": 0, "resets_in": 20}
    over = server.call("GET", "/api/v1/me/", second.developer_token)
    assert limit_of(over) == (429, '"account";r=0;t=20', '"account";q=2;w=60')
    assert server.call("GET", "/api/v1/me/", other.developer_token).status_code == 200, "others are not held up"
    page = server.browser(ada).get(f"/developers/application/{first.application.id}/usage/").text
    assert "You, through all applications" in page
    server.close()


def test_a_new_minute_begins_with_nothing_and_nothing_is_kept() -> None:
    quota = Quota("token", 2)
    assert [quota.hit(1, 60.0), quota.hit(1, 119.9), quota.hit(2, 119.9)] == [1, 2, 1]
    assert quota.hit(1, 120.0) == 1
    assert quota.look(1).used == 0, "the clock of the wall is in another minute"
    assert quota.look(1).limit == 2


def test_no_limit_refuses_nobody_and_sends_no_header(tmp_path: Path) -> None:
    server = Server(tmp_path / "free", token_calls=0, account_calls=0, application_calls=0)
    app = server.register(server.user("ada"))
    answers = [server.call("GET", "/api/v1/me/", app.developer_token) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("ratelimit" in answer.headers for answer in answers)
    left = server.call("GET", f"{API}{app.application.id}/limits/", app.developer_token).json()["application"]
    assert (left["limit"], left["left"]) == (None, None)
    server.close()


def test_who_has_less_left_speaks() -> None:
    quotas = Quotas(Quota("application", 3), Quota("account", 100), Quota("token", 100))
    seen = [quotas.hit(1, 1, token) for token in (1, 2, 3)]
    assert all(left is not None and left[0].startswith('"application"') for left in seen)
    with pytest.raises(TooManyCalls) as refused:
        quotas.hit(1, 1, 4)
    assert refused.value.headers["RateLimit-Policy"] == '"application";q=3;w=60'
    assert "of this application" in refused.value.detail
