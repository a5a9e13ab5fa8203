"""The French catalogue: every text of the templates is there, and nothing in it is out of use."""

import re
from pathlib import Path

import pytest

from vitrine.testing.server import Server
from vitrine.web import render

HERE = Path(render.__file__).parent
SOURCES = HERE.parent
_MESSAGE = re.compile(r"""(?:\b_|\bwords)\((?:"([^"]+)"|'([^']+)')\)""")


def messages() -> set[str]:
    found: set[str] = set()
    for template in (HERE / "templates").rglob("*.html"):
        found |= {double or single for double, single in _MESSAGE.findall(template.read_text())}
    return found


def translations() -> dict[str, str]:
    catalogue = render.catalogue("fr")
    assert isinstance(catalogue, render._Catalogue)
    return dict(catalogue._messages)


def test_every_text_of_the_templates_is_translated() -> None:
    assert len(messages()) > 200
    assert messages() - set(translations()) == set()


def test_placeholders_are_kept() -> None:
    for english, french in translations().items():
        assert english.count("%s") == french.count("%s"), english


def test_nothing_is_out_of_use() -> None:
    code = "".join(path.read_text() for path in SOURCES.rglob("*.py") if "tests" not in path.parts)
    joined = re.sub(r'"\s*\n\s*f?"', "", code)
    made_up = {"Choose a password of at least 8 characters."}  # the number is filled in
    stale = [one for one in set(translations()) - messages() - made_up if one not in joined]
    assert stale == []


@pytest.mark.parametrize(("asked", "heading"), [("fr-FR,fr;q=0.9", "Se connecter"), ("de", "Sign in"), ("", "Sign in")])
def test_a_stranger_gets_the_language_of_the_browser(server: Server, asked: str, heading: str) -> None:
    server.user("ada")
    page = server.http.get("/login/", headers={"Accept-Language": asked}).text
    assert f"<h1>{heading}</h1>" in page
