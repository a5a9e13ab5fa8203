"""Which person an authorization request is about: id_token_hint, prompt, max_age, login_hint (OpenID Connect Core
section 3.1.2.1)."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest

from tests.oauth.flows import AUTHORIZE, Json, allow, ask, query_of, tokens
from vitrine.accounts import COMMAND, User
from vitrine.accounts.tables import sessions
from vitrine.applications import Profile
from vitrine.testing.server import PASSWORD, Registered, Server, Visitor, hidden


@pytest.fixture
def bob(server: Server) -> User:
    return server.user("bob", first_name="Bob", last_name="Miller")


@pytest.fixture
def hint(server: Server, ada: User, strict: Registered) -> str:
    """An id_token of Ada for the strict application, which has her consent."""
    return str(tokens(server, ada, strict, "openid profile")["id_token"])


def sign_in(visitor: Visitor, page: httpx.Response, login: str, password: str = PASSWORD) -> httpx.Response:
    form = {**hidden(page.text), "login": login, "password": password, "action_login": "1"}
    return visitor.client.post(AUTHORIZE, data=form)


def login_of(page: httpx.Response) -> str:
    field = re.search(r'<input id="login" name="login" type="text" value="([^"]*)"', page.text)
    assert field is not None, "the sign-in page"
    return field[1]


def error_of(answer: httpx.Response) -> str:
    return query_of(answer.headers["location"])["error"]


@pytest.mark.both_databases
def test_a_hint_of_the_person_signed_in_goes_on_even_if_it_has_expired(
    server: Server, ada: User, strict: Registered, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = server.browser(ada)
    for prompt in ("none", ""):
        assert "code" in query_of(
            ask(visitor, strict, scope="openid", id_token_hint=hint, prompt=prompt).headers["location"]
        )
    from vitrine.oauth import openid

    monkeypatch.setattr(openid, "ID_TOKEN_LIFETIME", timedelta(days=-30))
    expired = str(tokens(server, ada, strict, "openid")["id_token"])
    answer = ask(visitor, strict, scope="openid", id_token_hint=expired, prompt="none")
    assert "code" in query_of(answer.headers["location"])


def test_a_hint_of_somebody_else_is_login_required_without_a_page(
    server: Server, bob: User, strict: Registered, hint: str
) -> None:
    for visitor in (server.browser(bob), server.browser()):
        assert error_of(ask(visitor, strict, scope="openid", id_token_hint=hint, prompt="none")) == "login_required"


def test_a_hint_of_somebody_else_asks_for_that_person_and_takes_no_other(
    server: Server, ada: User, bob: User, strict: Registered, hint: str
) -> None:
    visitor = server.browser(bob)
    page = ask(visitor, strict, scope="openid", id_token_hint=hint, state="s")
    assert page.status_code == 200
    assert login_of(page) == "ada"
    wrong = sign_in(visitor, page, "bob")
    again = visitor.get(wrong.headers["location"])
    assert again.status_code == 200, "the wrong person gets no code"
    assert "another person" in again.text
    mistyped = sign_in(visitor, again, "ada", "no")
    assert login_of(visitor.get(mistyped.headers["location"])) == "ada"
    right = sign_in(visitor, again, "ada")
    location = visitor.get(right.headers["location"]).headers["location"]
    assert query_of(location).keys() == {"code", "state", "iss"}


def test_an_answer_to_consent_does_not_get_around_the_hint(
    server: Server, ada: User, bob: User, strict: Registered, hint: str
) -> None:
    visitor = server.browser(bob)
    form = hidden(ask(visitor, strict, scope="openid").text)
    answer = visitor.client.post(AUTHORIZE, data={**form, "id_token_hint": hint, "action_accept": "1"})
    assert answer.status_code == 200
    assert login_of(answer) == "ada"


def test_a_hint_that_is_not_ours_or_not_of_this_application_is_an_invalid_request(
    server: Server, ada: User, strict: Registered, hint: str, visitor: Visitor
) -> None:
    other = server.register(ada, profile=Profile.STRICT, name="Other")
    foreign = str(tokens(server, ada, other, "openid")["id_token"])
    head, body, signature = hint.split(".")
    forged = [
        foreign, "x", "a.b.c", "", f"{head}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA", hint * 20, f"{hint}\u00e9",
        f"eyJhbGciOiJub25lIn0.{body}.", f"{head}..{signature}", "." * 2000,
    ]  # fmt: skip
    for wrong in filter(None, forged):
        assert error_of(ask(visitor, strict, scope="openid", id_token_hint=wrong)) == "invalid_request", wrong[:40]


def test_a_hint_outlives_the_rotation_of_keys_and_a_closed_account_is_nobody(
    server: Server, ada: User, strict: Registered, hint: str
) -> None:
    server.services.oauth.server.keys.rotate(COMMAND)
    visitor = server.browser(ada)
    assert "code" in query_of(ask(visitor, strict, scope="openid", id_token_hint=hint).headers["location"])
    keeper = server.user("keeper", is_admin=True)
    with server.services.database.write() as work:
        server.services.accounts.administration.close(work, COMMAND, "ada")
    page = ask(server.browser(keeper), strict, scope="openid", id_token_hint=hint)
    assert login_of(page) == "ada", "what the hint says, and nothing of the account"


def test_the_compatibility_profile_has_no_hints(server: Server, old: Registered, visitor: Visitor) -> None:
    assert ask(visitor, old, id_token_hint="x", prompt="select_account").status_code == 200
    assert "code" in query_of(allow(visitor, ask(visitor, old, id_token_hint="x", prompt="select_account")))


# -- prompt ------------------------------------------------------------------------------------------------------------


def test_prompt_select_account_shows_who_is_signed_in_and_offers_another(
    server: Server, ada: User, bob: User, strict: Registered, visitor: Visitor
) -> None:
    allow(visitor, ask(visitor, strict))
    page = ask(visitor, strict, prompt="select_account", state="s")
    assert page.status_code == 200
    assert "Ada Martin" in page.text
    assert "action_accept" not in page.text
    (address,) = re.findall(r'href="(/api/oauthv2/authorize\?[^"]+)"', page.text)
    kept = visitor.get(address.replace("&amp;", "&"))
    assert query_of(kept.headers["location"]).keys() == {"code", "state", "iss"}
    left = visitor.client.post(AUTHORIZE, data={**hidden(page.text), "switch_account": "1"})
    there = visitor.get(left.headers["location"])
    assert login_of(there) == ""
    back = visitor.get(sign_in(visitor, there, "bob").headers["location"])
    assert back.status_code == 200
    assert "action_accept" in back.text, "Bob is asked for consent, and not for the account again"
    assert "Bob Miller" in back.text


def test_prompt_select_account_before_consent_and_with_login(
    server: Server, strict: Registered, visitor: Visitor
) -> None:
    page = ask(visitor, strict, prompt="select_account consent")
    (address,) = re.findall(r'href="(/api/oauthv2/authorize\?[^"]+)"', page.text)
    assert parse_qs(urlsplit(address.replace("&amp;", "&")).query)["prompt"] == ["consent"]
    assert "action_accept" in visitor.get(address.replace("&amp;", "&")).text
    assert login_of(ask(visitor, strict, prompt="select_account login")) == "", "signing in chooses the account"
    assert login_of(ask(server.browser(), strict, prompt="select_account")) == ""


@pytest.mark.parametrize("prompt", ["none login", "none consent", "none select_account", "none create"])
def test_prompt_none_stands_alone(strict: Registered, visitor: Visitor, prompt: str) -> None:
    assert error_of(ask(visitor, strict, prompt=prompt)) == "invalid_request"


def test_the_metadata_lists_what_prompt_takes(server: Server) -> None:
    for path in ("openid-configuration", "oauth-authorization-server"):
        document: Json = server.http.get(f"/.well-known/{path}").json()
        assert document["prompt_values_supported"] == ["none", "login", "consent", "select_account"]


def test_max_age_counts_from_the_last_sign_in_also_without_a_page(
    server: Server, strict: Registered, visitor: Visitor
) -> None:
    allow(visitor, ask(visitor, strict))
    with server.services.database.write() as work:
        work.db.execute(sessions.update().values(auth_time=work.now - timedelta(minutes=10)))
    assert ask(visitor, strict, max_age="900", prompt="none").status_code == 302
    assert error_of(ask(visitor, strict, max_age="300", prompt="none")) == "login_required"
    assert login_of(ask(visitor, strict, max_age="300")) == ""
    for wrong in ("-1", "x", "1.5", "\u0663"):
        assert error_of(ask(visitor, strict, max_age=wrong)) == "invalid_request"


def test_login_hint_is_kept_over_a_mistyped_password_in_every_profile(
    server: Server, ada: User, strict: Registered, old: Registered
) -> None:
    for app in (strict, old):
        visitor = server.browser()
        page = ask(visitor, app, login_hint="ada")
        assert login_of(page) == "ada"
        mistyped = sign_in(visitor, page, "ada", "no")
        assert login_of(visitor.get(mistyped.headers["location"])) == "ada"
    assert login_of(ask(server.browser(), strict, login_hint="x" * 300)) == "", "no login is so long"


def test_a_hint_that_does_not_name_its_person_does_not_make_the_page_name_them(
    server: Server, ada: User, strict: Registered
) -> None:
    bare = str(tokens(server, ada, strict, "openid")["id_token"])
    assert login_of(ask(server.browser(), strict, scope="openid", id_token_hint=bare)) == ""


def test_what_was_typed_as_login_stands_in_no_address(server: Server, ada: User, strict: Registered) -> None:
    visitor = server.browser()
    mistyped = sign_in(visitor, ask(visitor, strict), "my secret phrase", "no")
    assert "phrase" not in mistyped.headers["location"]
    assert login_of(visitor.get(mistyped.headers["location"])) == "my secret phrase"
