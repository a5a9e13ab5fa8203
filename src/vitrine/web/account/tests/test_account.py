"""My account: sessions, password, profile, and the old route of an application's grant."""

import pytest

from vitrine.accounts import User
from vitrine.testing.server import PASSWORD, Registered, Server, Visitor


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", first_name="Ada", last_name="Martin", email="ada@museum.example")


@pytest.fixture
def app(server: Server, ada: User) -> Registered:
    return server.register(ada)


@pytest.fixture
def visitor(server: Server, ada: User) -> Visitor:
    return server.browser(ada)


def test_one_cannot_end_other_peoples_sessions(server: Server, visitor: Visitor) -> None:
    eve = server.browser(server.user("eve"))
    assert eve.submit("/account/security/sessions/", "/session/delete/1", {}).status_code == 404
    assert visitor.get("/account/").status_code == 200


def test_changing_the_password_ends_other_sessions(server: Server, ada: User, visitor: Visitor) -> None:
    other = server.browser(ada)
    form = {"old": PASSWORD, "new": "another long password", "again": "another long password"}
    assert visitor.submit("/account/reset-password/", "/account/reset-password/", form).status_code == 303
    assert visitor.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302


def test_guessing_the_password_inside_a_session_counts_like_failed_sign_ins(
    server: Server, ada: User, visitor: Visitor
) -> None:
    page = "/account/reset-password/"
    wrong = {"old": "a guess", "new": "another long password", "again": "another long password"}
    for _ in range(server.settings.sign_in_failures):
        assert "The current password is not right" in visitor.submit(page, page, wrong).text
    assert "Too many failed sign-ins" in visitor.submit(page, page, {**wrong, "old": PASSWORD}).text


def test_the_profile_is_saved_and_bad_input_refused(visitor: Visitor) -> None:
    assert visitor.submit("/account/", "/account/", {"first_name": "Adèle", "locale": "fr"}).status_code == 303
    assert "Adèle" in visitor.get("/account/").text
    assert '<html lang="fr">' in visitor.get("/account/").text


def test_granting_again_needs_the_applications_own_question(visitor: Visitor, app: Registered) -> None:
    address = f"/account/security/application/{app.application.id}/grant/?revoke=0"
    assert visitor.xhr("GET", address).json()["success"] is False
