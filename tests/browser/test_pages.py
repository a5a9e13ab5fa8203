"""Every page: no axe violation, no policy violation, no sideways scrolling, usable by keyboard and without script."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import ROOT, Site, come_to_rest, shoot, sign_in
from vitrine.testing import media_factory as make

pytestmark = pytest.mark.browser
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text() if (ROOT / "node_modules").exists() else ""
PAGES = {
    "wall": "/", "nothing-found": "/?q=zzz", "record": "/records/1/5/", "film": "/records/1/21/", "upload": "/upload/",
    "quarantine": "/library/quarantine/",
    "account": "/account/", "access": "/account/access/", "sessions": "/account/security/sessions/",
    "authorised": "/account/security/applications/", "password": "/account/reset-password/",
    "dashboard": "/developers/applications/", "new-application": "/developers/application/new/",
    "settings": "/developers/application/2/", "delete": "/developers/application/2/delete/", "missing": "/nothing/",
    "prove": "/login/prove/", "email": "/account/reset-email/",
}  # fmt: skip


# The frame of the page is as high as the document in it.
AS_HIGH = """() => {
  const frame = document.querySelector("iframe"), media = frame.contentDocument?.querySelector(".embed-resource");
  const [outer, inner] = [frame, media].map(element => element?.getBoundingClientRect().height ?? -9);
  return inner > 0 && Math.abs(outer - inner) <= 2;
}"""


@pytest.fixture(scope="module", params=[(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")], ids=str)
def signed_in(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[tuple[Page, list[str], str]]:
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en", bypass_csp=False
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    sign_in(page, site)
    yield page, errors, f"{width}-{scheme}"
    context.close()


def violations(page: Page) -> list[str]:
    """What axe reports, by rule and element. The debugger evaluates the script, which the page's policy allows."""
    assert AXE, "axe-core is installed by make test"
    page.evaluate(AXE)
    result: dict[str, Any] = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [f"{violation['id']}: {node['target']}" for violation in result["violations"] for node in violation["nodes"]]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_violation(signed_in: tuple[Page, list[str], str], site: Site, name: str) -> None:
    page, errors, form = signed_in
    errors.clear()
    page.goto(site.base + PAGES[name])
    page.wait_for_load_state("networkidle")
    shoot(page, f"page-{name}-{form}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), "the page scrolls sideways"
    assert [error for error in errors if "404" not in error or name != "missing"] == []
    assert violations(page) == []


def test_pages_of_strangers_have_no_violation(page: Page, site: Site) -> None:
    client = site.demo["web_app"]["client_id"]
    for name, path in {
        "login": "/login/",
        "forgot": "/login/forgot-password/",
        "oauth-sign-in": f"/api/oauthv2/authorize?client_id={client}&response_type=code",
        "oauth-refused": "/api/oauthv2/authorize?client_id=unknown-client&response_type=code",
    }.items():
        page.goto(site.base + path)
        shoot(page, f"page-{name}")
        assert violations(page) == [], name


def _files(site: Site, record: int) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {site.demo['web_app']['developer_token']}"}
    files = httpx.get(f"{site.base}/api/v1/records/1/{record}/embed/", headers=headers).json()["response"]["embed"]
    return {file["name"]: file for file in files}


@pytest.mark.parametrize("record", [5, 21], ids=["photograph", "film"])
def test_embed_pages_have_no_violation_no_cookie_and_no_foreign_request(
    context: BrowserContext, site: Site, record: int
) -> None:
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    permalink = _files(site, record)["preview"]["permalink"]
    for address in (f"{site.base}/embed/?url={quote(permalink['url'], safe='')}", permalink["page_url"]):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert violations(page) == []
    assert all(url.startswith((site.base, "data:", "blob:")) for url in requests)
    assert context.cookies() == []


@pytest.mark.parametrize(("width", "record"), [(1280, 5), (390, 5), (390, 21)])
def test_the_page_of_a_permalink_shows_its_document(page: Page, site: Site, width: int, record: int) -> None:
    """04 section 2: the page's frame contains the document and is as high as it."""
    page.set_viewport_size({"width": width, "height": 900})
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(_files(site, record)["preview"]["permalink"]["page_url"])
    media = page.frame_locator("iframe").locator(".embed-resource")
    expect(media).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.wait_for_function(AS_HIGH, timeout=20_000)
    shoot(page, f"permaview-{width}-{record}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    assert errors == []


@contextmanager
def serving_folder(folder: Path) -> Iterator[str]:
    """A static site on an origin of its own."""
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}/"
        site.shutdown()
        thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Keeps the test output clean."""


def test_the_host_script_gets_integers_that_come_to_rest(page: Page, site: Site, tmp_path: Path) -> None:
    """04 section 6, protocol 1: the published script sets the height, and the next message gives the same value."""
    frame = f"{site.base}/embed/?url={quote(_files(site, 5)['preview']['permalink']['url'], safe='')}"
    host = f"""<iframe src="{frame}" data-optimize-area="height" width="300" height="10"></iframe><script>
    window.said = [];
    addEventListener("message", event => {{
      window.said.push(event.data);
      const one = document.querySelector("iframe");
      if (one.src === event.data.url) one.style.height = event.data.optimizedHeight + "px";
    }});</script>"""
    (tmp_path / "index.html").write_text(host)
    with serving_folder(tmp_path) as address:
        page.goto(address)
        page.wait_for_function("window.said.length >= 2")
        come_to_rest(page, "window.said.length")
    said = page.evaluate("window.said")
    assert {message["id"] for message in said} == {"Phraseanet"}
    assert len({message["optimizedHeight"] for message in said}) == 1
    assert said[0]["optimizedHeight"] == 300 * 300 // 451
    assert all(isinstance(message[name], int) for message in said for name in ("optimizedHeight", "optimizedWidth"))
    assert len(said) <= 3, "the frame comes to rest"


def test_the_portal_works_without_script(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    sign_in(page, site)
    page.goto(f"{site.base}/developers/application/new/")
    page.get_by_label("Name").fill("No Script")
    page.get_by_label("Description").fill("Made without script.")
    page.get_by_label("Website").fill("https://plain.example.com")
    page.get_by_label("Callback URL").fill("https://plain.example.com/one")
    page.get_by_role("button", name="Create the application").click()
    page.get_by_role("link", name="Edit Callback URL").click()
    page.get_by_role("textbox", name="Callback URL").fill("https://plain.example.com/two")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("https://plain.example.com/two")).to_be_visible()
    page.get_by_role("button", name="Reveal Client secret").click()
    expect(page.locator("#client-secret")).to_contain_text("vit_cs_")
    page.get_by_role("link", name="Delete this application…").click()
    page.get_by_label("Type the name").fill("No Script")
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("heading", name="Your applications")).to_be_visible()
    page.goto(f"{site.base}/?q=cat")
    expect(page.get_by_text("1 document")).to_be_visible()
    context.close()


def test_the_callback_is_edited_by_keyboard_and_escape_leaves_it(page: Page, site: Site) -> None:
    sign_in(page, site)
    page.goto(f"{site.base}/developers/application/2/")
    before = page.locator("[data-show]").inner_text()
    page.get_by_role("button", name="Edit the callback URL").focus()
    page.keyboard.press("Enter")
    field = page.get_by_role("textbox", name="Callback URL")
    expect(field).to_be_focused()
    field.fill("https://other.example/")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Edit the callback URL")).to_be_focused()
    page.reload()
    assert page.locator("[data-show]").inner_text() == before
    page.get_by_role("button", name="Edit the callback URL").click()
    field.fill("nothing")
    page.keyboard.press("Enter")
    expect(page.locator("[data-note]")).to_contain_text("web address")
    expect(field).to_be_focused()


def test_dropped_files_are_added_with_progress(page: Page, site: Site, tmp_path: Path) -> None:
    sign_in(page, site)
    page.goto(f"{site.base}/upload/")
    (tmp_path / "page.jpg").write_text("<html></html>")
    files = [
        make.jpeg(tmp_path / "first.jpg", seed=77),
        make.png(tmp_path / "second.png", seed=78),
        tmp_path / "page.jpg",
    ]
    page.locator("input[type=file]").set_input_files([str(file) for file in files])
    page.get_by_role("button", name="Add them").click()
    expect(page.get_by_text("Added.")).to_have_count(2)
    expect(page.get_by_text("is not a picture file")).to_be_visible()
    shoot(page, "page-uploaded")
