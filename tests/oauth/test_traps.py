"""Known vulnerabilities of other authorization servers. `docs/wire/traps.md` lists all of them, with their sources and
the tests in other files."""

import base64
import re
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
import sqlalchemy as sa
from joserfc import jws

from tests.oauth.flows import (
    AUTHORIZE,
    CALLBACK,
    DEVICE,
    DEVICE_GRANT,
    INTROSPECT,
    PKCE,
    REVOKE,
    TOKEN,
    USERINFO,
    allow,
    ask,
    code_of,
    exchange,
    post,
    query_of,
    set_redirects,
    status_of,
    tokens,
)
from vitrine.accounts import COMMAND, User
from vitrine.accounts.tables import sessions
from vitrine.applications import Draft, Imported, Profile, Switch
from vitrine.applications.redirects import bad_redirect
from vitrine.oauth import clients
from vitrine.platform.crypto import same
from vitrine.testing.server import PASSWORD, Registered, Server, Visitor, hidden

RACERS = 50


def open_sessions(server: Server, user: User) -> int:
    with server.services.database.read() as work:
        count = sa.select(sa.func.count()).select_from(sessions).where(sessions.c.user_id == user.id)
        return work.db.scalar(count) or 0


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        "https://notes.example.com:0/cb", "https://notes.example.com:4430/cb", "http://notes.example.com/cb",
        "https://user@notes.example.com/cb", "https://notes.example.com./cb", "https://notes.example.com;evil/cb",
        "https://notes.example.com\\@evil.example/cb", "https://notes.example.com%2eevil.example/cb",
        "https://notes。example.com/cb", "https://ｎotes.example.com.evil.example/cb", "https://[::1/cb",
        "https://notes.example.com/cb/..;/x",
        "https://notes.example.com/cb/..%3b/x", "https://notes.example.com/cb/..%00/x",
        "https://notes.example.com/cb/%252e%252e/x", "https:notes.example.com/cb",
    ],
)  # fmt: skip
def test_rfc9700_4_1_no_other_writing_of_an_address_is_taken_for_it(
    old: Registered, visitor: Visitor, given: str
) -> None:
    """The compatibility profile has the loosest rule; the others accept only registered addresses."""
    answer = ask(visitor, old, redirect_uri=given)
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "address",
    [
        "https://notes.example.com/cb#part", "com.example.notes:/cb#part", "javascript:alert(1)", "data:text/html,x",
        "java.script:alert(1)", "http://[x", "https://[::1", "com.example.notes://[x", "com.example.notes:/a\x00b",
        "com.example.notes:/a\x7f", "com.example.notes:/\N{SNOWMAN}", "http://user@127.0.0.1/",
        "https://u:p@x.example/",
        "//notes.example.com/cb", "https:///cb", "https://notes\N{IDEOGRAPHIC FULL STOP}example/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["page", "server"])
def test_rfc6749_3_1_2_what_cannot_be_an_address_is_refused_in_words(
    server: Server, visitor: Visitor, address: str, kind: str
) -> None:
    assert bad_redirect(address, None, kind)
    answer = visitor.xhr("POST", "/developers/check/", {"field": "callback", "value": address, "kind": kind})
    assert answer.json()["success"] is False
    form = {"kind": kind, "name": "N", "description": "D", "website": "https://x.example", "callback": address}
    page = visitor.submit("/developers/application/new/", "/developers/application/", form)
    assert page.status_code == 200
    assert 'aria-invalid="true"' in page.text


def test_rfc9207_2_every_answer_says_who_gives_it_errors_too(
    server: Server, strict: Registered, visitor: Visitor
) -> None:
    issuer = server.settings.base_url
    for wrong in ({"response_type": "x"}, {"scope": "nonsense"}, {"code_challenge": ""}, {"prompt": "none login"}):
        query = query_of(ask(visitor, strict, state="s", **wrong).headers["location"])
        assert (query["iss"], query["state"]) == (issuer, "s")
        assert "error" in query
    form = hidden(ask(visitor, strict, state="s").text)
    denied = visitor.client.post(AUTHORIZE, data={**form, "action_accept": "0"})
    assert query_of(denied.headers["location"]) == {"state": "s", "error": "access_denied", "iss": issuer}
    assert query_of(allow(visitor, ask(visitor, strict)))["iss"] == issuer


# -- clients -----------------------------------------------------------------------------------------------------------


def test_rfc6749_2_3_1_credentials_by_basic_may_stand_there_as_they_are(server: Server, ada: User) -> None:
    """The RFC requires form-encoding, which curl and half of the libraries omit; imported ones may contain anything."""
    client_id, secret = r"\alchemy\a+b%41", "p+q%41:r"
    draft = Draft("Old", "An old one.", "https://old.example", "web", CALLBACK)
    with server.services.database.write() as work:
        brought = Imported(draft, client_id, secret, Profile.COMPATIBILITY, {Switch.PASSWORD_GRANT: True})
        server.services.applications.registry.import_application(work, COMMAND, ada.id, brought)
    form = {"grant_type": "password", "username": "ada", "password": PASSWORD}
    plain = f"{client_id}:{secret}"
    encoded = urlencode({client_id: secret}).replace("=", ":", 1)
    for address in (plain, encoded):
        header = {"Authorization": "Basic " + base64.b64encode(address.encode()).decode()}
        assert server.http.post(TOKEN, data=form, headers=header).status_code == 200, address
    for wrong in (f"{client_id}:p q%41:r", f"{client_id}:pqA:r"):
        header = {"Authorization": "Basic " + base64.b64encode(wrong.encode()).decode()}
        assert server.http.post(TOKEN, data=form, headers=header).json()["error"] == "invalid_client"


@pytest.mark.parametrize("header", ["Basic", "Basic ", "Basic !!!", "Basic YWJj", "Basic //46eA=="])
def test_rfc6749_5_2_a_malformed_header_is_401_since_a_header_was_used(
    server: Server, strict: Registered, header: str
) -> None:
    for path in (TOKEN, REVOKE, INTROSPECT, DEVICE):
        form = {"grant_type": "client_credentials", "token": "x"}
        answer = server.http.post(path, data=form, headers={"Authorization": header})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")


def test_an_unknown_client_costs_what_a_known_one_costs(
    server: Server, strict: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes | str] = []

    def counted(left: bytes | str, right: bytes | str) -> bool:
        seen.append(right)
        return same(left, right)

    monkeypatch.setattr(clients, "same", counted)
    costs = []
    for client_id in (strict.client_id, "a" * 32):
        seen.clear()
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "wrong"}
        assert server.http.post(TOKEN, data=form).json()["error"] == "invalid_client"
        costs.append(len(seen))
    assert costs == [1, 1]


def test_rfc6749_4_1_3_a_code_needs_the_very_address_and_a_failed_try_does_not_use_it_up(
    server: Server, strict: Registered, visitor: Visitor
) -> None:
    other = "https://notes.example.com/other"
    set_redirects(server, strict, CALLBACK, other)
    code = code_of(visitor, strict)
    for wrong in (other, CALLBACK + "/", CALLBACK + "?x=1", CALLBACK.upper()):
        assert exchange(server, strict, code, redirect_uri=wrong).json()["error"] == "invalid_grant"
    assert exchange(server, strict, code, code_verifier="w" * 64).json()["error"] == "invalid_grant"
    assert exchange(server, strict, code).status_code == 200


# -- what is given -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "profile"), [("web", Profile.STRICT), ("desktop", Profile.DESKTOP)])
def test_doorkeeper_1889_a_request_without_scope_means_the_same_at_every_endpoint(
    server: Server, ada: User, visitor: Visitor, kind: str, profile: Profile
) -> None:
    app = server.register(ada, kind=kind, profile=profile, on=(Switch.PASSWORD_GRANT,))
    set_redirects(server, app, CALLBACK)
    by_code = exchange(server, app, code_of(visitor, app)).json()["scope"]
    by_password = post(server, app, grant_type="password", username="ada", password=PASSWORD).json()["scope"]
    told = post(server, app, DEVICE).json()
    page = visitor.submit("/device", "/device", {"user_code": told["user_code"]})
    visitor.client.post("/device", data={**hidden(page.text), "decision": "allow"})
    by_device = post(server, app, grant_type=DEVICE_GRANT, device_code=told["device_code"]).json()["scope"]
    assert by_code == by_password == by_device


def test_rfc9700_2_4_the_password_grant_gives_no_refresh_token_and_no_identity(server: Server, ada: User) -> None:
    app = server.register(ada, profile=Profile.STRICT, on=(Switch.PASSWORD_GRANT,))
    form = {"grant_type": "password", "username": "ada", "password": PASSWORD}
    granted = post(server, app, **form, scope="openid profile email library:read").json()
    assert granted["scope"] == "library:read"
    assert "refresh_token" not in granted
    assert "id_token" not in granted
    assert server.call("GET", USERINFO, granted["access_token"]).status_code == 403


def test_oidc_core_2_a_device_says_nothing_of_when_the_password_was_given(
    server: Server, strict: Registered, visitor: Visitor
) -> None:
    """The session that allowed the device may be days old, so an unknown auth_time is left out."""
    told = post(server, strict, DEVICE, scope="openid").json()
    page = visitor.submit("/device", "/device", {"user_code": told["user_code"]})
    visitor.client.post("/device", data={**hidden(page.text), "decision": "allow"})
    granted = post(server, strict, grant_type=DEVICE_GRANT, device_code=told["device_code"]).json()
    assert b"auth_time" not in jws.extract_compact(granted["id_token"].encode()).payload


@pytest.mark.both_databases
def test_rfc8628_3_5_of_fifty_polls_at_once_one_gets_the_tokens(
    server: Server, public: Registered, visitor: Visitor
) -> None:
    told = post(server, public, DEVICE, client_secret="").json()
    page = visitor.submit("/device", "/device", {"user_code": told["user_code"]})
    visitor.client.post("/device", data={**hidden(page.text), "decision": "allow"})
    answers = at_once(
        lambda: post(server, public, grant_type=DEVICE_GRANT, device_code=told["device_code"], client_secret="")
    )
    assert sorted(answers) == [(200, ""), *[(400, "invalid_grant")] * (RACERS - 1)]


def at_once(call: Callable[[], object]) -> list[tuple[int, str]]:
    """Status and error of RACERS concurrent calls."""
    together, outcomes = threading.Barrier(RACERS), []

    def send() -> None:
        together.wait()
        answer = call()
        outcomes.append((answer.status_code, answer.json().get("error", "")))  # type: ignore[attr-defined]  # a response

    threads = [threading.Thread(target=send) for _ in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == RACERS
    return outcomes


# -- where tokens and pages are ----------------------------------------------------------------------------------------


def test_rfc6749_10_3_an_implicit_answer_is_kept_nowhere_and_told_to_nobody(old: Registered, visitor: Visitor) -> None:
    location = allow(visitor, ask(visitor, old, response_type="token", code_challenge="", code_challenge_method=""))
    parts = urlsplit(location)
    assert "access_token=" in parts.fragment
    assert "vit_at_" not in parts.query
    again = ask(visitor, old, response_type="token", code_challenge="", code_challenge_method="")
    assert again.headers["cache-control"] == "no-store"
    assert again.headers["referrer-policy"] == "no-referrer"


def test_rfc9700_4_3_2_a_token_in_an_address_opens_the_api_of_old_applications_and_nothing_else(
    server: Server, ada: User, old: Registered, strict: Registered
) -> None:
    token = old.developer_token
    for path in ("/account/", "/developers/applications/", "/device", "/account/security/"):
        answer = server.http.get(f"{path}?oauth_token={token}&access_token={token}")
        assert (answer.status_code, answer.headers["location"][:7]) == (302, "/login/")
    mine = tokens(server, ada, strict, "openid")["access_token"]
    for name in ("oauth_token", "access_token"):
        assert server.http.get(f"{USERINFO}?{name}={mine}").status_code == 401
        assert server.http.post(USERINFO, data={name: mine}).status_code == 401
    assert status_of(server, mine) == 403, "it is a good token all the same"


def test_no_page_of_the_flow_answers_other_origins(server: Server, strict: Registered, visitor: Visitor) -> None:
    headers = {"Origin": "https://notes.example.com"}
    query = urlencode({"client_id": strict.client_id, "response_type": "code", **PKCE})
    for path in (f"{AUTHORIZE}?{query}", "/device", "/login/", "/developers/applications/"):
        answer = visitor.get(path, headers=headers)
        assert "access-control-allow-origin" not in answer.headers, path
        preflight_headers = {**headers, "Access-Control-Request-Method": "POST"}
        preflight = visitor.client.options(path, headers=preflight_headers)
        assert "access-control-allow-origin" not in preflight.headers, path


def test_rfc6749_10_13_no_page_where_somebody_decides_can_be_framed(
    server: Server, ada: User, strict: Registered, visitor: Visitor
) -> None:
    desktop = server.register(ada, kind="desktop")
    oob = {"client_id": desktop.client_id, "response_type": "token"}
    pages = [
        ask(visitor, strict), ask(server.browser(), strict), ask(visitor, strict, redirect_uri="https://evil.example"),
        visitor.get(f"{AUTHORIZE}?{urlencode(oob)}"), visitor.get("/device"), visitor.get("/account/security/"),
        server.browser().get("/login/"), visitor.get("/login/prove/"), visitor.get("/developers/application/new/"),
        visitor.get(f"/developers/application/{strict.application.id}/"),
        server.browser().get("/login/forgot-password/"),
    ]  # fmt: skip
    for page in pages:
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["x-frame-options"] == "DENY"
        policy = page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] in ("no-referrer", "same-origin")


# -- OpenID Connect ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "consent login"}])
def test_oidc_core_3_1_2_1_a_wrong_password_does_not_bring_the_former_session_back(
    strict: Registered, visitor: Visitor, parameters: dict[str, str]
) -> None:
    allow(visitor, ask(visitor, strict))
    form = {**hidden(ask(visitor, strict, **parameters).text), "login": "ada", "password": "wrong", "action_login": "1"}
    answer = visitor.client.post(AUTHORIZE, data=form)
    again = visitor.get(answer.headers["location"])
    assert again.status_code == 200, "no code for who could not say the password"
    assert 'name="password"' in again.text
    right = {**hidden(again.text), "login": "ada", "password": PASSWORD, "action_login": "1"}
    back = visitor.get(visitor.client.post(AUTHORIZE, data=right).headers["location"])
    if "consent" in parameters.get("prompt", ""):
        assert 'name="action_accept"' in back.text, "the second word was asked for as well"
        back = visitor.client.post(AUTHORIZE, data={**hidden(back.text), "action_accept": "1"})
    assert "code" in query_of(back.headers["location"])


def test_oidc_core_3_1_2_1_a_new_sign_in_ends_the_session_of_before(
    server: Server, ada: User, strict: Registered, visitor: Visitor
) -> None:
    bob = server.user("bob")
    before = dict(visitor.client.cookies)
    assert open_sessions(server, ada) == 1
    form = {**hidden(ask(visitor, strict, prompt="login").text), "login": "bob", "password": PASSWORD}
    visitor.client.post(AUTHORIZE, data={**form, "action_login": "1"})
    assert (open_sessions(server, ada), open_sessions(server, bob)) == (0, 1)
    assert visitor.client.cookies["vitrine"] != before["vitrine"]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://notes.example.com/request.jwt"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
    ],
)
def test_oidc_core_3_1_2_6_what_is_not_offered_is_refused_and_never_ignored(
    server: Server, strict: Registered, visitor: Visitor, given: dict[str, str], error: str
) -> None:
    assert query_of(ask(visitor, strict, **given).headers["location"])["error"] == error
    assert ask(visitor, strict, response_mode="query").status_code == 200
    told = server.http.get("/.well-known/openid-configuration").json()
    assert (told["request_parameter_supported"], told["request_uri_parameter_supported"]) == (False, False)


def test_every_trap_of_the_list_has_its_tests() -> None:
    """The list has beginnings of test names; names of this file have no file name before them."""
    root = Path(__file__).parents[2]
    rows = [line for line in (root / "docs/wire/traps.md").read_text().splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 30
    missing = []
    for row in rows:
        names = re.findall(r"`(?:(test_\w+)\.)?(test_\w+)…?`", row.rpartition(" | ")[2])
        assert names, row
        for file, name in names:
            texts = [path.read_text() for path in (root / "tests").glob(f"*/{file or 'test_traps'}.py")]
            whole = f"{name}.py" in {path.name for path in (root / "tests").glob("*/*.py")}
            if not whole and not any(f"def {name}" in text for text in texts):
                missing.append(name)
    assert missing == []
