"""Providers that lie, and people who bring what is not theirs: nothing of it opens an account.

OpenID Connect Core sections 3.1.3.7 and 5.3.2, RFC 8725, RFC 9207, RFC 9700 sections 4.4 and 4.7, anchors of 2026:
CVE-2026-27962 (a key in the token's own header).
"""

import base64
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.oauth.conftest import Make
from tests.oauth.flows import Json
from tests.oauth.provider import CLIENT_ID, CLIENT_SECRET, Lying, go, key, reason
from vitrine.accounts.tables import identity_provider_flows, linked_identities, users
from vitrine.platform.tables import audit_log
from vitrine.testing.server import Server, Visitor

Lie = Callable[[Lying], None]


def claims(**wrong: Any) -> Lie:
    return lambda provider: provider.claims.update(wrong)


def signs(sign: Callable[[Json], str]) -> Lie:
    def lie(provider: Lying) -> None:
        provider.sign = sign

    return lie


def part(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_secret(secret: bytes) -> Callable[[Json], str]:
    """By hand: libraries refuse to do it."""

    def sign(told: Json) -> str:
        body = f"{part({'alg': 'HS256', 'kid': 'key-0'})}.{part(told)}"
        return f"{body}.{base64.urlsafe_b64encode(hmac.digest(secret, body.encode(), 'sha256')).rstrip(b'=').decode()}"

    return sign


def by_own_key(told: Json) -> str:
    """Signed with a stranger's key, which the header brings along."""
    mine: RSAKey = key(2)
    header = {"alg": "RS256", "kid": "key-0", "jwk": mine.as_dict(private=False), "jku": "https://evil.example/jwks"}
    return jwt.encode(header, told, mine, algorithms=["RS256"])


def cut(told: Json) -> str:
    return jwt.encode({"alg": "RS256", "kid": "key-0"}, told, key(0), algorithms=["RS256"])[:-8]


LIES: dict[str, Lie] = {
    "another nonce": claims(nonce="n-of-somebody-else"),
    "no nonce": claims(nonce=None),
    "another audience": claims(aud="another-client"),
    "a further audience": claims(aud=[CLIENT_ID, "another-client"]),
    "no audience": claims(aud=[]),
    "given to another party": claims(azp="another-client"),
    "another issuer": claims(iss="https://sso.evil.example"),
    "expired": claims(exp=int(time.time()) - 3600),
    "no end": claims(exp=None),
    "an end that is no time": claims(exp="tomorrow"),
    "made tomorrow": claims(iat=int(time.time()) + 86_400),
    "made yesterday": claims(iat=int(time.time()) - 86_400),
    "not valid yet": claims(nbf=int(time.time()) + 3600),
    "no subject": claims(sub=None),
    "a subject that is a number": claims(sub=1),
    "a subject without end": claims(sub="x" * 256),
    "another access token": claims(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "alg none": signs(lambda told: f"{part({'alg': 'none'})}.{part(told)}."),
    "HS256 with the client secret": signs(by_secret(CLIENT_SECRET.encode())),
    "HS256 with the public key": signs(by_secret(key(0).as_pem(private=False))),
    "a key in the header": signs(by_own_key),
    "a broken signature": signs(cut),
    "no JWT at all": signs(lambda _told: "x.y.z"),
    "an endless token": signs(lambda told: jwt.encode({"alg": "RS256"}, {**told, "pad": "x" * 40_000}, key(0))),
    "no id_token": lambda provider: provider.token_answer.update(id_token=None),
    "no access token": lambda provider: provider.token_answer.update(access_token=7),
    "an answer of another issuer": lambda provider: provider.answer.update(iss="https://sso.evil.example"),
    "an answer without its issuer": lambda provider: provider.answer.update(iss=None),
    "no code": lambda provider: provider.answer.update(code=None),
    "a code of somebody else": lambda provider: provider.answer.update(code="code-99"),
    "an error": lambda provider: provider.answer.update(error="server_error"),
    "a token endpoint that says no": lambda provider: provider.status.update({"/token": 400}),
}


# For each the reason that the log gives: refused for something else would prove nothing.
WHY = {
    "another nonce": "(nonce)",
    "no nonce": "(nonce)",
    "another audience": "another audience",
    "a further audience": "another audience",
    "no audience": "another audience",
    "given to another party": "another party",
    "another issuer": "of another issuer",
    "expired": "too old",
    "no end": "too old",
    "an end that is no time": "exp is no time",
    "made tomorrow": "another time",
    "made yesterday": "another time",
    "not valid yet": "not valid yet",
    "no subject": "without a subject",
    "a subject that is a number": "without a subject",
    "a subject without end": "without a subject",
    "another access token": "another access token",
    "alg none": "signed with none",
    "HS256 with the client secret": "signed with HS256",
    "HS256 with the public key": "signed with HS256",
    "a key in the header": "signature",
    "a broken signature": "signature",
    "no JWT at all": "not a JWT",
    "an endless token": "longer",
    "no id_token": "no id_token",
    "no access token": "no id_token",
    "an answer of another issuer": "comes from another issuer",
    "an answer without its issuer": "comes from another issuer",
    "no code": "no code",
    "a code of somebody else": "invalid_grant",
    "an error": "server_error",
    "a token endpoint that says no": "token endpoint 400",
}


@pytest.mark.parametrize("lie", LIES)
def test_oidc_core_3_1_3_7_a_lie_opens_nothing(make: Make, provider: Lying, lie: str) -> None:
    server = make(link_by_email=True, create_accounts=True)
    server.user("ada", email="ada@museum.example")
    LIES[lie](provider)
    visitor, answer = go(server, provider)
    assert reason(answer) == "wrong"
    assert visitor.get("/account/").status_code == 302
    with server.services.database.read() as work:
        assert work.db.execute(linked_identities.select()).all() == []
        assert len(work.db.execute(users.select()).all()) == 2, "the keeper and ada"
        noted = [row for row in work.db.execute(audit_log.select()).all() if row.action == "external.refused"]
    assert [row.details["reason"] for row in noted] == ["wrong"]
    assert WHY[lie] in noted[0].details["why"]
    assert "code-" not in str(noted[0].details)


def test_the_same_without_a_lie_opens_it(make: Make, provider: Lying) -> None:
    server = make(link_by_email=True)
    server.user("ada", email="ada@museum.example")
    assert go(server, provider)[1].headers["location"] == "/"


def test_oidc_core_5_3_2_a_userinfo_about_somebody_else_is_refused(make: Make, provider: Lying) -> None:
    server = make(link_by_email=True)
    server.user("ada", email="ada@museum.example")
    provider.claims = {}
    provider.userinfo = {"sub": "sub-2", "email": "ada@museum.example", "email_verified": True}
    assert reason(go(server, provider)[1]) == "wrong"
    provider.userinfo["sub"] = "sub-1"
    assert go(server, provider)[1].headers["location"] == "/"


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_the_provider_has_not_verified_finds_nobody(
    make: Make, provider: Lying, verified: object
) -> None:
    server = make(link_by_email=True)
    server.user("ada", email="ada@museum.example")
    provider.claims |= {"email_verified": verified}
    assert reason(go(server, provider)[1]) == "unknown"


def test_one_address_is_not_verified_by_what_is_said_of_another(make: Make, provider: Lying) -> None:
    server = make(link_by_email=True)
    server.user("ada", email="ada@museum.example")
    provider.claims = {"email": "ada@museum.example"}
    provider.userinfo = {"email": "eve@museum.example", "email_verified": True}
    assert reason(go(server, provider)[1]) == "unknown"


# -- the way back --------------------------------------------------------------------------------------------------


@pytest.fixture
def server(make: Make) -> Server:
    server = make(link_by_email=True)
    server.user("ada", email="ada@museum.example")
    return server


def way_back(server: Server, provider: Lying, visitor: Visitor) -> str:
    return provider.visit(visitor.get("/login/provider/museum/").headers["location"])


def test_rfc9700_4_7_an_answer_counts_only_in_the_browser_that_asked(server: Server, provider: Lying) -> None:
    attacker, victim = server.browser(), server.browser()
    stolen = way_back(server, provider, attacker)
    victim.get("/login/")
    assert reason(victim.get(stolen)) == "late"
    assert victim.get("/account/").status_code == 302
    assert attacker.get(stolen).headers["location"] == "/", "and it was not used up by that"


def test_an_answer_counts_once_and_not_for_ever(server: Server, provider: Lying) -> None:
    visitor = server.browser()
    answer = way_back(server, provider, visitor)
    assert visitor.get(answer).headers["location"] == "/"
    assert reason(visitor.get(answer)) == "late"
    other = server.browser()
    answer = way_back(server, provider, other)
    with server.services.database.write() as work:
        work.db.execute(identity_provider_flows.update().values(expires=work.now - timedelta(seconds=1)))
    assert reason(other.get(answer)) == "late"
    for broken in ("", "?state=x", "?code=1", "?state=x&state=y&code=1", "?state=%00"):
        assert reason(other.get(f"/api/oauthv2/provider/museum/callback/{broken}")) == "late"


def test_rfc9700_4_4_an_answer_of_one_provider_is_not_taken_for_anothers(server: Server, provider: Lying) -> None:
    visitor = server.browser()
    answer = way_back(server, provider, visitor).replace("/museum/", "/other/")
    assert visitor.get(answer).status_code == 404


def test_nothing_that_redeems_a_code_is_kept_in_the_database(server: Server, provider: Lying) -> None:
    way_back(server, provider, server.browser())
    query = provider.requests[-1]
    with server.services.database.read() as work:
        kept = str(work.db.execute(identity_provider_flows.select()).all())
    assert query["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(query[name]) >= 43
        assert query[name] not in kept


@pytest.mark.parametrize("there", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:1", ""])
def test_the_way_back_never_leaves_the_site(server: Server, provider: Lying, there: str) -> None:
    visitor, answer = go(server, provider, start=f"/login/provider/museum/?redirect={there}")
    assert answer.headers["location"] == "/"
    again = visitor.get(f"/login/provider/museum/?redirect={there}")
    assert again.headers["location"] == "/", "also for who is signed in already"


# -- the provider itself -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://sso.evil.example"},
        {"token_endpoint": "http://169.254.169.254/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"userinfo_endpoint": "https://user:password@sso.museum.example/"},
    ],
)
def test_a_discovery_document_that_leads_astray_is_not_followed(
    server: Server, provider: Lying, change: dict[str, Any]
) -> None:
    provider.metadata |= change
    answer = server.browser().get("/login/provider/museum/")
    assert reason(answer) == "down"
    assert set(provider.seen) == {"/.well-known/openid-configuration"}


def test_the_address_guard_stands_before_what_a_provider_names(server: Server, provider: Lying) -> None:
    """Only the issuer's own host is inside; where else it points is as foreign as any address."""
    provider.metadata |= {"token_endpoint": "https://localhost:8443/token"}
    assert reason(go(server, provider)[1]) == "down"


def test_a_provider_that_is_not_internal_is_never_looked_for_inside(make: Make, provider: Lying) -> None:
    server = make(internal=False)
    assert reason(server.browser().get("/login/provider/museum/")) == "down"
    assert not provider.seen


@pytest.mark.parametrize("status", [500, 503, 404, 302])
def test_a_provider_that_is_down_is_said_and_left_alone_for_a_moment(
    server: Server, provider: Lying, status: int
) -> None:
    provider.status["/.well-known/openid-configuration"] = status
    visitor = server.browser()
    for _ in range(3):
        answer = visitor.get("/login/provider/museum/")
        assert reason(answer) == "down"
    assert provider.seen["/.well-known/openid-configuration"] == 1
    page = visitor.get(answer.headers["location"])
    assert "Museum SSO cannot be reached now." in page.text
    assert 'name="password"' in page.text, "the other way in stands beside it"


def test_a_token_endpoint_that_fails_is_told_too(server: Server, provider: Lying) -> None:
    provider.status["/token"] = 502
    assert reason(go(server, provider)[1]) == "down"


def test_keys_that_change_are_asked_for_anew_but_not_at_every_lie(server: Server, provider: Lying) -> None:
    client = server.services.accounts.identity_providers._clients["museum"]
    go(server, provider)
    provider.sign = lambda told: jwt.encode({"alg": "RS256", "kid": "key-1"}, told, key(1), algorithms=["RS256"])
    provider.published = [key(0), key(1)]
    for _ in range(3):
        assert reason(go(server, provider)[1]) == "wrong", "asked for less than a minute ago"
    assert provider.seen["/jwks"] == 1
    client._known.keys_at -= 61
    assert go(server, provider)[1].headers["location"] == "/"
    assert provider.seen["/jwks"] == 2
    assert provider.seen["/.well-known/openid-configuration"] == 1


def test_rfc7517_5_keys_that_are_no_signing_keys_are_left_out(server: Server, provider: Lying) -> None:
    encrypting = {**key(1).as_dict(private=False), "use": "enc", "kid": "key-0"}
    shared = {"kty": "oct", "k": base64.urlsafe_b64encode(b"x" * 32).decode(), "kid": "key-0"}
    provider.extra_keys = [shared, encrypting, {"kty": "AKP", "kid": "key-0"}, {"kty": "RSA", "n": "!", "e": "AQAB"}]
    assert go(server, provider)[1].headers["location"] == "/"
    assert len(server.services.accounts.identity_providers._clients["museum"]._known.keys) == 1


def test_a_clock_that_is_a_little_off_does_no_harm(server: Server, provider: Lying) -> None:
    soon = int((datetime.now(UTC) + timedelta(seconds=30)).timestamp())
    provider.claims |= {"iat": soon, "auth_time": soon}
    assert go(server, provider)[1].headers["location"] == "/"
