"""The second step of signing in."""

import pyotp
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


@pytest.mark.both_databases
def test_with_an_authenticator_app_a_password_alone_opens_nothing(server: Server, ada: User, visitor: Visitor) -> None:
    security = "/account/security/"
    visitor.submit(security, security + "app/", {})
    key = visitor.get(security).text.split('id="key">')[1].split("<")[0].replace(" ", "")
    totp = pyotp.TOTP(key)
    code = totp.now()
    assert "not right" in visitor.submit(security, security + "app/confirm/", {"code": "000000"}).text
    shown = visitor.submit(security, security + "app/confirm/", {"code": code}).text
    recovery = shown.split('id="codes"><li>')[1].split("<")[0]
    other = server.browser()
    step = other.submit("/login/", "/login/", {"login": "ada", "password": PASSWORD})
    assert "Second step" in step.text
    assert "set-cookie" not in step.headers or "vitrine=" not in step.headers["set-cookie"]
    pending = step.text.split('name="pending" value="')[1].split('"')[0]
    form = {"pending": pending, "redirect": "/account/"}
    assert "used already" in other.submit("/login/", "/login/second/", {**form, "code": code}).text, "one step, once"
    stolen = server.browser().submit("/login/", "/login/second/", {**form, "code": recovery})
    assert "too long ago" in stolen.text, "bound to the browser where the password was typed"
    assert other.submit("/login/", "/login/second/", {**form, "code": recovery}).headers["location"] == "/account/"
    assert "used already" in server_again(server, recovery)


def server_again(server: Server, recovery: str) -> str:
    visitor = server.browser()
    step = visitor.submit("/login/", "/login/", {"login": "ada", "password": PASSWORD}).text
    pending = step.split('name="pending" value="')[1].split('"')[0]
    return visitor.submit("/login/", "/login/second/", {"pending": pending, "code": recovery}).text


def test_a_form_of_signing_in_may_lead_back_to_the_application(server: Server, ada: User, app: Registered) -> None:
    """A browser follows the answers to a form only where the page's `form-action` lets it, redirects included."""
    security, visitor = "/account/security/", server.browser(ada)
    visitor.submit(security, security + "app/", {})
    key = visitor.get(security).text.split('id="key">')[1].split("<")[0].replace(" ", "")
    visitor.submit(security, security + "app/confirm/", {"code": pyotp.TOTP(key).now()})
    back = f"/api/oauthv2/authorize?client_id={app.client_id}&response_type=code"
    form = {"login": "ada", "password": PASSWORD, "redirect": back}
    target = "form-action 'self' https://notes.example.com;"
    stranger = server.browser()
    assert target in stranger.get("/login/", params={"redirect": back}).headers["content-security-policy"]
    second = stranger.submit("/login/", "/login/", form)
    assert "Second step" in second.text
    assert target in second.headers["content-security-policy"]
    nowhere = stranger.get("/login/", params={"redirect": f"{back}9"}).headers["content-security-policy"]
    assert (
        "form-action 'self';"
        in stranger.get("/login/", params={"redirect": "/account/"}).headers["content-security-policy"]
    )
    assert target in nowhere, "a wrong response_type is answered at the application too"
