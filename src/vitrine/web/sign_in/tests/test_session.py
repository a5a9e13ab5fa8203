"""Signing in and out, and the first administrator."""

import pytest

from vitrine.accounts import User
from vitrine.testing.server import PASSWORD, Server


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", first_name="Ada", last_name="Martin", email="ada@museum.example")


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_never_leads_elsewhere(server: Server, ada: User, back: str) -> None:
    visitor = server.browser()
    answer = visitor.submit("/login/", "/login/", {"login": "ada", "password": PASSWORD, "redirect": back})
    assert answer.headers["location"] == "/"


def test_an_empty_instance_makes_its_first_administrator_once(server: Server) -> None:
    visitor = server.browser()
    assert visitor.get("/login/").headers["location"] == "/setup/"
    bad = visitor.submit("/setup/", "/setup/", {"login": "root", "password": "short"})
    assert "at least 8" in bad.text
    done = visitor.submit("/setup/", "/setup/", {"login": "root", "password": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert visitor.get("/").status_code == 200
    assert server.browser().get("/setup/").headers["location"] == "/login/"


def test_the_session_cookie_is_closed_to_scripts_and_ends_with_sign_out(server: Server, ada: User) -> None:
    visitor = server.browser()
    answer = visitor.submit("/login/", "/login/", {"login": "ada", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    kept = visitor.client.cookies["vitrine"]
    assert visitor.submit("/account/", "/login/logout/", {}).status_code == 303
    visitor.client.cookies.set("vitrine", kept)
    assert visitor.get("/account/").status_code == 302, "the session is dead on the server, not only in the browser"
