"""What an application really used, and what follows when its owner leaves it only that."""

from typing import Any

import pytest

from tests.oauth.flows import allow, ask, code_of, exchange, query_of, refresh, tokens
from tests.portal.conftest import API
from vitrine.accounts import User
from vitrine.api.capabilities import capability
from vitrine.api.v1 import PREFIX, ROUTES
from vitrine.applications import Profile
from vitrine.oauth import scopes
from vitrine.testing.server import Registered, Server, Visitor

WIDE = "library:read search upload account:read originals"


def path_of(app: Registered, rest: str = "") -> str:
    return f"{API}{app.application.id}/{rest}"


def narrow(server: Server, app: Registered, limit: list[str] | None) -> Any:
    return server.call("PUT", path_of(app, "scopes/"), app.developer_token, json={"limit": limit})


def held(server: Server, app: Registered) -> dict[str, Any]:
    answer = server.call("GET", path_of(app, "scopes/"), app.developer_token).json()
    return {scope["scope"]: scope for scope in answer["scopes"]}


@pytest.mark.both_databases
def test_uses_are_counted_by_capability_and_what_no_call_shows_is_not_called_unused(
    server: Server, ada: User, app: Registered
) -> None:
    token = tokens(server, ada, app, WIDE)["access_token"]
    for path in ("/api/v1/search/", "/api/v1/search/", "/api/v1/databoxes/list/"):
        server.call("GET", path, token)
    assert server.call("GET", "/api/v1/quarantine/list/", token).status_code == 403, "a refused call is no use"
    scopes = held(server, app)
    assert {name: scope["uses"] for name, scope in scopes.items()} == {
        "library:read": 1, "search": 2, "originals": None, "upload": 0, "account:read": 0,
    }  # fmt: skip
    assert scopes["search"]["people"] == 1
    later = held(server, app)["applications"]
    assert later.pop("last") >= scopes["search"]["last"]
    assert later == {
        "scope": "applications", "people": 0, "uses": 1, "allowed": True,
    }, "by a developer token, which needs nobody's yes"  # fmt: skip
    assert scopes["search"]["last"] is not None
    assert scopes["upload"]["last"] is None


def test_every_route_of_the_api_stands_for_one_capability() -> None:
    for route in ROUTES:
        for method in route.methods:
            assert capability(method, PREFIX + route.path) in scopes.EVERYTHING
    assert capability("GET", "/api/v1/nothing/") is None


@pytest.mark.both_databases
def test_narrowing_takes_it_from_live_tokens_new_ones_and_refreshed_ones_and_is_undone(
    server: Server, ada: User, app: Registered
) -> None:
    pair = tokens(server, ada, app, WIDE)
    token = pair["access_token"]
    assert server.call("GET", "/api/v1/me/", token).status_code == 200
    assert narrow(server, app, ["search", "upload"]).json()["document"]["scopes"] == ["search", "upload"]
    refused = server.call("GET", "/api/v1/me/", token)
    assert (refused.status_code, 'scope="account:read"' in str(refused.headers)) == (403, True), "at once"
    assert server.call("GET", "/api/v1/search/", token).status_code == 200
    assert server.call("GET", "/api/v1/me/", app.developer_token).status_code == 200, "an owner's own token stays"
    second = refresh(server, app, pair["refresh_token"]).json()
    assert second["scope"] == "search upload"
    fresh = tokens(server, ada, app, WIDE)
    assert fresh["scope"] == "search upload", "nobody is asked for more (RFC 6749 section 3.3)"
    assert narrow(server, app, None).json()["document"]["scopes"] is None
    third = refresh(server, app, second["refresh_token"]).json()
    assert third["scope"] == WIDE.replace(
        "search upload account:read originals", "search originals upload account:read"
    )
    assert server.call("GET", "/api/v1/me/", third["access_token"]).status_code == 200


def test_a_code_that_was_under_way_gives_no_more(server: Server, app: Registered, visitor: Visitor) -> None:
    code = code_of(visitor, app, scope="search account:read")
    narrow(server, app, ["search"])
    assert exchange(server, app, code).json()["scope"] == "search"


def test_a_request_for_nothing_that_is_left_is_invalid_scope(server: Server, app: Registered, visitor: Visitor) -> None:
    narrow(server, app, ["upload"])
    assert query_of(ask(visitor, app, scope="search").headers["location"])["error"] == "invalid_scope"
    assert query_of(ask(visitor, app).headers["location"])["error"] == "invalid_scope"
    page = ask(visitor, app, scope="search upload")
    assert "Search in your documents" not in page.text, "the person is not asked for what cannot be"
    assert "code=" in allow(visitor, page)


def test_the_compatible_profile_has_nothing_to_narrow(server: Server, ada: User) -> None:
    old = server.register(ada, profile=Profile.COMPATIBILITY)
    assert held(server, old) == {}
    refused = narrow(server, old, ["search"])
    assert (refused.status_code, list(refused.json()["faults"])) == (422, ["scopes"])


@pytest.mark.parametrize("body", [{}, {"limit": "search"}, {"limit": [1]}, {"limit": [], "more": 1}, [], {"limit": []}])
def test_what_is_no_list_of_scopes_is_refused(server: Server, app: Registered, body: Any) -> None:
    answer = server.call("PUT", path_of(app, "scopes/"), app.developer_token, json=body)
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] in ("invalid", "bad_application")
