"""The portal's API: the same as the pages, for programs (docs/decisions/0068; 07 P5 must 1)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.portal.conftest import API, Minted
from vitrine.accounts import User
from vitrine.api.v4.applications import ALIASES, ROUTES
from vitrine.api.v4.route import PREFIX, V4Route
from vitrine.applications import Profile
from vitrine.testing.server import CALLBACK, Registered, Server, Visitor

DOCUMENT: dict[str, Any] = {
    "name": "Press kit", "description": "Fills folders.", "website": "https://press.example.com", "kind": "server",
    "redirect_uris": ["https://press.example.com/cb", "http://127.0.0.1:8765/cb"], "publisher": "The Museum",
    "only_testers": True, "switches": {"password_grant": True}, "scopes": ["library:read", "search"],
}  # fmt: skip


def api_path(app: Registered, rest: str = "") -> str:
    return f"{API}{app.application.id}/{rest}"


def call(server: Server, method: str, path: str, token: str, body: Any = None, **headers: str) -> Any:
    return server.call(
        method, path, token, json=body, headers={name.replace("_", "-"): v for name, v in headers.items()}
    )


ADDRESSES: list[tuple[str, V4Route]] = [*((PREFIX + route.path, route) for route in ROUTES), *ALIASES]


def filled(path: str, app: Registered) -> str:
    path = path.replace("{id:int}", str(app.application.id))
    for name in ("secret", "token", "person"):
        path = path.replace(f"{{{name}:int}}", "1")
    return path


@pytest.mark.both_databases
def test_an_application_is_made_read_and_made_again_from_its_own_document(server: Server, app: Registered) -> None:
    created = call(server, "POST", API, app.developer_token, DOCUMENT)
    assert created.status_code == 201, created.text
    application = created.json()
    assert application["client_secret"].startswith("vit_cs_")
    assert {name: application["document"][name] for name in DOCUMENT} == DOCUMENT
    location = created.headers["location"].removeprefix(server.settings.base_url)
    read = call(server, "GET", location, app.developer_token)
    assert read.headers["etag"] == created.headers["etag"]
    assert "client_secret" not in read.json(), "told once"
    document = call(server, "GET", f"{location}export/", app.developer_token).json()
    assert document == read.json()["document"]
    again = call(server, "POST", API, app.developer_token, document).json()
    assert {**again["document"], "client_id": ""} == {**document, "client_id": ""}
    same = call(server, "PUT", location, app.developer_token, document, if_match=read.headers["etag"])
    assert same.headers["etag"] == read.headers["etag"], "nothing differed, nothing was written"


@pytest.mark.parametrize(
    ("pattern", "route"), ADDRESSES, ids=[f"{route.method} {pattern}" for pattern, route in ADDRESSES]
)
def test_every_route_refuses_strangers_narrow_tokens_and_other_people(
    server: Server, ada: User, app: Registered, minted: Minted, pattern: str, route: V4Route
) -> None:
    """RFC 6750 section 3; somebody else's application looks unknown (07 P5 must 1)."""
    path = filled(pattern, app)
    body: Any = {} if route.method in ("POST", "PUT", "PATCH") else None
    nobody = server.http.request(route.method, path, json=body)
    assert (nobody.status_code, "error=" in nobody.headers["www-authenticate"]) == (401, False)
    wrong = call(server, route.method, path, "vit_pat_nothing", body)
    assert (wrong.status_code, 'error="invalid_token"' in wrong.headers["www-authenticate"]) == (401, True)
    narrow = call(server, route.method, path, minted(ada, app, "library:read", "administration"), body)
    assert narrow.status_code == 403
    assert 'scope="applications"' in narrow.headers["www-authenticate"]
    assert narrow.json()["scope"] == "applications"
    if "{id:int}" in route.path:
        eve = server.token(server.user("eve"))
        full: Any = {
            "secrets": {"overlap_hours": 0}, "tokens": {"name": "mine"}, "owners": {"login": "eve"},
            "testers": {"login": "eve"}, "suspend": {"reason": "because"}, "redirects": {"uri": "https://e.example/"},
            "scopes": {"limit": ["search"]},
        }  # fmt: skip
        tail = route.path.removeprefix("/applications/{id:int}").removeprefix("/")
        sent = full.get(tail, DOCUMENT if route.method == "PUT" else body) if body is not None else None
        address = path + ("?uri=https://x.example/" if (route.method, tail) == ("DELETE", "redirects") else "")
        if tail == "decision":
            return
        forbidden = call(server, route.method, address, eve, sent, if_match="*")
        unknown = call(
            server,
            route.method,
            address.replace(f"applications/{app.application.id}", "applications/999"),
            eve,
            sent,
            if_match="*",
        )
        assert forbidden.status_code == unknown.status_code == 404, forbidden.text
        assert forbidden.json() == unknown.json()


def test_an_administrators_token_needs_the_scope_for_others(server: Server, app: Registered, minted: Minted) -> None:
    root = server.user("root", is_admin=True)
    own = server.register(root)
    narrow = minted(root, own, "applications")
    refused = call(server, "GET", api_path(app), narrow)
    assert (refused.status_code, refused.json()["scope"]) == (403, "administration")
    assert call(server, "GET", f"{API}999/", narrow).status_code == 403, "the same for what is not there"
    assert call(server, "GET", f"{API}?all=1", narrow).json()["scope"] == "administration"
    assert call(server, "GET", api_path(own), narrow).status_code == 200
    wide = minted(root, own, "applications", "administration")
    assert call(server, "GET", api_path(app), wide).status_code == 200
    names = [
        application["client_id"] for application in call(server, "GET", f"{API}?all=1", wide).json()["applications"]
    ]
    assert {app.client_id, own.client_id} <= set(names)
    assert call(server, "GET", f"{API}?all=1", app.developer_token).status_code == 403


def test_a_change_in_between_is_not_lost(server: Server, app: Registered) -> None:
    """RFC 9110 section 13.1.1, RFC 6585 section 3."""
    token = app.developer_token
    tag = call(server, "GET", api_path(app), token).headers["etag"]
    unguarded = call(server, "PATCH", api_path(app), token, {"name": "A"})
    assert (unguarded.status_code, unguarded.json()["code"]) == (428, "if_match_required")
    first = call(server, "PATCH", api_path(app), token, {"name": "A"}, if_match=tag)
    assert (first.status_code, first.json()["document"]["name"]) == (200, "A")
    for method, rest, body in (
        ("PATCH", "", {"name": "B"}), ("PUT", "", DOCUMENT), ("DELETE", "", None),
        ("POST", "suspend/", {"reason": "x"}), ("POST", "owners/", {"login": "ada"}), ("POST", "secrets/", {}),
        ("POST", "redirects/", {"uri": CALLBACK + "2"}),
    ):  # fmt: skip
        late = call(server, method, api_path(app, rest), token, body, if_match=tag)
        assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile"), rest
    assert (
        call(
            server, "PATCH", api_path(app), token, {"name": "C"}, if_match='W/"x", ' + first.headers["etag"]
        ).status_code
        == 200
    )
    server.user("bob")
    before = call(server, "GET", api_path(app), token).headers["etag"]
    call(server, "POST", api_path(app, "testers/"), token, {"login": "bob"})
    assert call(server, "GET", api_path(app), token).headers["etag"] != before, "people count as a change"


@pytest.mark.both_databases
def test_of_twenty_changes_at_once_one_is_made_and_the_others_learn_of_it(server: Server, app: Registered) -> None:
    token = app.developer_token
    tag = call(server, "GET", api_path(app), token).headers["etag"]

    def change(number: int) -> tuple[int, str]:
        answer = call(server, "PATCH", api_path(app), token, {"publisher": f"Number {number}"}, if_match=tag)
        return answer.status_code, answer.json().get("document", {}).get("publisher", "")

    with ThreadPoolExecutor(20) as pool:
        seen = list(pool.map(change, range(20)))
    assert sorted(status for status, _ in seen) == [200] + [412] * 19
    written = call(server, "GET", api_path(app), token).json()["document"]["publisher"]
    assert written == next(publisher for status, publisher in seen if status == 200)


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"name": ""}, "name"), ({"website": "nowhere"}, "website"), ({"contact": "nobody"}, "contact"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": [CALLBACK, "http://x.example/"]}, "redirect_uris.1"),
        ({"redirect_uris": [CALLBACK, CALLBACK]}, "redirect_uris.1"),
        ({"switches": {"implicit": True}}, "switches.implicit"),
        ({"profile": "public"}, "profile"), ({"scopes": ["everything"]}, "scopes"), ({"scopes": []}, "scopes"),
        ({"kind": "machine"}, "redirect_uris.0"),
        ({"kind": "server", "profile": "compatibility", "scopes": ["search"]}, "scopes"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_named_and_nothing_is_changed(
    server: Server, app: Registered, patch: dict[str, Any], field: str
) -> None:
    token = app.developer_token
    before = call(server, "GET", api_path(app), token)
    answer = call(server, "PATCH", api_path(app), token, {"publisher": "New", **patch}, if_match="*")
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert list(answer.json()["faults"]) == [field]
    assert answer.json()["faults"][field].endswith(".")
    assert call(server, "GET", api_path(app), token).json() == before.json()


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, "body"), (b"[]", 400, "body"), (b"[" * 60_000, 400, "body"), (b'{"colour":1}', 400, "colour"),
        (b'{"name":3}', 400, "name"), (b'{"scopes":"search"}', 400, "scopes"),
        (b'{"switches":{"nothing":true}}', 400, "switches"),
        (b'{"vitrine_application":true}', 400, "file"), (b'{"name":"' + b"x" * 70_000 + b'"}', 413, "body"),
        (b'{"client_id":"another"}', 409, "client_id"), (b"\xff\xfe", 400, "body"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_names_the_field(
    server: Server, app: Registered, body: bytes, status: int, field: str
) -> None:
    headers = {"If-Match": "*", "Content-Type": "application/json"}
    answer = server.call("PATCH", api_path(app), app.developer_token, content=body, headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (status, field)
    kind = {"If-Match": "*", "Content-Type": "text/plain"}
    assert server.call("PATCH", api_path(app), app.developer_token, content=b"{}", headers=kind).status_code == 415


def test_another_kind_forgets_what_the_old_one_chose(server: Server, app: Registered) -> None:
    token = app.developer_token
    call(server, "PATCH", api_path(app), token, {"switches": {"password_grant": True}}, if_match="*")
    patch = {"kind": "page", "redirect_uris": ["com.example.app:/return", "http://127.0.0.1/cb"]}
    document = call(server, "PATCH", api_path(app), token, patch, if_match="*").json()["document"]
    assert (document["kind"], document["profile"], document["switches"]) == ("page", "public", {})
    back = call(server, "PATCH", api_path(app), token, {"kind": "server"}, if_match="*")
    assert list(back.json()["faults"]) == ["redirect_uris.0"], "a server has no scheme of its own"


def test_secrets_overlap_and_the_value_is_told_once(server: Server, app: Registered) -> None:
    token = app.developer_token
    created = call(server, "POST", api_path(app, "secrets/"), token, {"overlap_hours": 24}).json()
    listed = call(server, "GET", api_path(app, "secrets/"), token)
    newest, old = listed.json()["secrets"]
    assert created["client_secret"] not in listed.text
    assert (newest["id"], newest["expires"]) == (created["id"], None)
    assert old["expires"] is not None
    newest_refused = call(server, "DELETE", api_path(app, f"secrets/{newest['id']}/"), token)
    assert (newest_refused.status_code, newest_refused.json()["field"]) == (409, "secret")
    assert call(server, "DELETE", api_path(app, f"secrets/{old['id']}/"), token).status_code == 204
    assert call(server, "DELETE", api_path(app, f"secrets/{old['id']}/"), token).status_code == 404
    assert call(server, "POST", api_path(app, "secrets/"), token, {"overlap_hours": 5}).json()["field"] == "overlap"
    assert (
        call(server, "POST", api_path(app, "secrets/"), token, {"overlap_hours": "24"}).json()["field"]
        == "overlap_hours"
    )


def test_a_token_gives_no_other_one_more_than_it_has(
    server: Server, ada: User, app: Registered, minted: Minted
) -> None:
    """Else `applications` would be everything."""
    narrow = minted(ada, app, "applications", "search")
    for scopes in (None, ["search", "delete"]):
        refused = call(server, "POST", api_path(app, "tokens/"), narrow, {"name": "wider", "scopes": scopes})
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    acting = call(server, "PATCH", api_path(app), narrow, {"switches": {"acts_as_owner": True}}, if_match="*")
    assert acting.status_code == 403
    machine = {**DOCUMENT, "kind": "machine", "redirect_uris": [], "switches": {}}
    assert call(server, "POST", API, narrow, machine).status_code == 403
    quiet = call(server, "POST", API, narrow, {**machine, "switches": {"acts_as_owner": False}})
    assert quiet.json()["document"]["switches"] == {"acts_as_owner": False}
    created = call(
        server, "POST", api_path(app, "tokens/"), narrow, {"name": "same", "days": 7, "scopes": ["search"]}
    ).json()
    assert call(server, "GET", "/api/v1/search/", created["token"]).status_code == 200
    assert call(server, "GET", "/api/v1/me/", created["token"]).status_code == 403
    listed = call(server, "GET", api_path(app, "tokens/"), narrow)
    listed_token = next(token for token in listed.json()["tokens"] if token["id"] == created["id"])
    assert (listed_token["scopes"], listed_token["last_address"]) == (["search"], "testclient")
    assert created["token"] not in listed.text
    assert call(server, "DELETE", api_path(app, f"tokens/{created['id']}/"), narrow).status_code == 204
    assert call(server, "GET", "/api/v1/search/", created["token"]).status_code == 401


@pytest.mark.parametrize("scopes", [[], ["openid"], ["nothing"], [3]])
def test_scopes_of_a_token_are_ones_that_it_can_use(server: Server, app: Registered, scopes: list[Any]) -> None:
    answer = call(server, "POST", api_path(app, "tokens/"), app.developer_token, {"name": "x", "scopes": scopes})
    assert (answer.status_code, answer.json()["field"]) == (400, "scopes")


def test_people_come_and_go(server: Server, visitor: Visitor, app: Registered) -> None:
    """Owners are added on the page: docs/decisions/0080."""
    token, bob = app.developer_token, server.user("bob")
    assert call(server, "POST", api_path(app, "testers/"), token, {"login": "nobody"}).json()["field"] == "tester"
    assert call(server, "POST", api_path(app, "owners/"), token, {}).json()["field"] == "login"
    assert call(server, "POST", api_path(app, "owners/"), token, {"login": "bob"}).json()["code"] == "sign_in_again"
    people = f"/developers/application/{app.application.id}/people/"
    assert visitor.submit(people, people, {"do": "owner", "owner": "bob"}).status_code == 303
    people = call(server, "GET", api_path(app, "people/"), token).json()
    assert [person["login"] for person in people["owners"]] == ["bob"]
    owner_token = server.token(bob)
    assert call(server, "GET", api_path(app), owner_token).status_code == 200
    assert call(server, "DELETE", api_path(app, f"owners/{bob.id}/"), token).status_code == 204
    assert call(server, "GET", api_path(app), owner_token).status_code == 404
    assert call(server, "DELETE", api_path(app, f"testers/{bob.id}/"), token).status_code == 404


def test_it_is_suspended_deleted_and_brought_back(server: Server, ada: User, app: Registered) -> None:
    other = server.register(ada, name="Other")
    token = other.developer_token
    assert call(server, "POST", api_path(app, "suspend/"), token, {}).json()["field"] == "reason"
    state = call(server, "POST", api_path(app, "suspend/"), token, {"reason": "A leak"}).json()["state"]
    assert (state["active"], state["suspended_by"], state["suspended_reason"]) == (False, "owner", "A leak")
    assert call(server, "GET", API, app.developer_token).status_code == 401
    assert call(server, "POST", api_path(app, "resume/"), token).json()["state"]["active"] is True
    assert call(server, "DELETE", api_path(app), token).status_code == 204
    assert call(server, "GET", api_path(app), token).status_code == 404
    deleted = call(server, "GET", f"{API}?deleted=1", token).json()["applications"]
    assert [application["client_id"] for application in deleted] == [app.client_id]
    assert call(server, "POST", api_path(app, "restore/"), token).status_code == 200
    assert call(server, "GET", f"{API}?deleted=1", token).json()["applications"] == []
    root = server.token(server.user("root", is_admin=True))
    call(server, "POST", api_path(app, "suspend/"), root, {"reason": "Abuse"})
    assert call(server, "POST", api_path(app, "resume/"), token).status_code == 403
    decided = call(server, "POST", api_path(app, "decision/"), root, {"approve": False, "reason": "No"}).json()["state"]
    assert (decided["approval"], decided["approval_reason"]) == ("no", "No")
    assert call(server, "POST", api_path(app, "decision/"), token, {"approve": True}).status_code == 403


def test_a_list_is_paged(server: Server, ada: User, app: Registered) -> None:
    for number in range(3):
        server.register(ada, name=f"Kit {number}")
    page = call(server, "GET", f"{API}?per_page=2&q=kit", app.developer_token).json()
    assert (len(page["applications"]), page["more"]) == (2, True)
    page = call(server, "GET", f"{API}?per_page=2&page=2&q=kit", app.developer_token).json()
    assert (len(page["applications"]), page["more"]) == (1, False)
    for query in ("page=0", "per_page=101", "page=x"):
        assert call(server, "GET", f"{API}?{query}", app.developer_token).status_code == 400


def test_what_it_does_is_counted_as_the_scope_applications(server: Server, app: Registered) -> None:
    call(server, "GET", api_path(app), app.developer_token)
    scopes = call(server, "GET", api_path(app, "scopes/"), app.developer_token).json()
    used = {scope["scope"]: scope["uses"] for scope in scopes["scopes"]}
    assert used["applications"] == 1


def test_wrong_methods_and_addresses_say_so(server: Server, app: Registered) -> None:
    wrong = call(server, "PUT", API, app.developer_token, {})
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, POST")
    assert call(server, "GET", f"{API}1", app.developer_token).json()["code"] == "not_found"
    assert call(server, "GET", f"{API}99999999999999999999/", app.developer_token).status_code == 404
    in_header = server.http.get(
        api_path(app),
        headers={"Authorization": f"Bearer {app.developer_token}"},
        params={"oauth_token": app.developer_token},
    )
    assert in_header.status_code == 200
    assert server.http.get(api_path(app), params={"oauth_token": app.developer_token}).status_code == 400, (
        "strict: header only"
    )


def test_no_cookie_opens_it(visitor: Visitor, app: Registered) -> None:
    """06 section 27 trap 11."""
    assert visitor.get(api_path(app)).status_code == 401


def test_a_public_application_is_told_no_secret(server: Server, app: Registered) -> None:
    page = {**DOCUMENT, "kind": "page", "switches": {}, "redirect_uris": ["com.example.app:/cb"]}
    created = call(server, "POST", API, app.developer_token, page).json()
    assert "client_secret" not in created
    assert created["document"]["profile"] == Profile.PUBLIC.value


def test_an_old_habit_leads_to_a_page_that_says_what_to_do_instead(server: Server, ada: User) -> None:
    """RFC 9745 section 3; the same is counted for its owner, with the remedy beside it."""
    old = server.register(ada, profile=Profile.COMPATIBILITY)
    answer = server.http.get("/api/v1/me/", params={"oauth_token": old.developer_token})
    guide = answer.headers["link"].partition(">")[0].removeprefix("<" + server.settings.base_url)
    page = server.browser().get(guide)
    assert page.status_code == 200
    assert 'id="parameter_token"' in page.text
    uses = call(server, "GET", api_path(old, "habits/"), old.developer_token).json()["habits"]
    assert [(use["habit"], use["uses"]) for use in uses] == [("parameter_token", 1)]
    usage = server.browser(ada).get(f"/developers/application/{old.application.id}/usage/").text
    assert "Send the token in a header" in usage
    assert f"{guide}#parameter_token" in usage
