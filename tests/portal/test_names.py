"""Names that people read: without control characters, hidden characters that turn the direction of writing, or only
invisible ones, and descriptions with a bound, on every path that takes them."""

import json

import pytest
from click.testing import CliRunner

from tests.portal.conftest import API, Minted
from vitrine.accounts import COMMAND, User
from vitrine.applications import store
from vitrine.cli.main import cli
from vitrine.errors import Invalid
from vitrine.testing.server import CALLBACK, Registered, Server, Visitor

BAD = (
    "Field\u202eseton", "Field\u2066Notes", "Field\x07Notes", "Field\nNotes", "Field\u2028Notes", "Field\x85Notes",
    "\u200b\u200d", "\u3164", "\u2800 \u2800", "\ufe0f", "\u00a0",
)  # fmt: skip
GOOD = (
    "Notes \U0001f469\u200d\U0001f52c",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Mus\u00e9e\u00a0: notes",
    "\u200fשלום",
    "e\u0301",
)
TEXTS = {"name": "Notes", "description": "Notes of a museum.", "website": "https://notes.example.com"}
LONG = "d" * 2001


def document(**changes: object) -> dict[str, object]:
    return {"vitrine_application": 1, **TEXTS, "redirect_uris": [CALLBACK], **changes}


def names(server: Server, user: User) -> list[str]:
    with server.services.database.read() as work:
        return [application.name for application in store.owned_by(work, user.id, 100, 0)]


WRONG = [
    *({"name": name} for name in BAD),
    {"description": LONG},
    {"description": "a\x00b"},
    {"description": "\u202ea"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: ascii(wrong)[:40])
def test_an_application_gets_no_such_name_or_description(
    server: Server, ada: User, visitor: Visitor, minted: Minted, app: Registered, wrong: dict[str, str]
) -> None:
    (field,) = wrong
    token = minted(ada, app)
    before = names(server, ada)
    form = {**TEXTS, "kind": "server", "callback": CALLBACK, **wrong}
    page = visitor.submit("/developers/application/new/", "/developers/application/", form)
    assert page.status_code == 200
    assert f'id="{field}-fault"' in page.text or 'aria-invalid="true"' in page.text
    edit = f"/developers/application/{app.application.id}/edit/"
    assert 'aria-invalid="true"' in visitor.submit(edit, edit, {**TEXTS, **wrong}).text
    place = "/developers/application/import/"
    brought = visitor.submit(place, place, {"text": json.dumps(document(**wrong))})
    assert brought.status_code == 200
    assert f"{field}:" in brought.text
    created = server.call("POST", API, token, json=document(**wrong))
    assert (created.status_code, created.json()["field"]) == (422, field)
    tag = server.call("GET", f"{API}{app.application.id}/", token).headers["etag"]
    changed = server.call("PATCH", f"{API}{app.application.id}/", token, json=wrong, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["field"]) == (422, field)
    options = ["--owner", "ada", "--website", TEXTS["website"], "--callback", CALLBACK, "--data"]
    words = {**TEXTS, **wrong}
    if "\x00" not in words[field]:  # no shell passes one
        command = ["app", "add", words["name"], "--description", words["description"], *options]
        done = CliRunner().invoke(cli, [*command, str(server.settings.data_dir)])
        assert isinstance(done.exception, Invalid), done.output
        assert done.exception.field == field
    assert names(server, ada) == before


@pytest.mark.parametrize("name", GOOD)
def test_joiners_marks_and_french_blanks_are_part_of_names(
    server: Server, ada: User, app: Registered, minted: Minted, name: str
) -> None:
    created = server.call("POST", API, minted(ada, app), json=document(name=name, description="One.\r\n\tTwo."))
    assert created.status_code == 201, created.text
    assert name in names(server, ada)


def test_a_bad_name_of_before_stays_readable_is_shown_safely_and_can_be_mended(
    server: Server, ada: User, visitor: Visitor, app: Registered, minted: Minted
) -> None:
    with server.services.database.write() as work:
        store.update(work, app.application.id, {"name": "Field\u202eseton", "description": LONG})
    token = minted(ada, app)
    answer = server.call("GET", f"{API}{app.application.id}/", token)
    assert "Field\u202eseton" in answer.text
    changes = {"publisher": "The Museum"}
    kept = server.call(
        "PATCH", f"{API}{app.application.id}/", token, json=changes, headers={"If-Match": answer.headers["etag"]}
    )
    assert kept.status_code == 200, "other things change without a new name"
    edit = f"/developers/application/{app.application.id}/edit/"
    same = {**TEXTS, "name": "Field\u202eseton", "description": LONG, "contact": "ada@museum.example"}
    assert visitor.submit(edit, edit, same).status_code == 303
    consent_page = visitor.get(
        "/api/oauthv2/authorize",
        params={
            "client_id": app.client_id, "response_type": "code", "redirect_uri": CALLBACK, "code_challenge": "x" * 43,
            "code_challenge_method": "S256",
        },
    )  # fmt: skip
    assert "action_accept" in consent_page.text
    assert "\u202e" not in consent_page.text, "a name cannot turn the words around it"
    assert "Fieldseton" in consent_page.text
    assert visitor.submit(edit, edit, {**TEXTS, "name": "Field Notes"}).status_code == 303


@pytest.mark.parametrize("name", BAD)
def test_a_token_a_person_and_a_collection_get_no_such_name(
    server: Server, ada: User, visitor: Visitor, app: Registered, minted: Minted, name: str
) -> None:
    created = server.call(
        "POST", f"{API}{app.application.id}/tokens/", minted(ada, app), json={"name": name, "days": 30}
    )
    assert created.status_code == 400
    page = visitor.submit(
        f"/developers/application/{app.application.id}/", f"/developers/application/{app.application.id}/tokens/",
        {"token-name": name, "days": "30"},
    )  # fmt: skip
    assert page.status_code == 200
    assert 'id="token-name-fault"' in page.text
    if name.strip():
        saved = visitor.submit("/account/", "/account/", {"first_name": name})
        assert (saved.status_code, 'aria-invalid="true"' in saved.text) == (400, True)
    for command in (["databox", "add", name], ["collection", "add", name, "--databox", str(server.databox.id)]):
        done = CliRunner().invoke(cli, [*command, "--data", str(server.settings.data_dir)])
        assert isinstance(done.exception, Invalid), done.output
        assert done.exception.field == "name"
    if name.strip():
        user = ["user", "add", "bob", "--password", "correct horse", "--first-name", name]
        done = CliRunner().invoke(cli, [*user, "--data", str(server.settings.data_dir)])
        assert isinstance(done.exception, Invalid), done.output
        assert done.exception.field == "first_name"


@pytest.mark.both_databases
@pytest.mark.parametrize(("field", "longest"), [("first_name", 128), ("zip_code", 64), ("address", 255), ("phone", 64)])
def test_what_is_longer_than_its_column_is_refused_in_words(
    server: Server, ada: User, visitor: Visitor, field: str, longest: int
) -> None:
    """PostgreSQL refuses it with an error of its own, SQLite keeps it."""
    assert visitor.submit("/account/", "/account/", {field: "x" * longest}).status_code == 303
    assert visitor.submit("/account/", "/account/", {field: "x" * (longest + 1)}).status_code == 400
    with server.services.database.write() as work, pytest.raises(Invalid) as refused:
        server.services.accounts.users.add(
            work, COMMAND, login="bob", password="correct horse", **{field: "x" * (longest + 1)}
        )
    assert refused.value.field == field
