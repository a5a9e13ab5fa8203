"""A real server with the demonstration data, the example application, and Debian's Chromium."""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "var" / "test-downloads"
ARTEFACTS = ROOT / "artefacts"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


# A slow disk is not a page's fault: tests check whether something appears, not how fast.
expect.set_options(timeout=15_000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the text of every open page and the end of the server's log to the report of a failure."""
    report = yield
    if report.failed:
        fixtures = getattr(item, "funcargs", {})
        running: Browser | None = fixtures.get("browser")
        for context in running.contexts if running else []:
            for page in context.pages:
                try:
                    text = page.locator("body").inner_text(timeout=2000)
                except PlaywrightError as fault:
                    text = str(fault)
                report.sections.append((page.url, text))
        if "site" in fixtures:
            log = (fixtures["site"].folder.parent / "server.log").read_text()
            report.sections.append(("server.log", "\n".join(log.splitlines()[-40:])))
    return report


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Site:
    """The running pair of servers: the library and the other site, on two origins."""

    base: str
    notes: str
    demo: dict[str, Any]
    folder: Path


def wait_for(check: Callable[[], bool], seconds: float, purpose: str) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():
            return
        time.sleep(0.2)
    raise AssertionError(f"not in {seconds} s: {purpose}")


def is_up(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2).status_code < 500
    except httpx.HTTPError:
        return False


@contextmanager
def first_alone() -> Iterator[None]:
    """Two workers of pytest-xdist have a site each; the first to come fills the downloads of a checkout."""
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if any(CACHE.glob("*.whl")):
            fcntl.flock(lock, fcntl.LOCK_UN)
        yield


# Of this folder, not of the whole run: while a browser is open, its thread counts as one that runs an event loop, and
# the tests that come after could have none of their own.
@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site") / "data"
    folder.mkdir()
    CACHE.mkdir(parents=True, exist_ok=True)
    (folder / "downloads").symlink_to(CACHE)  # pictures are downloaded once per checkout
    port, notes_port = free_port(), free_port()
    base, notes = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{notes_port}"
    log = (folder.parent / "server.log").open("wb")
    serve = [sys.executable, "-m", "vitrine", "serve", "--demo", "--data", str(folder), "--port", str(port)]
    environment = {**os.environ, "VITRINE_USER_CODE_ATTEMPTS": "1000"}  # one person types the codes of every test
    server = None
    try:
        with first_alone():
            server = subprocess.Popen(serve, env=environment, stdout=log, stderr=subprocess.STDOUT)
            wait_for(lambda: is_up(f"{base}/api/"), 120, "the server answers")
        demo = json.loads((folder / "demo.json").read_text())
        headers = {"Authorization": f"Bearer {demo['web_app']['developer_token']}"}
        wait_for(lambda: _all_ready(base, demo, headers), 120, "all renditions are made")
        yield Site(base, notes, demo, folder)
    finally:
        if server is not None:
            server.terminate()
            server.wait(20)
        log.close()


def _all_ready(base: str, demo: dict[str, Any], headers: dict[str, str]) -> bool:
    def search(query: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{base}/api/v1/search/?per_page=100&query={query}", headers=headers).json()
        records: list[dict[str, Any]] = answer["response"]["results"]["records"]
        return records

    records = search("")
    pictured = len(records) == len(demo["records"]) and all(record["thumbnail"] for record in records)
    return pictured and bool(search("album"))  # by a document's text: the index may be seconds behind


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en")
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def sign_in(page: Page, site: Site, who: str = "user") -> None:
    page.goto(f"{site.base}/login/")
    page.get_by_label("Login or e-mail").fill(site.demo[who]["login"])
    page.get_by_label("Password").fill(site.demo[who]["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site.base}/")


PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))))"


def come_to_rest(page: Page, expression: str) -> None:
    """Return when *expression* has kept its value while every frame of the page painted several times."""
    last, rounds = None, 0
    for _ in range(500):
        for frame in page.frames:
            frame.evaluate(PAINTED)
        value = page.evaluate(expression)
        last, rounds = value, rounds + 1 if value == last else 0
        if rounds == 8:
            return
    raise AssertionError(f"not at rest: {expression} is {last}")


def shoot(page: Page, name: str) -> None:
    """Keep a picture for people to look at, where SHOTS is set: a fifth of what a page costs the browser."""
    if not os.environ.get("SHOTS"):
        return
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=str(ARTEFACTS / f"{name}.png"), full_page=True)


@pytest.fixture
def example(site: Site) -> Iterator[Callable[[str, str], None]]:
    """Start the example application with the client id and secret that the test read in the portal."""
    started: list[subprocess.Popen[bytes]] = []

    def start(client_id: str, client_secret: str) -> None:
        environment = {
            **os.environ,
            "VITRINE_SERVER": site.base,
            "FIELD_NOTES_ORIGIN": site.notes,
            "FIELD_NOTES_CLIENT_ID": client_id,
            "FIELD_NOTES_CLIENT_SECRET": client_secret,
        }
        port = site.notes.rpartition(":")[2]
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "app:app",
            "--app-dir",
            str(ROOT / "examples" / "web"),
            "--port",
            port,
        ]
        started.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        wait_for(lambda: is_up(site.notes), 30, "the example application answers")

    yield start
    for process in started:
        process.terminate()
        process.wait(10)
