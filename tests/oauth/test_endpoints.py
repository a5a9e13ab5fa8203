"""Revocation, introspection, metadata, challenges, client credentials, guard rails: each test names its RFC section."""

import base64
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from tests.oauth.flows import (
    AUTHORIZE,
    INTROSPECT,
    PKCE,
    REVOKE,
    TOKEN,
    act_as_owner,
    ask,
    code_of,
    exchange,
    post,
    query_of,
    refresh,
    set_redirects,
    status_of,
    tokens,
)  # fmt: skip
from vitrine.accounts import User, Via
from vitrine.applications import Profile, Switch
from vitrine.errors import Forbidden
from vitrine.oauth.tables import access_tokens
from vitrine.testing.server import CALLBACK, PASSWORD, Registered, Server, Visitor

pytestmark = pytest.mark.both_paths


def test_rfc7009_2_a_revoked_access_token_opens_nothing_and_a_wrong_hint_does_not_matter(
    server: Server, ada: User, strict: Registered
) -> None:
    for hint in ("", "refresh_token", "access_token", "nonsense"):
        granted = tokens(server, ada, strict)
        answer = post(server, strict, REVOKE, token=granted["access_token"], token_type_hint=hint)
        assert (answer.status_code, answer.json()) == (200, {})
        assert answer.headers["content-type"] == "application/json"
        assert status_of(server, granted["access_token"]) == 401
        assert refresh(server, strict, granted["refresh_token"]).status_code == 200


def test_rfc7009_2_1_a_revoked_refresh_token_takes_its_access_tokens_along(
    server: Server, ada: User, strict: Registered
) -> None:
    granted = tokens(server, ada, strict)
    fresh = refresh(server, strict, granted["refresh_token"]).json()
    answer = post(server, strict, REVOKE, token=fresh["refresh_token"], token_type_hint="access_token")
    assert answer.status_code == 200
    assert status_of(server, fresh["access_token"]) == status_of(server, granted["access_token"]) == 401


def test_rfc7009_2_2_others_tokens_and_unknown_ones_stay_as_they_are(
    server: Server, ada: User, strict: Registered, public: Registered
) -> None:
    granted = tokens(server, ada, strict)
    for token in (granted["access_token"], granted["refresh_token"], "nonsense"):
        answer = post(server, public, REVOKE, token=token, client_secret="")
        assert (answer.status_code, answer.json()) == (200, {})
    assert status_of(server, granted["access_token"]) == 200
    assert (
        post(server, strict, REVOKE, token=granted["access_token"], client_secret="x").json()["error"]
        == "invalid_client"
    )
    assert post(server, strict, REVOKE).json()["error"] == "invalid_request"


def test_rfc7662_2_2_introspection_tells_what_a_token_is_worth(server: Server, ada: User, strict: Registered) -> None:
    granted = tokens(server, ada, strict, "library:read search")
    introspected = post(server, strict, INTROSPECT, token=granted["access_token"]).json()
    assert introspected["active"] is True
    assert (introspected["scope"], introspected["client_id"]) == ("library:read search", strict.client_id)
    assert (introspected["username"], introspected["sub"], introspected["token_type"]) == ("ada", str(ada.id), "Bearer")
    assert 0 < introspected["exp"] - introspected["iat"] <= 3600
    assert post(server, strict, INTROSPECT, token=granted["refresh_token"]).json()["active"] is True


def test_rfc7662_2_2_nothing_else_is_told_of_what_is_not_active_or_not_ones_own(
    server: Server, ada: User, strict: Registered
) -> None:
    other = server.register(ada, profile=Profile.STRICT, name="Other")
    granted = tokens(server, ada, strict)
    dead = tokens(server, ada, strict)
    post(server, strict, REVOKE, token=dead["access_token"])
    used = granted["refresh_token"]
    refresh(server, strict, used)
    for app, token in (
        (strict, "nonsense"), (strict, "vit_at_" + "a" * 36), (strict, dead["access_token"]), (strict, used),
        (other, granted["access_token"]),
    ):  # fmt: skip
        assert post(server, app, INTROSPECT, token=token).json() == {"active": False}


def test_rfc7662_2_1_only_applications_with_a_secret_may_ask(
    server: Server, strict: Registered, public: Registered
) -> None:
    refused = post(server, public, INTROSPECT, token="x", client_secret="")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert refused.headers["www-authenticate"].startswith("Basic")
    assert post(server, None, INTROSPECT, token="x").json()["error"] == "invalid_client"


def test_rfc8414_3_2_and_openid_discovery_are_one_document(server: Server) -> None:
    first = server.http.get("/.well-known/oauth-authorization-server")
    second = server.http.get("/.well-known/openid-configuration")
    assert first.json() == second.json()
    metadata = first.json()
    assert metadata["issuer"] == server.settings.base_url
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    for name, address in metadata.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert address.startswith(server.settings.base_url + "/"), name
            answer = server.http.get(address.removeprefix(server.settings.base_url))
            assert answer.status_code != 404, name


def test_rfc9728_5_1_a_challenge_names_where_the_server_describes_itself(server: Server) -> None:
    for token, status in (("", 400), ("garbage", 401)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = server.http.get("/api/v1/me/", headers=headers)
        assert answer.status_code == status
        old, new = answer.headers.get_list("www-authenticate")
        assert old.startswith("OAuth realm='Service'")
        where = new.split('resource_metadata="')[1].split('"')[0]
        metadata = server.http.get(where.removeprefix(server.settings.base_url)).json()
        assert metadata["authorization_servers"] == [server.settings.base_url]
        assert ('error="' in new) is bool(token), "no error is named when no token came (RFC 6750 section 3.1)"


def test_rfc6749_4_4_client_credentials_need_the_owners_word(server: Server, ada: User, strict: Registered) -> None:
    def machine() -> dict[str, object]:
        granted: dict[str, object] = post(server, strict, grant_type="client_credentials", scope="account:read").json()
        return granted

    assert machine()["error"] == "unauthorized_client"
    admin = server.user("root", is_admin=True)
    with pytest.raises(Forbidden):
        act_as_owner(server, admin, strict)
    act_as_owner(server, ada, strict)
    granted = machine()
    assert "refresh_token" not in granted
    assert server.get("/me/", str(granted["access_token"]))["user"]["login"] == "ada"
    assert server.call("GET", "/api/v1/databoxes/list/", str(granted["access_token"])).status_code == 403
    with server.services.database.write() as work:
        actor = server.services.accounts.users.actor_of(work, ada, Via.COMMAND)
        server.services.applications.registry.set_switch(
            work, actor, strict.application.id, Switch.ACTS_AS_OWNER, on=False
        )
    assert machine()["error"] == "unauthorized_client"


def test_rfc6749_4_4_2_client_credentials_are_for_who_has_a_secret(
    server: Server, ada: User, strict: Registered, public: Registered
) -> None:
    act_as_owner(server, ada, strict)
    assert post(server, strict, grant_type="client_credentials", client_secret="").json()["error"] == "invalid_client"
    refused = post(server, public, grant_type="client_credentials", client_secret="")
    assert refused.json()["error"] == "unauthorized_client"
    openid = post(server, strict, grant_type="client_credentials", scope="openid")
    assert openid.json()["error"] == "invalid_scope"


def test_rfc6749_2_3_1_basic_works_and_wrong_basic_is_401(server: Server, ada: User, strict: Registered) -> None:
    act_as_owner(server, ada, strict)
    form = {"grant_type": "client_credentials"}
    assert server.http.post(TOKEN, data=form, auth=(strict.client_id, strict.secret)).status_code == 200
    again = {**form, "client_id": strict.client_id}
    assert server.http.post(TOKEN, data=again, auth=(strict.client_id, strict.secret)).status_code == 200
    refused = server.http.post(TOKEN, data=form, auth=(strict.client_id, "wrong"))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert refused.headers["www-authenticate"].startswith("Basic ")
    for extra in ({"client_secret": strict.secret}, {"client_id": "other"}):
        two = server.http.post(TOKEN, data={**form, **extra}, auth=(strict.client_id, strict.secret))
        assert two.json()["error"] == "invalid_client"
    query = server.http.post(f"{TOKEN}?{urlencode({'client_id': strict.client_id})}", data=form)
    assert query.json()["error"] == "invalid_client", "credentials never come from the address"
    broken = server.http.post(TOKEN, data=form, headers={"Authorization": "Basic " + base64.b64encode(b"x").decode()})
    assert broken.json()["error"] == "invalid_client"


def test_rfc8252_7_3_loopback_addresses_take_any_port_and_never_stand_for_each_other(
    server: Server, public: Registered, visitor: Visitor
) -> None:
    set_redirects(
        server, public, "http://127.0.0.1/cb", "http://localhost/cb", "http://[::1]/cb", "com.example.notes:/cb"
    )
    for good in ("http://127.0.0.1:4711/cb", "http://localhost:80/cb", "http://[::1]:9/cb", "com.example.notes:/cb"):
        assert ask(visitor, public, redirect_uri=good).status_code == 200, good
    for bad in (
        "http://127.0.0.2:4711/cb", "https://127.0.0.1:4711/cb", "http://user@127.0.0.1:4711/cb",
        "http://127.0.0.1:4711/cb#x", "http://127.0.0.1:4711/cb/", "com.example.notes:/cbx", "http://localhost.evil.example/cb",
        "http://127.0.0.1:99999/cb", "http://127.0.0.1:4711@evil.example/cb",
    ):  # fmt: skip
        answer = ask(visitor, public, redirect_uri=bad)
        assert (answer.status_code, "location" in answer.headers) == (400, False), bad


def test_rfc7636_4_4_1_strict_and_public_need_s256(server: Server, strict: Registered, public: Registered) -> None:
    for app in (strict, public):
        visitor = server.browser()
        missing = query_of(ask(visitor, app, code_challenge="", code_challenge_method="").headers["location"])
        assert missing["error_description"] == "code_challenge is missing: this application needs PKCE (RFC 7636)."
        for wrong in (
            {"code_challenge": "", "code_challenge_method": ""}, {"code_challenge_method": "plain"},
            {"code_challenge_method": ""}, {"code_challenge": "short"},
        ):  # fmt: skip
            location = ask(visitor, app, state="s", **wrong).headers["location"]
            query = query_of(location)
            assert (query["error"], query["state"]) == ("invalid_request", "s")
            assert query["iss"] == server.settings.base_url, "RFC 9207 section 2: errors too"
            assert query["error_description"].startswith("code_challenge "), "RFC 6749 section 4.1.2.1"


def test_rfc7636_4_6_a_wrong_or_missing_verifier_is_refused(
    server: Server, strict: Registered, visitor: Visitor
) -> None:
    for verifier in ("", "w" * 64):
        code = code_of(visitor, strict)
        assert exchange(server, strict, code, code_verifier=verifier).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("state", ["0", "a b&c=d%20", "ä€", "x" * 4000])
def test_rfc6749_4_1_2_state_comes_back_byte_for_byte(strict: Registered, visitor: Visitor, state: str) -> None:
    visitor_location = ask(visitor, strict, state=state, scope="nonsense").headers["location"]
    assert query_of(visitor_location)["state"] == state


def test_rfc6749_3_1_repeated_and_structured_parameters_are_400(server: Server, strict: Registered) -> None:
    query = urlencode({"client_id": strict.client_id, "response_type": "code", "redirect_uri": CALLBACK, **PKCE})
    assert server.http.get(f"{AUTHORIZE}?{query}&state=1&state=2").status_code == 400
    array = server.http.get(f"{AUTHORIZE}?{query}&scope[a]=b")
    assert query_of(array.headers["location"])["error"] == "invalid_scope"
    for form in ("grant_type=refresh_token&grant_type=refresh_token", "grant_type[a]=b", "scope[a]=b"):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert server.http.post(TOKEN, content=form, headers=headers).status_code == 400


def test_design_5_3_strict_and_public_tokens_never_come_in_addresses(
    server: Server, ada: User, strict: Registered, public: Registered
) -> None:
    for app, secret in ((strict, strict.secret), (public, "")):
        token = tokens(server, ada, app, client_secret=secret)["access_token"]
        for name in ("oauth_token", "access_token"):
            assert server.http.get(f"/api/v1/me/?{name}={token}").status_code == 400
            assert server.http.post("/api/v1/search/", data={name: token}).status_code == 400


def test_rfc6585_4_too_many_calls_are_429_with_the_time_to_wait(tmp_path: Path) -> None:
    server = Server(tmp_path / "few", token_requests=3, authorize_requests=2)
    try:
        answers = [server.http.post(TOKEN, data={"grant_type": "x"}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
        assert answers[0].headers["ratelimit-policy"] == '"token";q=3;w=60'
        assert answers[0].headers["ratelimit"].startswith('"token";r=2;t=')
        assert 0 < int(answers[3].headers["retry-after"]) <= 60
        pages = [server.http.get(AUTHORIZE) for _ in range(3)]
        assert [page.status_code for page in pages] == [400, 400, 429]
        assert "retry-after" in pages[2].headers
    finally:
        server.close()


def test_rfc9745_old_habits_say_so_and_are_counted_for_their_owner(server: Server, ada: User) -> None:
    app = server.register(ada, on=(Switch.PASSWORD_GRANT,))
    answer = post(server, app, grant_type="password", username="ada", password=PASSWORD)
    assert answer.headers["deprecation"].startswith("@")
    assert answer.headers["sunset"].endswith("GMT")
    assert 'rel="deprecation"' in answer.headers["link"]
    token = answer.json()["access_token"]
    plain = server.call("GET", "/api/v1/me/", token)
    assert "deprecation" not in plain.headers
    assert "deprecation" in server.http.get(f"/api/v1/me/?oauth_token={token}").headers
    # A header that holds something else, as a proxy's own password does, is not the token's.
    besides = {"Authorization": "Basic cHJveHk6cHJveHk="}
    assert "deprecation" in server.http.get(f"/api/v1/me/?oauth_token={token}", headers=besides).headers
    server.services.deferred_writes.flush()
    assert "deprecation" in server.http.get(f"/api/v1/me/?oauth_token={token}").headers
    server.services.deferred_writes.flush()
    with server.services.database.read() as work:
        actor = server.services.accounts.users.actor_of(work, ada, Via.COMMAND)
        uses = {
            use.feature: use for use in server.services.oauth.server.deprecated_features(work, actor, app.application)
        }
        assert (uses["password_grant"].uses, uses["parameter_token"].uses) == (1, 3)
        assert uses["parameter_token"].last_address == "testclient"
        assert work.now - uses["parameter_token"].last_at < timedelta(minutes=1)


@pytest.mark.parametrize("grant", ["authorization_code", "refresh_token", "client_credentials"])
def test_an_exchange_waits_in_a_thread_while_somebody_else_writes(
    server: Server, ada: User, visitor: Visitor, strict: Registered, grant: str
) -> None:
    """docs/decisions/0076: in the event loop when nobody writes, else where it may wait, and never twice."""
    act_as_owner(server, ada, strict)
    form = {"grant_type": grant, "client_id": strict.client_id, "client_secret": strict.secret}
    if grant != "client_credentials":
        code = {"code": code_of(visitor, strict), "redirect_uri": CALLBACK, "code_verifier": "v" * 64}
        form |= code
    if grant == "refresh_token":
        granted = server.call("POST", TOKEN, data={**form, "grant_type": "authorization_code"}).json()
        form = {**form, "refresh_token": granted["refresh_token"]}
    with server.services.database.read() as work:
        before = work.db.scalar(sa.select(sa.func.count()).select_from(access_tokens))
    path = server.settings.data_dir / "vitrine.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.2, other.execute, ("COMMIT",)).start()
        answer = server.call("POST", TOKEN, data=form)
    assert answer.status_code == 200, answer.text
    with server.services.database.read() as work:
        after = work.db.scalar(sa.select(sa.func.count()).select_from(access_tokens))
    assert before is not None and after == before + 1
