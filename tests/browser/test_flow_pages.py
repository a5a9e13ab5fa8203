"""The pages on which a person gives an application access: consent, the code to copy, devices, the second step.

Issue 4: every page in light and dark, by keyboard, without axe violations or sideways scrolling, and without script.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, shoot, sign_in
from tests.browser.test_pages import violations
from tests.oauth.flows import DEVICE, DEVICE_GRANT, PKCE, TOKEN, VERIFIER

pytestmark = [pytest.mark.browser]
SCOPES = "library:read search upload delete openid email"
FORMS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


@pytest.fixture(params=FORMS, ids=str)
def signed_in_page(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[tuple[Page, str]]:
    """A signed-in page of one width and scheme."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en")
    page = context.new_page()
    sign_in(page, site)
    yield page, f"{width}-{scheme}"
    context.close()


@pytest.fixture
def page_without_script(browser: Browser, site: Site) -> Iterator[Page]:
    """A signed-in page without script."""
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    sign_in(page, site)
    yield page
    context.close()


def authorize_address(site: Site, app: str, **more: str) -> str:
    application = site.demo[app]
    query = {
        "client_id": application["client_id"],
        "response_type": "code",
        "redirect_uri": application["redirect_uri"],
    }
    if app != "desktop_app":
        query |= {"scope": SCOPES, "state": "s-1", **PKCE}
    return f"{site.base}/api/oauthv2/authorize?{urlencode({**query, **more})}"


def start_device_flow(site: Site, scope: str = "library:read upload") -> dict[str, Any]:
    client = {"client_id": site.demo["public_app"]["client_id"], "scope": scope}
    offered: dict[str, Any] = httpx.post(site.base + DEVICE, data=client).json()
    return offered


def poll(site: Site, offered: dict[str, Any]) -> dict[str, Any]:
    form = {"client_id": site.demo["public_app"]["client_id"], "grant_type": DEVICE_GRANT}
    response: dict[str, Any] = httpx.post(
        site.base + TOKEN, data={**form, "device_code": offered["device_code"]}
    ).json()
    return response


def check_page(page: Page, name: str) -> None:
    """Checks axe and the width, and takes a screenshot."""
    shoot(page, name)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), "the page scrolls sideways"
    assert violations(page) == [], name


def test_no_page_of_the_flow_has_a_violation(signed_in_page: tuple[Page, str], site: Site) -> None:
    page, form = signed_in_page
    page.goto(authorize_address(site, "strict_app", prompt="consent"))
    expect(page.get_by_role("button", name="Allow")).to_be_visible()
    check_page(page, f"flow-consent-{form}")
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("alert")).to_contain_text("Leave at least one thing ticked")
    check_page(page, f"flow-consent-fault-{form}")
    page.goto(authorize_address(site, "strict_app", prompt="login"))
    expect(page.get_by_label("Password")).to_be_visible()
    check_page(page, f"flow-sign-in-again-{form}")
    page.goto(authorize_address(site, "strict_app", redirect_uri="https://evil.invalid/cb"))
    check_page(page, f"flow-mismatch-{form}")
    page.goto(f"{site.base}/device")
    check_page(page, f"flow-device-{form}")
    page.get_by_label("Code that your device shows").fill("AAAA")
    page.get_by_role("button", name="Continue").click()
    check_page(page, f"flow-device-fault-{form}")
    page.get_by_label("Code that your device shows").fill(start_device_flow(site)["user_code"])
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Allow")).to_be_visible()
    check_page(page, f"flow-device-asks-{form}")
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", name="Nothing was allowed")).to_be_visible()
    check_page(page, f"flow-device-denied-{form}")


def test_the_code_of_a_desktop_application_has_no_violation(signed_in_page: tuple[Page, str], site: Site) -> None:
    page, form = signed_in_page
    page.goto(authorize_address(site, "desktop_app"))
    if page.get_by_role("button", name="Allow").is_visible():  # asked once
        check_page(page, f"flow-desktop-consent-{form}")
        page.get_by_role("button", name="Allow").click()
    code = page.get_by_label("Access code")
    assert code.input_value().startswith("vit_ac_")
    check_page(page, f"flow-desktop-code-{form}")


def test_consent_is_given_by_keyboard_alone_and_narrowed(page: Page, site: Site) -> None:
    """Only Tab, Space and Enter are used; the focus is always visible."""
    sign_in(page, site)
    page.goto(authorize_address(site, "strict_app", prompt="consent"))
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()")
        seen.append(name)
        outline = page.evaluate(
            "(s => s.outlineStyle !== 'none' || s.boxShadow !== 'none')(getComputedStyle(document.activeElement))"
        )
        assert outline, f"the focus is not visible on {name}"
        if name == "allow-delete":
            page.keyboard.press("Space")
        if name == "action_accept" and page.evaluate("document.activeElement.value") == "1":
            break
    assert seen.index("allow-delete") < seen.index("action_accept")
    with page.expect_request(lambda sent: sent.url.startswith(site.demo["strict_app"]["redirect_uri"])) as back:
        page.keyboard.press("Enter")
    query = parse_qs(urlsplit(back.value.url).query)
    assert (query["state"], query["iss"]) == (["s-1"], [site.base])
    application = site.demo["strict_app"]
    form = {
        "grant_type": "authorization_code", "code": query["code"][0], "redirect_uri": application["redirect_uri"],
        "client_id": application["client_id"], "client_secret": application["client_secret"], "code_verifier": VERIFIER,
    }  # fmt: skip
    response = httpx.post(site.base + TOKEN, data=form).json()
    assert response["scope"] == "library:read search upload openid email"


def test_saying_no_is_as_easy_and_needs_no_script(page_without_script: Page, site: Site) -> None:
    page_without_script.goto(authorize_address(site, "strict_app", prompt="consent"))
    allow, deny = (
        page_without_script.get_by_role("button", name="Allow"),
        page_without_script.get_by_role("button", name="Deny"),
    )
    sizes = [button.bounding_box() for button in (allow, deny)]
    assert sizes[0] and sizes[1]
    assert abs(sizes[0]["height"] - sizes[1]["height"]) < 1
    assert min(size["height"] for size in sizes if size) >= 24
    with page_without_script.expect_request(
        lambda sent: sent.url.startswith(site.demo["strict_app"]["redirect_uri"])
    ) as back:
        deny.press("Enter")
    assert parse_qs(urlsplit(back.value.url).query)["error"] == ["access_denied"]


def test_a_device_is_connected_by_keyboard_and_without_script(page_without_script: Page, site: Site) -> None:
    offered = start_device_flow(site)
    page_without_script.goto(offered["verification_uri_complete"])
    assert poll(site, offered)["error"] == "authorization_pending", "a code in the address grants nothing"
    field = page_without_script.get_by_label("Code that your device shows")
    expect(field).to_have_value(offered["user_code"])
    field.press("Enter")
    expect(page_without_script.get_by_text(offered["user_code"])).to_be_visible()
    expect(page_without_script.get_by_text("have the device before you")).to_be_visible()
    page_without_script.get_by_label("Add documents in your name").press("Space")
    page_without_script.get_by_role("button", name="Allow").press("Enter")
    expect(page_without_script.get_by_role("heading", name="The device is connected")).to_be_visible()
    shoot(page_without_script, "flow-device-connected")
    response = poll(site, offered)
    assert response["scope"] == "library:read"
    assert response["refresh_token"]


def test_not_you_leads_to_the_sign_in_of_the_same_request(page: Page, site: Site) -> None:
    sign_in(page, site)
    page.goto(authorize_address(site, "strict_app", prompt="consent"))
    page.get_by_role("button", name="Not you?").press("Enter")
    expect(page.get_by_label("Password")).to_be_visible()
    page.get_by_label("Login or e-mail").fill(site.demo["user"]["login"])
    page.get_by_label("Password").fill(site.demo["user"]["password"])
    page.get_by_role("button", name="Sign in").press("Enter")
    expect(page.get_by_role("button", name="Allow")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), FORMS)
def test_the_pages_of_administrators_have_no_violation(browser: Browser, site: Site, width: int, scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light", locale="en"
    )
    page = context.new_page()
    sign_in(page, site, "admin")
    page.goto(f"{site.base}/admin/applications/")
    check_page(page, f"admin-applications-{width}-{scheme}")
    page.get_by_role("link", name="Audit log").press("Enter")
    expect(page.get_by_text("session.opened").first).to_be_visible()
    check_page(page, f"admin-audit-{width}-{scheme}")
    page.get_by_label("Action begins with").fill("nothing.like.it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing happened")).to_be_visible()
    with page.expect_download() as file:
        page.get_by_role("link", name="Download").press("Enter")
    assert file.value.suggested_filename == "audit.jsonl"
    context.close()
