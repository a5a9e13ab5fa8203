"""`Idempotency-Key`: a repetition changes nothing again (docs/decisions/0124)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa

from tests.v4.conftest import V4, Call
from tests.v4.test_frame import PAGE, problem
from vitrine import housekeeping
from vitrine.accounts import Actor, CollectionGrant, Right, User, Via, record_grants
from vitrine.accounts.record_grants import GrantSource, SourceKind
from vitrine.accounts.rights import Rights
from vitrine.api.v4 import idempotency as edge
from vitrine.applications.tables import accounts, applications
from vitrine.library import store
from vitrine.library.model import RecordKey
from vitrine.platform import idempotency
from vitrine.platform.expiry import delete_expired
from vitrine.platform.tables import idempotency_keys
from vitrine.testing.server import Server

APPS, KEY = "/applications", "7f0c5c1e-2b5e-4d0e-9d8e-6d1c0a4b9f21"
CONFIDENTIAL = {**PAGE, "kind": "server"}


def count(server: Server, name: str = "Reader") -> int:
    with server.services.database.read() as work:
        found_rows = work.db.scalar(
            sa.select(sa.func.count()).select_from(applications).where(applications.c.name == name)
        )
    return int(found_rows or 0)


def rows(server: Server) -> list[Any]:
    with server.services.database.read() as work:
        return list(work.db.execute(sa.select(idempotency_keys)))


@pytest.mark.both_databases
def test_a_repetition_gets_the_same_answer_and_changes_nothing(server: Server, call: Call) -> None:
    first = call("POST", APPS, PAGE, Idempotency_Key=KEY)
    again = call("POST", APPS, dict(reversed(PAGE.items())), Idempotency_Key=KEY)  # another order, the same value
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert [answer.headers.get("idempotent-replayed") for answer in (first, again)] == [None, "true"]
    for name in ("location", "etag", "content-type", "cache-control"):
        assert first.headers[name] == again.headers[name]
    assert count(server) == 1
    assert call("POST", APPS, PAGE, Idempotency_Key="another").status_code == 201
    assert call("POST", APPS, PAGE).status_code == 201
    assert count(server) == 3


def test_another_request_under_the_same_key_is_refused(server: Server, call: Call) -> None:
    created = call("POST", APPS, PAGE, Idempotency_Key=KEY).json()["id"]
    for path, body in (
        (APPS, {**PAGE, "name": "Other"}),
        (f"{APPS}/{created}/suspend", {"reason": "x"}),
        (f"{APPS}/{created}/resume", None),
    ):
        refusal = problem(call("POST", path, body, Idempotency_Key=KEY), 422)
        assert (refusal["code"], refusal["field"]) == ("idempotency_key_reused", "Idempotency-Key")
    assert count(server, "Other") == 0


def test_keys_are_of_one_caller(server: Server, call: Call, ada: User) -> None:
    eve, same_person = server.token(server.user("eve")), server.token(ada)
    answers = [call("POST", APPS, PAGE, token=token, Idempotency_Key=KEY) for token in (eve, same_person)]
    answers.append(call("POST", APPS, PAGE, Idempotency_Key=KEY))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 3


@pytest.mark.both_databases
def test_of_many_at_once_one_is_done(server: Server, call: Call) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _turn: call("POST", APPS, PAGE, Idempotency_Key=KEY), range(8)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert count(server) == 1


@pytest.mark.both_databases
def test_answer_and_change_are_written_together_or_not_at_all(
    server: Server, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_arguments: Any) -> None:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(edge, "keep", breaks)
        assert problem(call("POST", APPS, PAGE, Idempotency_Key=KEY), 500)["code"] == "error"
    assert (count(server), rows(server)) == (0, [])
    assert call("POST", APPS, PAGE, Idempotency_Key=KEY).status_code == 201
    assert count(server) == 1


def test_a_refusal_leaves_the_key_free(server: Server, call: Call) -> None:
    assert problem(call("POST", APPS, {**PAGE, "name": ""}, Idempotency_Key=KEY), 422)["faults"]
    assert rows(server) == []
    assert call("POST", APPS, PAGE, Idempotency_Key=KEY).status_code == 201


def test_a_secret_is_kept_nowhere_and_shown_once(server: Server, call: Call) -> None:
    first = call("POST", APPS, CONFIDENTIAL, Idempotency_Key=KEY)
    secret, location = first.json()["client_secret"], first.headers["location"]
    refusal = problem(call("POST", APPS, CONFIDENTIAL, Idempotency_Key=KEY), 409)
    assert (refusal["code"], refusal["location"]) == ("secret_shown_once", location)
    assert count(server) == 1
    path = location.removeprefix(f"http://dam.test{V4}")
    token = call("POST", f"{path}/tokens", {"name": "cli"}, Idempotency_Key="token").json()["token"]
    assert problem(call("POST", f"{path}/tokens", {"name": "cli"}, Idempotency_Key="token"), 409)["code"] == (
        "secret_shown_once"
    )
    new = call("POST", f"{path}/secrets", {}, Idempotency_Key="secret").json()["client_secret"]
    kept = repr(rows(server))
    assert not [value for value in (secret, token, new, KEY) if value in kept]


def test_the_answer_is_not_given_again_when_the_rights_have_changed(server: Server, call: Call, ada: User) -> None:
    first = call("POST", APPS, PAGE, Idempotency_Key=KEY)
    server.regrant(ada, server.archive, Right.actif)
    refusal = problem(call("POST", APPS, PAGE, Idempotency_Key=KEY), 409)
    assert (refusal["code"], refusal["location"]) == ("rights_changed_meanwhile", first.headers["location"])


def test_a_request_of_several_transactions_holds_its_key(server: Server, call: Call) -> None:
    """Reserved while it runs; free again after a refusal, and by itself after a crash."""
    call("POST", APPS, PAGE, Idempotency_Key=KEY)
    with server.services.database.write() as work:
        row = work.db.execute(sa.select(idempotency_keys)).one()
        key = idempotency.Key(row.account_id, row.key, row.request)
        idempotency.reserve(work, key)
    assert problem(call("POST", APPS, PAGE, Idempotency_Key=KEY), 409)["code"] == "idempotency_key_running"
    with server.services.database.write() as work:
        late = work.now - timedelta(seconds=1)
        assert row.expires - work.now > timedelta(hours=23)
        reserved = work.db.execute(sa.select(idempotency_keys.c.expires)).scalar_one()
        assert timedelta(0) < reserved - work.now <= idempotency.RESERVED
        work.db.execute(idempotency_keys.update().values(expires=late))
    assert call("POST", APPS, PAGE, Idempotency_Key=KEY).status_code == 201
    assert count(server) == 2


@pytest.mark.both_databases
def test_rows_end_with_their_day_and_with_their_account(server: Server, call: Call) -> None:
    call("POST", APPS, PAGE, Idempotency_Key=KEY)
    call("POST", APPS, PAGE, Idempotency_Key="second")
    with server.services.database.write() as work:
        late = work.now - timedelta(seconds=1)
        first = sa.select(sa.func.min(idempotency_keys.c.key)).scalar_subquery()
        work.db.execute(idempotency_keys.update().where(idempotency_keys.c.key == first).values(expires=late))
    (expiry,) = idempotency.EXPIRIES
    assert expiry in housekeeping.expiries(server.services)
    assert delete_expired(server.services.database, expiry, Event()) == 1
    with server.services.database.write() as work:
        work.db.execute(accounts.delete())
    assert rows(server) == []


@pytest.mark.parametrize("key", ["", "x" * 256, "two\tparts", "clé"])
def test_a_wrong_key_is_refused(call: Call, server: Server, token: str, key: str) -> None:
    headers = [(b"idempotency-key", key.encode("latin-1")), (b"authorization", f"Bearer {token}".encode())]
    answer = server.http.post(V4 + APPS, json=PAGE, headers=headers)
    assert problem(answer, 400)["code"] == "bad_idempotency_key"


def test_other_methods_take_no_key(server: Server, call: Call) -> None:
    assert call("GET", APPS, Idempotency_Key=KEY).status_code == 200
    assert rows(server) == []


def test_only_headers_of_the_answer_itself_are_kept(server: Server, call: Call) -> None:
    first = call("POST", APPS, PAGE, Idempotency_Key=KEY)
    (row,) = rows(server)
    assert set(row.headers) == {"content-type", "cache-control", "etag", "location"}
    again = call("POST", APPS, PAGE, Idempotency_Key=KEY)
    assert first.headers["x-request-id"] != again.headers["x-request-id"]
    assert again.headers["ratelimit"], "a repetition is a call like any other"


def test_the_answer_is_not_given_again_when_one_of_several_grants_on_records_ends(
    server: Server, call: Call, ada: User, key: RecordKey
) -> None:
    other = GrantSource(SourceKind.BASKET, 2)
    with server.services.database.write() as work:
        record_id = store.id_of(work, key)
        assert record_id is not None
        for source in (GrantSource(SourceKind.BASKET, 1), other):
            record_grants.give(work, ada.id, [record_id], source, giver_id=None)
    assert call("POST", APPS, PAGE, Idempotency_Key=KEY).status_code == 201
    with server.services.database.write() as work:
        record_grants.end(work, other)
    assert problem(call("POST", APPS, PAGE, Idempotency_Key=KEY), 409)["code"] == "rights_changed_meanwhile"


def test_authority_tells_masks_with_the_same_common_part_apart() -> None:
    """Of several masks of which one must pass, the common part alone may be the same."""

    def digest(*masks: tuple[int, int]) -> bytes:
        grant = CollectionGrant(1, 1, Right.actif, masks=masks)
        actor = Actor(Via.TOKEN, rights=Rights({1: grant}))
        return edge._authority(actor, datetime(2026, 1, 1, tzinfo=UTC))

    assert digest((1, 0), (2, 0)) != digest((4, 0), (8, 0))
    assert digest((1, 0), (2, 0)) == digest((2, 0), (1, 0))
