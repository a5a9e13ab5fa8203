"""Feeds of API v4: manage, publish, read, and addresses for feed readers."""

from typing import Any

import pytest

from tests.v4.conftest import Call
from tests.v4.test_frame import paged, problem
from vitrine.accounts import COMMAND, DataboxRight, Right, User
from vitrine.feeds import Feed
from vitrine.testing import media_factory
from vitrine.testing.feed_factory import add_feed, picture, publish, publisher
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases


@pytest.fixture
def ada(server: Server) -> User:
    return publisher(server, "ada", email="ada@museum.example")


@pytest.fixture
def root(server: Server) -> str:
    return server.token(server.user("root", None, is_admin=True))


@pytest.fixture
def news(server: Server, ada: User) -> Feed:
    return add_feed(server, ada)


def body(key: Any) -> dict[str, int]:
    return {"databox_id": key.databox, "record_id": key.number}


def test_the_life_of_a_feed(server: Server, call: Call, root: str) -> None:
    problem(call("POST", "/feeds", {"title": "Press"}), 403)
    added = call("POST", "/feeds", {"title": "Press", "base_id": server.archive.id}, token=root)
    assert added.status_code == 201, added.text
    path = added.headers["location"].removeprefix("/api/v4")
    feed = added.json()
    assert (feed["title"], feed["public"], feed["restricted"], feed["base_id"]) == (
        "Press", False, True, server.archive.id,
    )  # fmt: skip
    tag = call("GET", path, token=root).headers["etag"]
    assert tag == added.headers["etag"]
    changed = call("PATCH", path, {"public": True, "base_id": None, "subtitle": "Daily"}, token=root, If_Match=tag)
    assert (changed.json()["public"], changed.json()["restricted"], changed.json()["subtitle"]) == (
        True,
        False,
        "Daily",
    )
    problem(call("PATCH", path, {"title": "Late"}, token=root, If_Match=tag), 412)
    problem(call("PATCH", path, {"title": "Unguarded"}, token=root), 428)
    problem(call("DELETE", path, token=root, If_Match=tag), 412)
    assert call("DELETE", path, token=root).status_code == 204
    problem(call("GET", path, token=root), 404)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "title"), ({"title": ""}, "title"), ({"title": 3}, "title"), ({"title": "x", "colour": 1}, "colour"),
        ({"title": "x", "base_id": 2**63}, "base_id"), ({"title": "x", "public": "yes"}, "public"),
        ({"title": "x", "owner_id": -1}, "owner_id"),
    ],
)  # fmt: skip
def test_wrong_values_are_named(call: Call, root: str, values: dict[str, Any], field: str) -> None:
    assert problem(call("POST", "/feeds", values, token=root), 400)["field"] == field


def test_the_owner_changes_texts_but_not_who_reads(call: Call, news: Feed) -> None:
    path = f"/feeds/{news.id}"
    assert call("PATCH", path, {"title": "Fresh"}, If_Match="*").json()["title"] == "Fresh"
    problem(call("PATCH", path, {"public": True}, If_Match="*"), 403)
    for name in ("title", "public", "owner_id"):
        assert problem(call("PATCH", path, {name: None}, If_Match="*"), 400)["field"] == name


def test_feeds_that_one_may_not_know_look_like_none(server: Server, ada: User, call: Call) -> None:
    hidden = add_feed(server, ada, scope=server.photographs)
    entry = publish(server, ada, hidden.id, [picture(server)])
    stranger = server.token(server.user("stranger", None))
    answers = [
        call(method, path, values, token=stranger, If_Match="*")
        for method, path, values in (
            ("GET", f"/feeds/{hidden.id}", None), ("GET", "/feeds/999", None), ("GET", "/feeds/" + "9" * 30, None),
            ("PATCH", f"/feeds/{hidden.id}", {"title": "x"}), ("DELETE", f"/feeds/{hidden.id}", None),
            ("GET", f"/feeds/{hidden.id}/entries", None), ("GET", f"/feeds/{hidden.id}/entries/{entry.id}", None),
            ("DELETE", f"/feeds/{hidden.id}/entries/{entry.id}", None), ("GET", f"/feeds/{hidden.id}/publishers", None),
            ("POST", f"/feeds/{hidden.id}/address", None),
            ("POST", f"/feeds/{hidden.id}/entries", {"title": "x", "records": [{"databox_id": 1, "record_id": 1}]}),
        )
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers if '"field"' not in answer.text}) == 1
    assert call("GET", "/feeds", token=stranger).json()["data"] == []


def test_pages_of_feeds_and_entries_hold_each_once(server: Server, ada: User, call: Call) -> None:
    feeds = [add_feed(server, ada).id for _ in range(5)]
    record = picture(server)
    entries = [publish(server, ada, feeds[0], [record]).id for _ in range(5)]
    for limit in (1, 2, 5, 7):
        assert [feed["feed_id"] for feed in paged(call, "/feeds", limit)] == feeds
        listed = paged(call, f"/feeds/{feeds[0]}/entries", limit)
        assert [entry["entry_id"] for entry in listed] == entries[::-1]
        assert "records" not in listed[0] and listed[0]["items"][0]["record_id"] == record.number


def test_publish_read_change_and_delete_an_entry(server: Server, ada: User, call: Call, news: Feed) -> None:
    keys = [picture(server) for _ in range(3)]
    path = f"/feeds/{news.id}/entries"
    first = call("POST", path, {"title": "Boats", "records": [body(key) for key in keys[:2]]}, Idempotency_Key="one")
    again = call("POST", path, {"title": "Boats", "records": [body(key) for key in keys[:2]]}, Idempotency_Key="one")
    assert (first.status_code, again.json(), again.headers["idempotent-replayed"]) == (201, first.json(), "true")
    own = first.headers["location"].removeprefix("/api/v4")
    shown = call("GET", own)
    entry = shown.json()
    assert [record["record_id"] for record in entry["records"]] == [key.number for key in keys[:2]]
    assert (entry["author_email"], shown.headers["etag"]) == ("ada@museum.example", first.headers["etag"])
    assert call("GET", own + "?fields=title").json() == {"entry_id": entry["entry_id"], "feed_id": news.id,
                                                        "title": "Boats"}  # fmt: skip
    problem(call("PATCH", own, {"title": "Ships"}), 428)
    changed = call("PATCH", own, {"title": "Ships", "records": [body(keys[2])]}, If_Match=shown.headers["etag"])
    assert changed.status_code == 200, changed.text
    problem(call("PATCH", own, {"title": "Late"}, If_Match=shown.headers["etag"]), 412)
    entry = call("GET", own).json()
    assert (entry["title"], [item["record_id"] for item in entry["items"]]) == ("Ships", [keys[2].number])
    problem(call("GET", f"/feeds/999/entries/{entry['entry_id']}"), 404)
    assert call("DELETE", own).status_code == 204
    problem(call("GET", own), 404)


@pytest.mark.parametrize(
    "records",
    [[], [{}], ["1/1"], [{"databox_id": 1}], [{"databox_id": True, "record_id": 1}],
     [{"databox_id": 0, "record_id": 1}], [{"databox_id": 2**63, "record_id": 1}],
     [{"databox_id": 1, "record_id": 1, "x": 1}], None],
)  # fmt: skip
def test_wrong_records_are_refused(call: Call, news: Feed, records: Any) -> None:
    refused = call("POST", f"/feeds/{news.id}/entries", {"title": "Boats", "records": records})
    assert problem(refused, 400)["field"] == "records"


def test_publishing_without_the_right_is_refused(server: Server, ada: User, call: Call, news: Feed) -> None:
    key = picture(server)
    values = {"title": "Boats", "records": [body(key)]}
    with server.services.database.write() as work:
        users = server.services.accounts.users
        users.grant_databox(work, COMMAND, ada.id, server.databox.id, DataboxRight(0))
    problem(call("POST", f"/feeds/{news.id}/entries", values), 403)
    server.regrant(ada, server.photographs, Right(0))
    problem(call("POST", f"/feeds/{news.id}/entries", values), 404)


def test_publishers_are_named_by_login(server: Server, ada: User, call: Call, news: Feed) -> None:
    bob = publisher(server, "bob")
    path = f"/feeds/{news.id}/publishers"
    assert problem(call("POST", path, {"login": " "}), 400)["field"] == "login"
    problem(call("POST", path, {"login": "nobody"}), 404)
    added = call("POST", path, {"login": "bob"})
    assert (added.status_code, added.json()) == (201, {"user_id": bob.id, "login": "bob", "name": "bob", "owns": False})
    assert [(row["login"], row["owns"]) for row in paged(call, path, 1)] == [("ada", True), ("bob", False)]
    token = server.token(bob)
    problem(call("DELETE", f"{path}/{ada.id}", token=token), 403)
    problem(call("DELETE", f"{path}/{ada.id}"), 400)  # the owner
    changed = call("PATCH", f"/feeds/{news.id}", {"owner_id": bob.id}, If_Match="*")
    assert changed.json()["mine"] == {"publishes": True, "owns": False}
    assert call("DELETE", f"{path}/{ada.id}", token=token).status_code == 204
    problem(call("GET", path), 403)


def test_addresses_are_shown_once_and_renewed(server: Server, call: Call, news: Feed) -> None:
    def status(addresses: dict[str, str]) -> set[int]:
        paths = [address.removeprefix(server.settings.base_url) for address in addresses.values()]
        return {server.http.get(path).status_code for path in paths}

    for path in (f"/feeds/{news.id}/address", "/feeds/address"):
        first = call("POST", path, Idempotency_Key="one" + path)
        assert first.status_code == 201 and status(first.json()) == {200}
        assert problem(call("POST", path, Idempotency_Key="one" + path), 409)["code"] == "secret_shown_once"
        second = call("POST", path).json()
        assert (status(first.json()), status(second)) == ({404}, {200})
        assert call("DELETE", path).status_code == 204
        assert status(second) == {404}
        problem(call("DELETE", path), 404)


def test_the_picture_of_a_feed(server: Server, ada: User, token: str, call: Call, news: Feed) -> None:
    path = f"/api/v4/feeds/{news.id}/icon"
    picture_file = media_factory.jpeg(server.settings.data_dir / "icon.jpg", 32, 32)
    bob = server.token(server.user("bob"))
    for content, who, status in (
        (picture_file.read_bytes(), bob, 403), (b"<svg xmlns='http://www.w3.org/2000/svg'/>", token, 400),
        (b"x" * (2 * 2**20 + 1), token, 413), (picture_file.read_bytes(), token, 204),
    ):  # fmt: skip
        answer = server.call("PUT", path, who, content=content, headers={"Content-Type": "image/jpeg"})
        assert answer.status_code == status, answer.text
    assert call("GET", f"/feeds/{news.id}").json()["has_icon"]
    assert call("DELETE", f"/feeds/{news.id}/icon").status_code == 204
    assert not call("GET", f"/feeds/{news.id}").json()["has_icon"]
