"""Credentials that survived the event that should have ended them, over HTTP alone."""

import pytest

from tests.oauth.flows import code_of, exchange, status_of
from tests.oauth.test_device import decide, offer, poll
from tests.oauth.test_second_step import switch_on
from tests.operations.test_account_mail import EMAIL, FORGOT, NEW_PASSWORD, link, sent_mails
from vitrine.accounts import User
from vitrine.applications import Profile
from vitrine.testing.server import PASSWORD, Registered, Server, Visitor, hidden

pytestmark = pytest.mark.both_databases
PASSWORD_PAGE = "/account/reset-password/"


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", email="ada@museum.example")


@pytest.fixture
def bob(server: Server) -> User:
    return server.user("bob", email="bob@museum.example")


@pytest.fixture
def app(server: Server, ada: User) -> Registered:
    return server.register(ada, profile=Profile.PUBLIC)


def forgotten(server: Server) -> str:
    """The address of a link in a mail to ada."""
    server.browser().submit(FORGOT, FORGOT, {"login": "ada"})
    address = link(sent_mails(server)[-1])
    assert server.browser().get(address).status_code == 200
    return address


def test_a_password_link_ends_when_the_password_is_changed(server: Server, ada: User) -> None:
    address = forgotten(server)
    form = {"old": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert server.browser(ada).submit(PASSWORD_PAGE, PASSWORD_PAGE, form).status_code == 303
    assert server.browser().get(address).status_code == 404


def test_a_password_link_ends_when_the_address_it_was_sent_to_is_changed(server: Server, ada: User) -> None:
    address, visitor = forgotten(server), server.browser(ada)
    visitor.submit(EMAIL, EMAIL, {"email": "new@museum.example", "password": PASSWORD})
    assert visitor.submit(link(sent_mails(server)[-1]), EMAIL, {}).status_code == 303
    assert server.browser().get(address).status_code == 404


def test_a_removed_tester_keeps_no_token(server: Server, ada: User, bob: User, app: Registered) -> None:
    owner, people = server.browser(ada), f"/developers/application/{app.application.id}/people/"
    assert owner.submit(people, people, {"do": "only-testers", "on": "1"}).status_code == 303
    assert owner.submit(people, people, {"do": "tester", "tester": "bob"}).status_code == 303
    token = exchange(server, app, code_of(server.browser(bob), app)).json()["access_token"]
    assert status_of(server, token) == 200
    form = {"do": "remove-tester", "person": str(bob.id)}
    assert owner.submit(people, people, form).status_code == 303
    assert status_of(server, token) == 401


def test_an_allowed_device_code_ends_with_every_token(server: Server, ada: User, bob: User, app: Registered) -> None:
    device, owner = offer(server, app), server.browser(ada)
    assert decide(server.browser(bob), device["user_code"], "allow") == 200
    settings = f"/developers/application/{app.application.id}/"
    assert owner.submit(settings, f"{settings}tokens/users/", {}).status_code == 303
    assert poll(server, app, device)["error"] == "invalid_grant"


def test_a_half_finished_sign_in_ends_when_the_password_is_changed(server: Server, ada: User) -> None:
    """The signed proof of the first step is in a form; only the version number of the account can end it."""
    inside = server.browser(ada)
    _, codes = switch_on(server, ada)
    half: Visitor = server.browser()
    page = half.submit("/login/", "/login/", {"login": "ada", "password": PASSWORD})
    form = {"old": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert inside.submit(PASSWORD_PAGE, PASSWORD_PAGE, form).status_code == 303
    answer = half.client.post("/login/second/", data={**hidden(page.text), "code": codes[0]})
    assert answer.status_code == 200
    assert half.get("/account/").status_code == 302
