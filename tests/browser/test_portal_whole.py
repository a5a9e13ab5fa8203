"""The portal's pages with data to show, and the snippet of every language, run as pasted."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.conftest import Site, free_port, is_up, shoot, sign_in, wait_for
from tests.browser.test_pages import violations

pytestmark = [pytest.mark.browser]
API = "/api/applications/"
CALLBACK = "https://kit.example.com/cb"
FORMS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


def call(site: Site, method: str, path: str, body: Any = None, who: str = "user") -> Any:
    token = site.demo["admin" if who == "admin" else "web_app"]["developer_token"]
    answer = httpx.request(method, site.base + path, json=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


@pytest.fixture
def kit(site: Site) -> Iterator[dict[str, Any]]:
    """A new application of the demonstration's person, deleted afterwards."""
    application = call(
        site, "POST", API,
        {
            "name": f"Press kit {uuid.uuid4().hex[:6]}", "description": "Fills folders for the press.",
            "website": "https://kit.example.com", "redirect_uris": [CALLBACK], "publisher": "The Harbour Museum",
        },
    )  # fmt: skip
    yield application
    call(site, "DELETE", f"{API}{application['id']}/")


@contextmanager
def open_page(
    browser: Browser, site: Site, width: int, scheme: str, who: str = "user"
) -> Iterator[tuple[Page, list[str]]]:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light", locale="en"
    )
    page = context.new_page()
    errors: list[str] = []
    sign_in(page, site, who)
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page, errors
    context.close()


def code_for(context: BrowserContext, address: str, *, untick: tuple[str, ...] = ()) -> str:
    """Allow the application in a page of *context*, whose person is signed in; returns the code it receives."""
    page, seen = context.new_page(), []

    def answer(route: Route) -> None:
        seen.append(route.request.url)
        route.fulfill(body="<title>Back</title>", content_type="text/html")

    page.route(f"{CALLBACK}**", answer)
    page.goto(address)
    for name in untick:
        page.locator(f"[name='allow-{name}']").uncheck()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{CALLBACK}**")
    page.close()
    return parse_qs(urlsplit(seen[-1]).query)["code"][0]


VERIFIER = "verifier-" * 6
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def use_application(context: BrowserContext, site: Site, kit: dict[str, Any], scope: str) -> None:
    """Let the person allow *scope* and the application search twice."""
    query = f"client_id={kit['client_id']}&response_type=code&scope={scope.replace(' ', '+')}"
    address = f"{site.base}/api/oauthv2/authorize?{query}&code_challenge={CHALLENGE}&code_challenge_method=S256"
    form = {
        "grant_type": "authorization_code", "code": code_for(context, address), "redirect_uri": CALLBACK,
        "client_id": kit["client_id"], "client_secret": kit["client_secret"], "code_verifier": VERIFIER,
    }  # fmt: skip
    token = httpx.post(f"{site.base}/api/oauthv2/token", data=form).json()["access_token"]
    for path in ("/api/v1/search/", "/api/v1/search/?query=cat", "/api/v1/quarantine/list/"):
        httpx.get(site.base + path, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize(("width", "scheme"), FORMS)
def test_pages_that_have_something_to_tell_have_no_violation(
    browser: Browser, site: Site, kit: dict[str, Any], width: int, scheme: str
) -> None:
    httpx.get(f"{site.base}/api/v1/me/?oauth_token={site.demo['web_app']['developer_token']}")
    path = f"/developers/application/{kit['id']}/"
    with open_page(browser, site, width, scheme) as (page, errors):
        page.goto(f"{site.base}{path}scopes/")
        expect(page.get_by_role("heading", name="It may do nothing yet")).to_be_visible()
        use_application(page.context, site, kit, "library:read search upload originals")
        errors.clear()  # the other site's page has no icon
        faults: dict[str, object] = {}
        pages = {
            "scopes": f"{path}scopes/", "scopes-compatible": "/developers/application/2/scopes/",
            "usage-told": "/developers/application/2/usage/", "usage-strict": f"{path}usage/",
            "deprecated-features": "/developers/habits/", "dashboard": "/developers/applications/",
            "tokens": f"{path}#tokens",
        }  # fmt: skip
        for name, page_path in pages.items():
            page.goto(site.base + page_path)
            page.wait_for_load_state("networkidle")
            if name == "tokens":
                page.get_by_label("It may").select_option("some")
            shoot(page, f"whole-{name}-{width}-{scheme}")
            wide = page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
            if wide or violations(page):
                faults[name] = (wide, violations(page))
        page.goto(f"{site.base}/developers/application/2/usage/")
        expect(page.locator("#deprecated-features")).to_contain_text("Token in the address of a call")
        expect(page.locator("#limits")).to_contain_text("60000")
    assert faults == {}
    assert errors == []


@pytest.mark.parametrize(("width", "scheme"), FORMS)
def test_the_administrators_page_has_no_violation(
    browser: Browser, site: Site, kit: dict[str, Any], width: int, scheme: str
) -> None:
    call(site, "POST", f"{API}{kit['id']}/suspend/", {"reason": "It asked for far too much."}, who="admin")
    with open_page(browser, site, width, scheme, "admin") as (page, errors):
        page.goto(f"{site.base}/admin/applications/")
        page.wait_for_load_state("networkidle")
        shoot(page, f"whole-admin-{width}-{scheme}")
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
        assert (wide, violations(page), errors) == (False, [], [])
        page.goto(f"{site.base}/admin/applications/?q=nothing-like-this")
        shoot(page, f"whole-admin-empty-{width}-{scheme}")
        assert violations(page) == []


def test_an_administrator_stops_an_application_by_keyboard(browser: Browser, site: Site, kit: dict[str, Any]) -> None:
    with open_page(browser, site, 1280, "light", "admin") as (page, _said):
        page.goto(f"{site.base}/admin/applications/?q={kit['document']['name'].rpartition(' ')[2]}")
        walk_to(page, lambda words: words.startswith("Suspend…"), "document.activeElement.textContent.trim()")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#reason-fault")).to_contain_text("Say in a sentence why")
        expect(page.get_by_label("Reason")).to_have_count(1)  # the search stays
        expect(page.get_by_label("Reason")).to_be_focused()
        page.keyboard.type("A leak")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Suspended")).to_be_visible()
        expect(page.get_by_text("A leak")).to_be_visible()


def walk_to(page: Page, arrived: Any, expression: str, most: int = 120) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if arrived(page.evaluate(expression)):
            return
    raise AssertionError("not reached by keyboard")


REACH = """() => {
  const seen = (one) => one.checkVisibility() && !one.disabled;
  const kinds = 'a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex="0"]';
  const all = [...document.querySelectorAll(kinds)];
  const radios = new Set();
  return all.filter(seen).filter((one) => {
    if (one.type !== "radio") return true;
    if (!one.checked) return false;
    return !radios.has(one.name) && radios.add(one.name);
  }).map((one, place) => { one.dataset.place = place; return place; });
}"""
FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  return [one.dataset.place ?? "", style.outlineStyle !== "none" || one.matches(".skip"), box.width > 0];
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_everything_is_reached_by_keyboard_and_shows_where_one_is(
    browser: Browser, site: Site, kit: dict[str, Any], width: int
) -> None:
    """WCAG 2.1.1, 2.4.7 on the pages of one application, of security, and of administration."""
    root = f"/developers/application/{kit['id']}/"
    paths_by_person = {
        "user": [root + tail for tail in ("", "edit/", "people/", "start/", "usage/", "scopes/", "try/")]
    }
    paths_by_person["user"] += ["/account/security/", "/developers/applications/", "/developers/application/new/"]
    paths_by_person["admin"] = ["/admin/applications/"]
    lost: dict[str, object] = {}
    for who, paths in paths_by_person.items():
        with open_page(browser, site, width, "light", who) as (page, _said):
            for path in paths:
                page.goto(site.base + path)
                page.evaluate("document.activeElement.blur()")
                unreached = {str(place) for place in page.evaluate(REACH)}
                blind = set()
                for _ in range(len(unreached) + 5):
                    page.keyboard.press("Tab")
                    place, outlined, _size = page.evaluate(FOCUSED)
                    unreached.discard(place)
                    if place and not outlined:
                        blind.add(place)
                if unreached or blind:
                    text = "(one) => document.querySelector(`[data-place='${one}']`).outerHTML.slice(0, 120)"
                    lost[path] = [page.evaluate(text, place) for place in sorted(unreached | blind)]
    assert lost == {}


def test_the_developer_tab_is_in_sight_on_a_telephone(browser: Browser, site: Site) -> None:
    with open_page(browser, site, 390, "light") as (page, _said):
        for path in ("/account/", "/developers/applications/"):
            page.goto(site.base + path)
            tab = page.get_by_role("navigation", name="My account").get_by_role("link", name="Developer")
            box = tab.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
            assert box["y"] + box["height"] <= 900


def test_an_application_is_narrowed_with_one_click_and_gets_it_back(
    browser: Browser, site: Site, kit: dict[str, Any]
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    sign_in(page, site)
    use_application(context, site, kit, "library:read search upload")
    page.goto(f"{site.base}/developers/application/{kit['id']}/scopes/")
    upload = page.get_by_label("Add documents in your name")
    expect(upload).not_to_be_checked()
    expect(page.get_by_label("Search in your documents")).to_be_checked()
    expect(page.locator("li", has=upload)).to_contain_text("stops for them when you take it away")
    page.get_by_role("button", name="Leave it only what is ticked").click()
    expect(page.get_by_text("You narrowed this application")).to_be_visible()
    shoot(page, "whole-narrowed")
    assert call(site, "GET", f"{API}{kit['id']}/")["document"]["scopes"] == ["search"]
    page.get_by_role("button", name="Take the narrowing back").click()
    expect(page.get_by_text("You narrowed this application")).to_be_hidden()
    assert call(site, "GET", f"{API}{kit['id']}/")["document"]["scopes"] is None
    for box in page.locator(".scopes [type=checkbox]:checked").all():
        box.uncheck()
    page.get_by_role("button", name="Leave it only what is ticked").click()
    expect(page.get_by_role("alert")).to_contain_text("Name at least one scope")
    context.close()


def test_a_token_is_made_for_what_is_ticked(page: Page, site: Site, kit: dict[str, Any]) -> None:
    sign_in(page, site)
    page.goto(f"{site.base}/developers/application/{kit['id']}/")
    page.get_by_label("Name of the token").fill("Scanner")
    page.get_by_label("It may").select_option("some")
    page.get_by_role("button", name="Make a token").click()
    expect(page.locator("#token-name-fault")).to_contain_text("Tick at least one thing")
    expect(page.get_by_label("Name of the token")).to_have_value("Scanner")
    page.get_by_label("Search in your documents").check()
    page.get_by_role("button", name="Make a token").click()
    token = page.locator("#named-token").inner_text()
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{site.base}/api/v1/search/", headers=headers).status_code == 200
    assert httpx.get(f"{site.base}/api/v1/me/", headers=headers).status_code == 403
    expect(page.locator("#tokens .list")).to_contain_text("search")


@pytest.mark.parametrize(
    ("kind", "good", "bad", "words"),
    [
        ("Web application with a server", "http://127.0.0.1:8000/cb", "http://kit.example.com/", "Write https://"),
        ("Page in the browser", "com.example.kit:/back", "kit:/back", "a domain name backwards"),
        ("Desktop program", "http://127.0.0.1/cb", "http://kit.example.com/", "own machine"),
    ],
)
def test_an_address_is_judged_by_the_kind_while_it_is_typed(
    page: Page, site: Site, kind: str, good: str, bad: str, words: str
) -> None:
    """RFC 8252 sections 7 and 8."""
    sign_in(page, site)
    page.goto(f"{site.base}/developers/application/new/")
    page.get_by_label(kind).check()
    field = page.get_by_label("Callback URL")
    field.press_sequentially(bad)
    expect(page.locator("#callback-check")).to_contain_text(words)
    field.fill(good)
    expect(page.locator("#callback-check")).to_have_text("")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(field).to_have_attribute("aria-describedby", "callback-hint")
    page.get_by_label("Machine without a person").check()
    expect(field).to_be_hidden()


def node() -> str:
    """Node from the locked wheel, else the system's."""
    executable = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    assert executable, "the tests need Node (make .venv/.test brings it)"
    return executable


RUN: dict[str, tuple[str, Callable[[str], list[str]]]] = {
    "curl": ("photograph.sh", lambda file: ["sh", file]),
    "python": ("photograph.py", lambda file: [sys.executable, file]),
    "javascript": ("photograph.mjs", lambda file: [node(), file]),
    "php": ("photograph.php", lambda file: [shutil.which("php") or "php", file]),
}


@pytest.mark.parametrize("language", RUN)
def test_a_snippet_runs_as_pasted_and_shows_a_photograph(
    page: Page, site: Site, kit: dict[str, Any], tmp_path: Path, language: str
) -> None:
    """Issue 4 item 6, with a token that may only read and search."""
    token = call(
        site, "POST", f"{API}{kit['id']}/tokens/", {"name": language, "scopes": ["library:read", "search"]}
    )["token"]  # fmt: skip
    sign_in(page, site)
    page.goto(f"{site.base}/developers/application/{kit['id']}/start/")
    file, command = RUN[language]
    (tmp_path / file).write_text(page.locator(f"#snippet-{language}").inner_text())
    environment = {**os.environ, "VITRINE_TOKEN": token}
    done = subprocess.run(
        command(file), cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
    page.goto((tmp_path / "photograph.html").as_uri())
    page.wait_for_function("document.querySelector('img')?.naturalWidth > 50")


@pytest.mark.parametrize("language", RUN)
def test_a_snippet_with_a_wrong_token_says_so_and_writes_no_page(
    page: Page, site: Site, kit: dict[str, Any], tmp_path: Path, language: str
) -> None:
    sign_in(page, site)
    page.goto(f"{site.base}/developers/application/{kit['id']}/start/")
    file, command = RUN[language]
    (tmp_path / file).write_text(page.locator(f"#snippet-{language}").inner_text())
    environment = {**os.environ, "VITRINE_TOKEN": "mistyped"}
    done = subprocess.run(
        command(file), cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "401" in done.stdout + done.stderr
    assert not (tmp_path / "photograph.html").exists()


def test_the_snippets_for_other_people_run_as_pasted(
    page: Page, site: Site, kit: dict[str, Any], tmp_path: Path
) -> None:
    """The authorize address and the exchange, with the placeholders filled in as the page says."""
    sign_in(page, site)
    page.goto(f"{site.base}/developers/application/{kit['id']}/start/")
    address = page.locator("#snippet-authorize").inner_text().replace("CHALLENGE", CHALLENGE)
    exchange = page.locator("#snippet-exchange").inner_text()
    code = code_for(page.context, address)
    variables = {"CODE": code, "VERIFIER": VERIFIER, "CLIENT_SECRET": kit["client_secret"]}
    done = subprocess.run(
        ["sh", "-c", exchange], cwd=tmp_path, env={**os.environ, **variables}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"access_token":"vit_at_' in done.stdout


def test_a_machines_snippet_runs_as_pasted(page: Page, site: Site, tmp_path: Path) -> None:
    """Made on the page: a token cannot let an application act in its owner's name."""
    sign_in(page, site)
    page.goto(f"{site.base}/developers/application/new/")
    for field, text in (("name", "Night shift"), ("description", "Adds."), ("website", "https://kit.example.com")):
        page.locator(f"#{field}").fill(text)
    page.locator('[data-kind="machine"]').check()
    page.get_by_role("button", name="Create the application").click()
    page.wait_for_url(re.compile(r"/developers/application/\d+/$"))
    address = page.url
    page.get_by_role("button", name="Reveal Client secret").click()
    environment = {**os.environ, "CLIENT_SECRET": page.locator("#client-secret").inner_text()}
    page.goto(f"{address}start/")
    text = page.locator("#snippet-alone").inner_text()
    done = subprocess.run(["sh", "-c", text], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert '"access_token":"vit_at_' in done.stdout, done.stderr
    call(site, "DELETE", f"{API}{address.rstrip('/').rpartition('/')[2]}/")


def test_the_page_of_the_quick_start_signs_another_person_in_and_shows_a_photograph(
    page: Page, browser: Browser, site: Site, tmp_path: Path
) -> None:
    """The whole page as pasted, at its callback address, in the browser of a person who has never seen the portal."""
    back = f"http://localhost:{free_port()}/"
    application = call(
        site, "POST", API,
        {"name": f"Page {uuid.uuid4().hex[:6]}", "description": "Shows a photograph.", "website": back,
         "kind": "page", "redirect_uris": [back]},
    )  # fmt: skip
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en")
    serving: subprocess.Popen[bytes] | None = None
    try:
        sign_in(page, site)
        page.goto(f"{site.base}/developers/application/{application['id']}/start/")
        text = page.locator("#snippet-page").inner_text()
        (tmp_path / "index.html").write_text(text)
        serving = subprocess.Popen(
            [sys.executable, "-m", "http.server", back.rstrip("/").rpartition(":")[2], "--bind", "127.0.0.1"],
            cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(lambda: is_up(back), 30, "the newcomer's server answers")
        other = context.new_page()
        sign_in(other, site, "admin")
        other.goto(f"{back}?error=invalid_request&error_description=why")
        expect(other.locator("#said")).to_have_text("invalid_request: why")
        other.goto(f"{back}?code=stolen&state=foreign")
        expect(other.locator("#said")).to_have_text("This sign-in did not begin here.")
        other.goto(back)
        other.get_by_role("button", name="Sign in").click()
        box, words = other.locator(".scopes label").first.locator("input, span").all()[:2]
        box_place, words_place = box.bounding_box(), words.bounding_box()
        assert box_place and words_place and words_place["x"] > box_place["x"] + box_place["width"], (
            "the label is beside its box, not below it"
        )
        other.get_by_role("button", name="Allow").click()
        other.wait_for_function("document.querySelector('img')?.naturalWidth > 50")
        assert other.url == back, "the code is removed from the address"
    finally:
        context.close()
        if serving is not None:
            serving.terminate()
            serving.wait()
        call(site, "DELETE", f"{API}{application['id']}/")


def test_what_the_quick_start_makes_for_pkce_fits_together(
    page: Page, site: Site, kit: dict[str, Any], tmp_path: Path
) -> None:
    """RFC 7636 section 4.2; a web application with a server gets no page, which cannot keep a secret."""
    sign_in(page, site)
    page.goto(f"{site.base}/developers/application/{kit['id']}/start/")
    expect(page.locator("#snippet-page")).to_have_count(0)
    text = page.locator("#snippet-pkce").inner_text() + '\necho "$VERIFIER"'
    done = subprocess.run(
        ["sh", "-c", text], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    first, verifier = done.stdout.split("\n")[:2]
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert first.split()[1] == challenge


def test_a_new_application_leads_to_the_quick_start_and_a_new_token_into_view(
    page: Page, site: Site, kit: dict[str, Any]
) -> None:
    sign_in(page, site)
    page.goto(f"{site.base}/developers/application/{kit['id']}/")
    expect(page.locator("#next a")).to_have_attribute("href", f"/developers/application/{kit['id']}/start/")
    page.get_by_label("Name of the token").fill("Newcomer")
    page.get_by_role("button", name="Make a token").click()
    expect(page.locator("#named-token")).to_be_in_viewport()
    expect(page.locator("#next")).to_have_count(0)
