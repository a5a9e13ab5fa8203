"""The portal's newer pages: no axe violation, no sideways scrolling, usable by keyboard and without script."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, shoot, sign_in
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser
ONE = "/developers/application/2/"
PAGES = {
    "new-application": "/developers/application/new/", "import": "/developers/application/import/",
    "settings": ONE, "edit": f"{ONE}edit/", "people": f"{ONE}people/", "start": f"{ONE}start/",
    "usage": f"{ONE}usage/", "try": f"{ONE}try/", "security": "/account/security/",
}  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_portals_pages_have_no_violation(browser: Browser, site: Site, width: int, scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light", locale="en"
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    sign_in(page, site)
    token = {"Authorization": f"Bearer {site.demo['web_app']['developer_token']}"}
    # The longest route: its name fills the lists of the usage page.
    assert httpx.post(f"{site.base}/api/v1/records/1/999/setmetadatas/", headers=token).status_code >= 400
    page.goto(site.base + ONE)
    errors.clear()  # errors of pictures that were still being made
    faults: dict[str, object] = {}
    for name, path in PAGES.items():
        page.goto(site.base + path)
        page.wait_for_load_state("networkidle")
        shoot(page, f"portal-{name}-{width}-{scheme}")
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
        if wide or violations(page):
            faults[name] = (wide, violations(page))
    context.close()
    assert faults == {}
    assert errors == []


def test_what_is_wrong_with_an_address_is_said_while_it_is_typed(page: Page, site: Site) -> None:
    sign_in(page, site)
    page.goto(f"{site.base}{ONE}")
    field = page.get_by_label("Another address")
    field.press_sequentially("ftp://somewhere")
    expect(page.locator("#redirect-check")).to_contain_text("This must be a whole web address")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("https://somewhere.example/cb")
    expect(page.locator("#redirect-check")).to_have_text("")


def test_the_preview_follows_what_is_typed(page: Page, site: Site) -> None:
    sign_in(page, site)
    page.goto(f"{site.base}{ONE}edit/")
    page.get_by_label("Publisher").fill("The Harbour Museum")
    expect(page.locator("[data-shows=publisher]")).to_have_text("The Harbour Museum")


def test_the_console_runs_without_script_and_as_oneself(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    sign_in(page, site)
    page.goto(f"{site.base}{ONE}try/")
    page.get_by_label("Call").select_option("GET /api/v1/search/")
    page.get_by_label("Parameters").fill("query=\nper_page=1")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer .tag")).to_have_text("200")
    expect(page.get_by_role("region", name="Body of the answer")).to_contain_text('"http_code": 200')
    shoot(page, "portal-try-answer")
    page.goto(f"{site.base}{ONE}usage/")
    expect(page.locator("#requests")).to_contain_text("/api/v1/search/")
    shoot(page, "portal-usage-with-calls")
    context.close()


def test_a_newcomer_gets_a_photograph_with_the_portals_snippets_alone(page: Page, site: Site, tmp_path: Path) -> None:
    """The snippets run as pasted, with the page's own text and the token shown by the portal."""
    sign_in(page, site)
    page.goto(f"{site.base}{ONE}")
    page.get_by_label("Name of the token").fill("Newcomer")
    page.get_by_role("button", name="Make a token").click()
    token = page.locator("#named-token").inner_text()
    page.goto(f"{site.base}{ONE}start/")
    environment = {**os.environ, "VITRINE_TOKEN": token}
    for name, command in (("curl", ["sh"]), ("python", [sys.executable, "-"])):
        text = page.locator(f"#snippet-{name}").inner_text()
        folder = tmp_path / name
        folder.mkdir()
        done = subprocess.run(
            command, input=text, text=True, cwd=folder, env=environment, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        viewer = page.context.new_page()
        viewer.goto((folder / "photograph.html").as_uri())
        width = "document.querySelector('img')?.naturalWidth > 50"
        viewer.wait_for_function(width)
        viewer.close()


def test_an_authenticator_app_is_set_up_and_asked_for_at_both_sign_ins(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    sign_in(page, site, "admin" if "admin" in site.demo else "user")
    page.goto(f"{site.base}/account/security/")
    page.get_by_role("button", name="Set up an app").click()
    totp = pyotp.TOTP(page.locator("#key").inner_text().replace(" ", ""))
    shoot(page, "portal-security-qr")
    page.get_by_label("Type the six digits").fill(totp.now())
    page.get_by_role("button", name="Switch it on").click()
    codes = page.locator("#codes li").all_inner_texts()
    assert len(codes) == 10
    shoot(page, "portal-security-codes")
    person = site.demo["admin" if "admin" in site.demo else "user"]
    client = site.demo["web_app"]["client_id"]
    other = browser.new_context(java_script_enabled=False, locale="en")
    stranger = other.new_page()
    stranger.route("http://127.0.0.1:8001/**", lambda route: route.fulfill(body="back"))
    authorize = f"/api/oauthv2/authorize?client_id={client}&response_type=code"
    # The last one was allowed before: its second step leads straight back to the application, without our pages.
    for number, path in enumerate(("/login/", authorize, authorize)):
        other.clear_cookies()
        stranger.goto(site.base + path)
        stranger.get_by_label("Login or e-mail").fill(person["login"])
        stranger.get_by_label("Password").fill(person["password"])
        stranger.get_by_role("button", name="Sign in").click()
        expect(stranger.get_by_role("heading", name="Second step")).to_be_visible()
        shoot(stranger, "portal-second-step")
        stranger.get_by_label("Code").fill(codes[number])
        stranger.get_by_role("button", name="Sign in").click()
        expect(stranger.get_by_role("heading", name="Second step")).to_be_hidden()
        stranger.wait_for_load_state()
        if stranger.get_by_role("button", name="Allow").is_visible():
            stranger.get_by_role("button", name="Allow").click()
        if path == authorize:
            stranger.wait_for_url("http://127.0.0.1:8001/**")
    page.goto(f"{site.base}/account/security/")
    expect(page.get_by_text("7 left")).to_be_visible()
    page.get_by_role("button", name="Remove the app").click()
    expect(page.get_by_role("button", name="Set up an app")).to_be_visible()
    other.close()
    context.close()
