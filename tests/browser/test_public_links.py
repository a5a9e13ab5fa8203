"""A person closes a record to the public and opens it again; somebody without an account looks each time."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, shoot, sign_in
from tests.browser.test_pages import violations

pytestmark = [pytest.mark.browser]
RECORD = "/records/1/7/"  # no other test looks at its links


@pytest.fixture(params=[(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")], ids=str)
def visit(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[tuple[Page, str]]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en")
    page = context.new_page()
    sign_in(page, site, "admin")
    yield page, f"{width}-{scheme}"
    context.close()


def faults(page: Page) -> list[str]:
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    return violations(page) + (["scrolls sideways"] if wide else [])


def test_a_record_is_closed_and_opened_again(visit: tuple[Page, str], site: Site) -> None:
    page, form = visit
    page.goto(site.base + RECORD)
    part = page.locator("#public")
    expect(part).to_contain_text("Whoever has the address of one of its files sees that file")
    link = page.locator("#link-file").inner_text()
    frame = re.search(r'src="([^"]+)"', page.locator("#link-iframe").inner_text())
    assert frame
    addresses = [link, page.locator("#link-page").inner_text(), frame[1].replace("&amp;", "&")]
    assert [httpx.get(address).status_code for address in addresses] == [200] * 3
    shoot(page, f"links-open-{form}")
    assert faults(page) == []

    part.get_by_role("button", name="Close to the public").press("Enter")
    expect(part).to_contain_text("Without signing in, nobody sees anything of this record")
    assert page.url.endswith(RECORD + "#public")
    assert [httpx.get(address).status_code for address in addresses] == [404] * 3
    expect(page.locator("#embed")).to_contain_text("cannot be shown elsewhere while it is not public by link")
    expect(page.locator("#link-file")).to_have_count(0)
    page.wait_for_function("document.querySelector('.stage img').naturalWidth > 0")  # by the person's own rights
    page.get_by_role("button", name="Switch link off preview", exact=True).press("Enter")
    expect(page.get_by_role("button", name="Switch link on preview", exact=True)).to_be_visible()
    shoot(page, f"links-closed-{form}")
    assert faults(page) == []

    part.get_by_role("button", name="Make public by link").press("Enter")
    expect(page.locator("#embed")).to_contain_text("The link of the file “preview” is switched off")
    assert [httpx.get(address).status_code for address in addresses] == [404] * 3, "the file has its own switch"
    shoot(page, f"links-file-closed-{form}")
    page.get_by_role("button", name="Switch link on preview", exact=True).press("Enter")
    expect(page.locator("#link-file")).to_have_text(link)
    assert [httpx.get(address).status_code for address in addresses] == [200] * 3


def test_without_script_a_collection_says_what_new_records_get(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    sign_in(page, site, "admin")
    page.goto(f"{site.base}/admin/collections/{list(site.demo['base_ids'].values())[-1]}/")
    expect(page.get_by_role("radio", name="Are public by link")).to_be_checked()
    page.get_by_role("radio", name="Are not public").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save for new records").press("Enter")
    expect(page.get_by_role("status").first).to_have_text("Saved")
    expect(page.get_by_role("radio", name="Are not public")).to_be_checked()
    page.get_by_role("radio", name="Are public by link").check()
    page.get_by_role("button", name="Save for new records").press("Enter")
    expect(page.get_by_role("radio", name="Are public by link")).to_be_checked()
    context.close()
