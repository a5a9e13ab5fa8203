"""The pages of collections: no axe violation, no sideways scrolling, and everything without script."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, shoot, sign_in
from tests.browser.test_pages import violations
from vitrine.testing import media_factory as make

pytestmark = [pytest.mark.browser]


def collection_path(site: Site) -> str:
    """The last collection of the demonstration: no other test checks how it presents its pictures."""
    return f"/admin/collections/{list(site.demo['base_ids'].values())[-1]}/"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_pages_of_collections_have_no_violation(browser: Browser, site: Site, width: int, scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light", locale="en"
    )
    page = context.new_page()
    sign_in(page, site, "admin")
    faults: dict[str, object] = {}
    for name, path in (("collections", "/admin/collections/"), ("collection", collection_path(site))):
        page.goto(site.base + path)
        shoot(page, f"{name}-{width}-{scheme}")
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
        if wide or violations(page):
            faults[name] = (wide, violations(page))
    context.close()
    assert faults == {}


def test_marks_and_checks_are_set_by_keyboard_and_without_script(browser: Browser, site: Site, tmp_path: Path) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    sign_in(page, site, "admin")
    page.goto(f"{site.base}/")
    page.get_by_text("Collections", exact=True).first.wait_for(state="attached")
    page.goto(site.base + collection_path(site))
    page.get_by_role("radio", name="Every picture with a stamp").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save the marks").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This collection has no stamp yet")
    expect(page.get_by_role("radio", name="Every picture with a stamp")).to_be_checked()
    shoot(page, "collection-fault")
    page.get_by_role("combobox", name="Place").select_option(label="bar below the picture")
    page.get_by_role("textbox", name="Lines").fill("{Title} · {DATE}")
    page.locator("#logo").set_input_files(make.png(tmp_path / "logo.png", 64, 32))
    page.get_by_role("button", name="Save the marks").press("Enter")
    expect(page.get_by_role("status").first).to_have_text("Saved")
    expect(page.get_by_role("textbox", name="Lines")).to_have_value("{Title} · {DATE}")
    page.get_by_role("combobox", name="Place").select_option(label="no stamp")
    page.get_by_role("radio", name="Pictures as they are").check()
    page.get_by_role("button", name="Save the marks").press("Enter")
    expect(page.get_by_role("textbox", name="Lines")).to_have_value("")
    _set_checks(page)
    context.close()


def _set_checks(page: Page) -> None:
    page.get_by_label("Check it: Size of pictures").focus()
    page.keyboard.press("Space")
    page.get_by_label("Least width, in pixels").fill("many")
    page.get_by_role("button", name="Save the checks").press("Enter")
    expect(page.get_by_label("Least width, in pixels")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_contain_text("Give a number of pixels")
    page.get_by_label("Least width, in pixels").fill("300")
    page.get_by_role("button", name="Save the checks").press("Enter")
    expect(page.get_by_label("Check it: Size of pictures")).to_be_checked()
    page.get_by_role("button", name="Use those of the databox").press("Enter")
    expect(page.get_by_label("Check it: Size of pictures")).not_to_be_checked()
