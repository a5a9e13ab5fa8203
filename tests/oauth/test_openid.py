"""Signing in with OpenID Connect: Core, Discovery, and keys that change."""

import re
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.oauth.flows import JWKS, USERINFO, Json, allow, ask, exchange, query_of, refresh, tokens
from vitrine.accounts import COMMAND, User
from vitrine.errors import Forbidden
from vitrine.testing.server import PASSWORD, Registered, Server, Visitor, hidden


def claims(server: Server, token: str) -> Json:
    """What an id_token says, if its signature is right under the published keys."""
    keys: Any = server.http.get(JWKS).json()
    token_claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256"])
    return dict(token_claims.claims)


def test_oidc_core_2_an_id_token_says_who_signed_in_for_whom(server: Server, ada: User, strict: Registered) -> None:
    visitor = server.browser(ada)
    location = allow(visitor, ask(visitor, strict, scope="openid profile email", nonce="n-0S6"))
    granted = exchange(server, strict, query_of(location)["code"]).json()
    token_claims = claims(server, granted["id_token"])
    assert (token_claims["iss"], token_claims["aud"], token_claims["sub"]) == (
        server.settings.base_url,
        strict.client_id,
        str(ada.id),
    )
    assert token_claims["nonce"] == "n-0S6"
    assert token_claims["auth_time"] <= token_claims["iat"] < token_claims["exp"]
    assert (token_claims["name"], token_claims["email"]) == ("Ada Martin", "ada@example.com")
    assert token_claims["email_verified"] is False


def test_oidc_core_3_1_2_1_no_id_token_without_the_scope_openid(server: Server, ada: User, strict: Registered) -> None:
    assert "id_token" not in tokens(server, ada, strict, "library:read")
    granted = tokens(server, ada, strict, "openid")
    assert set(claims(server, granted["id_token"])) == {"iss", "aud", "sub", "iat", "exp", "auth_time"}
    assert "id_token" not in refresh(server, strict, granted["refresh_token"]).json()


def test_oidc_core_5_3_userinfo_tells_what_the_scopes_allow(server: Server, ada: User, strict: Registered) -> None:
    token = tokens(server, ada, strict, "openid email")["access_token"]
    for method in ("GET", "POST"):
        answer = server.call(method, USERINFO, token)
        assert answer.json() == {"sub": str(ada.id), "email": "ada@example.com", "email_verified": False}
    without = tokens(server, ada, strict, "library:read")["access_token"]
    for wrong, status, error in (
        (without, 403, "insufficient_scope"),
        ("garbage", 401, "invalid_token"),
        ("", 401, ""),
    ):
        answer = server.call("GET", USERINFO, wrong)
        assert answer.status_code == status
        assert answer.headers["www-authenticate"].startswith('Bearer realm="Service"')
        assert (
            (error in answer.headers["www-authenticate"])
            if error
            else ("error=" not in answer.headers["www-authenticate"])
        )
    assert server.call("GET", USERINFO, strict.developer_token).status_code == 403


def test_keys_change_without_anybody_noticing(server: Server, ada: User, strict: Registered) -> None:
    before = tokens(server, ada, strict, "openid")["id_token"]
    pending = server.http.get(JWKS).json()["keys"][1]["kid"]
    with pytest.raises(Forbidden):
        from vitrine.accounts import NOBODY

        server.services.oauth.server.keys.rotate(NOBODY)
    assert server.services.oauth.server.keys.rotate(COMMAND) == pending, "the key that was published already"
    after = tokens(server, ada, strict, "openid")["id_token"]
    assert claims(server, before)["sub"] == claims(server, after)["sub"]
    published = server.http.get(JWKS).json()["keys"]
    assert len(published) == 3
    assert all(set(key) == {"kty", "n", "e", "kid", "alg", "use"} for key in published), "nothing private is told"


def test_oidc_core_3_1_2_6_prompt_none_never_shows_a_page(server: Server, strict: Registered, visitor: Visitor) -> None:
    stranger = ask(server.browser(), strict, prompt="none", state="s")
    assert query_of(stranger.headers["location"])["error"] == "login_required"
    unasked = ask(visitor, strict, prompt="none", state="s")
    assert query_of(unasked.headers["location"])["error"] == "consent_required"
    allow(visitor, ask(visitor, strict))
    assert "code" in query_of(ask(visitor, strict, prompt="none").headers["location"])
    both = ask(visitor, strict, prompt="none login")
    assert query_of(both.headers["location"])["error"] == "invalid_request"


def test_oidc_core_3_1_2_1_prompt_login_and_max_age_ask_for_the_password(strict: Registered, visitor: Visitor) -> None:
    allow(visitor, ask(visitor, strict))
    assert ask(visitor, strict, max_age="3600").status_code == 302
    for parameters in ({"prompt": "login"}, {"max_age": "0"}):
        page = ask(visitor, strict, **parameters)
        assert page.status_code == 200
        assert re.search(r'name="password"', page.text)
        form = {**hidden(page.text), "login": "ada", "password": PASSWORD, "action_login": "1"}
        answer = visitor.client.post(f"/api/oauthv2/authorize?{page.request.url.query.decode()}", data=form)
        assert answer.status_code == 302
        again = visitor.get(answer.headers["location"])
        assert "code" in query_of(again.headers["location"])
    assert ask(visitor, strict, prompt="consent").status_code == 200
