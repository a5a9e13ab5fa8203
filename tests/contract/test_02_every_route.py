"""Contract 02: rules that hold for every route of the table, so that a route that is added keeps them."""

import re
from collections.abc import Iterator

import pytest

from tests.contract import shapes
from vitrine.api.v1 import PREFIX, ROUTES
from vitrine.api.v1.route import V1Route
from vitrine.testing.server import Server

SLASHLESS = {route.path for route in ROUTES if not route.path.endswith("/")}
WITH_SLASH = [route for route in ROUTES if route.path.endswith("/")]
TWINS = [route for route in ROUTES if route.has_lenient_path]
STRICT = ("/collections/{base_id}/", "/monitor/task/{task}/", "/stories/{databox_id:int}/{story_id:int}/addrecords",
          "/stories/{databox_id:int}/{story_id:int}/delrecords",
          "/stories/{databox_id:int}/{story_id:int}/setcover")  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Nothing is there, so nothing is changed."""
    server = Server(tmp_path_factory.mktemp("routes") / "data")
    yield server
    server.close()


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.token(server.user("ada"))


@pytest.fixture(scope="module")
def admin(server: Server) -> str:
    return server.token(server.user("root", is_admin=True))


def filled(path: str, value: str) -> str:
    return PREFIX + re.sub(r"\{\w+(:int)?\}", value, path)


def test_4_1_all_but_four_end_with_a_slash() -> None:
    assert {
        "/stories", *(f"/stories/{{databox_id:int}}/{{story_id:int}}/{tail}" for tail in
                      ("addrecords", "delrecords", "setcover"))
    } == SLASHLESS  # fmt: skip


@pytest.mark.parametrize("route", [route for route in ROUTES if route.path.endswith("/")], ids=lambda route: route.path)
def test_4_1_without_it_reading_is_301_and_changing_404(server: Server, token: str, route: V1Route) -> None:
    path = filled(route.path, "1").removesuffix("/")
    for method in route.methods:
        answer = server.call(method, path + "?x=1", token)
        if method == "GET":
            assert (answer.status_code, answer.headers["location"]) == (301, f"{path}/?x=1")
        else:
            assert answer.status_code in (404, 405), (method, path)
            assert answer.json()["response"] == {}


@pytest.mark.parametrize("path", sorted(SLASHLESS))
def test_4_1_a_slash_that_is_too_much_is_404(server: Server, token: str, path: str) -> None:
    for method in ("POST", "DELETE", "GET"):
        assert server.call(method, filled(path, "1") + "/", token, json={}).status_code in (404, 405)
    (route,) = [route for route in ROUTES if route.path == path]
    answer = server.call(route.methods[0], filled(path, "1") + "/", token, json={})
    assert answer.status_code == 404


@pytest.mark.parametrize("route", TWINS, ids=lambda route: f"{route.methods} {route.path}")
def test_6_13_ids_that_are_no_digits_are_400_with_empty_details(server: Server, token: str, route: V1Route) -> None:
    path = filled(route.path, "abc")
    for method in route.methods:
        if method == "DELETE":
            continue
        answer = server.call(method, path, token)
        assert (answer.status_code, answer.json()["meta"]["error_details"]) == (400, ""), method
        assert answer.json()["meta"]["error_type"] == "Bad Request"
        assert answer.json()["response"] == {}
        refused = server.call(method, path, "wrong")
        assert (refused.status_code, refused.content) == (401, b"")


def test_6_13_there_are_as_many_as_in_the_contract() -> None:
    """One address has GET and DELETE of a record; the item of the quarantine has none, since it takes any text."""
    assert len(TWINS) == 21


@pytest.mark.parametrize("path", STRICT)
def test_6_13_no_twin_is_404(server: Server, admin: str, path: str) -> None:
    (route,) = [route for route in ROUTES if route.path == path]
    assert not route.has_lenient_path
    assert server.call(route.methods[0], filled(path, "abc"), admin, json={}).status_code == 404


def test_9_5_every_address_of_the_monitor_is_for_administrators(server: Server, token: str) -> None:
    """02 §6.1."""
    refusals = 0
    for route in ROUTES:
        for method in route.methods if route.path.startswith("/monitor/") else ():
            answer = server.call(
                method, filled(route.path, "1"), token, data={"title": "x"} if method == "POST" else None
            )
            assert (answer.status_code, answer.json()["meta"]["error_type"]) == (401, "Unauthorized"), route.path
            refusals += 1
    assert refusals == 7


def test_9_1_every_refusal_has_the_envelope(server: Server, token: str) -> None:
    """02 §1: eight keys, the request without its query, and an object or a list."""
    for route in ROUTES:
        for method in route.methods:
            answer = server.call(method, filled(route.path, "99") + "?x=secret", token)
            if (method, route.path) == ("DELETE", "/me/"):
                continue
            meta = answer.json()["meta"]
            assert shapes.faults(shapes.META, meta) == [], route.path
            assert meta["request"] == f"{method} {filled(route.path, '99')}"
            assert meta["http_code"] == answer.status_code
            assert isinstance(answer.json()["response"], dict | list)
            assert "set-cookie" not in answer.headers
