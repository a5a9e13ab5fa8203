"""Pages of OAuth after an error: the request of the application goes on."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.oauth.flows import AUTHORIZE, DEVICE, ask, post
from vitrine.applications import Profile
from vitrine.testing.server import PASSWORD, Server, Visitor, hidden, query_of

SCOPE = "library:read administration"


def submit(visitor: Visitor, form: dict[str, str], password: str = PASSWORD) -> str:
    values = {**form, "action_login": "1", "login": "ada", "password": password}
    answer = visitor.client.post(AUTHORIZE, data=values)
    assert answer.status_code == 302
    return str(answer.headers["location"])


def test_a_lost_cookie_keeps_the_request_and_the_login(server: Server) -> None:
    app = server.register(server.user("ada"))
    visitor = server.browser()
    form = hidden(ask(visitor, app, state="st4te").text)
    visitor.client.cookies.clear()
    location = submit(visitor, form)
    page = visitor.get(location).text
    assert "allow cookies for this site" in page
    assert 'value="ada"' in page
    assert hidden(page)["state"] == "st4te"
    assert "error" not in query_of(submit(visitor, hidden(page))), "the form shown now works"


def test_a_wrong_password_keeps_the_login_and_offers_a_new_one(server: Server) -> None:
    app = server.register(server.user("ada"))
    visitor = server.browser()
    page = visitor.get(submit(visitor, hidden(ask(visitor, app, state="st4te").text), "wrong")).text
    assert 'value="ada"' in page
    forgot = next(part for part in page.split('"') if part.startswith("/login/forgot-password/")).replace("&amp;", "&")
    back = parse_qs(urlsplit(forgot).query)["redirect"][0]
    assert query_of(back)["state"] == "st4te"
    sent = visitor.client.post("/login/forgot-password/", data={**visitor.form(forgot), "login": "ada"}).text
    assert "st4te" in next(part for part in sent.split('"') if part.startswith(AUTHORIZE)), "the way back"


def test_a_forgotten_password_leads_back_to_no_other_site(server: Server) -> None:
    for address in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        assert "evil" not in server.browser().get("/login/forgot-password/", params={"redirect": address}).text


def test_a_stale_consent_decides_nothing_and_asks_again(server: Server) -> None:
    ada = server.user("ada")
    app = server.register(ada)
    visitor = server.browser(ada)
    form = hidden(ask(visitor, app, state="st4te").text)
    answer = visitor.client.post(AUTHORIZE, data={**form, "csrf": "old", "action_accept": "1"})
    assert answer.status_code == 403
    assert "Please decide again" in answer.text
    assert hidden(answer.text)["state"] == "st4te"


@pytest.mark.parametrize("is_admin", [True, False])
def test_only_an_administrator_is_offered_what_administrators_do(server: Server, is_admin: bool) -> None:
    user = server.user("ada", is_admin=is_admin)
    app = server.register(user, profile=Profile.STRICT)
    page = ask(server.browser(user), app, scope=SCOPE).text
    assert "allow-library:read" in page
    assert ("allow-administration" in page) is is_admin


@pytest.mark.parametrize("is_admin", [True, False])
def test_only_an_administrator_is_offered_it_for_a_device(server: Server, is_admin: bool) -> None:
    user = server.user("ada", is_admin=is_admin)
    app = server.register(user, profile=Profile.PUBLIC)
    offered = post(server, app, DEVICE, scope=SCOPE, client_secret="").json()
    page = server.browser(user).submit("/device", "/device", {"user_code": offered["user_code"]}).text
    assert "allow-library:read" in page
    assert ("allow-administration" in page) is is_admin
