"""The portal as contract 07 P13 lists it, and the original's security faults as tests."""

import re

import pytest

from vitrine.accounts import User, Via
from vitrine.applications import Profile, Switch
from vitrine.errors import Invalid
from vitrine.testing.server import PASSWORD, Registered, Server, Visitor

NEW = "/developers/application/new/"
FORM = {
    "name": "Press kit", "description": "Fills folders.", "website": "https://press.example.com", "type": "web",
    "callback": "https://press.example.com/cb",
}  # fmt: skip


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", first_name="Ada", last_name="Martin")


@pytest.fixture
def app(server: Server, ada: User) -> Registered:
    return server.register(ada)


@pytest.fixture
def visitor(server: Server, ada: User) -> Visitor:
    return server.browser(ada)


def path_of(app: Registered) -> str:
    return f"/developers/application/{app.application.id}/"


@pytest.mark.parametrize(
    "path",
    ["/", "/account/", "/account/access/", "/account/security/sessions/", "/account/security/applications/",
     "/developers/applications/", NEW, "/upload/"],
)  # fmt: skip
def test_strangers_are_sent_to_sign_in_and_come_back(server: Server, ada: User, path: str) -> None:
    answer = server.http.get(path)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/login/?redirect=")
    assert server.browser(ada).get(path).status_code == 200


@pytest.mark.parametrize(
    ("callback", "fault"),
    [
        ("https://例え.jp/cb", "xn--"), ("https://*/", "xn--"), ("https://a;b/", "xn--"), ("https://a,b/", "xn--"),
        ("https://a%0d%0ab/", "xn--"), ("https://example.com/#part", "after #"), ("https://a:b@c/", "login"),
        ("javascript:alert(1)", "https://"), ("https://x:99999/", "not a web address"),
        ("https://xn--r8jz45g.jp/cb", ""), ("https://[::1]:8080/cb", ""), ("http://my_host.local/é?a=<b>", ""),
    ],
)  # fmt: skip
def test_a_callback_can_stand_in_the_headers_of_the_consent_page(
    visitor: Visitor, app: Registered, callback: str, fault: str
) -> None:
    """01 section 3.1 D; the page lists it in `form-action`, and a host outside ASCII made it fail."""
    answer = visitor.xhr("POST", f"{path_of(app)}callback/", {"callback": callback}).json()
    assert answer["success"] is not bool(fault)
    assert fault in answer.get("message", "")
    page = visitor.get(f"/api/oauthv2/authorize?client_id={app.client_id}&response_type=code")
    assert page.status_code == 200
    assert (
        f"form-action 'self' {'http' if 'local' in callback else 'https'}://" in page.headers["content-security-policy"]
    )


def test_a_good_form_makes_an_application_and_shows_its_settings(visitor: Visitor) -> None:
    answer = visitor.submit(NEW, "/developers/application/", FORM)
    assert answer.status_code == 302
    page = visitor.get(answer.headers["location"]).text
    assert "Press kit" in page
    assert "https://press.example.com/cb" in page
    assert "http://dam.test/api/oauthv2/authorize" in page
    assert "http://dam.test/api/oauthv2/token" in page
    assert "Token not generated yet" in page
    assert "Press kit" in visitor.get("/developers/applications/").text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("name", " ", "a name"), ("description", "", "what your application does"), ("website", "press", "web address"),
     ("callback", "", "callback URL"), ("callback", "https://u:p@x.example/", "login or a password")],
)  # fmt: skip
def test_a_fault_is_named_beside_its_field_and_values_are_kept(
    visitor: Visitor, field: str, value: str, words: str
) -> None:
    answer = visitor.submit(NEW, "/developers/application/", {**FORM, field: value})
    assert answer.status_code == 200
    assert words in answer.text
    assert f'id="{field}-fault"' in answer.text
    assert "press.example.com" in answer.text
    assert "No application created yet" in visitor.get("/developers/applications/").text


def test_a_desktop_application_has_the_out_of_band_address(visitor: Visitor) -> None:
    answer = visitor.submit(NEW, "/developers/application/", {**FORM, "type": "desktop", "callback": ""})
    assert "urn:ietf:wg:oauth:2.0:oob" in visitor.get(answer.headers["location"]).text


def test_the_old_forms_scheme_field_still_works(visitor: Visitor) -> None:
    old = {
        "website": "press.example.com",
        "scheme-website": "http://",
        "callback": "press.example.com/cb",
        "scheme-callback": "https://",
    }
    assert visitor.submit(NEW, "/developers/application/", {**FORM, **old}).status_code == 302


@pytest.mark.parametrize(
    "action", ["callback/", "authorize_grant_password/", "access_token/", "access_token/revoke/", "reveal/", "delete/"]
)
def test_forms_without_their_token_are_403(visitor: Visitor, app: Registered, action: str) -> None:
    answer = visitor.client.post(
        path_of(app) + action, data={"callback": "https://x.example/", "grant": "1", "name": "Field Notes"}
    )
    assert answer.status_code == 403


class TestXhr:
    """The JSON routes of 01 section 9: `success` tells, never the status."""

    def test_callback(self, visitor: Visitor, app: Registered) -> None:
        assert visitor.xhr("POST", path_of(app) + "callback/", {"callback": "https://new.example/cb"}).json() == {
            "success": True
        }
        assert "https://new.example/cb" in visitor.get(path_of(app)).text
        assert visitor.xhr("POST", path_of(app) + "callback/", {}).json()["success"] is False
        assert visitor.xhr("POST", path_of(app) + "callback/", {"callback": "nothing"}).json()["success"] is False

    def test_password_grant(self, visitor: Visitor, app: Registered) -> None:
        assert visitor.xhr("POST", path_of(app) + "authorize_grant_password/", {"grant": "1"}).json() == {
            "success": True
        }
        assert "Switch the password grant off" in visitor.get(path_of(app)).text

    def test_delete(self, visitor: Visitor, server: Server, app: Registered) -> None:
        assert visitor.xhr("DELETE", path_of(app)).json() == {"success": True}
        assert visitor.get(path_of(app)).status_code == 404
        assert visitor.xhr("DELETE", "/developers/application/999/").json()["success"] is False
        assert server.call("GET", "/api/v1/me/", app.developer_token).status_code == 401

    @pytest.mark.parametrize("lost", ["X-Requested-With", "Accept"])
    def test_other_callers_get_400(self, visitor: Visitor, app: Registered, lost: str) -> None:
        headers = {"X-Requested-With": "XMLHttpRequest", "Accept": "application/json", "Origin": "http://dam.test"}
        headers[lost] = "x/y"
        answer = visitor.client.request("DELETE", path_of(app), headers=headers)
        assert answer.status_code == 400 or answer.json()["success"] is False
        assert visitor.get(path_of(app)).status_code == 200

    def test_who_prefers_json_reads_success_and_never_a_page(self, visitor: Visitor, app: Registered) -> None:
        """07, common rules: also when only the XHR header is missing."""
        for accept in ("application/json", "text/html;q=0.5, application/json", "application/json, */*;q=0.1"):
            for method, path in (
                ("DELETE", path_of(app)),
                ("POST", f"{path_of(app)}callback/"),
                ("POST", f"{path_of(app)}nothing/"),
            ):
                answer = visitor.client.request(method, path, headers={"Accept": accept})
                assert (answer.status_code, answer.json()["success"]) == (200, False)
        page = visitor.client.request("DELETE", path_of(app), headers={"Accept": "text/html, application/json;q=0.9"})
        assert (page.status_code, page.headers["content-type"]) == (400, "text/html; charset=utf-8")
        assert visitor.get(path_of(app)).status_code == 200

    def test_other_sites_are_refused(self, visitor: Visitor, app: Registered) -> None:
        assert visitor.xhr("DELETE", path_of(app), Origin="https://evil.example").json()["success"] is False
        assert visitor.get(path_of(app)).status_code == 200


def test_somebody_elses_application_looks_unknown_on_every_route(server: Server, app: Registered) -> None:
    eve = server.browser(server.user("eve"))
    form = eve.form("/account/")
    unknown = "/developers/application/999/"
    for action in ("", "delete/"):
        theirs, nothing = eve.get(path_of(app) + action), eve.get(unknown + action)
        assert theirs.status_code == nothing.status_code == 404
    for action in (
        "callback/",
        "authorize_grant_password/",
        "access_token/",
        "access_token/revoke/",
        "reveal/",
        "delete/",
    ):
        data = {**form, "callback": "https://evil.example/", "grant": "1", "name": "Field Notes"}
        assert eve.client.post(path_of(app) + action, data=data).status_code == 404
        assert eve.client.post(unknown + action, data=data).status_code == 404
    for method, action in (
        ("POST", "callback/"),
        ("POST", "authorize_grant_password/"),
        ("POST", "access_token/"),
        ("DELETE", ""),
    ):
        theirs, nothing = (
            eve.xhr(method, root + action, {"callback": "https://evil.example/", "grant": "1"}).json()
            for root in (path_of(app), unknown)
        )
        assert theirs == nothing
        assert theirs["success"] is False
    assert server.call("GET", "/api/v1/me/", app.developer_token).status_code == 200


def test_numbers_beyond_any_row_are_simply_not_there(visitor: Visitor) -> None:
    for path in (
        f"/developers/application/{9**30}/",
        f"/records/{9**30}/1/",
        f"/permalink/v1/1/{9**30}/caption/?token=x",
        f"/developers/application/{'9' * 5000}/",
        f"/records/1/{'9' * 5000}/",
        f"/permalink/v1/1/{'9' * 5000}/preview/x.jpg",
    ):
        assert visitor.get(path).status_code == 404


def test_an_administrator_may_open_every_application(server: Server, app: Registered) -> None:
    assert server.browser(server.user("root", is_admin=True)).get(path_of(app)).status_code == 200


def test_secrets_are_shown_only_shortly_after_signing_in(server: Server, visitor: Visitor, app: Registered) -> None:
    assert app.secret not in visitor.get(path_of(app)).text
    shown = visitor.submit(path_of(app), path_of(app) + "reveal/", {})
    assert app.secret in shown.text
    assert app.developer_token in shown.text
    assert shown.headers["cache-control"] == "no-store"
    with server.services.database.write() as work:
        work.db.exec_driver_sql("UPDATE sessions SET auth_time = 1")
    reauthentication = visitor.submit(path_of(app), path_of(app) + "reveal/", {})
    assert 'name="proof-password"' in reauthentication.text
    assert app.secret not in reauthentication.text
    wrong = visitor.submit(path_of(app), path_of(app) + "reveal/", {"proof-password": "wrong"})
    assert "not right" in wrong.text
    done = visitor.submit(path_of(app), path_of(app) + "reveal/", {"proof-password": PASSWORD})
    assert app.secret in done.text, "what was asked happens at once, without a second click"


def test_secrets_are_nowhere_in_the_database_in_clear(server: Server, app: Registered) -> None:
    stored = b"".join(file.read_bytes() for file in server.settings.data_dir.glob("vitrine.sqlite3*"))
    assert app.client_id.encode() in stored
    assert app.secret.encode() not in stored
    assert app.developer_token.encode() not in stored
    assert PASSWORD.encode() not in stored


def test_deleting_asks_for_the_name(visitor: Visitor, app: Registered) -> None:
    wrong = visitor.submit(path_of(app) + "delete/", path_of(app) + "delete/", {"name": "Other"})
    assert "Nothing was deleted" in wrong.text
    assert (
        visitor.submit(path_of(app) + "delete/", path_of(app) + "delete/", {"name": "Field Notes"}).status_code == 303
    )
    assert visitor.get(path_of(app)).status_code == 404


def test_switches_that_a_profile_does_not_offer_are_refused(server: Server, ada: User) -> None:
    public = server.register(ada, profile=Profile.PUBLIC)
    with server.services.database.write() as work, pytest.raises(Invalid):
        actor = server.services.accounts.users.actor_of(work, ada, Via.COMMAND)
        server.services.applications.registry.set_switch(
            work, actor, public.application.id, Switch.PASSWORD_GRANT, on=True
        )


def test_links_to_a_switch_by_its_former_anchor_still_lead_there(server: Server, ada: User) -> None:
    app = server.register(ada)
    text = server.browser(ada).get(path_of(app)).text
    anchors = set(re.findall(r'id="feature-(\w+)"', text))
    assert anchors
    assert set(re.findall(r'<span id="habit-(\w+)"></span>', text)) == anchors
