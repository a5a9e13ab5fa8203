"""Details of RFC 6749 and OpenID Connect in every profile: grants, redirect addresses and scopes of a request."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.oauth.flows import (
    CALLBACK,
    DEVICE,
    allow,
    ask,
    code_of,
    exchange,
    post,
    query_of,
    refresh,
    set_redirects,
    tokens,
)
from vitrine.accounts import User
from vitrine.applications import Profile, Switch
from vitrine.testing.server import PASSWORD, Registered, Server, Visitor

OTHER = "https://notes.example.com/other"
LOOPBACK = "http://127.0.0.1:4711/cb"
UNKNOWN = ("urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:token-exchange", "x")


@pytest.fixture
def desktop(server: Server, ada: User) -> Registered:
    app = server.register(ada, kind="desktop", on=(Switch.IMPLICIT, Switch.PASSWORD_GRANT))
    set_redirects(server, app, "http://127.0.0.1/cb")
    return app


# -- grants ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grant_type", UNKNOWN)
def test_rfc6749_5_2_an_unknown_grant_is_unsupported_where_answers_are_those_of_the_rfcs(
    server: Server, strict: Registered, public: Registered, desktop: Registered, old: Registered, grant_type: str
) -> None:
    for app in (strict, public, desktop):
        answer = post(server, app if app is strict else None, client_id=app.client_id, grant_type=grant_type)
        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type"), app
    basic = server.http.post(
        "/api/oauthv2/token", data={"grant_type": grant_type}, auth=(strict.client_id, strict.secret)
    )
    assert basic.json()["error"] == "unsupported_grant_type"
    assert post(server, old, grant_type=grant_type).json()["error"] == "invalid_request", "01 section 4.1 row 1"


def test_rfc6749_5_2_a_missing_grant_or_an_unknown_client_stays_an_invalid_request(
    server: Server, strict: Registered
) -> None:
    assert post(server, strict).json()["error"] == "invalid_request"
    assert post(server, None, grant_type="x").json()["error"] == "invalid_request", "01 section 4.1 row 1 before row 3"
    assert post(server, None, grant_type="x", client_id="none").json()["error"] == "invalid_request"
    wrong = post(server, None, grant_type="x", client_id=strict.client_id, client_secret="wrong")
    assert wrong.json()["error"] == "invalid_client", "who it is comes first"


def test_rfc6749_5_2_a_known_grant_that_is_off_keeps_its_error(
    server: Server, ada: User, strict: Registered, old: Registered
) -> None:
    assert post(server, strict, grant_type="client_credentials").json()["error"] == "unauthorized_client"
    form = {"grant_type": "password", "username": "ada", "password": PASSWORD}
    for app in (strict, old):
        assert post(server, app, **form).json()["error"] == "unsupported_grant_type", "01 section 4.1 row 7"


# -- redirect addresses ------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_rfc6749_4_1_3_the_address_is_needed_with_the_code_only_if_it_was_named_before(
    server: Server, strict: Registered, public: Registered, visitor: Visitor
) -> None:
    for app in (strict, public):
        unnamed = code_of(visitor, app, redirect_uri="")
        assert exchange(server, app, unnamed, redirect_uri="").status_code == 200
        named = code_of(visitor, app)
        refused = exchange(server, app, named, redirect_uri="")
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
        assert exchange(server, app, named).status_code == 200, "a failed try does not use the code up"
        again = code_of(visitor, app, redirect_uri="")
        assert exchange(server, app, again, redirect_uri=OTHER).json()["error"] == "invalid_grant"
        assert exchange(server, app, again, redirect_uri=CALLBACK).status_code == 200


def test_01_4_1_row_4_the_compatibility_profile_always_names_it(
    server: Server, old: Registered, visitor: Visitor
) -> None:
    code = code_of(visitor, old, redirect_uri="")
    assert exchange(server, old, code, redirect_uri="").json()["error"] == "invalid_request"
    assert exchange(server, old, code).status_code == 200


@pytest.mark.parametrize("profile", [Profile.STRICT, Profile.PUBLIC, Profile.COMPATIBILITY])
def test_rfc6749_3_1_2_3_of_several_addresses_one_must_be_named(
    server: Server, ada: User, visitor: Visitor, profile: Profile
) -> None:
    app = server.register(ada, profile=profile)
    set_redirects(server, app, CALLBACK, OTHER)
    for wrong in ({}, {"response_type": "x"}, {"scope": "nonsense"}):
        answer = ask(visitor, app, redirect_uri="", **wrong)
        assert (answer.status_code, "location" in answer.headers) == (400, False)
        assert "invalid_request" in answer.text
    assert ask(visitor, app, redirect_uri=OTHER).status_code == 200


# -- scopes ------------------------------------------------------------------------------------------------------------


def test_oidc_core_3_1_2_1_unknown_scopes_beside_openid_are_ignored_and_the_granted_ones_told(
    server: Server, ada: User, strict: Registered, public: Registered
) -> None:
    for app in (strict, public):
        granted = tokens(server, ada, app, "openid offline_access address phone library:read")
        assert granted["scope"] == "library:read openid"
        assert "id_token" in granted
        renewed = refresh(server, app, granted["refresh_token"], scope="openid offline_access").json()
        assert renewed["scope"] == "openid"


def test_oidc_core_3_1_2_1_the_same_at_the_device_and_the_token_endpoint(
    server: Server, ada: User, strict: Registered, public: Registered, desktop: Registered
) -> None:
    assert post(server, None, DEVICE, client_id=public.client_id, scope="openid address").status_code == 200
    form = {"grant_type": "password", "username": "ada", "password": PASSWORD, "client_id": desktop.client_id}
    granted = post(server, None, **form, scope="openid phone library:read").json()
    assert granted["scope"] == "library:read"
    alone = post(server, None, DEVICE, client_id=public.client_id, scope="library:read offline_access")
    assert alone.json()["error"] == "invalid_scope", "RFC 6749 section 3.3"


def test_oidc_core_3_1_2_1_without_openid_an_unknown_scope_is_refused(
    server: Server, strict: Registered, old: Registered, visitor: Visitor
) -> None:
    for app in (strict, old):
        query = query_of(ask(visitor, app, scope="library:read offline_access").headers["location"])
        assert query["error"] == "invalid_scope"
    query = query_of(ask(visitor, old, scope="openid").headers["location"])
    assert query["error"] == "invalid_scope", "01 section 3: the compatibility profile has no scopes"


def test_rfc6749_4_2_2_the_implicit_answer_tells_scope_and_life(
    desktop: Registered, old: Registered, visitor: Visitor
) -> None:
    page = ask(visitor, desktop, redirect_uri=LOOPBACK, response_type="token", scope="openid address library:read")
    values = parse_qs(urlsplit(allow(visitor, page)).fragment)
    assert (values["scope"], values["expires_in"]) == (["library:read openid"], ["3600"])
    kept = parse_qs(urlsplit(allow(visitor, ask(visitor, old, response_type="token"))).fragment)
    assert set(kept) == {"access_token", "token_type", "iss"}, "01 section 3.3"
