"""Signing in through whole providers: Authlib's server half, and another Vitrine (contract 01 section 7.3)."""

import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.oauth.authlib_provider import CLIENT_ID, CLIENT_SECRET, AuthlibProvider
from tests.oauth.flows import allow, hidden, listening, query_of, set_redirects
from tests.oauth.provider import SECURITY, START, Lying, reason
from vitrine.accounts import COMMAND
from vitrine.accounts.identity_providers import store as external_store
from vitrine.applications import Profile
from vitrine.identity_provider_settings import Provider
from vitrine.testing.server import BASE, PASSWORD, Server, Visitor


def local(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


# -- Authlib --------------------------------------------------------------------------------------------------------


@pytest.fixture
def authlib() -> Iterator[AuthlibProvider]:
    server = AuthlibProvider(f"{BASE}/api/oauthv2/provider/authlib/callback/")
    yield server
    server.close()


def test_through_authlib_with_userinfo_and_elliptic_keys(tmp_path: Path, authlib: AuthlibProvider) -> None:
    offered = Provider(
        "authlib", "Authlib", authlib.issuer, CLIENT_ID, CLIENT_SECRET, link_by_email=True, internal=True,
        domains=("museum.example",),
    )  # fmt: skip
    server = Server(tmp_path / "data", sign_in_providers=(offered,))
    server.user("ada", email="ada@museum.example")
    for _ in range(2):
        visitor = server.browser()
        there = visitor.get("/login/provider/authlib/?redirect=/upload/")
        back = authlib.visit(there.headers["location"])
        assert visitor.get(back).headers["location"] == "/upload/"
        assert "<b>ada</b>" in visitor.get("/account/").text
    assert authlib.codes == {}
    server.close()


# -- another Vitrine ------------------------------------------------------------------------------------------------


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Server]:
    with listening(tmp_path / "other") as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, other: Server) -> Iterator[Server]:
    """A library whose people sign in at the other one."""
    owner = other.user("owner")
    app = other.register(owner, profile=Profile.STRICT)
    set_redirects(other, app, f"{BASE}/api/oauthv2/provider/other/callback/")  # http, as the servers of tests speak
    offered = Provider("other", "The other library", other.settings.base_url, app.client_id, app.secret, internal=True)
    server = Server(tmp_path / "site", sign_in_providers=(offered,))
    yield server
    server.close()


def through(other: Server, person: Visitor, address: str, *, password: bool = False) -> str:
    """The person's browser at the other library: signed in there, or signing in once more; back to the callback."""
    page = person.get(local(address))
    if password:
        assert 'name="password"' in page.text, "signed in there already, and asked all the same"
        form = {**hidden(page.text), "login": "ada", "password": PASSWORD, "action_login": "1"}
        page = person.client.post(local(address), data=form)
        page = person.get(local(page.headers["location"]))
    location = allow(person, page)
    assert query_of(location)["iss"] == other.settings.base_url
    return local(location)


def test_a_vitrine_signs_people_in_at_another_vitrine(site: Server, other: Server) -> None:
    there = other.user("ada", email="ada@museum.example")
    account = site.user("ada.martin", email="ada@museum.example")
    person = other.browser(there)
    stranger = site.browser()
    address = stranger.get("/login/provider/other/").headers["location"]
    assert reason(stranger.get(through(other, person, address))) == "unknown", "its addresses are not verified"

    mine = site.browser(account)
    page = mine.get(through(other, person, mine.get(f"{SECURITY}connected/other/").headers["location"]))
    assert "The other library" in page.text
    assert mine.client.post(f"{SECURITY}connected/", data=hidden(page.text)).status_code == 303

    address = stranger.get("/login/provider/other/?redirect=/upload/").headers["location"]
    assert stranger.get(through(other, person, address)).headers["location"] == "/upload/"
    assert "<b>ada.martin</b>" in stranger.get("/account/").text

    prove = "/login/provider/other/prove/?redirect=/account/security/"
    address = stranger.get(prove).headers["location"]
    assert stranger.get(through(other, person, address, password=True)).headers["location"] == SECURITY


def test_keys_that_the_other_vitrine_changes_are_found(site: Server, other: Server) -> None:
    there, account = other.user("ada"), site.user("ada")
    with site.services.database.write() as work:
        assert external_store.add(work, account.id, other.settings.base_url, str(there.id), "")
    person = other.browser(there)
    for changed in range(3):
        visitor = site.browser()
        address = visitor.get("/login/provider/other/").headers["location"]
        assert visitor.get(through(other, person, address)).headers["location"] == "/"
        if changed < 2:
            other.services.oauth.server.keys.rotate(COMMAND)
            client = site.services.accounts.identity_providers._clients["other"]
            client._known.keys_at -= 61  # the next one was published before, or is asked for after a minute


def test_people_who_wait_for_a_provider_keep_nobody_else_waiting(tmp_path: Path, provider: Lying) -> None:
    """More of them than there are threads; a sign-in with a password, which needs some, is answered meanwhile."""
    with listening(tmp_path / "data", sign_in_providers=(provider.described(),)) as server:
        server.user("ada")
        base, locations = server.settings.base_url, []
        provider.gate.clear()

        def start() -> None:
            locations.append(httpx.get(base + START, timeout=60).headers["location"])

        threads = [threading.Thread(target=start) for _ in range(50)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(6):
                assert provider.waiting.acquire(timeout=20)
            with httpx.Client(base_url=base, timeout=20) as client:
                form = {**hidden(client.get("/login/").text), "login": "ada", "password": PASSWORD}
                assert client.post("/login/", data=form).status_code == 303
            assert locations == []
        finally:
            provider.gate.set()
            for thread in threads:
                thread.join()
    assert len(locations) == 50
    assert all(location.startswith(f"{provider.issuer}/authorize?") for location in locations)
