"""The switch table of design 5.3: every profile, switch, choice and server policy, seen through HTTP.

The expectations below are written down again from the design, so that a slip in `applications.profiles` shows here.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx2 as httpx
import pytest

from vitrine.accounts import User, Via
from vitrine.applications import OUT_OF_BAND, Application, Policy, Profile, Switch, store
from vitrine.applications.profiles import TABLE
from vitrine.errors import Invalid
from vitrine.testing.server import CALLBACK, PASSWORD, Registered, Server, Visitor, hidden, query_of

AUTHORIZE, TOKEN = "/api/oauthv2/authorize", "/api/oauthv2/token"
LOOPBACK = "http://127.0.0.1/cb"
PRIVATE = "com.example.notes:/cb"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}

ORDER = (Profile.STRICT, Profile.COMPATIBILITY, Profile.DESKTOP, Profile.PUBLIC)
# Rows of design 5.3: strict, compatibility, desktop, public.
DESIGN = {
    Switch.PASSWORD_GRANT: ("off", "off", "off", "never"),
    Switch.IMPLICIT: ("never", "on", "off", "never"),
    Switch.PARAMETER_TOKEN: ("never", "on", "off", "never"),
    Switch.SECRET_REQUIRED: ("always", "on", "never", "never"),
    Switch.PKCE_REQUIRED: ("always", "never", "always", "always"),
    Switch.ENDLESS_TOKEN: ("never", "always", "off", "never"),
    Switch.ACTS_AS_OWNER: ("off", "never", "never", "never"),  # docs/decisions/0041
}
CELLS = {(switch, profile): DESIGN[switch][place] for switch in DESIGN for place, profile in enumerate(ORDER)}
CASES = [
    pytest.param(policy, profile, switch, choice, id=f"{policy}-{profile}-{switch}-{choice or 'untouched'}")
    for policy, (switch, profile), choice in product(Policy, CELLS, (None, "on", "off"))
    if choice is None or CELLS[switch, profile] in ("on", "off")
]


def works(policy: Policy, profile: Profile, switch: Switch, choice: str | None) -> bool:
    """docs/decisions/0025 in words: fixed cells stay; refuse turns every deprecated feature off and asks for secrets;
    allow turns on what a client may ask for unless its owner said no."""
    cell = CELLS[switch, profile]
    if cell in ("always", "never"):
        return cell == "always"
    if policy is Policy.REFUSE and switch is not Switch.ACTS_AS_OWNER:
        return switch is Switch.SECRET_REQUIRED
    if choice is not None:
        return choice == "on"
    is_policed = switch in (Switch.PASSWORD_GRANT, Switch.IMPLICIT, Switch.PARAMETER_TOKEN)
    return cell == "on" or (policy is Policy.ALLOW and is_policed)


@dataclass(slots=True)
class Place:
    """One server under one policy, with its owner signed in."""

    server: Server
    ada: User
    visitor: Visitor


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Policy, Place]]:
    places: dict[Policy, Place] = {}
    for policy in Policy:
        server = Server(tmp_path_factory.mktemp(policy.value), deprecated_features=policy.value)
        ada = server.user("ada")
        places[policy] = Place(server, ada, server.browser(ada))
    yield places
    for place in places.values():
        place.server.close()


def register(place: Place, profile: Profile) -> Registered:
    """An application of the profile; those that may have more addresses get a loopback and a private one as well."""
    app = place.server.register(place.ada, kind="desktop" if profile is Profile.DESKTOP else "web", profile=profile)
    if profile in (Profile.DESKTOP, Profile.PUBLIC):
        first = OUT_OF_BAND if profile is Profile.DESKTOP else CALLBACK
        with place.server.services.database.write() as work:
            store.set_redirects(work, app.application.id, [first, LOOPBACK, PRIVATE])
    return app


def choose(place: Place, application: Application, switch: Switch, choice: str) -> None:
    with place.server.services.database.write() as work:
        actor = place.server.services.accounts.users.actor_of(work, place.ada, Via.COMMAND)
        place.server.services.applications.registry.set_switch(work, actor, application.id, switch, on=choice == "on")


def where(profile: Profile) -> str:
    return LOOPBACK if profile is Profile.DESKTOP else CALLBACK


def ask(place: Place, app: Registered, profile: Profile, **parameters: str) -> httpx.Response:
    values = {"client_id": app.client_id, "redirect_uri": where(profile), **parameters}
    return place.visitor.get(f"{AUTHORIZE}?{urlencode(values)}")


def allow(place: Place, page: httpx.Response) -> str:
    """Say yes where the page asks; the address that the browser is sent to."""
    if page.status_code == 302:
        return str(page.headers["location"])
    assert page.status_code == 200, page.headers
    answer = place.visitor.client.post(AUTHORIZE, data={**hidden(page.text), "action_accept": "1"})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


def exchange(place: Place, app: Registered, profile: Profile) -> dict[str, object]:
    """A code, and what the token endpoint gives for it."""
    location = allow(place, ask(place, app, profile, response_type="code", **PKCE))
    form = {
        "grant_type": "authorization_code", "client_id": app.client_id, "client_secret": app.secret,
        "redirect_uri": where(profile), "code": query_of(location)["code"], "code_verifier": VERIFIER,
    }  # fmt: skip
    answer = place.server.http.post(TOKEN, data=form)
    assert answer.status_code == 200, answer.text
    value: dict[str, object] = answer.json()
    return value


def see_password_grant(place: Place, app: Registered, _profile: Profile) -> bool:
    form = {
        "grant_type": "password", "client_id": app.client_id, "client_secret": app.secret, "username": "ada",
        "password": PASSWORD,
    }  # fmt: skip
    answer = place.server.http.post(TOKEN, data=form)
    assert answer.status_code == 200 or answer.json()["error"] == "unsupported_grant_type"
    return bool(answer.status_code == 200)


def see_implicit(place: Place, app: Registered, profile: Profile) -> bool:
    seen = set()
    for kind in ("token", "code-and-token"):
        answer = ask(place, app, profile, response_type=kind, **PKCE)
        if answer.status_code == 302 and "error=" in answer.headers["location"]:
            assert "error=unauthorized_client" in answer.headers["location"]
            seen.add(False)
        else:
            location = allow(place, answer)
            assert urlsplit(location).fragment.startswith("access_token=vit_at_")
            seen.add(True)
    assert len(seen) == 1, "both kinds go by the same switch"
    return True in seen


def see_parameter_token(place: Place, app: Registered, _profile: Profile) -> bool:
    query = place.server.http.get(f"/api/v1/me/?oauth_token={app.developer_token}")
    form = place.server.http.post("/api/v1/search/", data={"oauth_token": app.developer_token})
    header = place.server.call("GET", "/api/v1/me/", app.developer_token)
    assert header.status_code == 200, "a header always works"
    assert query.status_code == form.status_code
    assert query.status_code in (200, 400)
    return query.status_code == 200


def see_secret_required(place: Place, app: Registered, profile: Profile) -> bool:
    form = {
        "grant_type": "authorization_code", "client_id": app.client_id, "code": "none", "redirect_uri": where(profile),
    }  # fmt: skip
    without = place.server.http.post(TOKEN, data=form).json()["error"]
    wrong = place.server.http.post(TOKEN, data={**form, "client_secret": "wrong"}).json()["error"]
    assert wrong == "invalid_client", "one that is sent must be right"
    assert without in ("invalid_client", "invalid_grant")
    return bool(without == "invalid_client")


def see_pkce_required(place: Place, app: Registered, profile: Profile) -> bool:
    answer = ask(place, app, profile, response_type="code")
    if answer.status_code == 302:
        assert query_of(answer.headers["location"])["error"] == "invalid_request"
    return answer.status_code == 302


def see_endless_token(place: Place, app: Registered, profile: Profile) -> bool:
    answer = exchange(place, app, profile)
    assert answer.get("expires_in") in (None, 3600)
    assert ("refresh_token" in answer) is ("expires_in" in answer), "a token with an end comes with a refresh token"
    return "expires_in" not in answer


def see_acts_as_owner(place: Place, app: Registered, profile: Profile) -> bool:
    form = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": app.secret}
    answer = place.server.http.post(TOKEN, data=form)
    errors = ("invalid_request", "unauthorized_client")
    assert answer.status_code == 200 or answer.json()["error"] == errors[profile is not Profile.COMPATIBILITY]
    return bool(answer.status_code == 200)


SEE = {
    Switch.PASSWORD_GRANT: see_password_grant,
    Switch.IMPLICIT: see_implicit,
    Switch.PARAMETER_TOKEN: see_parameter_token,
    Switch.SECRET_REQUIRED: see_secret_required,
    Switch.PKCE_REQUIRED: see_pkce_required,
    Switch.ENDLESS_TOKEN: see_endless_token,
    Switch.ACTS_AS_OWNER: see_acts_as_owner,
}


def test_design_5_3_the_table_is_the_one_of_the_design() -> None:
    assert {(switch, profile): cell.value for switch, row in TABLE.items() for profile, cell in row.items()} == CELLS
    assert set(SEE) == set(Switch), "every switch is looked at"


@pytest.mark.parametrize(("policy", "profile", "switch", "choice"), CASES)
def test_design_5_3_every_cell(
    places: dict[Policy, Place], policy: Policy, profile: Profile, switch: Switch, choice: str | None
) -> None:
    place = places[policy]
    app = register(place, profile)
    if choice is not None:
        choose(place, app.application, switch, choice)
    assert SEE[switch](place, app, profile) is works(policy, profile, switch, choice)


@pytest.mark.parametrize(("switch", "profile"), [key for key, cell in CELLS.items() if cell in ("always", "never")])
def test_design_5_3_what_is_fixed_cannot_be_chosen(
    places: dict[Policy, Place], switch: Switch, profile: Profile
) -> None:
    place = places[Policy.ALLOW]
    app = register(place, profile)
    for choice in ("on", "off"):
        with pytest.raises(Invalid):
            choose(place, app.application, switch, choice)


EXACT = {CALLBACK: True, f"{CALLBACK}/more": False, f"{CALLBACK}?x=1": False, CALLBACK.upper(): False}
NATIVE = {
    LOOPBACK: True, "http://127.0.0.1:4711/cb": True, "http://127.0.0.1:4711/other": False, PRIVATE: True,
    "com.example.notes:/other": False, "http://10.0.0.1/cb": False, "http://localhost:4711/cb": False,
}  # fmt: skip
REDIRECTS = {
    Profile.STRICT: EXACT,
    Profile.COMPATIBILITY: {
        CALLBACK: True, f"{CALLBACK}/more": True, f"{CALLBACK}?x=1": True, f"{CALLBACK}x": False,
        "https://notes.example.com/CB/more": True, "https://notes.example.com/": False,
    },
    Profile.DESKTOP: {OUT_OF_BAND: True, **NATIVE},
    Profile.PUBLIC: {**EXACT, **NATIVE},
}  # fmt: skip


@pytest.mark.parametrize("profile", ORDER)
def test_design_5_3_redirect_addresses(places: dict[Policy, Place], profile: Profile) -> None:
    place = places[Policy.FLAGGED]
    app = register(place, profile)
    for address, is_good in REDIRECTS[profile].items():
        values = {"client_id": app.client_id, "response_type": "code", "redirect_uri": address, **PKCE}
        answer = place.visitor.get(f"{AUTHORIZE}?{urlencode(values)}")
        assert (answer.status_code == 200) is is_good, address
        assert answer.status_code in (200, 400), address


@pytest.mark.parametrize("profile", ORDER)
def test_design_5_3_answers_and_scope(places: dict[Policy, Place], profile: Profile) -> None:
    place = places[Policy.FLAGGED]
    app = register(place, profile)
    old = profile is Profile.COMPATIBILITY
    refused = ask(place, app, profile, response_type="code", scope="read", state="s", **PKCE).headers["location"]
    issuer = {"iss": place.server.settings.base_url}
    why = {} if old else {"error_description": "A scope is unknown or not open to this application."}
    assert query_of(refused) == {"error": "invalid_scope", "state": "s", **issuer, **why}, (
        "01 section 3.1: old ones get none"
    )
    location = allow(place, ask(place, app, profile, response_type="code", state="s", **PKCE))
    assert {name: value for name, value in query_of(location).items() if name != "code"} == {"state": "s", **issuer}
    answer = exchange(place, app, profile)
    new = ["access_token", "token_type", "expires_in", "refresh_token", "scope"]
    assert list(answer) == (["access_token", "scope", "token_type"] if old else new)


def test_design_5_3_an_idle_token_ends_after_90_days(places: dict[Policy, Place]) -> None:
    place = places[Policy.FLAGGED]
    app = register(place, Profile.COMPATIBILITY)
    token = str(exchange(place, app, Profile.COMPATIBILITY)["access_token"])
    day = 86_400_000_000
    for days, status in ((89, 200), (91, 401)):
        with place.server.services.database.write() as work:
            created = int(work.now.timestamp() * 1_000_000) - days * day
            work.db.exec_driver_sql(
                f"UPDATE access_tokens SET last_used = NULL, created = {created} WHERE idle_limit_s IS NOT NULL"
            )
        answer = place.server.call("GET", "/api/v1/me/", token)
        assert answer.status_code == status
        place.server.services.deferred_writes.flush()
    assert "error='expired_token'" in answer.headers["www-authenticate"]


def test_design_5_3_the_days_of_an_idle_token_can_be_chosen(tmp_path: Path) -> None:
    server = Server(tmp_path / "week", token_idle_days=7)
    ada = server.user("ada")
    app = server.register(ada, profile=Profile.COMPATIBILITY, on=(Switch.PASSWORD_GRANT,))
    form = {"grant_type": "password", "username": "ada", "password": PASSWORD, "client_id": app.client_id}
    form["client_secret"] = app.secret
    token = server.http.post("/api/oauthv2/token", data=form).json()["access_token"]
    day = 86_400_000_000
    for days, status in ((6, 200), (8, 401)):
        with server.services.database.write() as work:
            created = int(work.now.timestamp() * 1_000_000) - days * day
            work.db.exec_driver_sql(
                f"UPDATE access_tokens SET last_used = NULL, created = {created} WHERE idle_limit_s IS NOT NULL"
            )
        assert server.call("GET", "/api/v1/me/", token).status_code == status
        server.services.deferred_writes.flush()
    server.close()


def test_design_5_3_the_owners_page_turns_every_choice(places: dict[Policy, Place]) -> None:
    place = places[Policy.FLAGGED]
    for profile in (Profile.COMPATIBILITY, Profile.DESKTOP):
        app = register(place, profile)
        page = f"/developers/application/{app.application.id}/"
        for switch in Switch:
            shown = f'id="feature-{switch.value}"' in place.visitor.get(page).text
            assert shown is (CELLS[switch, profile] in ("on", "off") and switch is not Switch.PASSWORD_GRANT), switch
            if not shown:
                continue
            before = SEE[switch](place, app, profile)
            answer = place.visitor.submit(
                page, page + "switch/", {"switch": switch.value, "on": "0" if before else "1"}
            )
            assert (answer.status_code, answer.headers["location"]) == (303, page + "#deprecated-features")
            assert SEE[switch](place, app, profile) is not before


def test_design_5_3_somebody_else_cannot_turn_them(places: dict[Policy, Place]) -> None:
    place = places[Policy.FLAGGED]
    app = register(place, Profile.COMPATIBILITY)
    eve = place.server.browser(place.server.user("eve"))
    page = f"/developers/application/{app.application.id}/"
    for tail, values in (("switch/", {"switch": "implicit", "on": "0"}), ("list-shapes/", {"list_shapes": "lists"})):
        answer = eve.submit("/developers/application/new/", page + tail, values)
        assert answer.status_code == 404
        refused = place.visitor.submit(page, page + tail, {"switch": "nothing", "list_shapes": "nothing"})
        assert refused.status_code == 400
        assert place.visitor.client.post(page + tail, data=values).status_code == 403, "no form token"


def test_design_5_1_the_owner_chooses_the_shape_of_lists(places: dict[Policy, Place]) -> None:
    place = places[Policy.FLAGGED]
    app = register(place, Profile.COMPATIBILITY)
    page = f"/developers/application/{app.application.id}/"
    agent = {"User-Agent": "Phraseanet SDK Player/4.1"}
    for choice, plain, sdk in (("lists", list, list), ("objects", dict, dict), ("automatic", dict, list)):
        assert place.visitor.submit(page, page + "list-shapes/", {"list_shapes": choice}).status_code == 303
        for headers, kind in (({}, plain), (agent, sdk)):
            databoxes = place.server.get("/databoxes/list/", app.developer_token, headers=headers)["databoxes"]
            assert isinstance(databoxes, kind), choice
