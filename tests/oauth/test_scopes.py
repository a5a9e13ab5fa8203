"""Scopes: RFC 6749 section 3.3, RFC 6750 section 3.1, design 5.2 and 5.3."""

import re

import pytest

from tests.oauth.flows import AUTHORIZE, allow, ask, code_of, exchange, hidden, query_of, status_of, tokens
from vitrine.accounts import User
from vitrine.api.v1 import PREFIX, ROUTES
from vitrine.api.v1.route import V1Route
from vitrine.oauth import scopes
from vitrine.testing.server import Registered, Server, Visitor

EVERY = [pytest.param(route, method, id=f"{method} {route.path}") for route in ROUTES for method in route.methods]


@pytest.mark.parametrize(("route", "method"), EVERY)
def test_rfc6750_3_1_every_route_refuses_a_token_without_its_scope(
    server: Server, ada: User, strict: Registered, route: V1Route, method: str
) -> None:
    needed = route.scope("GET" if method == "HEAD" else method)
    assert needed in scopes.EVERYTHING
    others = scopes.written(scopes.EVERYTHING - {needed})
    token = tokens(server, ada, strict, others)["access_token"]
    answer = server.call(method, PREFIX + re.sub(r"\{\w+(:int)?\}", "1", route.path), token)
    assert answer.status_code == 403
    old, new = answer.headers.get_list("www-authenticate")
    assert f"error='insufficient_scope', scope='{needed}'" in old
    assert f'error="insufficient_scope", scope="{needed}"' in new
    assert needed in answer.json()["meta"]["error_details"]


def test_rfc6749_3_3_without_a_word_an_application_may_only_look(server: Server, ada: User, strict: Registered) -> None:
    granted = tokens(server, ada, strict)
    assert granted["scope"] == "library:read search account:read"


def test_rfc6749_3_3_an_unknown_scope_is_refused_by_redirect(strict: Registered, visitor: Visitor) -> None:
    query = query_of(ask(visitor, strict, scope="library:read nonsense").headers["location"])
    assert query["error"] == "invalid_scope"


def test_design_5_3_old_applications_have_none(old: Registered, visitor: Visitor) -> None:
    query = query_of(ask(visitor, old, scope="library:read").headers["location"])
    assert query["error"] == "invalid_scope"


def test_design_5_3_the_person_narrows_and_is_not_asked_again(
    server: Server, strict: Registered, visitor: Visitor
) -> None:
    page = ask(visitor, strict, scope="library:read upload account:read")
    assert "Add documents in your name" in page.text
    location = allow(visitor, page, without=("upload",))
    granted = exchange(server, strict, query_of(location)["code"]).json()
    assert granted["scope"] == "library:read account:read"
    again = ask(visitor, strict, scope="library:read upload account:read")
    assert again.status_code == 302, "decided already"
    granted = exchange(server, strict, query_of(again.headers["location"])["code"]).json()
    assert granted["scope"] == "library:read account:read"


def test_design_5_2_a_request_that_grows_is_asked_again(server: Server, strict: Registered, visitor: Visitor) -> None:
    code_of(visitor, strict, scope="library:read")
    assert ask(visitor, strict, scope="library:read").status_code == 302
    page = ask(visitor, strict, scope="library:read delete")
    assert page.status_code == 200
    location = allow(visitor, page)
    granted = exchange(server, strict, query_of(location)["code"]).json()
    assert granted["scope"] == "library:read delete"


def test_a_page_with_nothing_ticked_is_shown_again(strict: Registered, visitor: Visitor) -> None:
    page = ask(visitor, strict)
    form = {name: value for name, value in hidden(page.text).items() if not name.startswith("allow-")}
    answer = visitor.client.post(AUTHORIZE, data={**form, "action_accept": "1"})
    assert answer.status_code == 200
    assert "Leave at least one thing ticked" in answer.text
    assert ask(visitor, strict).status_code == 200, "nothing was granted"


def test_a_forged_box_allows_nothing_that_was_not_asked(server: Server, strict: Registered, visitor: Visitor) -> None:
    page = ask(visitor, strict, scope="library:read")
    form = {**hidden(page.text), "allow-delete": "1", "action_accept": "1"}
    location = visitor.client.post(AUTHORIZE, data=form).headers["location"]
    assert exchange(server, strict, query_of(location)["code"]).json()["scope"] == "library:read"


def test_developer_tokens_and_old_tokens_mean_everything(
    server: Server, ada: User, strict: Registered, old: Registered
) -> None:
    for token in (strict.developer_token, tokens(server, ada, old)["access_token"]):
        assert status_of(server, token) == status_of(server, token, "/api/v1/search/") == 200
