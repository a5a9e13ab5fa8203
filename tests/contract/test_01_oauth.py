"""Contract 01: authorize, token, access tokens. Each test names its clause."""

import base64
import hashlib
import threading
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from vitrine.accounts import User
from vitrine.applications import Profile, Switch
from vitrine.oauth import store as codes
from vitrine.testing.server import CALLBACK, PASSWORD, Registered, Server, Visitor, hidden, query_of

AUTHORIZE = "/api/oauthv2/authorize"
TOKEN = "/api/oauthv2/token"
OOB = "urn:ietf:wg:oauth:2.0:oob"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()

pytestmark = pytest.mark.both_databases


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", first_name="Ada", last_name="Martin")


@pytest.fixture
def app(server: Server, ada: User) -> Registered:
    return server.register(ada, on=(Switch.PASSWORD_GRANT,))


def address(app: Registered, **parameters: str) -> str:
    values = {"client_id": app.client_id, "response_type": "code", **parameters}
    return f"{AUTHORIZE}?{urlencode(values)}"


def allow(visitor: Visitor, where: str) -> str:
    """Say yes on the consent page, if it asks; the Location of the answer."""
    page = visitor.get(where)
    if page.status_code == 302:
        return page.headers["location"]
    assert page.status_code == 200, page.headers
    answer = visitor.client.post(AUTHORIZE, data={**hidden(page.text), "action_accept": "1"})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def code_of(server: Server, user: User, app: Registered, **parameters: str) -> str:
    return query_of(allow(server.browser(user), address(app, **parameters)))["code"]


def exchange(server: Server, app: Registered, **form: str) -> dict[str, object]:
    values = {
        "grant_type": "authorization_code", "client_id": app.client_id, "client_secret": app.secret,
        "redirect_uri": CALLBACK, **form,
    }  # fmt: skip
    answer = server.http.post(TOKEN, data={name: value for name, value in values.items() if value})
    value: dict[str, object] = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert answer.status_code == (200 if "access_token" in value else 400)
    return value


def test_12_1_code_flow_with_empty_scope_and_state(server: Server, ada: User, app: Registered) -> None:
    location = allow(server.browser(ada), address(app, scope="", state="k3"))
    assert location.startswith(f"{CALLBACK}?state=k3&code=vit_ac_")
    tokens = exchange(server, app, code=query_of(location)["code"])
    assert set(tokens) == {"access_token", "scope", "token_type"}
    assert tokens["scope"] is None
    assert server.call("GET", "/api/v1/me/", str(tokens["access_token"])).status_code == 200


def test_12_2_underscore_and_scope_are_refused_by_redirect(server: Server, app: Registered) -> None:
    for extra, error in ({"response_type": "code_and_token"}, "invalid_request"), ({"scope": "read"}, "invalid_scope"):
        answer = server.http.get(address(app, state="s", **extra))
        assert answer.status_code == 302
        issuer = quote(server.settings.base_url, safe="")
        assert answer.headers["location"] == f"{CALLBACK}?error={error}&state=s&iss={issuer}", (
            "design 5.3: iss is added"
        )


def test_12_3_implicit_has_state_in_the_query_and_the_token_in_the_fragment(
    server: Server, ada: User, app: Registered
) -> None:
    parts = urlsplit(allow(server.browser(ada), address(app, response_type="token", state="k3")))
    assert parts.query == "state=k3"
    assert parts.fragment.startswith("access_token=vit_at_")
    both = urlsplit(
        server.browser(ada).get(address(app, response_type="code-and-token", state="k3")).headers["location"]
    )
    assert both.query.startswith("state=k3&code=vit_ac_")
    assert both.fragment.startswith("access_token=vit_at_")


def test_12_4_out_of_band_shows_a_code_that_can_be_redeemed(server: Server, ada: User) -> None:
    app = server.register(ada, kind="desktop")
    visitor = server.browser(ada)
    page = visitor.get(address(app))
    shown = visitor.client.post(AUTHORIZE, data={**hidden(page.text), "action_accept": "1"})
    assert shown.status_code == 200
    code = shown.text.split('name="authorize_token" class="code" value="')[1].split('"')[0]
    assert "Success" in shown.text
    assert "access_token" in exchange(server, app, code=code, redirect_uri=OOB, client_secret="")
    refused = visitor.get(address(app, response_type="token"))
    assert "unsupported_response_type" in refused.text
    denied = visitor.client.post(AUTHORIZE, data={**hidden(page.text), "action_accept": "0"})
    assert "access_denied" in denied.text
    assert 'name="authorize_token" class="code" value=""' in denied.text


def test_12_5_password_grant(server: Server, ada: User, app: Registered) -> None:
    without_password_grant = server.register(ada, name="Off")
    form = {"grant_type": "password", "username": "ada", "password": PASSWORD, "redirect_uri": ""}
    assert exchange(server, without_password_grant, **form)["error"] == "unsupported_grant_type"
    assert exchange(server, app, **{**form, "password": "wrong"})["error"] == "invalid_grant"
    assert exchange(server, app, **{**form, "password": ""})["error"] == "invalid_request"
    token = str(exchange(server, app, **form)["access_token"])
    assert server.get("/me/", token)["user"]["login"] == "ada"


def test_12_6_every_carrier_of_the_token(server: Server, app: Registered) -> None:
    token = app.developer_token
    path = "/api/v1/search/"
    assert (
        server.http.post(
            f"{path}?oauth_token={token}", content=b"{}", headers={"Content-Type": "application/json"}
        ).status_code
        == 200
    )
    assert server.http.get(path, headers={"Authorization": f"OAuth {token}"}).status_code == 200
    assert server.http.get(path, headers={"Authorization": f"bearer {token}"}).status_code == 200
    assert server.http.post(path, data={"oauth_token": token}).status_code == 200
    assert server.http.get(f"{path}?access_token={token}", headers={"Authorization": "Basic eDp5"}).status_code == 200
    assert (
        server.http.get(f"{path}?oauth_token={token}", headers={"Authorization": f"OAuth {token}"}).status_code == 200
    )
    two = server.http.get(f"{path}?oauth_token=other", headers={"Authorization": f"OAuth {token}"})
    assert (two.status_code, two.json()) == (400, {"error": "invalid_request"})


def test_12_7_and_5_4_refusals_before_the_envelope(server: Server, ada: User, app: Registered) -> None:
    none = server.http.get("/api/v1/me/")
    assert (none.status_code, none.content) == (400, b"")
    assert none.headers.get_list("www-authenticate")[0] == "OAuth realm='Service', error='invalid_request'"
    for wrong in ("garbage", app.developer_token[:-1] + "01"[app.developer_token[-1] == "0"], "vit_at_" + "a" * 36):
        refused = server.http.get("/api/v1/me/", headers={"Authorization": f"OAuth {wrong}"})
        assert (refused.status_code, refused.content) == (401, b"")
        assert refused.headers["www-authenticate"].startswith("OAuth realm='Service', error='invalid_token'")
    token = str(exchange(server, app, code=code_of(server, ada, app))["access_token"])
    visitor = server.browser(ada)
    answer = visitor.submit(
        "/account/security/applications/", f"/account/security/application/{app.application.id}/revoke/", {}
    )
    assert answer.status_code == 303
    assert server.call("GET", "/api/v1/me/", token).status_code == 401
    assert server.call("GET", "/api/v1/me/", app.developer_token).status_code == 401


def test_12_8_renewing_the_developer_token_kills_the_old_one(server: Server, ada: User, app: Registered) -> None:
    visitor = server.browser(ada)
    answer = visitor.xhr("POST", f"/developers/application/{app.application.id}/access_token/").json()
    assert answer["success"] is True
    assert server.call("GET", "/api/v1/me/", app.developer_token).status_code == 401
    assert server.call("GET", "/api/v1/me/", answer["token"]).status_code == 200


@pytest.mark.parametrize(
    "evil",
    [
        "https://evil.example/", "https://notes.example.com.evil.example/cb", "https://notes.example.com@evil.example/cb",
        "//evil.example/cb", "https://notes.example.com/cbx", "https://notes.example.com/cb/../../x",
        "https://notes.example.com/cb/%2e%2e/x", "http://notes.example.com/cb", "https://notes.example.com:444/cb",
        "https://notes.example.com\\@evil.example/cb", "javascript:alert(1)", "https://notes.example.com/cb\n.evil.example",
    ],
)  # fmt: skip
def test_12_9_an_unregistered_address_never_gets_a_redirect(server: Server, app: Registered, evil: str) -> None:
    for extra in ({}, {"scope": "x"}, {"response_type": "nonsense"}):
        answer = server.http.get(address(app, redirect_uri=evil, **extra))
        assert answer.status_code == 400
        assert "location" not in answer.headers


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tail=st.text(max_size=40), host=st.sampled_from(["", ".evil.example", "@evil.example", ":444", "\\evil.example"])
)
def test_3_1_no_redirect_ever_leaves_the_registered_place(
    server: Server, app: Registered, tail: str, host: str
) -> None:
    answer = server.http.get(address(app, redirect_uri=f"https://notes.example.com{host}/cb{tail}", scope="x"))
    if "location" in answer.headers:
        parts = urlsplit(answer.headers["location"])
        assert (parts.scheme, parts.hostname, parts.port) == ("https", "notes.example.com", None)
        assert parts.path == "/cb" or parts.path.startswith("/cb/")
    else:
        assert answer.status_code == 400


@pytest.mark.parametrize("client_id", ["", "!!", "x" * 200, "Xy7pQ2mN8rT4vB6kL1sD9wF3hJ5zC0aG"])
def test_3_1_an_unknown_or_malformed_client_is_a_400_page(server: Server, client_id: str) -> None:
    query = urlencode({"client_id": client_id, "redirect_uri": "https://evil.example", "response_type": "code"})
    answer = server.http.get(f"{AUTHORIZE}?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "location" not in answer.headers


def test_12_10_http_while_https_is_required(server: Server, ada: User, app: Registered) -> None:
    secure = replace(server.services.settings, api_require_https=True)
    object.__setattr__(server.services, "settings", secure)
    answer = server.http.post(TOKEN, data={"grant_type": "password"})
    assert answer.status_code == 400
    assert set(answer.json()) == {"msg", "code"}
    assert answer.json()["code"] == 400


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"grant_type": "assertion"}, "unsupported_grant_type"),
        ({"client_id": ""}, "invalid_client"),
        ({"client_id": "unknown"}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_secret": ""}, "invalid_client"),
        ({"code": ""}, "invalid_request"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"code": "unknown", "scope": "read"}, "invalid_grant"),
    ],
)
def test_4_1_errors_of_the_token_endpoint(server: Server, app: Registered, form: dict[str, str], error: str) -> None:
    assert exchange(server, app, **{"code": "x", **form})["error"] == error


def test_4_credentials_come_one_way_only(server: Server, ada: User, app: Registered) -> None:
    form = {"grant_type": "authorization_code", "code": code_of(server, ada, app), "redirect_uri": CALLBACK}
    both = server.http.post(TOKEN, data={**form, "client_id": app.client_id}, auth=(app.client_id, app.secret))
    assert both.json()["error"] == "invalid_client"
    assert server.http.post(TOKEN, data=form, auth=(app.client_id, app.secret)).status_code == 200


def test_4_a_query_string_is_not_a_body_but_json_is(server: Server, ada: User, app: Registered) -> None:
    form = {
        "grant_type": "authorization_code", "code": code_of(server, ada, app), "redirect_uri": CALLBACK,
        "client_id": app.client_id, "client_secret": app.secret,
    }  # fmt: skip
    assert server.http.post(f"{TOKEN}?{urlencode(form)}").json()["error"] == "invalid_request"
    assert server.http.post(TOKEN, json=form).status_code == 200
    assert server.http.get(TOKEN).status_code == 405


def test_3_4_a_code_works_once_and_its_replay_revokes_the_token(server: Server, ada: User, app: Registered) -> None:
    code = code_of(server, ada, app)
    token = str(exchange(server, app, code=code)["access_token"])
    assert exchange(server, app, code=code)["error"] == "invalid_grant"
    assert server.call("GET", "/api/v1/me/", token).status_code == 401


def test_3_4_of_parallel_exchanges_one_wins(server: Server, ada: User, app: Registered) -> None:
    code = code_of(server, ada, app)
    form = {
        "grant_type": "authorization_code", "client_id": app.client_id, "client_secret": app.secret, "code": code,
        "redirect_uri": CALLBACK,
    }  # fmt: skip
    outcomes: list[int] = []
    gate = threading.Barrier(20)

    def race() -> None:
        client = TestClient(server.application, base_url=server.settings.base_url)
        gate.wait()
        answer = client.post(TOKEN, data=form)
        assert answer.status_code == 200 or answer.json()["error"] == "invalid_grant"
        outcomes.append(answer.status_code)

    racers = [threading.Thread(target=race) for _ in range(20)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(outcomes) == [200] + [400] * 19


def test_4_1_row_5_a_code_of_another_client(server: Server, ada: User, app: Registered) -> None:
    other = server.register(ada, name="Other")
    assert exchange(server, other, code=code_of(server, ada, app))["error"] == "invalid_grant"


def test_4_1_row_6_an_old_code_is_expired(server: Server, ada: User, app: Registered) -> None:
    code = code_of(server, ada, app)
    with server.services.database.write() as work:
        work.db.exec_driver_sql("UPDATE authorization_codes SET expires = issued")
    assert exchange(server, app, code=code)["error"] == "expired_token"


def test_pkce_is_honoured_when_used(server: Server, ada: User, app: Registered) -> None:
    pkce = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    assert exchange(server, app, code=code_of(server, ada, app, **pkce))["error"] == "invalid_grant"
    wrong = code_of(server, ada, app, **pkce)
    assert exchange(server, app, code=wrong, code_verifier="w" * 64)["error"] == "invalid_grant"
    right = code_of(server, ada, app, **pkce)
    assert "access_token" in exchange(server, app, code=right, code_verifier=VERIFIER)


def test_pkce_plain_and_a_verifier_without_challenge_are_refused(server: Server, ada: User, app: Registered) -> None:
    plain = server.http.get(address(app, code_challenge=VERIFIER, code_challenge_method="plain"))
    assert query_of(plain.headers["location"])["error"] == "invalid_request"
    assert exchange(server, app, code=code_of(server, ada, app), code_verifier=VERIFIER)["error"] == "invalid_grant"


def test_3_2_the_first_visit_asks_even_the_creator_and_the_second_does_not(
    server: Server, ada: User, app: Registered
) -> None:
    """01 §3.2 and design 5.2."""
    visitor = server.browser(ada)
    assert "action_accept" in visitor.get(address(app)).text
    allow(visitor, address(app))
    again = visitor.get(address(app))
    assert again.status_code == 302
    assert "code=" in again.headers["location"]


def test_3_2_denial_is_recorded_and_asked_again(server: Server, ada: User, app: Registered) -> None:
    visitor = server.browser(ada)
    page = visitor.get(address(app, state="k3"))
    denied = visitor.client.post(AUTHORIZE, data={**hidden(page.text), "action_accept": "0"})
    assert denied.headers["location"].startswith(f"{CALLBACK}?state=k3&error=access_denied&iss=")
    assert visitor.get(address(app)).status_code == 200


def test_7_name_description_and_website_are_shown_before_the_password(server: Server, app: Registered) -> None:
    page = server.http.get(address(app))
    for text in ("Field Notes", "Notes.", "notes.example.com", 'name="login"', 'name="password"'):
        assert text in page.text
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "https://notes.example.com" in page.headers["content-security-policy"].split("form-action")[1].split(";")[0]


def test_3_2_signing_in_on_the_page_and_its_errors(server: Server, ada: User, app: Registered) -> None:
    visitor = server.browser()
    form = hidden(visitor.get(address(app, state="k3")).text)
    failed = visitor.client.post(AUTHORIZE, data={**form, "login": "ada", "password": "no", "action_login": "1"})
    assert failed.status_code == 302
    assert query_of(failed.headers["location"])["error"] == "login"
    assert "not right" in visitor.get(failed.headers["location"]).text
    done = visitor.client.post(AUTHORIZE, data={**form, "login": "ADA", "password": PASSWORD, "action_login": "1"})
    assert "action_accept" in visitor.get(done.headers["location"]).text


def test_7_2_consent_without_the_form_token_is_refused(server: Server, ada: User, app: Registered) -> None:
    visitor = server.browser(ada)
    form = hidden(visitor.get(address(app)).text)
    form.pop("csrf")
    assert visitor.client.post(AUTHORIZE, data={**form, "action_accept": "1"}).status_code == 403
    assert visitor.get(address(app)).status_code == 200, "nothing was granted"


def test_8_locked_accounts_share_one_counter(server: Server, ada: User, app: Registered) -> None:
    form = {"grant_type": "password", "username": "ada", "password": "wrong", "redirect_uri": ""}
    for _ in range(server.settings.sign_in_failures):
        exchange(server, app, **form)
    assert exchange(server, app, **{**form, "password": PASSWORD})["error"] == "invalid_grant"
    visitor = server.browser()
    page = visitor.submit("/login/", "/login/", {"login": "ada", "password": PASSWORD})
    assert "Too many failed sign-ins" in page.text


def test_3_2_login_and_e_mail_of_one_account_share_its_counter(server: Server, app: Registered) -> None:
    server.user("eve", email="eve@example.com")
    form = {"grant_type": "password", "password": "wrong", "redirect_uri": ""}
    for name in ("eve", "EVE@example.com") * (server.settings.sign_in_failures // 2):
        exchange(server, app, username=name, **form)
    for name in ("eve", "eve@example.com"):
        answer = exchange(server, app, **{**form, "username": name, "password": PASSWORD})
        assert "Too many failed sign-ins" in str(answer["error_description"])


def test_3_a_scope_that_is_an_array_is_no_absent_scope(server: Server, ada: User, app: Registered) -> None:
    location = server.browser(ada).get(address(app, **{"scope[a]": "b"})).headers["location"]
    assert query_of(location)["error"] == "invalid_scope"
    answer = exchange(server, app, code=code_of(server, ada, app), **{"scope[]": "read"})
    assert answer["error"] == "invalid_scope"


def test_3_2_a_permission_withdrawn_in_another_window_is_asked_for_again(
    server: Server, ada: User, app: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the request and the code there is a moment in which the person may change their mind."""
    visitor = server.browser(ada)
    allow(visitor, address(app))

    class Answers(list[bool]):
        def __call__(self, *_: object) -> bool:
            return self.pop(0)

    monkeypatch.setattr(type(server.services.oauth.server), "needs_consent", Answers([False, True]))
    answer = visitor.get(address(app))
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(AUTHORIZE + "?")
    assert "code=" not in answer.headers["location"]


def test_2_a_suspended_application_gets_nothing(server: Server, ada: User, app: Registered) -> None:
    with server.services.database.write() as work:
        work.db.exec_driver_sql("UPDATE applications SET activated = false")
    assert query_of(server.http.get(address(app)).headers["location"])["error"] == "unauthorized_client"
    assert exchange(server, app, code="x")["error"] == "unauthorized_client"
    assert server.call("GET", "/api/v1/me/", app.developer_token).status_code == 401


@pytest.mark.parametrize("profile", [Profile.STRICT, Profile.DESKTOP, Profile.PUBLIC])
def test_design_5_3_a_token_in_the_query_needs_its_switch(server: Server, ada: User, profile: Profile) -> None:
    app = server.register(ada, profile=profile)
    assert server.http.get(f"/api/v1/me/?oauth_token={app.developer_token}").status_code == 400
    assert server.call("GET", "/api/v1/me/", app.developer_token).status_code == 200


def test_a_parameter_that_comes_twice_is_refused(server: Server, ada: User, app: Registered) -> None:
    """RFC 6749 sections 3.1 and 3.2."""
    page = server.browser(ada).get(address(app) + "&redirect_uri=https://evil.example/&redirect_uri=" + CALLBACK)
    assert page.status_code == 400
    assert "location" not in page.headers
    body = f"grant_type=authorization_code&client_id={app.client_id}&code=a&code=b&redirect_uri={CALLBACK}"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = server.http.post(TOKEN, content=body, headers=kind)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_3_4_a_replay_hours_later_still_revokes(server: Server, ada: User, app: Registered) -> None:
    code = code_of(server, ada, app)
    token = str(exchange(server, app, code=code)["access_token"])
    with server.services.database.write() as work:
        later = replace(work, now=work.now + timedelta(hours=2))
        for expiry in codes.EXPIRIES:
            expiry.delete(later, expiry.find(later, 100))
    assert exchange(server, app, code=code)["error"] == "invalid_grant"
    assert server.call("GET", "/api/v1/me/", token).status_code == 401
