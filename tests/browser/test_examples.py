"""Every example of the README and of the guides is run unchanged, against a real server.

The examples use these placeholders for real values; nothing else is replaced in them:
`http://127.0.0.1:8000` and `$SERVER` (the library), `the token you copied` and `$VITRINE_TOKEN`, `$CLIENT_ID`,
`$CLIENT_SECRET`, `$CALLBACK`, `$CODE`, `$VERIFIER` (of one sign-in), `DIR` (a data folder; with a databox and a
collection, unless the example makes them), `NEW_DIR` (an empty one), `/backups` and `/exports` (folders), `PERMALINK`
(of a photograph), `harbour.jpg`, `watermark.png`, `logo.png` (pictures in the current folder), `stamp.json` (the JSON
there), `passphrase.txt`.
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
PAGES = [
    ROOT / "README.md", ROOT / "examples" / "web" / "README.md", ROOT / "docs" / "wire" / "v4.md",
    *sorted((ROOT / "docs" / "guides").glob("*.md")),
]  # fmt: skip
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
    found_examples = []
    for page in PAGES:
        for indent, language, text in _BLOCK.findall(page.read_text()):
            found_examples.append(Example(page, language, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE)))
    return found_examples


ALL = examples()
RUN = [example for example in ALL if example.language in ("sh", "python")]


def test_every_example_is_of_a_kind_that_is_run() -> None:
    # `console` is what root types on a machine: it is checked below, not run here.
    assert {example.language for example in ALL} <= {"sh", "python", "html", "js", "json", "toml", "console"}
    for example in ALL:
        assert example.language != "json" or json.loads(example.text)
    assert len(RUN) >= 7
    assert any(example.language == "html" for example in ALL)


@pytest.mark.parametrize("example", [example for example in ALL if example.language == "toml"], ids=str)
def test_settings_of_the_guides_can_be_used(example: Example, tmp_path: Path) -> None:
    (tmp_path / "vitrine.toml").write_text(example.text)
    assert load({}, tmp_path / "vitrine.toml").base_url == "https://dam.example.org"


@pytest.mark.parametrize("example", [example for example in ALL if example.language == "console"], ids=str)
def test_what_root_types_is_well_formed_and_names_files_that_are_there(example: Example) -> None:
    subprocess.run(["sh", "-n", "-c", example.text], check=True)
    named = re.findall(r"/opt/vitrine/((?:deploy|requirements|tools)/\S+)", example.text)
    assert all((ROOT / path).is_file() for path in named)
    targets = re.findall(r"make -C /opt/vitrine (\w+)", example.text)
    assert all(f"\n{target}:" in (ROOT / "Makefile").read_text() for target in targets)
    assert named or targets


@pytest.fixture(scope="module")
def environment(site: Site) -> dict[str, str]:
    """The environment of the examples."""
    app = site.demo["web_app"]
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


def authorization_code(site: Site) -> str:
    """A sign-in as the guide describes it: authorize with PKCE, consent, return with a code."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    app, person = site.demo["web_app"], site.demo["admin"]  # other tests check what `user` allowed
    query = {
        "client_id": app["client_id"], "response_type": "code", "redirect_uri": app["redirect_uri"], "state": "s",
        "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    authorize = "/api/oauthv2/authorize"
    with httpx.Client(base_url=site.base) as browser:
        form = hidden(browser.get(authorize, params=query).text)
        signed = {"login": person["login"], "password": person["password"], "action_login": "1"}
        answer = browser.post(authorize, data={**form, **signed})
        answer = browser.get(answer.headers["location"])
        if answer.status_code == 200:
            answer = browser.post(authorize, data={**hidden(answer.text), "action_accept": "1"})
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def json_documents(text: str) -> list[Any]:
    """The JSON documents that several commands printed in sequence."""
    documents, decoder = [], json.JSONDecoder()
    while (text := text.lstrip()).startswith("{"):
        value, end = decoder.raw_decode(text)
        documents.append(value)
        text = text[end:]
    assert text == "", text
    return documents


@pytest.mark.parametrize("example", RUN, ids=str)
def test_an_example_runs_as_it_stands(
    example: Example, environment: dict[str, str], site: Site, tmp_path: Path
) -> None:
    assert shutil.which("curl"), "the examples use curl: apt-get install curl"
    make.jpeg(tmp_path / "harbour.jpg", 640, 400)
    for name in ("watermark.png", "logo.png"):
        make.png(tmp_path / name, 64, 48)
    stamps = (block.text for block in ALL if block.language == "json" and '"blocks"' in block.text)
    (tmp_path / "stamp.json").write_text(next(stamps))
    for name in ("backups", "exports"):
        (tmp_path / name).mkdir()
    (tmp_path / "passphrase.txt").write_text("correct horse battery staple")
    text = example.text.replace(HERE, site.base).replace(TOKEN, environment["VITRINE_TOKEN"])
    for name in ("backups", "exports"):
        text = text.replace(f"/{name}", str(tmp_path / name))
    text, needs_instance = re.subn(r"\bDIR\b", str(tmp_path / "data"), text)
    text = re.sub(r"\bNEW_DIR\b", str(tmp_path / "new"), text)
    if needs_instance and "databox add" not in text:
        text = f"{INSTANCE.format(tmp_path / 'data')}\n{text}"
    if "$CODE" in text:
        environment = {**environment, "CODE": authorization_code(site)}
    # `make` would run all tests again inside these tests, so only check that it knows the target.
    text = re.sub(r"^make ", f"make -n -C {ROOT} ", text, flags=re.MULTILINE)
    command = ["sh", "-euc", text] if example.language == "sh" else [sys.executable, "-W", "error", "-c", text]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    if example.language == "python":
        assert f"{site.base}/permalink/v1/" in done.stdout
    if example.page.stem == "v4":  # its examples keep answers in variables, and repeat calls
        responses = json_documents(done.stdout)
        assert responses
        assert not [response for response in responses if "code" in response]
    elif "curl" in text:
        responses = json_documents(done.stdout)
        assert len(responses) == text.count("curl ")
        for response in responses:
            good = "access_token" in response or "applications" in response or "client_secret" in response
            assert good or response["meta"]["http_code"] == 200, response


def test_the_first_search_of_the_readme_leads_to_an_embed(environment: dict[str, str], site: Site) -> None:
    """README, step 5: the permalink of every file in the response, and its embed page."""
    headers = {"Authorization": f"Bearer {environment['VITRINE_TOKEN']}"}
    response = httpx.get(f"{site.base}/api/v1/search/?query=cat", headers=headers).json()["response"]
    assert response["total_results"] >= 1
    address = response["results"]["records"][0]["thumbnail"]["permalink"]["url"]
    assert httpx.get(address).headers["content-type"].startswith("image/")
    assert "embed-image" in httpx.get(f"{site.base}/embed/?url={address}").text


def test_the_frame_and_its_script_work_in_somebody_elses_page(
    page: Page, environment: dict[str, str], site: Site, tmp_path: Path
) -> None:
    headers = {"Authorization": f"Bearer {environment['VITRINE_TOKEN']}"}
    files = httpx.get(f"{site.base}/api/v1/records/1/5/embed/", headers=headers).json()["response"]["embed"]
    permalink = next(file["permalink"]["url"] for file in files if file["name"] == "preview")
    frame = next(block.text for block in ALL if block.language == "html")
    script = next(block.text for block in ALL if block.language == "js")
    frame = frame.replace("$SERVER", site.base).replace("PERMALINK", permalink)
    (tmp_path / "index.html").write_text(f"<!doctype html><title>x</title><script>{script}</script>{frame}")
    with serving_folder(tmp_path) as address:
        page.goto(address)
        expect(page.frame_locator("iframe").locator("#embed-image")).to_be_visible()
        page.wait_for_function("document.querySelector('iframe').style.height !== ''")


def commands() -> list[str]:
    lines = {command for page in PAGES for command in _COMMAND.findall(page.read_text())}
    for example in ALL:
        lines |= {line for line in example.text.splitlines() if line.startswith("vitrine ")}
    return sorted(lines)


@pytest.mark.parametrize("line", commands())
def test_a_command_and_its_options_exist(line: str) -> None:
    """Also for commands in running text."""
    at: click.Command = cli
    for word in line.split()[1:]:
        if word.startswith("--"):
            assert any(
                word in (*option.opts, *option.secondary_opts)
                for option in at.params
                if isinstance(option, click.Option)
            ), word
        elif isinstance(at, click.Group):
            step = at.get_command(click.Context(at), word.rstrip(",`"))
            assert step is not None, word
            at = step
