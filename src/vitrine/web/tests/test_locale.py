"""The French catalogue: every text of the templates is there, and nothing in it is out of use."""

import ast
import re

import pytest
from babel.messages.pofile import read_po

from vitrine.testing.server import Server
from vitrine.web.shared import render

WEB = render.WEB
SOURCES = WEB.parent
_VALUE = re.compile(r"\{\w+\}")
_MESSAGE = re.compile(r"""(?:\b_|\bwords)\((?:"([^"]+)"|'([^']+)')\)""")


def messages() -> set[str]:
    texts: set[str] = set()
    for template in WEB.glob("*/templates/*.html"):
        texts |= {double or single for double, single in _MESSAGE.findall(template.read_text())}
    return texts


def translations() -> dict[str, str]:
    catalogue = render.catalogue("fr")
    assert isinstance(catalogue, render._Catalogue)
    return dict(catalogue._messages)


def test_the_catalogue_is_well_formed() -> None:
    """The loader forgives a message without its translation, and shows the English text."""
    path = WEB / "locale" / "fr.po"
    with path.open("rb") as file:
        loaded = read_po(file, locale="fr", abort_invalid=True)
    assert [message.id for message in loaded if message.id and not message.string] == []
    keywords = re.findall(r"^(msgid|msgstr)\b", path.read_text(), re.MULTILINE)
    assert keywords == ["msgid", "msgstr"] * (len(keywords) // 2)
    assert len(loaded) == len(keywords) // 2 - 1, "the header is no message, and no message comes twice"


def test_every_text_of_the_templates_is_translated() -> None:
    assert len(messages()) > 200
    assert messages() - set(translations()) == set()


# Rooms whose refusals reach pages, and the sentences in them that no page shows (commands and the API say those).
ROOMS = (
    "accounts",
    "applications",
    "edge",
    "embed",
    "oauth/personal_tokens.py",
    "library/sharing/permalinks.py",
    "library/sharing/signed_addresses.py",
    "library/presentation.py",
    "media/probe",
    "media/sandbox.py",
    "web",
)
NOT_ON_PAGES = {
    "Only administrators may make accounts.",
    "Only administrators may choose an application's id.",
    "Only administrators may import permalinks.",
    "password_hash must be a bcrypt or an argon2 hash.",
    "Only administrators may give rights on a databox.",
    "Only administrators may set somebody's password.",
    "Only administrators may do this with somebody's account.",
    "This is the last administrator. Make another one first.",
    "You may only take back rights on collections whose users you manage.",
    "This person has no rights on this collection.",
    "You do not manage the users of any collection.",
    "There is no such account among those that you manage.",
    "This account has rights that you do not have.",
    "Only administrators decide about a whole databox.",
    "At most {count} rules.",
    "A rule gives at least the right actif.",
    "A pattern is an e-mail address in which * stands for any text.",
    "There is no such collection, or you do not manage its users.",
    "Guests cannot ask for access.",
    "Name a collection whose users you manage.",
    "There is no such group.",
    "There is a group of this name.",
    "Somebody else has changed this group. Load it again.",
    "Only administrators decide about the guest.",
    "Only administrators decide about groups of the guest.",
    "Only administrators give the first rights to a group that has members.",
    "You see the members of groups on whose collections you manage all users.",
    "Nobody can be in more than {count} groups.",
    "This person is not in the group.",
    "Only administrators make and change groups.",
    "A name has 1 to {count} characters.",
    "You have no such template.",
    "Nobody can have more than {count} templates.",
    "You have a template of this name.",
    "This link is not valid.",  # a page says that there is nothing
    "The request broke off before its end. Nothing was kept.",  # nobody is there to read it
}


def refusals() -> set[str]:
    """The whole sentences with which those rooms refuse; ones with a value in them are made up elsewhere."""
    texts: set[str] = set()
    for room in ROOMS:
        place = SOURCES / room
        for path in [place] if place.is_file() else place.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                    said = node.exc.args[0]
                    if isinstance(said, ast.Constant) and isinstance(said.value, str) and said.value.endswith("."):
                        texts.add(said.value)
    return texts


def test_every_refusal_that_a_page_shows_is_translated() -> None:
    assert len(refusals()) > 30
    assert refusals() - NOT_ON_PAGES - set(translations()) == set()
    assert refusals() >= NOT_ON_PAGES


def test_placeholders_are_kept() -> None:
    for english, french in translations().items():
        assert english.count("%s") == french.count("%s"), english
        assert set(_VALUE.findall(english)) == set(_VALUE.findall(french)), english


def test_nothing_is_out_of_use() -> None:
    code = "".join(path.read_text() for path in SOURCES.rglob("*.py") if "tests" not in path.parts)
    joined = re.sub(r'"\s*\n\s*f?"', "", code)
    stale = [text for text in set(translations()) - messages() if text not in joined]
    assert stale == []


@pytest.mark.parametrize(
    ("accepted", "heading"), [("fr-FR,fr;q=0.9", "Se connecter"), ("de", "Sign in"), ("", "Sign in")]
)
def test_a_stranger_gets_the_language_of_the_browser(server: Server, accepted: str, heading: str) -> None:
    server.user("ada")
    page = server.http.get("/login/", headers={"Accept-Language": accepted}).text
    assert f"<h1>{heading}</h1>" in page
