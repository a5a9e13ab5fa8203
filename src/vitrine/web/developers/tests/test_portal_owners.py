"""What owners do beyond contract 07, each with its unhappy siblings (07 P5 must 1: somebody else's looks unknown)."""

import json
from typing import Any

import pytest

from vitrine.accounts import User
from vitrine.testing import media_factory as make
from vitrine.testing.server import PASSWORD, Registered, Server, Visitor

GETS = ("edit/", "people/", "usage/", "start/", "try/", "export/")
POSTS = (
    "edit/", "kind/", "logo/", "redirects/", "people/", "secrets/", "secrets/end/", "tokens/", "tokens/1/revoke/",
    "tokens/users/", "state/", "restore/", "try/",
)  # fmt: skip
FORM = {
    "old": "", "new": "https://evil.example/", "kind": "page", "do": "owner", "owner": "eve", "overlap": "0",
    "token-name": "mine", "days": "90", "reason": "because", "name": "Mine", "operation": "GET /api/v1/me/", "run": "1",
}  # fmt: skip

IMPORT = "/developers/application/import/"


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", first_name="Ada", last_name="Martin", email="ada@museum.example")


@pytest.fixture
def app(server: Server, ada: User) -> Registered:
    return server.register(ada)


@pytest.fixture
def visitor(server: Server, ada: User) -> Visitor:
    return server.browser(ada)


def path_of(app: Registered) -> str:
    return f"/developers/application/{app.application.id}/"


def stale(server: Server) -> None:
    with server.services.database.write() as work:
        work.db.exec_driver_sql("UPDATE sessions SET auth_time = 1")


def test_somebody_elses_application_looks_unknown_on_every_new_route(server: Server, app: Registered) -> None:
    eve = server.browser(server.user("eve"))
    form = eve.form("/account/")
    for path in GETS:
        assert (
            eve.get(path_of(app) + path).status_code
            == eve.get(f"/developers/application/999/{path}").status_code
            == 404
        )
    for path in POSTS:
        answer = eve.client.post(path_of(app) + path, data={**FORM, **form})
        assert answer.status_code == 404, path
        # Where a form has a file, the right is asked before it is read, and the form's token in it.
        expected = 404 if path == "logo/" else 403
        assert eve.client.post(path_of(app) + path, data=FORM).status_code == expected, path
    marks = {"X-Requested-With": "XMLHttpRequest", "Accept": "application/json"}
    for path in POSTS:
        answer = eve.client.post(path_of(app) + path, data={**FORM, **form}, headers=marks)
        assert (answer.status_code, answer.json()["success"]) == (200, False), path
    question = {"field": "redirect", "value": "x", "application": str(app.application.id)}
    assert eve.xhr("POST", "/developers/check/", question).json()["success"] is False
    assert eve.get("/admin/applications/").status_code == 403


def test_a_new_token_needs_a_fresh_sign_in_and_an_account(server: Server, visitor: Visitor, app: Registered) -> None:
    """07 P12 and 01 section 9."""
    stale(server)
    refused = visitor.xhr("POST", path_of(app) + "access_token/").json()
    assert refused["success"] is False
    assert server.call("GET", "/api/v1/me/", app.developer_token).status_code == 200
    reauthentication = visitor.submit(path_of(app), path_of(app) + "access_token/", {})
    assert "proof-password" in reauthentication.text
    shown = visitor.submit(path_of(app), path_of(app) + "access_token/", {"proof-password": PASSWORD})
    assert "vit_pat_" in shown.text
    root = server.browser(server.user("root", is_admin=True))
    assert root.get(path_of(app)).status_code == 200
    assert root.xhr("POST", path_of(app) + "access_token/").json()["success"] is False


def test_addresses_are_added_changed_and_removed_one_by_one(visitor: Visitor, app: Registered) -> None:
    send = path_of(app) + "redirects/"
    assert visitor.submit(path_of(app), send, {"old": "", "new": "https://b.example/cb"}).status_code == 303
    assert "already" in visitor.submit(path_of(app), send, {"old": "", "new": "https://b.example/cb"}).text
    assert "web address" in visitor.submit(path_of(app), send, {"old": "", "new": "nothing"}).text
    changed = {"old": "https://b.example/cb", "new": "https://c.example/cb"}
    assert visitor.submit(path_of(app), send, changed).status_code == 303
    assert visitor.submit(path_of(app), send, {**changed, "remove": "1"}).text.count("is not one of the app")
    assert visitor.submit(path_of(app), send, {"old": "https://c.example/cb", "remove": "1"}).status_code == 303
    last = visitor.submit(path_of(app), send, {"old": app.application.callback, "remove": "1"})
    assert "the only address" in last.text


def test_two_secrets_live_side_by_side_and_never_three(server: Server, visitor: Visitor, app: Registered) -> None:
    def works(secret: str) -> bool:
        with server.services.database.read() as work:
            return server.services.applications.secrets.is_right(work, app.application, secret)

    def rotated(overlap: str) -> str:
        text = visitor.submit(path_of(app), path_of(app) + "secrets/", {"overlap": overlap}).text
        return text.split('id="client-secret">')[1].split("<")[0]

    second = rotated("24")
    assert works(app.secret)
    assert works(second)
    third = rotated("168")
    assert [works(app.secret), works(second), works(third)] == [False, True, True]
    visitor.submit(path_of(app), path_of(app) + "secrets/end/", {})
    assert [works(second), works(third)] == [False, True]
    fourth = rotated("0")
    assert [works(third), works(fourth)] == [False, True]


def test_named_tokens_are_shown_once_and_end_alone(server: Server, visitor: Visitor, app: Registered) -> None:
    shown = visitor.submit(path_of(app), path_of(app) + "tokens/", {"token-name": "Nightly", "days": "90"}).text
    token = shown.split('id="named-token" tabindex="0">')[1].split("<")[0]
    assert server.call("GET", "/api/v1/me/", token).status_code == 200
    page = visitor.get(path_of(app)).text
    assert token not in page
    assert (
        "already"
        in visitor.submit(path_of(app), path_of(app) + "tokens/", {"token-name": "Nightly", "days": "90"}).text
    )
    action = page.split('action="')
    revoke = next(part.split('"')[0] for part in action if "/revoke/" in part.split('"')[0] and "/tokens/" in part)
    assert visitor.submit(path_of(app), revoke, {}).status_code == 303
    assert server.call("GET", "/api/v1/me/", token).status_code == 401
    assert server.call("GET", "/api/v1/me/", app.developer_token).status_code == 200
    assert visitor.submit(path_of(app), revoke, {}).status_code == 404


def test_co_owners_share_everything_and_an_application_changes_hands(
    server: Server, visitor: Visitor, app: Registered
) -> None:
    bob = server.browser(server.user("bob"))
    people = path_of(app) + "people/"
    assert "Nobody here" in visitor.submit(people, people, {"do": "owner", "owner": "nobody"}).text
    assert visitor.submit(people, people, {"do": "owner", "owner": "bob"}).status_code == 303
    assert "Field Notes" in bob.get("/developers/applications/").text
    assert app.secret in bob.submit(path_of(app), path_of(app) + "reveal/", {}).text
    assert bob.submit(people, people, {"do": "transfer", "transfer": "bob"}).status_code == 403
    assert visitor.submit(people, people, {"do": "transfer", "transfer": "bob"}).status_code == 303
    assert visitor.get(path_of(app)).status_code == 200, "who gave it away stays a co-owner"
    text = bob.get(people).text
    assert text.index("bob") < text.index("ada")


def test_only_test_users_come_in_while_it_is_closed(server: Server, visitor: Visitor, app: Registered) -> None:
    people = path_of(app) + "people/"
    visitor.submit(people, people, {"do": "only-testers", "on": "1"})
    tess = server.browser(server.user("tess"))
    address = f"/api/oauthv2/authorize?client_id={app.client_id}&response_type=code"
    allow = {"action_accept": "1", "client_id": app.client_id, "response_type": "code"}
    assert tess.submit(address, "/api/oauthv2/authorize", allow).status_code == 403
    visitor.submit(people, people, {"do": "tester", "tester": "tess"})
    assert "code=" in tess.submit(address, "/api/oauthv2/authorize", allow).headers["location"]


def test_a_suspended_application_stops_and_says_why(server: Server, visitor: Visitor, app: Registered) -> None:
    state = path_of(app) + "state/"
    assert "Say in a sentence why" in visitor.submit(path_of(app), state, {"reason": " "}).text
    visitor.submit(path_of(app), state, {"reason": "A leak"})
    assert server.call("GET", "/api/v1/me/", app.developer_token).status_code == 401
    assert "A leak" in visitor.get(path_of(app)).text
    visitor.submit(path_of(app), state, {"do": "resume"})
    assert server.call("GET", "/api/v1/me/", app.developer_token).status_code == 200
    root = server.browser(server.user("root", is_admin=True))
    admin = "/admin/applications/"
    assert root.submit(admin, f"{admin}{app.application.id}/", {"do": "suspend", "reason": "Abuse"}).status_code == 303
    assert visitor.submit(path_of(app), state, {"do": "resume"}).status_code == 403


def test_a_deleted_application_comes_back_within_its_days(server: Server, visitor: Visitor, app: Registered) -> None:
    visitor.submit(path_of(app) + "delete/", path_of(app) + "delete/", {"name": "Field Notes"})
    assert server.call("GET", "/api/v1/me/", app.developer_token).status_code == 401
    assert "Bring it back" in visitor.get("/developers/applications/").text
    assert visitor.submit("/account/", path_of(app) + "restore/", {}).status_code == 303
    assert server.call("GET", "/api/v1/me/", app.developer_token).status_code == 200
    visitor.submit(path_of(app) + "delete/", path_of(app) + "delete/", {"name": "Field Notes"})
    with server.services.database.write() as work:
        work.db.exec_driver_sql("UPDATE applications SET deleted_at = 1")
    assert visitor.submit("/account/", path_of(app) + "restore/", {}).status_code == 404


def test_a_description_goes_out_and_comes_in_as_a_file(visitor: Visitor, app: Registered) -> None:
    document = visitor.get(path_of(app) + "export/").json()
    assert app.secret not in json.dumps(document)
    page = "/developers/application/import/"
    created = visitor.submit(page, page, {"text": json.dumps({**document, "publisher": "The Museum"})})
    assert created.status_code == 303
    again = visitor.get(created.headers["location"] + "export/").json()
    assert again == {**document, "publisher": "The Museum", "client_id": again["client_id"]}
    assert again["client_id"] != document["client_id"], "nobody but an administrator chooses an id"
    for wrong in (
        "{",
        "[]",
        json.dumps({**document, "colour": "red"}),
        json.dumps({**document, "name": 3}),
        "[" * 5000,
    ):
        assert "That did not work" in visitor.submit(page, page, {"text": wrong}).text


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_a_description_saved_by_an_editor_of_windows_comes_in(visitor: Visitor, app: Registered, charset: str) -> None:
    """Notepad puts a byte order mark before UTF-8, PowerShell writes UTF-16."""
    document = visitor.get(path_of(app) + "export/").json() | {"publisher": "Musée"}
    text = json.dumps(document, ensure_ascii=False)
    raw = ("\ufeff" + text if charset == "utf-16-be" else text).encode(charset)
    assert bring_in(visitor, raw).status_code == 303
    assert visitor.submit(IMPORT, IMPORT, {"text": "\ufeff" + text}).status_code == 303


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe{", b"\xff\xfe\x00\xd8{\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xef\xbb\xbf{"]
)
def test_a_byte_order_mark_before_nothing_good_is_refused(visitor: Visitor, app: Registered, raw: bytes) -> None:
    answer = bring_in(visitor, raw)
    assert answer.status_code == 200
    assert "That did not work" in answer.text


def bring_in(visitor: Visitor, raw: bytes) -> Any:
    files = {"file": ("application.json", raw)}
    return visitor.client.post(IMPORT, data=visitor.form(IMPORT), files=files)


def test_a_logo_is_kept_small_and_what_is_no_picture_is_refused(
    server: Server, visitor: Visitor, app: Registered, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("logo")
    picture = make.png(folder / "mark.png", seed=3)
    form = visitor.form(path_of(app) + "edit/")
    files = {"logo": ("mark.png", picture.read_bytes())}
    assert visitor.client.post(path_of(app) + "logo/", data=form, files=files).status_code == 303
    shown = server.http.get(f"/applications/{app.client_id}/logo.png")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    bad = {"logo": ("mark.png", b"<html></html>")}
    assert "is not a" in visitor.client.post(path_of(app) + "logo/", data=form, files=bad).text
    visitor.client.post(path_of(app) + "logo/", data={**form, "remove": "1"}, files={})
    assert server.http.get(f"/applications/{app.client_id}/logo.png").status_code == 404


def test_the_console_calls_as_oneself_and_leaves_no_token(server: Server, visitor: Visitor, app: Registered) -> None:
    shown = visitor.submit(path_of(app), path_of(app) + "try/", {"operation": "GET /api/v1/me/", "run": "1"})
    assert "ada@museum.example" in shown.text
    with server.services.database.read() as work:
        assert work.db.exec_driver_sql("SELECT count(*) FROM access_tokens").scalar() == 1
