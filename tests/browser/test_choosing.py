"""Choosing several documents and deciding about the quarantine: by mouse, by keyboard, and without script."""

import re
import zipfile
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, shoot, sign_in
from tests.browser.test_pages import violations
from vitrine.testing import media_factory as make

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_chosen_documents_arrive_as_one_zip(browser: Browser, site: Site, tmp_path: Path, script: bool) -> None:
    context = browser.new_context(java_script_enabled=script, locale="en", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    sign_in(page, site, "admin")
    bar = page.get_by_role("group", name="Selection")
    expect(bar).to_be_hidden()
    boxes = page.locator(".pick input")
    boxes.nth(0).focus()
    page.keyboard.press("Space")
    boxes.nth(2).check()
    expect(bar).to_be_visible()
    if script:
        shoot(page, "choosing")
        assert violations(page) == []
    with page.expect_download() as waiting:
        bar.get_by_role("button", name="Download as zip").click()
    waiting.value.save_as(tmp_path / "chosen.zip")
    with zipfile.ZipFile(tmp_path / "chosen.zip") as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 2
    bar.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()
    context.close()


@pytest.mark.parametrize("form", [(1280, "light"), (390, "dark")], ids=str)
def test_the_quarantine_by_page(browser: Browser, site: Site, tmp_path: Path, form: tuple[int, str]) -> None:
    width, scheme = form
    headers = {"Authorization": f"Bearer {site.demo['admin']['developer_token']}"}
    base = str(next(iter(site.demo["base_ids"].values())))
    for at in range(2):
        file = make.png(tmp_path / f"page-{width}-{at}.png", 300, 200, seed=width + at)
        with file.open("rb") as opened:
            data = {"base_id": base, "forceBehavior": "1"}
            answer = httpx.post(
                f"{site.base}/api/v1/records/add/", headers=headers, data=data, files={"file": (file.name, opened)}
            )
        assert answer.json()["response"]["entity"] == "1"
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]  # two of its words
        locale="en",
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    sign_in(page, site, "admin")
    page.goto(f"{site.base}/library/quarantine/")
    page.wait_for_load_state("networkidle")
    shoot(page, f"page-quarantine-full-{width}-{scheme}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    page.get_by_role("button", name=re.compile(f"Add as new record.*page-{width}-1.png")).click()
    expect(page.get_by_text("1 file was added as a new record.")).to_be_visible()
    page.get_by_role("checkbox", name=f"Choose page-{width}-0.png").check()
    page.get_by_role("button", name="Delete", exact=True).first.click()
    expect(page.get_by_text("1 file was deleted.")).to_be_visible()
    assert errors == []
    context.close()


def test_a_page_for_nothing_to_decide(page: Page, site: Site) -> None:
    sign_in(page, site, "user")
    page.goto(f"{site.base}/library/quarantine/")
    assert violations(page) == []
    expect(page.get_by_role("heading", level=1, name="Quarantine")).to_be_visible()
