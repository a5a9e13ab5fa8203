"""API v4: views, uses, searches and sign-ins, for people who may report on them (06 sections 17.7 and 25)."""

from typing import Any

import pytest

from tests.v4.test_history import scoped
from vitrine.accounts import Right, User
from vitrine.accounts.rights import READER
from vitrine.library.reports import views
from vitrine.library.reports.views import ViewRow
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.server import Server

REPORTER = READER | Right.canreport | Right.canpush


@pytest.fixture
def world(server: Server) -> BasketWorld:
    return BasketWorld(server)


@pytest.fixture
def reporter(server: Server) -> User:
    return server.user("reporter", {server.photographs.id: REPORTER})


def data(server: Server, token: str, path: str) -> list[dict[str, Any]]:
    """All pages of a list, two items at a time."""
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = server.call("GET", f"/api/v4{path}?limit=2{cursor}", token)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["data"]
        if page["next"] is None:
            return items
        assert len(page["data"]) == 2
        cursor = f"&cursor={page['next']}"


@pytest.mark.both_databases
def test_views_and_uses_of_a_record_and_of_its_collection(server: Server, world: BasketWorld, reporter: User) -> None:
    keys = world.records(2)
    hosts = ("", "a.example", "b.example", "*")
    with server.services.database.write() as work:
        views.write(work, [ViewRow(keys[0], "preview", host, 3) for host in hosts])
    world.push(reporter, keys, server.user("bob", None))
    token = scoped(server, reporter, "reports")
    path = f"/records/{keys[0].databox}/{keys[0].number}"
    listed = data(server, token, path + "/views")
    assert {line["referrer"] for line in listed} == {None, "a.example", "b.example", "*"}
    assert {(line["record_id"], line["rendition"], line["views"]) for line in listed} == {(1, "preview", 3)}
    assert data(server, token, f"/collections/{server.photographs.id}/views") == listed
    (use,) = data(server, token, path + "/uses")
    assert (use["kind"], use["by"], use["base_id"]) == (
        "push", {"user_id": reporter.id, "name": "reporter"}, server.photographs.id,
    )  # fmt: skip
    assert [line["record_id"] for line in data(server, token, f"/collections/{server.photographs.id}/uses")] == [2, 1]


def test_who_may_not_report_is_refused_and_a_hidden_record_stays_hidden(
    server: Server, world: BasketWorld, reporter: User
) -> None:
    key, hidden = world.record(), world.record(server.archive)
    reader = scoped(server, server.user("reader", {server.photographs.id: READER}), "reports")
    token = scoped(server, reporter, "reports")
    for end in ("views", "uses"):
        assert server.call("GET", f"/api/v4/records/1/{key.number}/{end}", reader).status_code == 403
        assert server.call("GET", f"/api/v4/collections/{server.photographs.id}/{end}", reader).status_code == 403
        assert server.call("GET", f"/api/v4/collections/{server.archive.id}/{end}", token).status_code == 403
        missing = server.call("GET", f"/api/v4/records/1/999/{end}", token)
        unseen = server.call("GET", f"/api/v4/records/1/{hidden.number}/{end}", token)
        assert (missing.status_code, unseen.status_code) == (404, 404)
        assert server.call("GET", f"/api/v4/collections/999/{end}", token).status_code == 403
    assert server.call("GET", f"/api/v4/databoxes/{server.databox.id}/searches", token).status_code == 403


def test_a_token_needs_its_scope(server: Server, world: BasketWorld, reporter: User) -> None:
    key = world.record()
    token = scoped(server, reporter, "library:read", "search")
    for path in (f"/records/1/{key.number}/views", f"/records/1/{key.number}/uses", "/sessions"):
        assert server.call("GET", f"/api/v4{path}", token).status_code == 403


def test_administrators_see_who_signed_in(server: Server, reporter: User) -> None:
    server.browser(reporter)
    root = server.token(server.user("root", None, is_admin=True))
    (line,) = data(server, root, "/sessions")
    assert (line["action"], line["object"]) == ("session.opened", f"user {reporter.id}")
    assert server.call("GET", "/api/v4/sessions", server.token(reporter)).status_code == 403
