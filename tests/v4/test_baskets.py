"""Baskets of API v4: made, shared, sent, voted on, by two people at once."""

import threading
from typing import Any

import pytest

from tests.v4.conftest import Call
from tests.v4.test_frame import paged, problem
from vitrine.accounts import Right, User
from vitrine.library.model import RecordKey
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases


@pytest.fixture
def world(server: Server) -> BasketWorld:
    return BasketWorld(server)


@pytest.fixture
def bob(server: Server) -> User:
    return server.user("bob", {}, email="bob@museum.example")


@pytest.fixture
def bobs(server: Server, bob: User) -> str:
    return server.token(bob)


def named(keys: list[RecordKey]) -> dict[str, Any]:
    return {"records": [{"databox_id": key.databox, "record_id": key.number} for key in keys]}


def create(call: Call, keys: list[RecordKey] | None = None, **values: Any) -> str:
    """The path of a new basket."""
    answer = call("POST", "/baskets", {"name": "Boats", **values})
    assert answer.status_code == 201, answer.text
    path = f"/baskets/{answer.json()['basket_id']}"
    assert answer.headers["location"].endswith(f"/api/v4{path}")
    if keys:
        assert call("POST", path + "/elements", named(keys)).json()["added"] == len(keys)
    return path


def numbers(call: Call, path: str, **more: Any) -> list[int]:
    answer = call("GET", path + "/elements", **more)
    assert answer.status_code == 200, answer.text
    return [element["record"]["record_id"] for element in answer.json()["data"]]


def test_a_basket_from_its_making_to_its_end(world: BasketWorld, call: Call, ada: User) -> None:
    keys = world.records(3)
    path = create(call, keys, description="Old")
    shown = call("GET", path)
    basket = shown.json()
    assert (basket["name"], basket["description"], basket["elements"], basket["hidden"]) == ("Boats", "Old", 3, 0)
    assert basket["owner"] == {"user_id": ada.id, "name": "Ada Martin"}
    assert (basket["pusher"], basket["can_modify"], basket["has_vote"]) == (None, True, False)
    renamed = call("PATCH", path, {"name": "Ships", "description": None}, If_Match=shown.headers["etag"])
    assert (renamed.json()["name"], renamed.json()["description"]) == ("Ships", "")
    elements = [element["element_id"] for element in call("GET", path + "/elements").json()["data"]]
    ordered = call("PUT", path + "/order", {"elements": elements[::-1]}, If_Match=renamed.headers["etag"])
    assert ordered.status_code == 200
    assert numbers(call, path) == [key.number for key in keys[::-1]]
    assert call("DELETE", f"{path}/elements/{elements[0]}").status_code == 204
    assert call("POST", path + "/elements/removal", {"elements": elements[1:2]}).json() == {"removed": 1}
    assert numbers(call, path) == [keys[2].number]
    call("PATCH", path, {"is_archived": True}, If_Match="*")
    assert call("GET", "/baskets").json()["data"] == []
    assert [basket["name"] for basket in call("GET", "/baskets?archived=1").json()["data"]] == ["Ships"]
    assert call("DELETE", path).status_code == 204
    assert problem(call("GET", path), 404)["code"] == "not_found"


def test_lists_have_pages(world: BasketWorld, call: Call, server: Server, bob: User, bobs: str) -> None:
    keys = world.records(5)
    paths = [create(call, name=f"B{number}") for number in range(5)]
    call("POST", paths[0] + "/elements", named(keys))
    for limit in (1, 2, 5, 100):
        assert [basket["name"] for basket in paged(call, "/baskets", limit)] == [f"B{place}" for place in range(5)]
        elements = paged(call, paths[0] + "/elements", limit)
        assert [element["record"]["record_id"] for element in elements] == [key.number for key in keys]
    for path in paths[1:]:
        call("POST", path + "/participants", {"login": "bob"})

    def as_bob(method: str, path: str) -> Any:
        return call(method, path, token=bobs)

    assert [basket["name"] for basket in paged(as_bob, "/baskets?shared=1", 2)] == ["B1", "B2", "B3", "B4"]
    assert call("GET", "/baskets", token=bobs).json()["data"] == []
    for number in range(3):
        call("POST", paths[0] + "/participants", {"user_id": server.user(f"p{number}", {}).id})
    people = paged(call, paths[0] + "/participants", 2)
    assert [person["name"] for person in people] == ["p0", "p1", "p2"]


def test_only_what_the_reader_sees(
    world: BasketWorld, call: Call, server: Server, ada: User, bob: User, bobs: str
) -> None:
    hidden, seen = world.record(server.archive), world.record()
    path = create(call, [hidden, seen])
    server.regrant(ada, server.archive, Right.actif)
    shared = call("POST", path + "/participants", {"login": "bob"})
    assert shared.json() == {"user_id": bob.id, "not_granted": 1}
    assert numbers(call, path, token=bobs) == [seen.number]
    basket = call("GET", path, token=bobs).json()
    assert (basket["elements"], basket["hidden"], basket["is_unread"]) == (2, 1, True)
    assert call("POST", path + "/read", {}, token=bobs).status_code == 200
    assert call("GET", path, token=bobs).json()["is_unread"] is False
    assert call("POST", path + "/leave", token=bobs).status_code == 204
    assert problem(call("GET", path, token=bobs), 404) == problem(call("GET", "/baskets/999", token=bobs), 404)


def test_somebody_elses_basket_looks_like_none(call: Call, world: BasketWorld, bobs: str) -> None:
    path = create(call, world.records(1))
    for method, end, body in (
        ("GET", "", None), ("PATCH", "", {"name": "x"}), ("DELETE", "", None), ("GET", "/elements", None),
        ("POST", "/elements", named([RecordKey(world.server.databox.id, 1)])), ("GET", "/participants", None),
        ("POST", "/participants", {"login": "ada"}), ("POST", "/leave", None), ("GET", "/vote", None),
        ("POST", "/vote", {"voters": [{"login": "ada"}]}), ("POST", "/vote/confirm", None),
        ("PUT", "/order", {"elements": [1]}), ("DELETE", "/elements/1", None), ("POST", "/vote/close", None),
    ):  # fmt: skip
        others = problem(call(method, path + end, body, token=bobs, If_Match="*"), 404)
        none = problem(call(method, f"/baskets/99999{end}", body, token=bobs, If_Match="*"), 404)
        assert others == none, (method, end)


def test_a_participant_may_not_do_what_the_owner_may(call: Call, world: BasketWorld, bobs: str) -> None:
    path = create(call, world.records(1))
    call("POST", path + "/participants", {"login": "bob", "can_modify": True})
    for method, end, body in (
        ("PATCH", "", {"name": "x"}), ("DELETE", "", None), ("PUT", "/order", {"elements": [1]}),
        ("POST", "/participants", {"login": "ada"}), ("POST", "/vote", {"voters": [{"login": "ada"}]}),
    ):  # fmt: skip
        refusal = problem(call(method, path + end, body, token=bobs, If_Match="*"), 403)
        assert refusal["code"] == "may_not_change_basket"


def test_changes_of_others_are_not_lost_without_notice(call: Call, world: BasketWorld, bob: User, bobs: str) -> None:
    """What a participant puts in changes the tag that the owner has."""
    world.server.regrant(bob, world.server.photographs, Right.actif | Right.canputinalbum)
    path = create(call)
    call("POST", path + "/participants", {"login": "bob", "can_modify": True})
    before = call("GET", path).headers["etag"]
    assert call("POST", path + "/elements", named(world.records(1)), token=bobs).status_code == 200
    assert problem(call("PATCH", path, {"name": "x"}, If_Match=before), 412)["code"] == "changed_meanwhile"
    assert problem(call("DELETE", path, If_Match=before), 412)
    assert problem(call("PATCH", path, {"name": "x"}), 428)["code"] == "if_match_required"
    assert call("PATCH", path, {"name": "x"}, If_Match=call("GET", path).headers["etag"]).status_code == 200


def test_a_push_gives_each_person_a_basket(
    call: Call, world: BasketWorld, server: Server, bob: User, bobs: str
) -> None:
    keys = world.records(2)
    sent = call("POST", "/baskets/push", {**named(keys), "people": [{"login": "bob"}], "name": "For you"})
    assert (sent.status_code, sent.json()) == (201, {"people": [bob.id], "through_lists": 0, "left_out": []})
    (basket,) = call("GET", "/baskets", token=bobs).json()["data"]
    assert (basket["pusher"]["name"], basket["is_unread"]) == ("Ada Martin", True)
    assert numbers(call, f"/baskets/{basket['basket_id']}", token=bobs) == [key.number for key in keys]
    again = call("POST", "/baskets/push", {**named(keys), "people": [{"user_id": bob.id}], "name": "x"}, token=bobs)
    assert problem(again, 403)["code"] == "may_not_share_basket"


@pytest.mark.parametrize("body", [
    {}, {"name": ""}, {"name": "<b></b>"}, {"name": 1}, {"name": "x" * 256}, {"name": "x", "colour": "red"},
    {"name": "a\u0000b"}, [],
])  # fmt: skip
def test_names_that_are_refused(call: Call, body: Any) -> None:
    problem(call("POST", "/baskets", body), 400)


@pytest.mark.parametrize("body", [
    {}, {"records": []}, {"records": [1]}, {"records": [{"databox_id": 1}]}, {"records": "x"},
    {"records": [{"databox_id": 1, "record_id": 10**30}]}, {"records": [{"databox_id": -1, "record_id": 1}]},
    {"records": [{"databox_id": 1, "record_id": 1, "x": 1}]},
])  # fmt: skip
def test_records_that_are_refused(call: Call, world: BasketWorld, body: Any) -> None:
    path = create(call, world.records(1))
    assert problem(call("POST", path + "/elements", body), 400)["field"] == "records"


@pytest.mark.parametrize(("body", "field"), [
    ({}, "login"), ({"login": "bob", "user_id": 1}, "login"), ({"login": ""}, "login"), ({"login": "nobody"}, "login"),
    ({"user_id": 10**30}, "user_id"), ({"user_id": 999}, "user_id"), ({"login": "ada"}, "user_id"),
    ({"login": "bob", "expires": "tomorrow"}, "expires"), ({"login": "bob", "expires": "2030-01-01"}, "expires"),
    ({"login": "bob", "expires": "2001-01-01T00:00:00Z"}, "expires"), ({"login": "bob", "can_modify": 1}, "can_modify"),
])  # fmt: skip
def test_shares_that_are_refused(call: Call, bob: User, body: Any, field: str) -> None:
    assert problem(call("POST", create(call) + "/participants", body), 400)["field"] == field


def test_who_may_share_nothing_learns_nobodys_login(call: Call, server: Server, bob: User) -> None:
    eve = server.token(server.user("eve", Right.actif | Right.canputinalbum))
    path = f"/baskets/{call('POST', '/baskets', {'name': 'x'}, token=eve).json()['basket_id']}"
    for login in ("bob", "nobody"):
        problem(call("POST", path + "/participants", {"login": login}, token=eve), 403)
        problem(call("POST", path + "/vote", {"voters": [{"login": login}]}, token=eve), 403)


class TestVotes:
    def test_from_the_question_to_the_report(self, call: Call, world: BasketWorld, bob: User, bobs: str) -> None:
        path = create(call, world.records(2))
        assert problem(call("GET", path + "/vote"), 404)["code"] == "no_such_vote"
        started = call("POST", path + "/vote", {"voters": [{"login": "bob"}], "expires": "2030-01-01T00:00:00+02:00"})
        assert (started.status_code, started.json()) == (201, {"not_granted": 0})
        vote = call("GET", path + "/vote", token=bobs).json()
        assert (vote["expires"], vote["is_open"], vote["closed"]) == ("2029-12-31T22:00:00Z", True, None)
        assert vote["initiator"]["name"] == "Ada Martin"
        assert vote["voters"] == [
            {"user_id": bob.id, "name": "bob", "can_agree": True, "can_see_others": False, "confirmed": None}
        ]
        first, second = call("GET", path + "/elements", token=bobs).json()["data"]
        choices = [
            {"element_id": first["element_id"], "agreement": True, "note": "The best"},
            {"element_id": second["element_id"], "note": "?"},
        ]
        assert call("POST", path + "/vote/choices", {"choices": choices}, token=bobs).json() == {"choices": 2}
        shown = call("GET", path + "/elements").json()["data"]
        assert [(choice["person"]["name"], choice["agreement"]) for choice in shown[0]["choices"]] == [("bob", True)]
        assert [element["agreement"] for element in shown] == [None, None], "ada's own"
        assert call("POST", path + "/vote/confirm", token=bobs).status_code == 204
        assert call("GET", path + "/vote").json()["voters"][0]["confirmed"] is not None
        late = call("POST", path + "/vote/choices", {"choices": choices[1:]}, token=bobs)
        assert problem(late, 409)["code"] == "vote_closed"
        assert call("POST", path + "/vote/close").status_code == 204
        assert call("GET", path + "/vote").json()["is_open"] is False
        assert call("DELETE", path + "/vote").status_code == 204
        assert problem(call("GET", path, token=bobs), 404)

    def test_two_windows_of_a_voter(self, call: Call, world: BasketWorld, bob: User, bobs: str) -> None:
        path = create(call, world.records(1))
        call("POST", path + "/vote", {"voters": [{"login": "bob"}]})
        (element,) = call("GET", path + "/elements", token=bobs).json()["data"]
        tag = call("GET", path + "/vote/choices", token=bobs).headers["etag"]
        yes, no = (
            {"choices": [{"element_id": element["element_id"], "agreement": agreement}]} for agreement in (True, False)
        )
        fresh = call("POST", path + "/vote/choices", yes, token=bobs, If_Match=tag)
        assert problem(call("POST", path + "/vote/choices", no, token=bobs, If_Match=tag), 412)
        assert call("POST", path + "/vote/choices", no, token=bobs, If_Match=fresh.headers["etag"]).status_code == 200
        own = call("GET", path + "/vote/choices", token=bobs).json()["choices"]
        assert [(choice["element_id"], choice["agreement"]) for choice in own] == [(element["element_id"], False)]

    def test_another_end_needs_the_tag_of_the_vote(self, call: Call, world: BasketWorld, bob: User) -> None:
        path = create(call, world.records(1))
        call("POST", path + "/vote", {"voters": [{"login": "bob"}]})
        tag = call("GET", path + "/vote").headers["etag"]
        end = {"expires": "2030-01-01T00:00:00Z"}
        assert call("PATCH", path + "/vote", end, If_Match=tag).status_code == 204
        assert problem(call("PATCH", path + "/vote", end, If_Match=tag), 412)
        assert call("GET", path + "/vote").json()["expires"] == "2030-01-01T00:00:00Z"

    @pytest.mark.parametrize("choices", [
        [], [{}], [{"element_id": "x"}], [{"element_id": 1, "agreement": "yes"}], [{"element_id": 1, "x": 1}],
        [{"element_id": 10**30}],
    ])  # fmt: skip
    def test_choices_that_are_refused(self, call: Call, world: BasketWorld, bob: User, bobs: str, choices: Any) -> None:
        path = create(call, world.records(1))
        call("POST", path + "/vote", {"voters": [{"login": "bob"}]})
        refusal = problem(call("POST", path + "/vote/choices", {"choices": choices}, token=bobs), 400)
        assert refusal["field"] == "choices"


def test_a_repeated_push_sends_once(call: Call, world: BasketWorld, bob: User, bobs: str) -> None:
    body = {**named(world.records(1)), "people": [{"login": "bob"}], "name": "For you"}
    first, again = (call("POST", "/baskets/push", body, Idempotency_Key="one") for _ in range(2))
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert len(call("GET", "/baskets", token=bobs).json()["data"]) == 1


# -- two people at once ------------------------------------------------------------------------------------------------


def at_once(*calls: Any) -> list[Any]:
    answers: list[Any] = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def run(place: int) -> None:
        barrier.wait()
        answers[place] = calls[place]()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_two_changes_with_the_same_tag_one_is_told(call: Call, world: BasketWorld) -> None:
    path = create(call)
    for turn in range(4):
        tag = call("GET", path).headers["etag"]
        names = [f"{turn} {side}" for side in ("left", "right")]
        answers = at_once(*(
            lambda name=name, tag=tag: call("PATCH", path, {"name": name}, If_Match=tag) for name in names
        ))  # fmt: skip
        statuses = [answer.status_code for answer in answers]
        assert sorted(statuses) == [200, 412]
        assert call("GET", path).json()["name"] == names[statuses.index(200)]


def test_two_people_fill_and_vote_at_once(call: Call, world: BasketWorld, server: Server) -> None:
    """Nothing is lost, nothing fails, each record is there once, and each voter has their own choices."""
    people = [server.user(f"p{number}", Right.actif | Right.canputinalbum) for number in range(3)]
    tokens = [server.token(person) for person in people]
    keys = world.records(6)
    path = create(call, keys[:1])
    for person in people:
        call("POST", path + "/participants", {"user_id": person.id, "can_modify": True})
    answers = at_once(*(
        lambda token=token: [
            call("POST", path + "/elements", named([key]), token=token).status_code for key in keys
        ]
        for token in tokens
    ))  # fmt: skip
    assert answers == [[200] * 6] * 3
    assert sorted(numbers(call, path)) == [key.number for key in keys]
    call("POST", path + "/vote", {"voters": [{"user_id": person.id} for person in people]})
    elements = [element["element_id"] for element in call("GET", path + "/elements").json()["data"]]
    bodies = [{"choices": [{"element_id": element, "agreement": True}]} for element in elements]
    answers = at_once(*(
        lambda token=token: [
            call("POST", path + "/vote/choices", body, token=token).status_code for body in bodies
        ]
        for token in tokens
    ))  # fmt: skip
    assert answers == [[200] * 6] * 3
    for element in call("GET", path + "/elements").json()["data"]:
        assert [choice["agreement"] for choice in element["choices"]] == [True] * 3
