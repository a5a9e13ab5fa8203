"""Every authorization response names its issuer (RFC 9207), in the place where its other parameters are."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.oauth.flows import AUTHORIZE, CALLBACK, allow, ask, query_of, set_redirects
from vitrine.accounts import User
from vitrine.applications import Profile, Switch
from vitrine.testing.server import Registered, Server, Visitor, hidden

LOOPBACK = "http://127.0.0.1:4711/cb"


def fragment_of(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).fragment).items()}


@pytest.fixture
def desktop(server: Server, ada: User) -> Registered:
    app = server.register(ada, kind="desktop", on=(Switch.IMPLICIT,))
    set_redirects(server, app, "http://127.0.0.1/cb")
    return app


def test_rfc9207_2_a_code_comes_with_its_issuer_in_every_profile(server: Server, ada: User, visitor: Visitor) -> None:
    for profile in (Profile.STRICT, Profile.PUBLIC, Profile.COMPATIBILITY):
        app = server.register(ada, profile=profile)
        location = allow(visitor, ask(visitor, app, state="s"))
        assert query_of(location)["iss"] == server.settings.base_url, profile
        assert urlsplit(location).fragment == ""


def test_rfc9207_2_errors_and_denials_of_the_compatibility_profile_name_it_too(
    server: Server, old: Registered, visitor: Visitor
) -> None:
    issuer = server.settings.base_url
    refused = ask(visitor, old, scope="read", state="s").headers["location"]
    assert refused.startswith(f"{CALLBACK}?error=invalid_scope&state=s&iss="), "01 section 3.1: its order"
    assert query_of(refused) == {"error": "invalid_scope", "state": "s", "iss": issuer}, "and no description"
    form = hidden(ask(visitor, old, state="s").text)
    denied = visitor.client.post(AUTHORIZE, data={**form, "action_accept": "0"}).headers["location"]
    assert query_of(denied) == {"state": "s", "error": "access_denied", "iss": issuer}


def test_rfc9207_2_a_token_in_the_fragment_has_its_issuer_there(
    server: Server, old: Registered, desktop: Registered, visitor: Visitor
) -> None:
    issuer = server.settings.base_url
    for app, address in ((old, CALLBACK), (desktop, LOOPBACK)):
        token = allow(visitor, ask(visitor, app, redirect_uri=address, response_type="token", state="s"))
        assert query_of(token) == {"state": "s"}, "01 section 12.3"
        assert urlsplit(token).fragment.startswith("access_token="), "the old browser library reads it first"
        assert (fragment_of(token)["iss"], fragment_of(token)["state"]) == (issuer, "s")
        both = allow(visitor, ask(visitor, app, redirect_uri=address, response_type="code-and-token"))
        assert set(query_of(both)) == {"code", "iss"}
        assert (query_of(both)["iss"], fragment_of(both)["iss"]) == (issuer, issuer)


def test_rfc6749_4_2_2_1_an_error_of_the_implicit_grant_is_in_the_fragment_where_answers_are_those_of_the_rfcs(
    server: Server, old: Registered, desktop: Registered, visitor: Visitor
) -> None:
    wrong = ask(visitor, desktop, redirect_uri=LOOPBACK, response_type="token", scope="nonsense", state="s")
    location = wrong.headers["location"]
    assert urlsplit(location).query == ""
    assert {name: fragment_of(location)[name] for name in ("error", "state", "iss")} == {
        "error": "invalid_scope", "state": "s", "iss": server.settings.base_url,
    }  # fmt: skip
    form = hidden(ask(visitor, desktop, redirect_uri=LOOPBACK, response_type="token", state="s").text)
    denied = visitor.client.post(AUTHORIZE, data={**form, "action_accept": "0"}).headers["location"]
    assert (urlsplit(denied).query, fragment_of(denied)["error"]) == ("", "access_denied")
    kept = ask(visitor, old, response_type="token", scope="read").headers["location"]
    assert query_of(kept)["error"] == "invalid_scope", (
        "01 section 3.1: the old ones are in the query, never in a fragment"
    )


def test_rfc9207_2_an_issuer_comes_before_the_fragment_of_a_registered_address(
    server: Server, old: Registered, visitor: Visitor
) -> None:
    """01 section 3.3: what the address had stays."""
    location = allow(visitor, ask(visitor, old, redirect_uri=f"{CALLBACK}?page=2", state="s"))
    assert urlsplit(location).query.startswith("page=2&state=s&code=")
    assert query_of(location)["iss"] == server.settings.base_url
