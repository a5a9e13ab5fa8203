"""What somebody who holds a token with the scope `applications` gains by what they make with it: nothing
(docs/decisions/0080). Every step of an attack goes over HTTP."""

import html
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.oauth.flows import allow, ask, post, query_of, refresh, status_of, tokens
from tests.portal.conftest import API
from vitrine.accounts import User
from vitrine.accounts.tables import sessions
from vitrine.applications import Profile
from vitrine.oauth.tables import access_tokens
from vitrine.testing.server import CALLBACK, PASSWORD, Registered, Server, Visitor, hidden

pytestmark = pytest.mark.both_databases
MACHINE = {
    "name": "Night shift", "description": "Adds documents at night.", "website": "https://night.example.com",
    "kind": "machine",
}  # fmt: skip
WIDE = "library:read search upload account:read applications"
EVIL = "https://evil.example/cb"


@pytest.fixture
def corp(server: Server) -> User:
    return server.user("corp")


@pytest.fixture
def helper(server: Server, corp: User) -> Registered:
    """An application of somebody else, which helps people with their applications."""
    return server.register(corp, profile=Profile.STRICT, name="Helper")


@pytest.fixture
def token(server: Server, ada: User, helper: Registered) -> str:
    """What Ada allowed it: to see and change the applications that she registered, and nothing else."""
    return str(tokens(server, ada, helper, "applications")["access_token"])


def page_of(number: int) -> str:
    return f"/developers/application/{number}/"


def revealed(visitor: Visitor, number: int) -> str:
    text = visitor.submit(page_of(number), page_of(number) + "reveal/", {}).text
    return text.split('id="client-secret">')[1].split("<")[0]


@pytest.fixture
def machine(visitor: Visitor) -> tuple[int, str, str]:
    """Ada's machine, made on the page: its number, its client id and its secret."""
    answer = visitor.submit("/developers/application/new/", "/developers/application/", MACHINE)
    number = int(answer.headers["location"].rstrip("/").rpartition("/")[2])
    client_id = visitor.get(page_of(number)).text.split('id="client-id">')[1].split("<")[0]
    return number, client_id, revealed(visitor, number)


def alone(server: Server, client_id: str, secret: str, scope: str = "upload") -> Any:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": scope}
    return server.http.post("/api/oauthv2/token", data=form)


def call(server: Server, method: str, number: int, rest: str, token: str, body: Any = None) -> Any:
    return server.call(method, f"{API}{number}/{rest}", token, json=body, headers={"If-Match": "*"})


def withdraw(visitor: Visitor, app: Registered) -> None:
    page = "/account/security/applications/"
    done = visitor.submit(page, f"/account/security/application/{app.application.id}/revoke/", {})
    assert done.status_code == 303


def needs_sign_in(answer: Any) -> bool:
    """The refusal names the remedy and the page where it is to be had."""
    problem = answer.json()
    return bool(
        (answer.status_code, problem.get("code")) == (403, "sign_in_again")
        and "Sign in" in problem["detail"]
        and problem["page"].startswith("http://dam.test/developers/application/")
    )


# -- the three of the issue --------------------------------------------------------------------------------------------


def test_a_token_cannot_rotate_the_secret_of_a_machine(
    server: Server, token: str, machine: tuple[int, str, str]
) -> None:
    """Else the new secret would give every scope by client credentials."""
    number, client_id, secret = machine
    refused = call(server, "POST", number, "secrets/", token, {"overlap_hours": 0})
    assert needs_sign_in(refused), refused.text
    assert alone(server, client_id, secret).status_code == 200, "the old one works on"
    assert len(call(server, "GET", number, "secrets/", token).json()["secrets"]) == 1


def test_a_token_cannot_add_an_owner(
    server: Server, token: str, app: Registered, machine: tuple[int, str, str]
) -> None:
    """Who would act as the first owner, by the secret of a machine."""
    server.user("eve")
    for number in (app.application.id, machine[0]):
        refused = call(server, "POST", number, "owners/", token, {"login": "eve"})
        assert needs_sign_in(refused), refused.text
        assert call(server, "GET", number, "people/", token).json()["owners"] == []


def test_a_token_made_by_an_application_ends_with_the_consent_and_so_does_what_that_made(
    server: Server, visitor: Visitor, token: str, app: Registered, helper: Registered
) -> None:
    """Else it would outlive the withdrawal by a year, and renew itself for ever."""
    number = app.application.id
    body = {"days": 365, "scopes": ["applications"]}
    first = call(server, "POST", number, "tokens/", token, {**body, "name": "first"}).json()["token"]
    second = call(server, "POST", number, "tokens/", first, {**body, "name": "second"}).json()["token"]
    third = call(server, "POST", number, "tokens/", second, {**body, "name": "third"}).json()["token"]
    tokens = [first, second, third]
    assert [status_of(server, secret, API) for secret in tokens] == [200, 200, 200]
    withdraw(visitor, helper)
    assert [status_of(server, secret, API) for secret in [token, *tokens]] == [401] * 4
    assert status_of(server, app.developer_token) == 200, "what she made herself stays"


# -- siblings: what is made, and when it ends --------------------------------------------------------------------------


def named(server: Server, visitor: Visitor, app: Registered, days: str = "7") -> str:
    """A named developer token that Ada makes on the page, which may only change applications."""
    page = page_of(app.application.id)
    form = {"token-name": f"tool {days}", "days": days, "may": "some", "scope-applications": "1"}
    text = visitor.submit(page, page + "tokens/", form).text
    return text.split('id="named-token" tabindex="0">')[1].split("<")[0]


def made_with(server: Server, number: int, token: str, name: str = "made", days: int = 365) -> dict[str, Any]:
    answer = call(server, "POST", number, "tokens/", token, {"name": name, "days": days, "scopes": ["applications"]})
    assert answer.status_code == 201, answer.text
    made_token: dict[str, Any] = answer.json()
    return made_token


def test_what_a_developer_token_makes_ends_with_it_and_not_later(
    server: Server, ada: User, visitor: Visitor, app: Registered
) -> None:
    other = server.register(ada, profile=Profile.STRICT, name="Other").application.id
    tool = named(server, visitor, app)
    first = made_with(server, other, tool)
    listed = call(server, "GET", app.application.id, "tokens/", tool).json()["tokens"]
    assert first["expires"] == listed[0]["expires"], "a year was asked for, its maker has a week"
    assert (first["made_with_token"], listed[0]["made_with_token"]) == (True, False)
    second = made_with(server, other, first["token"], "again")
    assert second["expires"] == first["expires"], "renewing does not lengthen it"
    assert call(server, "DELETE", app.application.id, f"tokens/{listed[0]['id']}/", tool).status_code == 204
    assert [status_of(server, secret, API) for secret in (tool, first["token"], second["token"])] == [401] * 3


@pytest.mark.parametrize("end", ["renew", "revoke"])
def test_the_token_of_the_settings_page_takes_along_what_it_made(
    server: Server, ada: User, visitor: Visitor, app: Registered, end: str
) -> None:
    other = server.register(ada, profile=Profile.STRICT, name="Other").application.id
    secret = made_with(server, other, app.developer_token)["token"]
    page = page_of(app.application.id)
    visitor.submit(page, page + ("access_token/" if end == "renew" else "access_token/revoke/"), {})
    assert status_of(server, secret, API) == 401


@pytest.mark.parametrize("end", ["forget", "suspend", "delete", "end-users"])
def test_made_things_end_with_the_application_that_made_them(
    server: Server, corp: User, visitor: Visitor, token: str, app: Registered, helper: Registered, end: str
) -> None:
    secret = made_with(server, app.application.id, token)["token"]
    owner, page = server.browser(corp), page_of(helper.application.id)
    if end == "forget":
        where = "/account/security/applications/"
        visitor.submit(where, f"/account/security/application/{helper.application.id}/forget/", {})
    elif end == "suspend":
        owner.submit(page, page + "state/", {"reason": "A leak"})
        owner.submit(page, page + "state/", {"do": "resume"})
    elif end == "delete":
        owner.submit(page + "delete/", page + "delete/", {"name": "Helper"})
    else:
        owner.submit(page, page + "tokens/users/", {})
    assert status_of(server, secret, API) == 401


def test_an_application_that_was_made_with_a_token_keeps_no_key_of_its_maker(
    server: Server, visitor: Visitor, token: str, helper: Registered
) -> None:
    """It stays in the list of its owner, who can give it a new secret and new addresses."""
    body = {**MACHINE, "kind": "server", "redirect_uris": [EVIL]}
    machine = server.call("POST", API, token, json=body).json()
    number, form = machine["id"], {"client_id": machine["client_id"], "client_secret": machine["client_secret"]}
    assert server.http.post("/api/oauthv2/introspect", data={**form, "token": "x"}).status_code == 200
    withdraw(visitor, helper)
    assert server.http.post("/api/oauthv2/introspect", data={**form, "token": "x"}).json()["error"] == "invalid_client"
    page = visitor.get(page_of(number))
    assert page.status_code == 200
    assert EVIL not in page.text
    assert "no valid secret" in page.text
    fresh = visitor.submit(page_of(number), page_of(number) + "secrets/", {"overlap": "0"})
    assert "vit_cs_" in fresh.text


def test_a_secret_that_a_token_made_ends_with_it(
    server: Server, visitor: Visitor, token: str, app: Registered, helper: Registered
) -> None:
    number = app.application.id
    secret = call(server, "POST", number, "secrets/", token, {"overlap_hours": 168}).json()
    assert secret["made_with_token"] is True
    form = {"client_id": app.client_id, "client_secret": secret["client_secret"], "token": "x"}
    assert server.http.post("/api/oauthv2/introspect", data=form).status_code == 200
    withdraw(visitor, helper)
    assert server.http.post("/api/oauthv2/introspect", data=form).json()["error"] == "invalid_client"


def test_a_token_does_not_undo_a_withdrawal(
    server: Server, visitor: Visitor, ada: User, token: str, app: Registered
) -> None:
    """Ada allowed an application of her own, and took that back."""
    own = server.register(ada, profile=Profile.STRICT, name="Own")
    tokens(server, ada, own, "search")
    withdraw(visitor, own)
    body = {"name": "back", "days": 7, "scopes": ["applications"]}
    assert needs_sign_in(call(server, "POST", own.application.id, "tokens/", token, body))


def test_what_was_made_keeps_no_scope_that_its_maker_loses(
    server: Server, ada: User, corp: User, app: Registered, helper: Registered
) -> None:
    wide = tokens(server, ada, helper, WIDE)["access_token"]
    body = {"name": "made", "days": 365, "scopes": ["applications", "upload", "search"]}
    first = call(server, "POST", app.application.id, "tokens/", wide, body).json()["token"]
    second = call(server, "POST", app.application.id, "tokens/", first, {**body, "name": "b"}).json()["token"]
    limit = {"limit": ["applications"]}
    assert call(server, "PUT", helper.application.id, "scopes/", server.token(corp), limit).status_code == 200
    listed = call(server, "GET", app.application.id, "tokens/", app.developer_token).json()["tokens"]
    assert [listed_token["scopes"] for listed_token in listed] == [["applications"], ["applications"]]
    assert [status_of(server, secret, "/api/v1/search/") for secret in (first, second)] == [403, 403]


def test_a_narrower_yes_narrows_what_was_made_before(
    server: Server, ada: User, app: Registered, helper: Registered
) -> None:
    wide = tokens(server, ada, helper, "applications search")["access_token"]
    body = {"name": "made", "days": 365, "scopes": ["applications", "search"]}
    secret = call(server, "POST", app.application.id, "tokens/", wide, body).json()["token"]
    assert status_of(server, secret, "/api/v1/search/") == 200
    visitor = server.browser(ada)
    allow(visitor, ask(visitor, helper, scope="applications search upload"), without=("search",))
    assert status_of(server, secret, "/api/v1/search/") == 403


def test_an_address_ends_at_the_moment_its_developer_token_does(
    server: Server, visitor: Visitor, app: Registered
) -> None:
    """Not only when the worker deletes the token."""
    tool = named(server, visitor, app)
    assert call(server, "POST", app.application.id, "redirects/", tool, {"uri": EVIL}).status_code == 201
    assert ask(visitor, app, redirect_uri=EVIL).status_code == 200
    with server.services.database.write() as work:
        ended = access_tokens.update().where(access_tokens.c.name == "tool 7")
        work.db.execute(ended.values(expires=work.now - timedelta(seconds=1)))
    assert ask(visitor, app, redirect_uri=EVIL).status_code == 400
    assert EVIL not in visitor.get(page_of(app.application.id)).text


def test_a_withdrawal_catches_what_is_made_at_the_same_moment(
    server: Server, visitor: Visitor, token: str, app: Registered, helper: Registered
) -> None:
    def make(turn: int) -> str | None:
        if turn == 3:
            withdraw(visitor, helper)
            return None
        body = {"name": f"made {turn}", "days": 7, "scopes": ["applications"]}
        answer = call(server, "POST", app.application.id, "tokens/", token, body)
        assert answer.status_code in (201, 401, 403), answer.text
        secret: str | None = answer.json().get("token")
        return secret

    with ThreadPoolExecutor(8) as pool:
        tokens = [secret for secret in pool.map(make, range(8)) if secret is not None]
    assert [status_of(server, secret, API) for secret in tokens] == [401] * len(tokens)


# -- siblings: other ways to a wider key -------------------------------------------------------------------------------


def test_a_token_lets_no_application_act_as_its_owner(server: Server, ada: User, app: Registered, token: str) -> None:
    """Neither one that exists nor a new machine, and not even with a token without scopes."""
    on = {"switches": {"acts_as_owner": True}}
    for maker in (token, server.token(ada)):
        assert needs_sign_in(call(server, "PATCH", app.application.id, "", maker, on))
        assert server.call("POST", API, maker, json=MACHINE).json()["code"] == "sign_in_again"
        document = call(server, "GET", app.application.id, "export/", maker).json()
        assert needs_sign_in(call(server, "PUT", app.application.id, "", maker, {**document, **on}))


def test_a_secret_that_a_token_knows_never_acts_alone(
    server: Server, visitor: Visitor, token: str, app: Registered
) -> None:
    """Made while the application did nothing alone; its owner lets it later, in the portal."""
    number, page = app.application.id, page_of(app.application.id)
    known = call(server, "POST", number, "secrets/", token, {}).json()["client_secret"]
    quiet = {**MACHINE, "switches": {"acts_as_owner": False}}
    machine = server.call("POST", API, token, json=quiet).json()
    for machine_number in (number, machine["id"]):
        visitor.submit(
            page_of(machine_number), page_of(machine_number) + "switch/", {"switch": "acts_as_owner", "on": "1"}
        )
    refused = alone(server, app.client_id, known)
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
    assert "Make a new one" in refused.json()["error_description"]
    assert alone(server, machine["client_id"], machine["client_secret"]).json()["error"] == "unauthorized_client"
    assert "Make a new one" in visitor.get(page).text
    fresh = visitor.submit(page, page + "secrets/", {"overlap": "0"}).text.split('id="client-secret">')[1].split("<")[0]
    assert alone(server, app.client_id, fresh).status_code == 200


def test_a_token_gives_its_own_application_no_scope_back(server: Server, ada: User, visitor: Visitor) -> None:
    """The owner left it only `applications`; a refresh would bring the rest back."""
    own = server.register(ada, profile=Profile.STRICT, name="Own")
    wide = tokens(server, ada, own, WIDE)
    limit = {"limit": ["applications"]}
    assert call(server, "PUT", own.application.id, "scopes/", own.developer_token, limit).status_code == 200
    narrow = refresh(server, own, wide["refresh_token"]).json()
    assert narrow["scope"] == "applications"
    for method, rest, body in (
        ("PUT", "scopes/", {"limit": None}), ("PUT", "scopes/", {"limit": ["applications", "upload"]}),
        ("PATCH", "", {"scopes": None}),
    ):  # fmt: skip
        refused = call(server, method, own.application.id, rest, narrow["access_token"], body)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), rest
    assert refresh(server, own, narrow["refresh_token"]).json()["scope"] == "applications"


def test_people_are_asked_before_they_are_sent_to_an_address_that_a_token_added(
    server: Server, visitor: Visitor, token: str, app: Registered, helper: Registered
) -> None:
    """They said yes to the application at its own address; that must not send their code elsewhere unseen."""
    bob = server.browser(server.user("bob"))
    allow(bob, ask(bob, app, scope="search"))
    assert ask(bob, app, scope="search").status_code == 302, "asked once"
    added = call(server, "POST", app.application.id, "redirects/", token, {"uri": EVIL})
    assert added.status_code == 201
    consent_page = ask(bob, app, scope="search", redirect_uri=EVIL)
    assert consent_page.status_code == 200
    assert query_of(ask(bob, app, scope="search", redirect_uri=EVIL, prompt="none").headers["location"])["error"]
    assert ask(bob, app, scope="search").status_code == 302, "the old address is as before"
    assert allow(bob, consent_page).startswith(EVIL)
    assert ask(bob, app, scope="search", redirect_uri=EVIL).status_code == 302, "asked once"
    withdraw(visitor, helper)
    assert ask(bob, app, scope="search", redirect_uri=EVIL).status_code == 400, "it ended with its maker"


def test_another_profile_by_token_does_not_turn_a_narrow_yes_into_everything(
    server: Server, token: str, app: Registered
) -> None:
    """The compatible profile has no scopes: what people allowed before it is less than its tokens mean."""
    bob = server.browser(server.user("bob"))
    allow(bob, ask(bob, app, scope="search"))
    assert call(server, "PATCH", app.application.id, "", token, {"profile": "compatibility"}).status_code == 200
    plain = {"code_challenge": "", "code_challenge_method": ""}
    consent_page = ask(bob, app, **plain)
    assert consent_page.status_code == 200
    allow(bob, consent_page)
    assert ask(bob, app, **plain).status_code == 302, "asked once"


# -- co-owners ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def co(server: Server) -> Visitor:
    return server.browser(server.user("co"))


def share(visitor: Visitor, number: int, login: str = "co") -> None:
    people = page_of(number) + "people/"
    assert visitor.submit(people, people, {"do": "owner", "owner": login}).status_code == 303


def test_a_co_owner_neither_sees_nor_makes_the_secret_of_a_machine(
    server: Server, visitor: Visitor, co: Visitor, machine: tuple[int, str, str]
) -> None:
    number, client_id, secret = machine
    share(visitor, number)
    page = page_of(number)
    settings = co.get(page).text
    assert "It acts as Ada Martin" in settings
    assert "Make a new secret" not in settings
    for path, form in (("reveal/", {}), ("secrets/", {"overlap": "0"})):
        refused = co.submit(page, page + path, form)
        assert secret not in refused.text
        assert "vit_cs_" not in refused.text
        assert (path, refused.status_code) in (("secrets/", 403), ("reveal/", 200))
    page_text = co.submit(page, page + "tokens/", {"token-name": "mine", "days": "7", "may": "all"}).text
    token = page_text.split('id="named-token" tabindex="0">')[1].split("<")[0]
    assert server.get("/me/", token)["user"]["login"] == "co", "a co-owner's token acts as the co-owner"
    assert alone(server, client_id, secret).status_code == 200
    root = server.browser(server.user("root", is_admin=True))
    assert root.submit(page, page + "secrets/", {"overlap": "0"}).status_code == 403, "nor does an administrator"


def test_a_secret_that_a_co_owner_saw_before_never_acts_as_the_first_owner(
    server: Server, visitor: Visitor, co: Visitor, app: Registered
) -> None:
    number, page = app.application.id, page_of(app.application.id)
    share(visitor, number)
    seen = revealed(co, number)
    assert seen == app.secret
    visitor.submit(page, page + "switch/", {"switch": "acts_as_owner", "on": "1"})
    assert alone(server, app.client_id, seen).json()["error"] == "unauthorized_client"
    visitor.submit(page, page + "switch/", {"switch": "acts_as_owner", "on": "0"})
    text = co.submit(page, page + "secrets/", {"overlap": "0"}).text
    rotated = text.split('id="client-secret">')[1].split("<")[0]
    visitor.submit(page, page + "switch/", {"switch": "acts_as_owner", "on": "1"})
    assert alone(server, app.client_id, rotated).json()["error"] == "unauthorized_client"


def test_a_machine_that_went_to_somebody_and_came_back_does_not_act_by_the_secret_of_both(
    server: Server, visitor: Visitor, co: Visitor, machine: tuple[int, str, str]
) -> None:
    number, client_id, secret = machine
    people, page = page_of(number) + "people/", page_of(number)
    assert visitor.submit(people, people, {"do": "transfer", "transfer": "co"}).status_code == 303
    assert alone(server, client_id, secret).json()["error"] == "unauthorized_client"
    co.submit(page, page + "switch/", {"switch": "acts_as_owner", "on": "1"})
    assert alone(server, client_id, secret).json()["error"] == "unauthorized_client", "Ada knows it"
    rotated = co.submit(page, page + "secrets/", {"overlap": "0"}).text.split('id="client-secret">')[1].split("<")[0]
    assert alone(server, client_id, rotated).status_code == 200
    assert co.submit(people, people, {"do": "transfer", "transfer": "ada"}).status_code == 303
    assert alone(server, client_id, rotated).json()["error"] == "unauthorized_client", "the other knows it"


def test_a_machine_whose_owner_took_the_permission_back_stays_stopped(
    server: Server, visitor: Visitor, ada: User, app: Registered
) -> None:
    """Also when they make a developer token or sign in there later: neither is a word about acting alone."""
    page = page_of(app.application.id)
    visitor.submit(page, page + "switch/", {"switch": "acts_as_owner", "on": "1"})
    assert alone(server, app.client_id, app.secret).status_code == 200
    withdraw(visitor, app)
    assert alone(server, app.client_id, app.secret).json()["error"] == "unauthorized_client"
    visitor.submit(page, page + "access_token/", {})
    tokens(server, ada, app, "search")
    assert alone(server, app.client_id, app.secret).json()["error"] == "unauthorized_client"


def test_adding_an_owner_on_the_page_asks_for_the_password(server: Server, visitor: Visitor, app: Registered) -> None:
    server.user("mallory")
    people = page_of(app.application.id) + "people/"
    with server.services.database.write() as work:
        work.db.execute(sessions.update().values(auth_time=work.now - timedelta(hours=1)))
    assert "Co-owners can do what you can do here" in visitor.get(people).text
    owner_form = {"do": "owner", "owner": "mallory"}
    assert "proof-password" in visitor.submit(people, people, owner_form).text
    assert "mallory" not in visitor.get(people).text
    assert visitor.submit(people, people, {**owner_form, "proof-password": PASSWORD}).status_code == 303
    assert "mallory" in visitor.get(people).text


def test_the_openapi_document_names_the_refusal(server: Server, app: Registered) -> None:
    document = json.loads(server.http.get("/api/openapi.json").text)
    assert "recent sign-in" in document["paths"]["/api/applications/{id}/owners/"]["post"]["summary"]


# -- a session whose password was given long ago -----------------------------------------------------------------------


def stale(server: Server) -> None:
    with server.services.database.write() as work:
        work.db.execute(sessions.update().values(auth_time=work.now - timedelta(hours=1)))


def test_letting_an_application_act_asks_for_the_password(server: Server, visitor: Visitor, app: Registered) -> None:
    page, on = page_of(app.application.id), {"switch": "acts_as_owner", "on": "1"}
    stale(server)
    assert "proof-password" in visitor.submit(page, page + "switch/", on).text
    assert alone(server, app.client_id, app.secret).json()["error"] == "unauthorized_client"
    wrong = visitor.submit(page, page + "switch/", {**on, "proof-password": "not this one"})
    assert "The password is not right." in wrong.text
    assert alone(server, app.client_id, app.secret).json()["error"] == "unauthorized_client"
    assert visitor.submit(page, page + "switch/", {**on, "proof-password": PASSWORD}).status_code == 303
    assert alone(server, app.client_id, app.secret).status_code == 200
    stale(server)
    assert visitor.submit(page, page + "switch/", {**on, "on": "0"}).status_code == 303, "stopping it needs nothing"
    assert alone(server, app.client_id, app.secret).json()["error"] == "unauthorized_client"


@pytest.mark.parametrize("way", ["form", "pasted", "file"])
def test_registering_a_machine_asks_for_the_password(server: Server, visitor: Visitor, way: str) -> None:
    """Whatever was typed or sent as a file goes on with the password."""
    form_page, action = "/developers/application/new/", "/developers/application/"
    form, document = {}, json.dumps(MACHINE)
    files = {"file": ("machine.json", document.encode(), "application/json")} if way == "file" else None
    if way != "form":
        form_page = action = "/developers/application/import/"
    if way != "file":
        form = MACHINE if way == "form" else {"text": document}
    stale(server)
    prompt = visitor.client.post(action, data={**hidden(visitor.get(form_page).text), **form}, files=files)
    assert "proof-password" in prompt.text
    assert "Night shift" not in visitor.get("/developers/applications/").text, "nothing is made before"
    going_on = {name: html.unescape(value) for name, value in hidden(prompt.text).items()}
    created = visitor.client.post(action, data={**going_on, "proof-password": PASSWORD})
    assert created.status_code in (302, 303), created.text
    assert "Stop it from acting as me" in visitor.get(created.headers["location"]).text


def test_registering_what_does_not_act_asks_for_nothing(server: Server, visitor: Visitor) -> None:
    stale(server)
    quiet = {"text": json.dumps({**MACHINE, "switches": {"acts_as_owner": False}})}
    imported = "/developers/application/import/"
    assert visitor.submit(imported, imported, quiet).status_code in (302, 303)


# -- in two steps what is forbidden in one -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"switches": {"acts_as_owner": False}},
        {"kind": "server", "switches": {"acts_as_owner": False}, "redirect_uris": [EVIL]},
        {"kind": "device"},
        {"kind": "server", "profile": "compatibility", "redirect_uris": [EVIL]},
    ],
    ids=["acting", "kind-and-acting", "kind", "profile"],
)
def test_a_token_makes_no_machine_into_something_else(
    server: Server, ada: User, token: str, machine: tuple[int, str, str], change: dict[str, Any]
) -> None:
    """Else it would stop it, replace its secret, and wait for its owner to start it again."""
    number, client_id, secret = machine
    for maker in (token, server.token(ada)):
        document = call(server, "GET", number, "export/", maker).json()
        for method, body in (("PATCH", change), ("PUT", {**document, "profile": "", "switches": {}, **change})):
            refused = call(server, method, number, "", maker, body)
            assert needs_sign_in(refused), refused.text
        assert call(server, "GET", number, "export/", maker).json() == document
    assert alone(server, client_id, secret).status_code == 200


def test_a_token_stops_no_application_that_acts_by_the_switch(
    server: Server, visitor: Visitor, token: str, app: Registered
) -> None:
    number, page = app.application.id, page_of(app.application.id)
    visitor.submit(page, page + "switch/", {"switch": "acts_as_owner", "on": "1"})
    for change in ({"kind": "page"}, {"profile": "compatibility"}, {"switches": {"acts_as_owner": None}}):
        refused = call(server, "PATCH", number, "", token, change)
        assert needs_sign_in(refused), refused.text
    assert alone(server, app.client_id, app.secret).status_code == 200


def test_a_token_changes_the_texts_of_a_machine(server: Server, token: str, machine: tuple[int, str, str]) -> None:
    number, client_id, secret = machine
    changed = call(server, "PATCH", number, "", token, {"description": "Adds documents by day."})
    assert changed.json()["document"]["description"] == "Adds documents by day."
    assert alone(server, client_id, secret).status_code == 200


def test_a_token_ends_no_secret_of_a_machine(
    server: Server, visitor: Visitor, token: str, machine: tuple[int, str, str]
) -> None:
    """Its owner replaced it, and the old one works for a while, so that nothing stands still."""
    number, client_id, old = machine
    visitor.submit(page_of(number), page_of(number) + "secrets/", {"overlap": "24"})
    listed = call(server, "GET", number, "secrets/", token).json()["secrets"]
    assert len(listed) == 2
    refused = call(server, "DELETE", number, f"secrets/{listed[1]['id']}/", token)
    assert needs_sign_in(refused), refused.text
    assert alone(server, client_id, old).status_code == 200


def test_only_the_owner_of_a_machine_ends_its_old_secret(
    server: Server, visitor: Visitor, co: Visitor, machine: tuple[int, str, str]
) -> None:
    number, client_id, old = machine
    page = page_of(number)
    share(visitor, number)
    visitor.submit(page, page + "secrets/", {"overlap": "24"})
    assert ("End it now" in visitor.get(page).text, "End it now" in co.get(page).text) == (True, False)
    assert co.submit(page, page + "secrets/end/", {}).status_code == 403
    stale(server)
    assert "proof-password" in visitor.submit(page, page + "secrets/end/", {}).text
    assert alone(server, client_id, old).status_code == 200
    assert visitor.submit(page, page + "secrets/end/", {"proof-password": PASSWORD}).status_code == 303
    assert alone(server, client_id, old).json()["error"] == "invalid_client"


def test_the_old_secret_of_another_application_ends_as_before(
    server: Server, visitor: Visitor, token: str, app: Registered
) -> None:
    number, page = app.application.id, page_of(app.application.id)
    visitor.submit(page, page + "secrets/", {"overlap": "24"})
    old = call(server, "GET", number, "secrets/", token).json()["secrets"][1]["id"]
    assert call(server, "DELETE", number, f"secrets/{old}/", token).status_code == 204
    form = {"client_id": app.client_id, "client_secret": app.secret, "token": "x"}
    assert server.http.post("/api/oauthv2/introspect", data=form).json()["error"] == "invalid_client"


# -- tokens from before an application had scopes ----------------------------------------------------------------------


@pytest.fixture
def from_before(server: Server, visitor: Visitor, corp: User, app: Registered) -> tuple[Registered, list[str]]:
    """A helper that was of the compatible profile when Ada allowed it everything and became strict since: its token and
    what it made with that, neither of which has scopes."""
    old = server.register(corp, profile=Profile.COMPATIBILITY, name="Old helper")
    consent_page = ask(visitor, old, code_challenge="", code_challenge_method="")
    form = {"grant_type": "authorization_code", "code": query_of(allow(visitor, consent_page))["code"]}
    own = post(server, old, **form, redirect_uri=CALLBACK).json()["access_token"]
    body = {"name": "made", "days": 365}
    developer_token = call(server, "POST", app.application.id, "tokens/", own, body).json()["token"]
    strict = call(server, "PATCH", old.application.id, "", server.token(corp), {"profile": "strict"})
    assert strict.status_code == 200, strict.text
    assert opens(server, own, developer_token) == [(200, 200)] * 2
    return old, [own, developer_token]


def opens(server: Server, *secrets: str) -> list[tuple[int, int]]:
    """What each token answers for `search` and for `applications`."""
    return [(status_of(server, secret, "/api/v1/search/"), status_of(server, secret, API)) for secret in secrets]


def test_a_limit_narrows_tokens_from_before_there_were_scopes(
    server: Server, corp: User, from_before: tuple[Registered, list[str]]
) -> None:
    old, secrets = from_before
    limit = {"limit": ["search"]}
    assert call(server, "PUT", old.application.id, "scopes/", server.token(corp), limit).status_code == 200
    assert opens(server, *secrets) == [(200, 403)] * 2


def test_a_yes_with_scopes_narrows_tokens_from_before_there_were_any(
    server: Server, visitor: Visitor, from_before: tuple[Registered, list[str]]
) -> None:
    old, secrets = from_before
    bob = server.browser(server.user("bob"))
    allow(bob, ask(bob, old, scope="search"))
    assert opens(server, *secrets) == [(200, 200)] * 2, "somebody else's decision"
    allow(visitor, ask(visitor, old, scope="search library:read"), without=("library:read",))
    assert opens(server, *secrets) == [(200, 403)] * 2


def test_a_narrower_yes_narrows_the_tokens_of_the_application_too(
    server: Server, visitor: Visitor, ada: User, helper: Registered
) -> None:
    wide = tokens(server, ada, helper, "applications search")["access_token"]
    assert opens(server, wide) == [(200, 200)]
    allow(visitor, ask(visitor, helper, scope="applications search upload"), without=("search",))
    assert opens(server, wide) == [(403, 200)]


def test_a_yes_does_not_narrow_what_the_application_got_by_its_secret_alone(
    server: Server, visitor: Visitor, app: Registered
) -> None:
    """That comes from the switch, not from the consent of a person who signs in."""
    page = page_of(app.application.id)
    visitor.submit(page, page + "switch/", {"switch": "acts_as_owner", "on": "1"})
    by_secret = alone(server, app.client_id, app.secret, "search applications").json()["access_token"]
    allow(visitor, ask(visitor, app, scope="search upload"), without=("upload",))
    assert opens(server, by_secret, app.developer_token) == [(200, 200)] * 2
