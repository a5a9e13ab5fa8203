"""What all operations of API v4 have in common (docs/decisions/0123)."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.v4.conftest import V4, Call, path_of
from vitrine.accounts import COMMAND, Right, User
from vitrine.accounts.rights import ALL_RIGHTS
from vitrine.api.v4 import ROUTES, V4Route
from vitrine.api.v4.content import sparse
from vitrine.library.model import RecordKey
from vitrine.platform.crypto import base64url
from vitrine.testing.server import CALLBACK, Server

PROBLEM = "application/problem+json"
LISTS = [route for route in ROUTES if route.is_list]
READS = [route for route in ROUTES if route.method == "GET"]


def problem(answer: Any, status: int) -> Any:
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    value = answer.json()
    assert (value["status"], value["type"]) == (status, "about:blank")
    return value


def address(route: V4Route) -> str:
    return re.sub(r"\{\w+(:int)?\}", "1", route.path)


@pytest.fixture(scope="module")
def grace(shared_server: Server) -> User:
    return shared_server.user("grace")


@pytest.fixture(scope="module")
def refused(shared_server: Server, grace: User) -> Call:
    """A GET of a path of v4 that is refused, with grace's token."""
    token = shared_server.token(grace)
    return lambda path: shared_server.call("GET", V4 + path, token)


@pytest.fixture(scope="module")
def narrow(shared_server: Server, grace: User) -> dict[str, str]:
    """Tokens of grace's by the one scope that each has."""
    app, services = shared_server.register(grace), shared_server.services
    with services.database.write() as work:
        actor = services.accounts.users.actor_of(work, grace, COMMAND.via)
        return {
            scope: services.oauth.personal_tokens.add(work, actor, app.application, scope, "90", frozenset({scope}))
            for scope in ("library:read", "search")
        }


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_operation_asks_for_a_token_and_its_scope(
    shared_server: Server, narrow: dict[str, str], route: V4Route
) -> None:
    path = V4 + address(route)
    nobody = shared_server.http.request(route.method, path)
    assert "error=" not in nobody.headers["www-authenticate"]
    problem(nobody, 401)
    other = "library:read" if route.needs != "library:read" else "search"
    refused = shared_server.call(route.method, path, narrow[other])
    assert problem(refused, 403)["scope"] == route.needs


@pytest.mark.parametrize("route", READS, ids=lambda route: route.path)
def test_unknown_parameters_are_refused_by_name(refused: Call, route: V4Route) -> None:
    refusal = problem(refused(address(route) + "?colour=red"), 400)
    assert (refusal["code"], refusal["field"]) == ("unknown_parameter", "colour")
    assert all(name in refusal["detail"] for name in route.parameters())


def test_a_token_belongs_in_the_header(server: Server, token: str) -> None:
    assert problem(server.http.get(f"{V4}/me?oauth_token={token}"), 400)["field"] == "oauth_token"


@pytest.mark.parametrize("path", ["/api/v4", "/api/v4/", "/api/v4/me/", "/api/v4/nothing", "/api/v4/records/x/1"])
def test_an_address_where_nothing_is_is_a_problem(server: Server, path: str) -> None:
    assert problem(server.http.get(path), 404)["code"] == "not_found"


def test_a_wrong_method_is_a_problem_that_names_the_right_ones(server: Server) -> None:
    answer = server.http.post(f"{V4}/collections")
    problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.path)
@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1e1", "9" * 30])
def test_a_wrong_limit_is_refused(refused: Call, route: V4Route, limit: str) -> None:
    assert problem(refused(f"{address(route)}?limit={limit}"), 400)["field"] == "limit"


WRONG_CURSORS = ["", "x", "!!!", "9" * 600, base64url(b"[1]"), base64url(b'["00000000",1]'), base64url(b"{}"),
                 base64url(b"[" * 300)]  # fmt: skip


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.path)
@pytest.mark.parametrize("cursor", WRONG_CURSORS)
def test_a_wrong_cursor_is_refused(refused: Call, route: V4Route, cursor: str) -> None:
    assert problem(refused(f"{address(route)}?cursor={cursor}"), 400)["code"] == "bad_cursor"


def paged(call: Call, path: str, limit: int) -> list[Any]:
    """All items, page by page."""
    items: list[Any] = []
    mark = "&" if "?" in path else "?"
    address = f"{path}{mark}limit={limit}"
    for _ in range(100):
        answer = call("GET", address)
        page = answer.json()
        assert len(page["data"]) <= limit
        items += page["data"]
        if page["next"] is None:
            assert "link" not in answer.headers
            return items
        assert len(page["data"]) == limit
        link = re.fullmatch(r'<http://dam\.test/api/v4(.+)>; rel="next"', answer.headers["link"])
        assert link
        address = link[1]
        assert f"cursor={page['next']}" in address
    raise AssertionError("the list does not end")


@pytest.mark.both_databases
def test_pages_hold_each_item_once(server: Server, call: Call, ada: User) -> None:
    with server.services.database.write() as work:
        structure = server.services.library.structure
        added = [structure.add_collection(work, COMMAND, server.databox.id, f"C{number}") for number in range(5)]
    for base in added:
        server.regrant(ada, base, ALL_RIGHTS)
    for number in range(4):
        call("POST", "/applications", {**PAGE, "name": f"App {number}"})
    for limit in (1, 2, 3, 7, 100):
        assert len({item["base_id"] for item in paged(call, "/collections", limit)}) == 7
        assert [item["databox_id"] for item in paged(call, "/databoxes", limit)] == [server.databox.id]
        assert len({item["id"] for item in paged(call, "/applications?q=App", limit)}) == 4


PAGE = {
    "name": "Reader", "description": "Reads.", "website": "https://reader.example.com", "kind": "page",
    "redirect_uris": ["https://reader.example.com/callback"],
}  # fmt: skip


def test_a_cursor_is_of_one_list(call: Call) -> None:
    cursor = call("GET", "/collections?limit=1").json()["next"]
    assert call("GET", f"/collections?limit=1&cursor={cursor}").status_code == 200
    assert call("GET", f"/collections?cursor={cursor}&fields=name").status_code == 200
    assert problem(call("GET", f"/collections?databox_id=1&cursor={cursor}"), 400)["code"] == "bad_cursor"
    assert problem(call("GET", f"/databoxes?cursor={cursor}"), 400)["code"] == "bad_cursor"


def test_a_cursor_opens_nothing(server: Server, call: Call, ada: User) -> None:
    cursor = call("GET", "/collections?limit=1").json()["next"]
    server.regrant(ada, server.archive, Right(0))
    assert call("GET", f"/collections?limit=1&cursor={cursor}").json() == {"data": [], "next": None}


@given(st.sets(st.sampled_from(["user_id", "login", "email", "locale", "scopes"])))
def test_fields_choose_members(chosen: set[str]) -> None:
    value = dict.fromkeys(("user_id", "login", "email", "locale", "scopes"), 1)
    assert set(sparse(value, frozenset(chosen), "user_id")) == chosen | {"user_id"}
    assert sparse(value, None) == value


def test_fields_of_answers(call: Call, key: RecordKey) -> None:
    assert call("GET", "/me?fields=login").json() == {"user_id": call("GET", "/me").json()["user_id"], "login": "ada"}
    record = call("GET", f"{path_of(key)}?fields=title,metadata").json()
    assert set(record) == {"databox_id", "record_id", "title", "metadata"}
    assert set(call("GET", "/collections?fields=name").json()["data"][0]) == {"base_id", "name"}
    refusal = problem(call("GET", "/me?fields=login,colour"), 400)
    assert (refusal["field"], "colour" in refusal["detail"]) == ("fields", True)


def test_what_one_may_not_know_of_looks_like_what_is_not_there(server: Server, call: Call, key: RecordKey) -> None:
    eve = server.token(server.user("eve", None))
    for hidden, missing in (
        (path_of(key), f"/records/{key.databox}/99"),
        (path_of(key), "/records/99/1"),
        (f"/databoxes/{server.databox.id}", "/databoxes/99"),
        (f"/collections/{server.photographs.id}", "/collections/99"),
    ):
        assert call("GET", hidden).status_code == 200
        assert problem(call("GET", hidden, token=eve), 404) == problem(call("GET", missing, token=eve), 404)
    problem(call("GET", "/records/1/" + "9" * 40), 404)


def test_a_record_has_a_tag_and_addresses_that_open(server: Server, call: Call, key: RecordKey) -> None:
    answer = call("GET", path_of(key))
    record = answer.json()
    assert re.fullmatch(r'"[^"]+"', answer.headers["etag"])
    assert (record["databox_id"], record["record_id"], record["base_id"]) == (*key, server.photographs.id)
    assert {file["name"] for file in record["renditions"]} >= {"document", "preview", "thumbnail"}
    for file in (record["thumbnail"], *record["renditions"]):
        opened = server.http.get(file["url"].removeprefix(server.settings.base_url))
        assert (opened.status_code, opened.headers["content-type"]) == (200, file["mime_type"])


def test_files_follow_the_rights(server: Server, call: Call, key: RecordKey) -> None:
    eve = server.token(server.user("eve", Right.actif))
    names = {file["name"] for file in call("GET", path_of(key), token=eve).json()["renditions"]}
    assert "thumbnail" in names
    assert not names & {"document", "preview"}


class TestOtherSites:
    """Pages of other sites (docs/decisions/0027, 0068)."""

    ORIGIN = CALLBACK.removesuffix("/cb")

    def test_they_may_call_it_with_all_its_headers(self, server: Server, call: Call) -> None:
        answer = call("GET", "/me", Origin=self.ORIGIN)
        assert answer.headers["access-control-allow-origin"] == self.ORIGIN
        assert {"ETag", "Link", "Location"} <= set(answer.headers["access-control-expose-headers"].split(", "))
        wanted = {
            "Origin": self.ORIGIN, "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization,idempotency-key,if-match",
        }  # fmt: skip
        preflight = server.http.request("OPTIONS", f"{V4}/me", headers=wanted)
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, self.ORIGIN)

    @pytest.mark.parametrize("path", ["/applications", "/applications/1/secrets"])
    def test_they_manage_no_applications(self, call: Call, path: str) -> None:
        answer = call("GET", path, Origin=self.ORIGIN)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_the_older_address_of_applications_is_the_same(server: Server, call: Call, token: str) -> None:
    created = call("POST", "/applications", PAGE)
    assert created.headers["location"] == f"http://dam.test/api/v4/applications/{created.json()['id']}"
    new = call("GET", f"/applications/{created.json()['id']}")
    old = server.call("GET", f"/api/applications/{created.json()['id']}/", token)
    assert (new.json(), new.headers["etag"]) == (old.json(), old.headers["etag"])
    older = server.call("POST", "/api/applications/", token, json={**PAGE, "name": "Older"})
    assert older.headers["location"] == f"http://dam.test/api/applications/{older.json()['id']}/"
    assert server.call("GET", "/api/applications/?page=1&colour=red", token).json()["page"] == 1
