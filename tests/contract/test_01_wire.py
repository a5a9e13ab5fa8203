"""Contract 01: what remains beside the flows: parameters, transport, out-of-band, revocation, cookies."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from vitrine.accounts import User
from vitrine.applications import OUT_OF_BAND, Application, Switch, store
from vitrine.oauth import lifetimes
from vitrine.testing.server import BASE, CALLBACK, PASSWORD, Registered, Server, Visitor, hidden, query_of

AUTHORIZE, TOKEN = "/api/oauthv2/authorize", "/api/oauthv2/token"
XHR = {"X-Requested-With": "XMLHttpRequest", "Accept": "application/json"}
ISS = urlencode({"iss": BASE})


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def app(server: Server, ada: User) -> Registered:
    return server.register(ada, on=(Switch.PASSWORD_GRANT,))


def address_of(app: Registered, **parameters: str) -> str:
    return f"{AUTHORIZE}?{urlencode({'client_id': app.client_id, 'response_type': 'code', **parameters})}"


def allow(visitor: Visitor, where: str) -> str:
    page = visitor.get(where)
    if page.status_code == 302:
        return str(page.headers["location"])
    answer = visitor.client.post(AUTHORIZE, data={**hidden(page.text), "action_accept": "1"})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


def test_1_the_api_can_be_switched_off(tmp_path: Path) -> None:
    disabled = Server(tmp_path / "off", api_enabled=False)
    try:
        for method, path in (("GET", "/api/v1/me/"), ("POST", TOKEN), ("GET", AUTHORIZE), ("GET", "/api/v1/nothing")):
            assert disabled.call(method, path).status_code == 404, path
        assert disabled.call("GET", "/api/").status_code == 200
    finally:
        disabled.close()


def test_1_accept_is_negotiated_but_never_at_authorize(server: Server, app: Registered) -> None:
    form = {"grant_type": "authorization_code"}
    refused = server.http.post(TOKEN, data=form, headers={"Accept": "image/png"})
    assert (refused.status_code, refused.headers["content-type"].partition(";")[0]) == (406, "text/html")
    assert server.http.post(TOKEN, data=form, headers={"Accept": "*/*"}).status_code == 400
    assert server.http.get(address_of(app), headers={"Accept": "image/png"}).status_code == 200


def test_1_the_token_endpoint_takes_post_only_and_says_so_on_a_page(server: Server) -> None:
    answer = server.http.get(TOKEN)
    assert answer.status_code == 405
    assert answer.headers["content-type"].startswith("text/html")


def test_7_3_an_unknown_provider_is_404(server: Server) -> None:
    for tail in ("authorize", "callback"):
        assert server.http.get(f"/api/oauthv2/provider/nobody/{tail}/").status_code == 404


def test_3_query_goes_before_form_and_both_methods_do_the_same(server: Server, app: Registered) -> None:
    wrong = {"client_id": "unknown", "response_type": "nonsense", "state": "form"}
    both = server.http.post(address_of(app, scope="x", state="query"), data=wrong)
    assert both.headers["location"] == f"{CALLBACK}?error=invalid_scope&state=query&{ISS}"
    form = {"client_id": app.client_id, "response_type": "code", "scope": "x", "state": "form"}
    assert (
        server.http.post(AUTHORIZE, data=form).headers["location"] == f"{CALLBACK}?error=invalid_scope&state=form&{ISS}"
    )


@pytest.mark.parametrize("empty", ["", "0"])
def test_3_an_empty_state_or_scope_counts_as_absent(server: Server, ada: User, app: Registered, empty: str) -> None:
    location = allow(server.browser(ada), address_of(app, state=empty, scope=empty))
    assert list(query_of(location)) == ["code", "iss"]


def test_3_3_what_an_address_has_already_stays(server: Server, ada: User) -> None:
    app = server.register(ada, callback=f"{CALLBACK}?from=dam")
    visitor = server.browser(ada)
    assert allow(visitor, address_of(app, state="s")).startswith(f"{CALLBACK}?from=dam&state=s&code=vit_ac_")
    given = f"{CALLBACK}?from=dam&x=1#part"
    location = allow(visitor, address_of(app, redirect_uri=given, response_type="token", state="s"))
    assert location.startswith(f"{CALLBACK}?from=dam&x=1&state=s#part&access_token=vit_at_")


def test_3_3_the_answer_is_an_empty_302(server: Server, ada: User, app: Registered) -> None:
    visitor = server.browser(ada)
    page = visitor.get(address_of(app))
    answer = visitor.client.post(AUTHORIZE, data={**hidden(page.text), "action_accept": "1"})
    assert (answer.status_code, answer.content) == (302, b"")


def test_3_2_a_denial_counts_even_after_consent(server: Server, ada: User, app: Registered) -> None:
    visitor = server.browser(ada)
    page = hidden(visitor.get(address_of(app)).text)
    allow(visitor, address_of(app))
    denied = visitor.client.post(AUTHORIZE, data={**page, "action_accept": "0"})
    assert query_of(denied.headers["location"]) == {"error": "access_denied", "iss": BASE}


def test_6_code_and_token_out_of_band_shows_the_code(server: Server, ada: User) -> None:
    app = server.register(ada, kind="desktop", on=(Switch.IMPLICIT,))
    visitor = server.browser(ada)
    page = visitor.get(address_of(app, response_type="code-and-token", redirect_uri=OUT_OF_BAND))
    shown = visitor.client.post(AUTHORIZE, data={**hidden(page.text), "action_accept": "1"})
    assert shown.status_code == 200
    assert 'name="authorize_token" class="code" value="vit_ac_' in shown.text


def test_6_errors_out_of_band_are_shown_and_never_an_address(server: Server, ada: User) -> None:
    app = server.register(ada, kind="desktop")
    for extra, error in (({"scope": "x"}, "invalid_scope"), ({"response_type": "x"}, "invalid_request")):
        answer = server.http.get(address_of(app, **extra))
        assert (answer.status_code, "location" in answer.headers) == (200, False)
        assert error in answer.text
        assert 'name="authorize_token" class="code" value=""' in answer.text


def test_6_out_of_band_codes_live_ten_minutes_and_others_one() -> None:
    assert (timedelta(minutes=10), timedelta(seconds=60)) == (
        lifetimes.OUT_OF_BAND_CODE_LIFETIME,
        lifetimes.CODE_LIFETIME,
    )


def test_4_1_row_10_a_scope_is_refused_last_and_the_code_is_not_used_up(
    server: Server, ada: User, app: Registered
) -> None:
    code = query_of(allow(server.browser(ada), address_of(app)))["code"]
    form = {
        "grant_type": "authorization_code", "client_id": app.client_id, "client_secret": app.secret, "code": code,
        "redirect_uri": CALLBACK,
    }  # fmt: skip
    assert server.http.post(TOKEN, data={**form, "scope": "read"}).json()["error"] == "invalid_scope"
    assert server.http.post(TOKEN, data={**form, "scope": ""}).status_code == 200
    password = {
        "grant_type": "password", "client_id": app.client_id, "client_secret": app.secret, "username": "ada",
        "password": PASSWORD, "scope": "read",
    }  # fmt: skip
    assert server.http.post(TOKEN, data={**password, "password": "no"}).json()["error"] == "invalid_grant"
    assert server.http.post(TOKEN, data=password).json()["error"] == "invalid_scope"


def test_4_a_longer_address_may_stand_for_the_one_of_the_code(server: Server, ada: User, app: Registered) -> None:
    for given, good in ((f"{CALLBACK}/page", True), (CALLBACK.replace("/cb", "/CB"), True), (f"{CALLBACK}x", False)):
        code = query_of(allow(server.browser(ada), address_of(app)))["code"]
        form = {
            "grant_type": "authorization_code", "client_id": app.client_id, "client_secret": app.secret, "code": code,
            "redirect_uri": given,
        }  # fmt: skip
        answer = server.http.post(TOKEN, data=form)
        assert (answer.status_code == 200) is good, given


def test_4_a_multipart_body_without_boundary_counts_as_none(server: Server) -> None:
    answer = server.http.post(TOKEN, content=b"", headers={"Content-Type": "multipart/form-data"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_4_a_json_body_needs_no_content_type(server: Server, app: Registered) -> None:
    form = (
        f'{{"grant_type":"password","client_id":"{app.client_id}","client_secret":"{app.secret}",'
        f'"username":"ada","password":"{PASSWORD}"}}'
    )
    answer = server.http.request("POST", TOKEN, content=form.encode(), headers={"Expect": "100-continue"})
    assert answer.status_code == 200, answer.text


def test_4_2_a_person_who_withdrew_gets_no_token_by_password(server: Server, ada: User, app: Registered) -> None:
    form = {
        "grant_type": "password", "client_id": app.client_id, "client_secret": app.secret, "username": "ada",
        "password": PASSWORD,
    }  # fmt: skip
    token = server.http.post(TOKEN, data=form).json()["access_token"]
    visitor = server.browser(ada)
    done = visitor.xhr("GET", f"/account/security/application/{app.application.id}/grant/?revoke=1")
    assert done.json() == {"success": True}
    assert server.call("GET", "/api/v1/me/", token).status_code == 401
    assert server.http.post(TOKEN, data=form).json()["error"] == "invalid_grant"


def test_9_granting_again_does_not_revive_old_tokens(server: Server, ada: User, app: Registered) -> None:
    form = {
        "grant_type": "password", "client_id": app.client_id, "client_secret": app.secret, "username": "ada",
        "password": PASSWORD,
    }  # fmt: skip
    token = server.http.post(TOKEN, data=form).json()["access_token"]
    visitor = server.browser(ada)
    where = f"/account/security/application/{app.application.id}/grant/"
    for revoke in ("1", "0"):
        visitor.xhr("GET", f"{where}?revoke={revoke}")
    assert server.call("GET", "/api/v1/me/", token).status_code == 401


@pytest.mark.parametrize("word", ["oauth", "OAUTH", "Basic", "Digest", "Token"])
def test_5_1_other_schemes_are_no_token(server: Server, app: Registered, word: str) -> None:
    answer = server.http.get("/api/v1/me/", headers={"Authorization": f"{word} {app.developer_token}"})
    assert (answer.status_code, answer.content) == (400, b"")


def test_5_1_several_blanks_after_the_word(server: Server, app: Registered) -> None:
    for word in ("OAuth", "Bearer", "bEARER"):
        answer = server.http.get("/api/v1/me/", headers={"Authorization": f"{word}   {app.developer_token}"})
        assert answer.status_code == 200


def test_5_1_parameters_are_ignored_in_header_only_mode(tmp_path: Path) -> None:
    strict = Server(tmp_path / "strict", api_header_tokens_only=True)
    try:
        token = strict.token(strict.user("ada"))
        assert strict.http.get(f"/api/v1/me/?oauth_token={token}").status_code == 400
        both = strict.http.get("/api/v1/me/?oauth_token=other", headers={"Authorization": f"OAuth {token}"})
        assert both.status_code == 200
    finally:
        strict.close()


def test_5_5_the_api_neither_sets_nor_reads_cookies(server: Server, ada: User, app: Registered) -> None:
    signed_in = server.browser(ada)
    assert signed_in.get("/api/v1/me/").status_code == 400, "a session is no token"
    bob = server.token(server.user("bob"))
    answer = signed_in.get("/api/v1/me/", headers={"Authorization": f"OAuth {bob}"})
    assert answer.json()["response"]["user"]["login"] == "bob"
    assert "set-cookie" not in answer.headers
    assert "set-cookie" not in server.call("GET", "/api/").headers


def test_2_1_one_account_for_a_person_and_an_application(server: Server, ada: User, app: Registered) -> None:
    bob = server.user("bob")
    visitor = server.browser(bob)
    for _ in range(2):
        allow(visitor, address_of(app))
    with server.services.database.read() as work:
        count = work.db.exec_driver_sql(f"SELECT count(*) FROM accounts WHERE user_id = {bob.id}").scalar()
    assert count == 1


def _as_imported(server: Server, application: Application, client_id: str) -> None:
    with server.services.database.write() as work:
        store.update(work, application.id, {"client_id": client_id})


@pytest.mark.parametrize("client_id", [r"\alchemy\phraseanet\id\4f9d2b", "a.b@c d+e", "ü" * 128, "x"])
def test_10_imported_ids_of_any_printable_form_work_at_both_endpoints(
    server: Server, ada: User, app: Registered, client_id: str
) -> None:
    _as_imported(server, app.application, client_id)
    where = f"{AUTHORIZE}?{urlencode({'client_id': client_id, 'response_type': 'code'})}"
    code = query_of(allow(server.browser(ada), where))["code"]
    form = {
        "grant_type": "authorization_code", "client_id": client_id, "client_secret": app.secret, "code": code,
        "redirect_uri": CALLBACK,
    }  # fmt: skip
    assert server.http.post(TOKEN, data=form).status_code == 200


@pytest.mark.parametrize("client_id", ["ü" * 129, "a\x00b", "a\nb", "\x7f"])
def test_3_1_ids_that_none_can_have_get_a_400_page(server: Server, client_id: str) -> None:
    where = f"{AUTHORIZE}?{urlencode({'client_id': client_id, 'redirect_uri': CALLBACK, 'response_type': 'code'})}"
    answer = server.http.get(where)
    assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_5_2_tokens_are_opaque_and_kept_as_digests_only(server: Server, ada: User, app: Registered) -> None:
    form = {
        "grant_type": "password", "client_id": app.client_id, "client_secret": app.secret, "username": "ada",
        "password": PASSWORD,
    }  # fmt: skip
    token = server.http.post(TOKEN, data=form).json()["access_token"]
    code = query_of(allow(server.browser(ada), address_of(app)))["code"]
    assert max(len(token), len(code), len(app.developer_token)) <= 128
    kept = b"".join(path.read_bytes() for path in server.settings.data_dir.glob("vitrine.sqlite3*"))
    for secret in (token, code, app.developer_token, app.secret):
        assert secret.encode() not in kept


def test_5_3_and_11_refresh_and_documented_forms_that_never_worked(server: Server, app: Registered) -> None:
    form = {
        "grant_type": "refresh_token",
        "client_id": app.client_id,
        "client_secret": app.secret,
        "refresh_token": "x",
    }
    assert server.http.post(TOKEN, data=form).json()["error"] == "unsupported_grant_type"
    assert query_of(server.http.get(address_of(app, response_type="code_and_token")).headers["location"])["error"] == (
        "invalid_request"
    )
