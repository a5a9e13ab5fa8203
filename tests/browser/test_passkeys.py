"""Passkeys in a real Chromium with its virtual authenticator (WebAuthn level 2).

The server is called `localhost` here, since a passkey belongs to a host name, never to an IP address.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from tests.browser.conftest import free_port, is_up, shoot, wait_for
from tests.browser.test_pages import violations
from tests.oauth.flows import PKCE
from vitrine.accounts.tables import sessions, users
from vitrine.platform.database import Database

pytestmark = [pytest.mark.browser]
PASSWORD = "a long enough one"
CALLBACK = "https://notes.invalid/cb"


@dataclass(frozen=True, slots=True)
class Instance:
    base: str
    folder: Path

    def call(self, *arguments: str) -> Any:
        command = [sys.executable, "-m", "vitrine", *arguments, "--data", str(self.folder), "--json"]
        return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)

    def change(self, statement: sa.Update) -> None:
        database = Database.in_folder(self.folder)
        with database.write() as work:
            work.db.execute(statement)
        database.close()


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("passkeys") / "data"
    port = free_port()
    base = f"http://localhost:{port}"
    command = [sys.executable, "-m", "vitrine", "serve", "--data", str(folder), "--port", str(port), "--no-worker"]
    environment = {**os.environ, "VITRINE_BASE_URL": base}
    with (folder.parent / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: is_up(f"http://127.0.0.1:{port}/health"), 60, "the server answers")
            yield Instance(base, folder)
        finally:
            server.terminate()
            server.wait(20)


@dataclass(frozen=True, slots=True)
class Person:
    """A person with a browser that has a built-in authenticator."""

    instance: Instance
    login: str
    page: Page
    cdp: CDPSession
    authenticator: str

    def go(self, path: str) -> None:
        self.page.goto(self.instance.base + path)

    def sign_in(self) -> None:
        self.go("/login/")
        self.page.get_by_label("Login or e-mail").fill(self.login)
        self.page.get_by_label("Password").fill(PASSWORD)
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="Sign in").press("Enter")

    def forget_session(self) -> None:
        self.page.context.clear_cookies()

    def add_passkey(self, name: str = "This laptop") -> None:
        self.go("/account/security/")
        self.page.get_by_label("Name of the passkey").fill(name)
        self.page.get_by_role("button", name="Add a passkey").press("Enter")
        expect(self.page.get_by_role("heading", name=name)).to_be_visible()

    def authenticators_keys(self) -> list[dict[str, Any]]:
        response = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator})
        credentials: list[dict[str, Any]] = response["credentials"]
        return credentials


@pytest.fixture
def person(instance: Instance, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Person]:
    login = re.sub(r"[^a-z]", "", request.node.name)[-40:]
    instance.call("user", "add", login, "--password", PASSWORD)
    context: BrowserContext = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en")
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    added = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield Person(instance, login, page, cdp, added["authenticatorId"])
    context.close()


def test_a_passkey_is_added_and_opens_the_account_without_a_password(person: Person) -> None:
    page = person.page
    person.sign_in()
    person.add_passkey()
    assert len(page.locator("#codes li").all()) == 10, "the first passkey brings recovery codes"
    assert violations(page) == []
    shoot(page, "passkey-added")
    person.forget_session()
    person.go("/login/?redirect=%2Faccount%2F")
    button = page.get_by_role("button", name="Use a passkey")
    shoot(page, "passkey-sign-in")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{person.instance.base}/account/")
    person.go("/account/security/")
    expect(page.get_by_text("last used")).to_be_visible()
    person.page.get_by_role("button", name="Remove This laptop").press("Enter")
    expect(page.get_by_role("heading", name="This laptop")).to_be_hidden()
    person.forget_session()
    person.go("/login/")
    button.press("Enter")
    expect(page.locator("[data-passkey-note]")).to_have_text("This passkey is not known here.")
    assert [cookie for cookie in page.context.cookies() if cookie["name"] == "vitrine"] == []


def test_with_a_passkey_the_password_alone_opens_nothing(person: Person) -> None:
    page = person.page
    person.sign_in()
    person.add_passkey()
    person.forget_session()
    person.sign_in()
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    expect(page.get_by_text("Use your passkey, or type one of your recovery codes.")).to_be_visible()
    assert violations(page) == []
    shoot(page, "passkey-second-step")
    page.get_by_label("Code").fill("abcde-abcde-abcde")
    page.get_by_role("button", name="Sign in").press("Enter")
    expect(page.locator("#code-fault, .fault").first).to_contain_text("This code is not right")
    page.get_by_role("button", name="Use a passkey").press("Enter")
    page.wait_for_url(f"{person.instance.base}/")


def test_a_finger_that_is_not_the_persons_opens_nothing(person: Person) -> None:
    page = person.page
    person.sign_in()
    person.add_passkey()
    person.forget_session()
    person.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": person.authenticator, "isUserVerified": False})
    person.go("/login/")
    page.get_by_role("button", name="Use a passkey").press("Enter")
    expect(page.locator("[data-passkey-note]")).to_have_text(
        "The passkey did not work. Please try again or use a code."
    )
    assert [cookie for cookie in page.context.cookies() if cookie["name"] == "vitrine"] == []


def test_webauthn_6_1_1_a_copied_passkey_is_known_by_its_counter(person: Person) -> None:
    page = person.page
    person.sign_in()
    person.add_passkey()
    key = person.authenticators_keys()[0]
    person.forget_session()
    for _ in range(2):
        person.go("/login/")
        page.get_by_role("button", name="Use a passkey").press("Enter")
        page.wait_for_url(f"{person.instance.base}/")
        person.forget_session()
    person.cdp.send(
        "WebAuthn.removeCredential", {"authenticatorId": person.authenticator, "credentialId": key["credentialId"]}
    )
    copied = {**key, "signCount": 1}
    person.cdp.send("WebAuthn.addCredential", {"authenticatorId": person.authenticator, "credential": copied})
    person.go("/login/")
    page.get_by_role("button", name="Use a passkey").press("Enter")
    expect(page.locator("[data-passkey-note]")).to_have_text("This passkey did not answer correctly. Please try again.")
    assert [cookie for cookie in page.context.cookies() if cookie["name"] == "vitrine"] == []


def test_an_answer_works_once(person: Person) -> None:
    page = person.page
    person.sign_in()
    person.add_passkey()
    person.forget_session()
    sent: list[str] = []
    page.on(
        "request",
        lambda request: sent.append(request.post_data or "") if request.url.endswith("/login/passkey/") else None,
    )
    person.go("/login/")
    page.get_by_role("button", name="Use a passkey").press("Enter")
    page.wait_for_url(f"{person.instance.base}/")
    person.forget_session()
    person.go("/login/")
    replayed = page.evaluate(
        """async body => (await (await fetch("/login/passkey/", {method: "POST", body: new URLSearchParams(body),
        headers: {"X-Requested-With": "XMLHttpRequest", Accept: "application/json"}})).json())""",
        sent[0],
    )
    assert replayed == {"success": False, "message": "This took too long. Please try again."}


def test_a_sign_in_of_long_ago_is_made_fresh_before_a_passkey_is_added(person: Person) -> None:
    page = person.page
    person.sign_in()
    person.instance.change(sessions.update().values(auth_time=sessions.c.auth_time - sa.literal(3_600_000_000)))
    person.go("/account/security/")
    page.get_by_role("button", name="Add a passkey").press("Enter")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").press("Enter")
    page.get_by_label("Name of the passkey").fill("Key ring")
    page.get_by_role("button", name="Add a passkey").press("Enter")
    expect(page.get_by_role("heading", name="Key ring")).to_be_visible()


def test_who_has_a_passkey_shows_it_before_secrets_are_shown(person: Person) -> None:
    """The password of a stolen session is not enough to remove a passkey."""
    page = person.page
    person.sign_in()
    person.add_passkey()
    codes = page.locator("#codes li").all_inner_texts()
    long_ago = sessions.update().values(auth_time=sessions.c.auth_time - sa.literal(3_600_000_000))
    person.instance.change(long_ago)
    person.go("/account/security/")
    page.get_by_role("button", name="Remove This laptop").press("Enter")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("One of your recovery codes").fill("aaaaa-aaaaa-aaaaa")
    page.get_by_role("button", name="Continue").press("Enter")
    expect(page.get_by_text("This code is not right, or it was used already.").first).to_be_visible()
    assert violations(page) == []
    shoot(page, "passkey-prove")
    page.get_by_role("button", name="Use a passkey").press("Enter")
    page.wait_for_url(f"{person.instance.base}/account/security/#passkeys")
    expect(page.get_by_role("heading", name="This laptop")).to_be_visible()
    person.instance.change(long_ago)
    page.get_by_role("button", name="Remove This laptop").press("Enter")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("One of your recovery codes").fill(codes[0])
    page.get_by_role("button", name="Continue").press("Enter")
    expect(page.get_by_role("heading", name="This laptop")).to_be_hidden()


def test_a_passkey_signs_in_for_an_application_that_wants_a_new_sign_in(person: Person) -> None:
    """OpenID Connect Core section 3.1.2.1: `prompt=login` is answered by the passkey, and asked only once."""
    page, instance = person.page, person.instance
    person.sign_in()
    person.add_passkey()
    application = instance.call(
        "app", "add", f"Notes of {person.login}"[:60], "--website", "https://notes.invalid", "--description", "Notes.",
        "--callback", CALLBACK, "--profile", "strict", "--owner", person.login,
    )  # fmt: skip
    query = {
        "client_id": application["client_id"],
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "prompt": "login",
    }
    person.go(f"/api/oauthv2/authorize?{urlencode({**query, **PKCE, 'state': 's', 'scope': 'openid'})}")
    page.get_by_role("button", name="Use a passkey").press("Enter")
    page.get_by_role("button", name="Allow").wait_for()
    with page.expect_request(re.compile(re.escape(CALLBACK))) as back:
        page.get_by_role("button", name="Allow").press("Enter")
    parameters = parse_qs(urlsplit(back.value.url).query)
    assert (parameters["state"], parameters["iss"]) == (["s"], [instance.base])
    assert "code" in parameters
    database = Database.in_folder(instance.folder)
    with database.read() as work:
        session_count = sa.select(sa.func.count()).select_from(sessions).join(users, users.c.id == sessions.c.user_id)
        assert work.db.scalar(session_count.where(users.c.login == person.login)) == 1, "the earlier session has ended"
    database.close()
