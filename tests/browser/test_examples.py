"""Every example of the README and of the guides is run as it stands, against a real server.

In place of real values the examples have these words; nothing else is changed in them:
`http://127.0.0.1:8000` and `$SERVER` (the library), `the token you copied` and `$VITRINE_TOKEN`, `$CLIENT_ID`,
`$CLIENT_SECRET`, `$CALLBACK`, `$CODE`, `$VERIFIER` (of one sign-in), `DIR` (a data folder; with a databox and a
collection, unless the example makes them), `NEW_DIR` (an empty one), `/backups` (a folder), `PERMALINK` (of a
photograph), `harbour.jpg`, `watermark.png`, `logo.png` (pictures in the current folder), `stamp.json` (the JSON there).
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Site
from tests.browser.test_pages import serving_folder
from vitrine.cli.main import cli
from vitrine.settings import load
from vitrine.testing import media_factory as make
from vitrine.testing.server import hidden

pytestmark = pytest.mark.browser
PAGES = [ROOT / "README.md", ROOT / "examples" / "web" / "README.md", *sorted((ROOT / "docs" / "guides").glob("*.md"))]
HERE = "http://127.0.0.1:8000"
TOKEN = "the token you copied"
VERIFIER = "example-" * 8
INSTANCE = "vitrine databox add Museum --data {0}; vitrine collection add Photographs --databox 1 --data {0}"
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"`(vitrine [^`]+)`")


@dataclass(frozen=True, slots=True)
class Example:
    page: Path
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.stem}-{self.language}-{hashlib.sha256(self.text.encode()).hexdigest()[:6]}"


def examples() -> list[Example]:
    found = []
    for page in PAGES:
        for indent, language, text in _BLOCK.findall(page.read_text()):
            found.append(Example(page, language, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE)))
    return found


ALL = examples()
RUN = [one for one in ALL if one.language in ("sh", "python")]


def test_every_example_is_of_a_kind_that_is_run() -> None:
    # `console` is what root does to a whole machine: looked at below, not run here.
    assert {one.language for one in ALL} <= {"sh", "python", "html", "js", "json", "toml", "console"}
    for one in ALL:
        assert one.language != "json" or json.loads(one.text)
    assert len(RUN) >= 7
    assert any(one.language == "html" for one in ALL)


@pytest.mark.parametrize("example", [one for one in ALL if one.language == "toml"], ids=str)
def test_settings_of_the_guides_can_be_used(example: Example, tmp_path: Path) -> None:
    (tmp_path / "vitrine.toml").write_text(example.text)
    assert load({}, tmp_path / "vitrine.toml").base_url == "https://dam.example.org"


@pytest.mark.parametrize("example", [one for one in ALL if one.language == "console"], ids=str)
def test_what_root_types_is_well_formed_and_names_files_that_are_there(example: Example) -> None:
    subprocess.run(["sh", "-n", "-c", example.text], check=True)
    named = re.findall(r"/opt/vitrine/((?:deploy|requirements|tools)/\S+)", example.text)
    assert all((ROOT / one).is_file() for one in named)
    targets = re.findall(r"make -C /opt/vitrine (\w+)", example.text)
    assert all(f"\n{one}:" in (ROOT / "Makefile").read_text() for one in targets)
    assert named or targets


@pytest.fixture(scope="module")
def words(site: Site) -> dict[str, str]:
    """The environment of the examples."""
    app = site.told["web_app"]
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SERVER": site.base,
        "VITRINE_TOKEN": app["developer_token"],
        "CLIENT_ID": app["client_id"],
        "CLIENT_SECRET": app["client_secret"],
        "CALLBACK": app["redirect_uri"],
        "VERIFIER": VERIFIER,
        "VITRINE_NEW_PASSWORD": "correct horse battery",
    }


def code(site: Site) -> str:
    """A sign-in as the guide describes it: authorize with PKCE, consent, back with a code."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    app, person = site.told["web_app"], site.told["admin"]  # other tests ask what `user` allowed
    asked = {
        "client_id": app["client_id"], "response_type": "code", "redirect_uri": app["redirect_uri"], "state": "s",
        "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    authorize = "/api/oauthv2/authorize"
    with httpx.Client(base_url=site.base) as browser:
        form = hidden(browser.get(authorize, params=asked).text)
        signed = {"login": person["login"], "password": person["password"], "action_login": "1"}
        answer = browser.post(authorize, data={**form, **signed})
        answer = browser.get(answer.headers["location"])
        if answer.status_code == 200:
            answer = browser.post(authorize, data={**hidden(answer.text), "action_accept": "1"})
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def answers(text: str) -> list[Any]:
    """The JSON documents that several commands printed one after the other."""
    found, decoder = [], json.JSONDecoder()
    while (text := text.lstrip()).startswith("{"):
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    assert text == "", text
    return found


@pytest.mark.parametrize("example", RUN, ids=str)
def test_an_example_runs_as_it_stands(example: Example, words: dict[str, str], site: Site, tmp_path: Path) -> None:
    assert shutil.which("curl"), "the examples use curl: apt-get install curl"
    make.jpeg(tmp_path / "harbour.jpg", 640, 400)
    for name in ("watermark.png", "logo.png"):
        make.png(tmp_path / name, 64, 48)
    (tmp_path / "stamp.json").write_text(next(one.text for one in ALL if one.language == "json"))
    (tmp_path / "backups").mkdir()
    text = example.text.replace(HERE, site.base).replace(TOKEN, words["VITRINE_TOKEN"])
    text = text.replace("/backups", str(tmp_path / "backups"))
    text, needs_instance = re.subn(r"\bDIR\b", str(tmp_path / "data"), text)
    text = re.sub(r"\bNEW_DIR\b", str(tmp_path / "new"), text)
    if needs_instance and "databox add" not in text:
        text = f"{INSTANCE.format(tmp_path / 'data')}\n{text}"
    if "$CODE" in text:
        words = {**words, "CODE": code(site)}
    # `make` would begin the whole product again, inside its own tests: that it knows the target is what is left.
    text = re.sub(r"^make ", f"make -n -C {ROOT} ", text, flags=re.MULTILINE)
    command = ["sh", "-euc", text] if example.language == "sh" else [sys.executable, "-W", "error", "-c", text]
    done = subprocess.run(command, cwd=tmp_path, env=words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    if example.language == "python":
        assert f"{site.base}/permalink/v1/" in done.stdout
    if "curl" in text:
        told = answers(done.stdout)
        assert len(told) == text.count("curl ")
        for one in told:
            good = "access_token" in one or "applications" in one or "client_secret" in one
            assert good or one["meta"]["http_code"] == 200, one


def test_the_first_search_of_the_readme_leads_to_an_embed(words: dict[str, str], site: Site) -> None:
    """README, step 5: the permalink of every file in the answer, and the embed page of it."""
    headers = {"Authorization": f"Bearer {words['VITRINE_TOKEN']}"}
    found = httpx.get(f"{site.base}/api/v1/search/?query=cat", headers=headers).json()["response"]
    assert found["total_results"] >= 1
    address = found["results"]["records"][0]["thumbnail"]["permalink"]["url"]
    assert httpx.get(address).headers["content-type"].startswith("image/")
    assert "embed-image" in httpx.get(f"{site.base}/embed/?url={address}").text


def test_the_frame_and_its_script_work_in_somebody_elses_page(
    page: Page, words: dict[str, str], site: Site, tmp_path: Path
) -> None:
    headers = {"Authorization": f"Bearer {words['VITRINE_TOKEN']}"}
    files = httpx.get(f"{site.base}/api/v1/records/1/5/embed/", headers=headers).json()["response"]["embed"]
    permalink = next(one["permalink"]["url"] for one in files if one["name"] == "preview")
    frame = next(one.text for one in ALL if one.language == "html")
    script = next(one.text for one in ALL if one.language == "js")
    frame = frame.replace("$SERVER", site.base).replace("PERMALINK", permalink)
    (tmp_path / "index.html").write_text(f"<!doctype html><title>x</title><script>{script}</script>{frame}")
    with serving_folder(tmp_path) as address:
        page.goto(address)
        expect(page.frame_locator("iframe").locator("#embed-image")).to_be_visible()
        page.wait_for_function("document.querySelector('iframe').style.height !== ''")


def commands() -> list[str]:
    found = {one for page in PAGES for one in _COMMAND.findall(page.read_text())}
    for example in ALL:
        found |= {line for line in example.text.splitlines() if line.startswith("vitrine ")}
    return sorted(found)


@pytest.mark.parametrize("line", commands())
def test_a_command_and_its_options_exist(line: str) -> None:
    """Commands in running text, too."""
    at: click.Command = cli
    for word in line.split()[1:]:
        if word.startswith("--"):
            assert any(word in one.opts for one in at.params if isinstance(one, click.Option)), word
        elif isinstance(at, click.Group):
            step = at.get_command(click.Context(at), word.rstrip(",`"))
            assert step is not None, word
            at = step
