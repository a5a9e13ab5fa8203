"""Contract 04 section 6 in a real browser: every kind of document on another site's page, with both sizing
protocols."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import ROOT, Site, come_to_rest, shoot
from tests.browser.test_pages import serving_folder, violations
from vitrine import composition
from vitrine.library.model import DOCUMENT, Collection
from vitrine.library.sharing import permalinks
from vitrine.settings import Settings
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record, mp3_file, pdf_file

pytestmark = pytest.mark.browser
KINDS = ("image", "image-unknown", "video", "video-unknown", "audio", "document")
PYM = ROOT / "node_modules" / "pym.js" / "dist" / "pym.v1.min.js"
HOST = """<!doctype html><meta charset="utf-8"><iframe src="{src}" data-optimize-area="height" width="300" height="40">
</iframe><script>
window.said = [];
addEventListener("message", (event) => {{
  window.said.push(event.data);
  for (const frame of document.querySelectorAll("iframe[data-optimize-area]")) {{
    if (frame.src !== event.data.url) continue;
    frame.style.height = event.data.optimizedHeight + "px";
  }}
}});</script>"""
SANDBOX = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<iframe src="{src}" sandbox="{allowed}" width="600" height="500"></iframe>
<script>window.said = []; addEventListener("message", (event) => window.said.push(event.data));</script>"""
SUBTITLES = "WEBVTT\n\n00:00.000 --> 00:00.500\nThe quay at noon\n"
PARENT = """<!doctype html><meta charset="utf-8"><div id="here"></div><script src="pym.js"></script><script>
window.said = [];
addEventListener("message", (event) => window.said.push(event.data));
window.parent_ = new pym.Parent("here", "{src}", {{}});</script>"""


@dataclass(frozen=True, slots=True)
class Shown:
    """The address of one document, its page, and the size that a host page must receive."""

    address: str
    page: str
    size: tuple[int, int]


@pytest.fixture(scope="module")
def documents(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    """One document of every kind, added directly to the running server; two of unknown size."""
    folder = tmp_path_factory.mktemp("documents")
    services = composition.make_services(Settings(data_dir=site.folder, base_url=site.base))
    with services.database.read() as work:
        base = next(iter(services.library.records.structure(work).collections.values()))
    picture = make.jpeg(folder / "quay.jpg", 640, 400, seed=5)
    film = make.mp4(folder / "quay.mp4", 0.6, 320, 180)
    cover = StoredRecord(make.jpeg(folder / "cover.jpg", 320, 320, seed=6), "image/jpeg", 320, 320)
    held = {
        "image": (StoredRecord(picture, "image/jpeg", 640, 400), (640, 400)),
        "image-unknown": (StoredRecord(picture, "image/jpeg"), (640, 400)),
        "video": (StoredRecord(film, "video/mp4", 320, 180), (320, 180)),
        "video-unknown": (StoredRecord(film, "video/mp4"), (320, 180)),
        "audio": (StoredRecord(mp3_file(folder / "quay.mp3", 0.5), "audio/mpeg"), (320, 320)),
        "document": (StoredRecord(pdf_file(folder / "quay.pdf", 4), "application/pdf"), (560, 793)),
    }
    try:
        return {name: _shown(services, base, name, *file_and_size, cover) for name, file_and_size in held.items()}
    finally:
        services.media.close()
        services.search.index.close()
        services.database.close()


def _shown(
    services: Any, base: Collection, name: str, held: StoredRecord, size: tuple[int, int], cover: StoredRecord
) -> Shown:
    files = {DOCUMENT: held, "thumbnail": cover}
    kind = name.partition("-")[0]
    values = {"VideoTextTrackEn": SUBTITLES} if kind == "video" else {}
    key = add_record(services, base, kind, files, title=f"Quay, {name}", creator=1, values=values)
    with services.database.read() as work:
        _, rendition = services.library.records.rendition_without_check(work, key, DOCUMENT)
    paths = permalinks.paths(key, rendition, rendition.permalink)
    return Shown(services.settings.absolute(paths.file), services.settings.absolute(paths.page), size)


@pytest.fixture
def host_folder(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    with serving_folder(tmp_path) as address:
        yield tmp_path, address


def embed_address(site: Site, shown: Shown) -> str:
    return f"{site.base}/embed/?url={quote(shown.address, safe='')}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_host_script_fits_every_kind(
    page: Page, site: Site, documents: dict[str, Shown], host_folder: tuple[Path, str], kind: str
) -> None:
    folder, address = host_folder
    width, height = documents[kind].size
    (folder / "index.html").write_text(HOST.format(src=embed_address(site, documents[kind])))
    page.goto(address)
    page.wait_for_function("window.said.length >= 2", timeout=15_000)
    come_to_rest(page, "window.said.length")
    said = page.evaluate("window.said")
    assert {message["id"] for message in said} == {"Phraseanet"}
    assert {message["optimizedHeight"] for message in said} == {min(height, int(300 * height / width))}
    assert all(type(message[name]) is int for message in said for name in ("optimizedHeight", "optimizedWidth"))
    assert all(set(message) == {"id", "url", "optimizedWidth", "optimizedHeight"} for message in said)
    assert len(said) <= 4, "the frame comes to rest"


@pytest.mark.parametrize("kind", KINDS)
def test_a_pym_parent_gets_the_height(
    page: Page, site: Site, documents: dict[str, Shown], host_folder: tuple[Path, str], kind: str
) -> None:
    folder, address = host_folder
    (folder / "pym.js").write_bytes(PYM.read_bytes())
    (folder / "index.html").write_text(PARENT.format(src=embed_address(site, documents[kind])))
    page.set_viewport_size({"width": 600, "height": 700})
    page.goto(address)
    page.wait_for_function("parseInt(document.querySelector('iframe').getAttribute('height')) > 60", timeout=15_000)
    come_to_rest(page, "document.querySelector('iframe').getAttribute('height') + window.said.length")
    frame = page.locator("iframe")
    frame_height = int((frame.get_attribute("height") or "").removesuffix("px"))
    frame_width = frame.evaluate("one => one.clientWidth")
    width, height = documents[kind].size
    if kind == "audio":
        assert frame_height == 240
    else:
        tools = 60 if kind == "document" else 0
        assert 0 <= frame_height - min(height, int(frame_width * height / width)) <= tools
    messages = page.evaluate("window.said")
    assert all(isinstance(message, str) and message.startswith("pymxPYMxherexPYMx") for message in messages), (
        "only protocol 2"
    )
    if kind.startswith("video"):
        assert "pymxPYMxherexPYMxchildReadyxPYMx[object Object]" in messages
        child = page.frames[1]
        page.evaluate("window.parent_.sendMessage('play', '1')")
        child.wait_for_function("!document.querySelector('video').paused || document.querySelector('video').ended")
        page.evaluate("window.parent_.sendMessage('dispose', '1')")
        child.wait_for_function("document.querySelector('video').paused")


@pytest.mark.parametrize("form", [(1280, "light"), (390, "dark")], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_no_violation_no_cookie_and_no_foreign_request(
    browser: Browser, site: Site, documents: dict[str, Shown], kind: str, form: tuple[int, Any]
) -> None:
    width, scheme = form
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, locale="en")
    page = context.new_page()
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    for name, address in {"embed": embed_address(site, documents[kind]), "page": documents[kind].page}.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        if kind == "document" and name == "embed":
            expect(page.locator(".document-player.is-open")).to_be_visible()
        shoot(page, f"{name}-{kind}-{width}-{scheme}")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    assert errors == [], "the policy holds and nothing is missing"
    assert all(url.startswith((site.base, "data:", "blob:")) for url in requests)
    assert context.cookies() == []
    context.close()


def test_the_pages_of_a_pdf_are_turned_by_keyboard(page: Page, site: Site, documents: dict[str, Shown]) -> None:
    page.goto(embed_address(site, documents["document"]))
    expect(page.locator(".document-player.is-open")).to_be_visible()
    status = page.locator("#said")
    expect(status).to_have_text("Page 1 of 4")
    expect(page.locator(".textLayer")).to_contain_text("Harbour, page 1")
    for key, place in {"ArrowRight": 2, "PageDown": 3, "End": 4, "PageUp": 3, "Home": 1, " ": 2}.items():
        page.keyboard.press(key)
        expect(status).to_have_text(f"Page {place} of 4")
    expect(page.locator(".textLayer")).to_contain_text("Harbour, page 2")
    width = page.locator(".sheet").evaluate("one => one.clientWidth")
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.wait_for_function("width => document.querySelector('.sheet').clientWidth > width * 1.4", arg=width)
    page.keyboard.press("0")
    page.wait_for_function("width => document.querySelector('.sheet').clientWidth <= width + 1", arg=width)
    page.get_by_role("textbox", name="Page").fill("4")
    page.keyboard.press("Enter")
    expect(status).to_have_text("Page 4 of 4")
    expect(page.get_by_role("button", name="Next page")).to_be_disabled()
    page.get_by_role("button", name="Previous page").click()
    expect(status).to_have_text("Page 3 of 4")


def test_a_pdf_without_script_or_viewer_is_a_picture_and_a_link(
    browser: Browser, site: Site, documents: dict[str, Shown]
) -> None:
    plain = browser.new_context(java_script_enabled=False, locale="en")
    without = browser.new_context(locale="en")
    without.route("**/vendor/pdfjs/**", lambda route: route.abort())
    for context in (plain, without):
        page = context.new_page()
        page.goto(embed_address(site, documents["document"]))
        expect(page.locator(".fallback img")).to_be_visible()
        expect(page.get_by_role("link", name="Open the file")).to_have_attribute("href", documents["document"].address)
        expect(page.get_by_role("button")).to_have_count(0)
        context.close()


def test_a_damaged_pdf_says_so(
    browser: Browser, context: BrowserContext, site: Site, documents: dict[str, Shown]
) -> None:
    page = context.new_page()
    page.route(
        "**/permalink/**",
        lambda route: route.fulfill(status=200, body="%PDF-1.7 nothing", content_type="application/pdf"),
    )
    page.goto(embed_address(site, documents["document"]))
    expect(page.locator("#said")).to_have_text("This document cannot be shown here. Open the file instead.")
    expect(page.get_by_role("link", name="Open the file")).to_be_visible()


@pytest.mark.parametrize("allowed", ["allow-scripts", "allow-scripts allow-same-origin"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_sandboxed_frame_shows_everything(
    page: Page,
    site: Site,
    documents: dict[str, Shown],
    host_folder: tuple[Path, str],
    kind: str,
    allowed: str,
) -> None:
    """Blog software frames the answers of oEmbed with `sandbox="allow-scripts"`: the page is then of no origin, so
    its modules, tracks and documents are foreign to it."""
    folder, address = host_folder
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    (folder / "index.html").write_text(SANDBOX.format(src=embed_address(site, documents[kind]), allowed=allowed))
    page.goto(address)
    page.wait_for_function("window.said.length > 0", timeout=15_000)
    frame = page.frames[1]
    assert page.evaluate("window.said[0].id") == "Phraseanet"
    if kind == "document":
        expect(frame.locator(".document-player.is-open")).to_be_visible()
        expect(frame.locator(".textLayer")).to_contain_text("Harbour, page 1")
    elif kind.startswith("video"):
        frame.wait_for_function("() => document.querySelector('video').readyState > 0")
        frame.evaluate("document.querySelector('track').track.mode = 'showing'")
        frame.wait_for_function("() => document.querySelector('track').readyState === 2")
        assert frame.evaluate("document.querySelector('track').track.cues[0].text") == "The quay at noon"
    elif kind == "audio":
        frame.wait_for_function("() => document.querySelector('audio').readyState > 0")
    else:
        frame.wait_for_function("() => document.querySelector('img').naturalWidth > 0")
    no_worker = "Warning: Setting up fake worker."  # a page without an origin may start none: PDFs are read without it
    assert [error for error in errors if error != no_worker] == []
