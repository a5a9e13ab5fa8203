"""Lists of recipients (06 section 16): kept by several people, shown to nobody who may not know who is in them, sent
to."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from tests.v4.conftest import Call
from tests.v4.test_frame import paged, problem
from vitrine.accounts import COMMAND, Right, User, Via
from vitrine.accounts.recipient_lists.model import MOST_MEMBERS
from vitrine.accounts.recipient_lists.tables import recipient_list_members, recipient_lists
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases
SENDER = READER | Right.canpush


@pytest.fixture
def ada(server: Server) -> User:
    """She may push, and manages nobody."""
    return server.user("ada", SENDER, first_name="Ada", last_name="Martin", email="ada@museum.example")


@pytest.fixture
def bob(server: Server) -> User:
    return server.user("bob", SENDER, first_name="Bob", last_name="Stone", email="bob@museum.example")


@pytest.fixture
def bobs(server: Server, bob: User) -> str:
    return server.token(bob)


@pytest.fixture
def readers(server: Server) -> list[User]:
    return [server.user(name, READER, email=f"{name}@press.example") for name in ("kim", "lea", "max")]


def create(call: Call, name: str = "Press", **more: Any) -> str:
    answer = call("POST", "/recipient-lists", {"name": name}, **more)
    assert answer.status_code == 201, answer.text
    return f"/recipient-lists/{answer.json()['list_id']}"


def add(call: Call, path: str, *people: User, **more: Any) -> int:
    answer = call("POST", path + "/members", {"people": [{"user_id": person.id} for person in people]}, **more)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["added"])


def members(call: Call, path: str, **more: Any) -> tuple[list[int], int]:
    answer = call("GET", path + "/members", **more).json()
    return [member["user_id"] for member in answer["data"]], answer["hidden"]


def give_role(call: Call, path: str, person: User, role: str, **more: Any) -> Any:
    return call("POST", path + "/roles", {"user_id": person.id, "role": role}, **more)


def test_a_list_from_its_making_to_its_end(call: Call, readers: list[User]) -> None:
    path = create(call, "Press")
    shown = call("GET", path)
    assert (shown.json()["name"], shown.json()["role"]) == ("Press", "administrator")
    assert add(call, path, *readers[:2]) == 2
    assert add(call, path, *readers) == 3  # who was in it already is not told
    assert members(call, path) == ([reader.id for reader in readers], 0)
    assert problem(call("PATCH", path, {"name": "Late"}, If_Match=shown.headers["etag"]), 412)
    assert call("PATCH", path, {"name": "Press, abroad"}, If_Match="*").json()["name"] == "Press, abroad"
    assert call("DELETE", f"{path}/members/{readers[0].id}").status_code == 204
    assert call("DELETE", f"{path}/members/{readers[0].id}").status_code == 404
    assert "@" not in call("GET", path + "/members").text
    assert call("DELETE", path).status_code == 204
    assert call("GET", path).status_code == 404
    assert call("GET", "/recipient-lists").json()["data"] == []


def test_lists_have_pages(call: Call, readers: list[User]) -> None:
    paths = [create(call, f"L{number}") for number in range(5)]
    assert [f"/recipient-lists/{each['list_id']}" for each in paged(call, "/recipient-lists", 2)] == paths
    add(call, paths[0], *readers)
    assert len(paged(call, paths[0] + "/members", 1)) == 3


def test_roles_say_who_may_do_what(call: Call, bob: User, bobs: str, readers: list[User]) -> None:
    path = create(call)
    add(call, path, readers[0])
    assert call("GET", path, token=bobs).status_code == 404
    assert give_role(call, path, bob, "user").status_code == 200
    assert call("GET", path, token=bobs).json()["role"] == "user"
    for method, address, body, headers in (
        ("POST", path + "/members", {"people": [{"login": "kim"}]}, {}),
        ("PATCH", path, {"name": "Mine"}, {"If_Match": "*"}),
        ("DELETE", path, None, {}),
        ("POST", path + "/roles", {"login": "kim", "role": "user"}, {}),
        ("DELETE", f"{path}/members/{readers[0].id}", None, {}),
    ):
        assert call(method, address, body, token=bobs, **headers).status_code == 403, (method, address)
    give_role(call, path, bob, "editor")
    assert add(call, path, readers[1], token=bobs) == 1
    assert call("DELETE", path, token=bobs).status_code == 403
    assert give_role(call, path, readers[2], "user", token=bobs).status_code == 403
    give_role(call, path, bob, "administrator")
    assert call("DELETE", path, token=bobs).status_code == 204


def test_it_always_has_an_administrator(call: Call, ada: User, bob: User, bobs: str) -> None:
    path = create(call)
    assert problem(call("DELETE", f"{path}/roles/{ada.id}"), 409)["code"] == "last_administrator"
    assert problem(give_role(call, path, ada, "user"), 409)["code"] == "last_administrator"
    give_role(call, path, bob, "administrator")
    assert call("DELETE", f"{path}/roles/{ada.id}").status_code == 204
    assert call("GET", path).status_code == 404
    assert call("DELETE", f"{path}/roles/{bob.id}", token=bobs).status_code == 409


def test_who_is_in_it_is_told_only_to_who_may_know(
    server: Server, call: Call, bob: User, bobs: str, readers: list[User]
) -> None:
    path = create(call)
    add(call, path, *readers)
    give_role(call, path, bob, "editor")
    assert members(call, path, token=bobs) == ([], 3)
    assert call("DELETE", f"{path}/members/{readers[0].id}", token=bobs).status_code == 404
    server.regrant(bob, server.photographs, SENDER | Right.canadmin)  # now he manages their users
    assert members(call, path, token=bobs) == ([reader.id for reader in readers], 0)
    server.regrant(bob, server.photographs, SENDER)
    new = server.user("new", None)
    add(call, path, new, token=bobs)
    assert members(call, path, token=bobs) == ([new.id], 3)


def test_what_is_sent_to_a_list_reaches_everybody_in_it(
    server: Server, call: Call, ada: User, bob: User, bobs: str, readers: list[User]
) -> None:
    key = BasketWorld(server).record()
    record = {"databox_id": key.databox, "record_id": key.number}
    path = create(call)
    number = int(path.rpartition("/")[2])
    add(call, path, *readers, ada)
    give_role(call, path, bob, "user")
    pushed = call("POST", "/baskets/push", {
        "records": [record], "recipient_lists": [number], "people": [{"login": "kim"}], "name": "For you",
    }, token=bobs)  # fmt: skip
    assert pushed.status_code == 201, pushed.text
    assert (pushed.json()["people"], pushed.json()["through_lists"]) == ([readers[0].id], 3)
    for person in (*readers, ada):
        assert len(server.call("GET", "/api/v4/baskets", server.token(person)).json()["data"]) == 1
    other = server.token(server.user("eve", ALL_RIGHTS))
    refused = server.call("POST", "/api/v4/baskets/push", other,
                          json={"records": [record], "recipient_lists": [number], "name": "For you"})  # fmt: skip
    assert refused.status_code == 404 and refused.json()["code"] == "no_such_recipient_list"


def test_baskets_are_shared_with_a_list_and_its_people_vote(
    server: Server, call: Call, readers: list[User], ada: User
) -> None:
    key = BasketWorld(server).record()
    path = create(call)
    number = int(path.rpartition("/")[2])
    add(call, path, *readers, ada)
    basket = f"/baskets/{call('POST', '/baskets', {'name': 'Boats'}).json()['basket_id']}"
    call("POST", basket + "/elements", {"records": [{"databox_id": key.databox, "record_id": key.number}]})
    shared = call("POST", basket + "/participants/lists", {"recipient_list_id": number, "can_modify": True})
    assert shared.json() == {"people": 3, "not_granted": 0}
    assert len(call("GET", basket + "/participants").json()["data"]) == 3
    voters = [{"recipient_list_id": number}, {"login": "kim", "can_agree": False}]
    assert call("POST", basket + "/vote", {"voters": voters}).status_code == 201
    shown = {voter["user_id"]: voter["can_agree"] for voter in call("GET", basket + "/vote").json()["voters"]}
    assert {reader.id for reader in readers} <= set(shown)
    both = {"voters": [{"recipient_list_id": number, "login": "kim"}]}
    assert problem(call("POST", basket + "/vote/voters", both), 400)["field"] == "voters"
    empty = int(create(call, "Empty").rpartition("/")[2])
    refused = call("POST", basket + "/participants/lists", {"recipient_list_id": empty})
    assert problem(refused, 400)["field"] == "recipient_lists"


def test_a_closed_account_leaves_all_lists(
    server: Server, call: Call, ada: User, bob: User, bobs: str, readers: list[User]
) -> None:
    path = create(call)
    add(call, path, *readers)
    give_role(call, path, bob, "editor")
    alone = create(call, "Alone")
    administration = server.services.accounts.administration
    with server.services.database.write() as work:
        administration.close(work, COMMAND, "kim")
    assert members(call, path) == ([reader.id for reader in readers[1:]], 0)
    with server.services.database.write() as work:
        administration.close(work, COMMAND, "ada")
    assert call("GET", path, token=bobs).json()["role"] == "administrator"  # the editor takes it over
    assert members(call, path, token=bobs) == ([], 2)
    with server.services.database.read() as work:
        left = list(work.db.scalars(sa.select(recipient_lists.c.id)))
        added_by = set(work.db.scalars(sa.select(recipient_list_members.c.added_by)))
    assert left == [int(path.rpartition("/")[2])] and alone != path
    assert added_by == {None}


def test_a_list_is_bounded_and_two_at_once_do_not_pass_the_bound(
    server: Server, call: Call, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vitrine.accounts.recipient_lists.service.MOST_MEMBERS", 3)
    people = [server.user(f"p{number}", None) for number in range(6)]
    path = create(call)
    number = int(path.rpartition("/")[2])
    accounts = server.services.accounts
    refusals: list[str] = []

    def add_one(person: User) -> None:
        try:
            with server.services.database.write() as work:
                actor = accounts.users.actor_of(work, accounts.users.get(work, ada.id), Via.SESSION)
                accounts.recipient_lists.add_members(work, actor, number, [person.id])
        except Exception as refusal:
            refusals.append(getattr(refusal, "code", repr(refusal)))

    threads = [threading.Thread(target=add_one, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refusals == ["recipient_list_full"] * 3
    assert len(members(call, path)[0]) == 3
    assert MOST_MEMBERS == 100


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": 5}, {"name": "n" * 129}, {"name": "a\nb"}, {"name": "ok", "x": 1}]
)
def test_a_name_that_cannot_be_is_refused(call: Call, body: dict[str, Any]) -> None:
    assert call("POST", "/recipient-lists", body).status_code in (400, 422)


@pytest.mark.parametrize(
    "people", [[], [{}], [{"login": "nobody"}], [{"user_id": 10**30}], [{"login": "ada", "user_id": 1}], "ada"]
)
def test_people_who_are_not_there_are_refused_and_nobody_is_added(call: Call, people: Any) -> None:
    path = create(call)
    assert call("POST", path + "/members", {"people": people}).status_code in (400, 422)
    assert members(call, path) == ([], 0)


def test_who_may_send_nothing_makes_no_lists(server: Server) -> None:
    token = server.token(server.user("rita", READER))
    assert server.call("POST", "/api/v4/recipient-lists", token, json={"name": "Mine"}).status_code == 403
