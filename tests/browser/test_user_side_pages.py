"""The user's side in a real browser: a provider's button, consent, granted access, and related pages."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import shoot
from tests.browser.test_pages import violations
from tests.oauth.provider import FakeProvider
from vitrine.accounts import Via
from vitrine.accounts.tables import linked_identities
from vitrine.applications import Profile, store
from vitrine.testing.server import PASSWORD, Registered, Server

pytestmark = [pytest.mark.browser]
SCOPE = "openid library:read search originals upload account:read"


class Library:
    """A listening library, a provider, and another person's application that may ask for everything."""

    def __init__(self, folder: Path) -> None:
        self.provider = FakeProvider()
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        offered = (self.provider.described(link_by_email=True, create_accounts=True),)
        self.server = Server(folder, base_url=self.base, sign_in_providers=offered)
        self.ada = self.server.user("ada", first_name="Ada", last_name="Martin", email="ada@museum.example")
        self.owner = self.server.user("owner", first_name="Grace", last_name="Owner")
        self.app = self._application()
        self._running = uvicorn.Server(uvicorn.Config(self.server.application, log_level="error", lifespan="off"))
        self._thread = threading.Thread(target=self._running.run, args=([self._listener],))
        self._thread.start()
        while not self._running.started:
            time.sleep(0.01)

    def _application(self) -> Registered:
        registered = self.server.register(
            self.owner, profile=Profile.STRICT, name="Field Notes", callback=f"{self.provider.issuer}/elsewhere",
            description="Puts photographs of the collection beside what you write in the field.",
        )  # fmt: skip
        with self.server.services.database.write() as work:
            texts = {
                "publisher": "The Harbour Museum", "privacy_url": "https://notes.example.com/privacy",
                "terms_url": "https://notes.example.com/terms", "contact": "help@notes.example.com",
            }  # fmt: skip
            store.update(work, registered.application.id, texts)
        return registered

    def authorize(self, **parameters: str) -> str:
        values = {
            "client_id": self.app.client_id, "response_type": "code", "redirect_uri": self.app.application.callback,
            "state": "s", "scope": SCOPE, "code_challenge": "c" * 43, "code_challenge_method": "S256", **parameters,
        }  # fmt: skip
        return f"{self.base}/api/oauthv2/authorize?{urlencode(values)}"

    def close(self) -> None:
        self._running.should_exit = True
        self._thread.join()
        self.server.close()
        self._listener.close()
        self.provider.close()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "data")
    yield library
    library.close()


def sign_in(page: Page, library: Library, login: str) -> None:
    page.goto(f"{library.base}/login/")
    page.get_by_label("Login or e-mail").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{library.base}/")


def page_faults(page: Page, name: str) -> list[str]:
    """Takes a screenshot; returns the faults: violations, or sideways scrolling."""
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 0)")  # so that nothing hidden under the bar counts as a small target
    shoot(page, name)
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    return violations(page) + (["sideways"] if wide else [])


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_pages_of_the_users_side_have_no_violation(
    browser: Browser, library: Library, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light", locale="en"
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    faults_by_page: dict[str, list[str]] = {}

    def check(name: str, address: str = "") -> None:
        if address:
            page.goto(address)
        faults = page_faults(page, f"user-{name}-{width}-{scheme}")
        if faults:
            faults_by_page[name] = faults

    check("login", f"{library.base}/login/?reason=down&provider=museum")
    check("oauth-sign-in", library.authorize())
    page.get_by_role("link", name="Sign in with Museum SSO").click()
    check("consent")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url("**/elsewhere?**")
    check("authorised", f"{library.base}/account/security/applications/")
    page.get_by_text("What it may do").click()
    check("authorised-open")
    page.get_by_role("button", name="Revoke access").click()
    check("authorised-revoked")
    check("security", f"{library.base}/account/security/?reason=other&provider=museum")
    page.get_by_role("button", name="Remove Museum SSO").click()
    expect(
        page.get_by_role("heading", name="Sign in")
    ).to_be_visible()  # the session that the identity had opened ended
    sign_in(page, library, "ada")
    check("security-removed", f"{library.base}/account/security/")
    page.get_by_role("link", name="Connect Museum SSO").click()
    check("connect")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("Connected. You can sign in with it from now on.")).to_be_visible()
    check("prove", f"{library.base}/login/prove/?redirect=/account/security/")
    context.clear_cookies()
    sign_in(page, library, "owner")
    errors.clear()
    check("mismatch", library.authorize(redirect_uri=f"{library.provider.issuer}/Elsewhere/?a=1"))
    assert [error for error in errors if "400" not in error] == []
    context.close()
    assert faults_by_page == {}


def test_the_whole_way_by_keyboard_and_without_script(browser: Browser, library: Library) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    page.goto(library.authorize())
    link = page.get_by_role("link", name="Sign in with Museum SSO")
    link.focus()
    link.press("Enter")
    page.get_by_label("Add documents in your name").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Allow").press("Enter")
    page.wait_for_url("**/elsewhere?**")
    assert "code=" in page.url
    assert "state=s" in page.url
    with library.server.services.database.read() as work:
        account = library.server.services.applications.consents.account(work, library.ada.id, library.app.application)
    assert account is not None
    assert account.granted_scope is not None
    assert "upload" not in account.granted_scope
    context.close()


def test_deny_is_as_easy_as_allow_and_not_you_asks_anew(page: Page, library: Library) -> None:
    sign_in(page, library, "owner")
    page.goto(library.authorize())
    deny, allow = page.get_by_role("button", name="Deny"), page.get_by_role("button", name="Allow")
    deny_box, allow_box = deny.bounding_box(), allow.bounding_box()
    assert deny_box is not None
    assert allow_box is not None
    assert (deny_box["y"], deny_box["height"], deny_box["width"]) == (
        allow_box["y"],
        allow_box["height"],
        allow_box["width"],
    )
    page.get_by_role("button", name="Not you?").click()
    page.get_by_role("link", name="Sign in with Museum SSO").click()
    expect(page.get_by_text("Signed in as Ada Martin.")).to_be_visible()
    page.get_by_role("button", name="Deny").click()
    page.wait_for_url("**/elsewhere?**")
    assert "error=access_denied" in page.url
    assert "state=s" in page.url


def test_who_has_no_password_proves_who_they_are_at_the_provider(page: Page, library: Library) -> None:
    library.provider.claims |= {"email": "new@museum.example"}
    page.goto(f"{library.base}/login/")
    page.get_by_role("link", name="Sign in with Museum SSO").click()
    page.wait_for_url(f"{library.base}/")
    with library.server.services.database.write() as work:
        accounts = library.server.services.accounts
        user = accounts.users.find(work, "new@museum.example")
        linked = work.db.execute(linked_identities.select()).one()
        assert linked.user_id == user.id
        actor = accounts.users.actor_of(work, user, Via.COMMAND)
        assert actor.rights.collections == {}
    page.goto(f"{library.base}/login/prove/?redirect=/account/security/")
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    expect(page.get_by_label("Password")).to_have_count(0)
    shoot(page, "user-prove-without-password")
    assert violations(page) == []
    page.get_by_role("link", name="Sign in again with Museum SSO").click()
    page.wait_for_url("**/account/security/")
    page.goto(f"{library.base}/account/reset-password/")
    shoot(page, "user-password-none")
    assert violations(page) == []
