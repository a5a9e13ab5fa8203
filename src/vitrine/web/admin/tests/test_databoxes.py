"""Pages of the databoxes whose structure a person changes."""

from typing import Any

import pytest

from vitrine.accounts import DataboxRight, User
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS
from vitrine.library.model import Collection, Field
from vitrine.library.structure.tests.people import MANAGES, STRUCTURE, person
from vitrine.testing.server import Server, Visitor

BOX = "/admin/databoxes/1/"


@pytest.fixture
def ada(server: Server) -> Visitor:
    return server.browser(person(server, "ada", DataboxRight(ALL_DATABOX_RIGHTS)))


def post(visitor: Visitor, path: str, **values: str) -> Any:
    return visitor.client.post(path, data={"csrf": visitor.form(BOX)["csrf"], **values})


def fields(server: Server) -> dict[str, Field]:
    with server.services.database.read() as work:
        return {
            field.name: field for field in server.services.library.records.structure(work).fields[server.databox.id]
        }


def collections(server: Server) -> list[Collection]:
    with server.services.database.read() as work:
        return list(server.services.library.records.structure(work).collections.values())


def test_a_field_is_added_changed_moved_and_deleted(server: Server, ada: Visitor) -> None:
    assert post(ada, BOX + "fields/", name="Lieu de vue").status_code == 303
    field = fields(server)["Lieudevue"]
    page = f"{BOX}fields/{field.id}/"
    form = {"name": "Lieu", "type": "string", "multi": "1", "separator": ",", "gui_visible": "1", "label_en": "Place"}
    assert post(ada, page, do="save", revision=str(field.revision), **form).status_code == 303
    changed = fields(server)["Lieu"]
    assert (changed.multi, changed.separator, changed.printable, changed.labels["en"]) == (True, ",;", False, "Place")
    stale = post(ada, page, do="save", revision=str(field.revision), **form)
    assert stale.status_code == 400
    assert "It was changed since you looked" in stale.text
    assert 'value="Place"' in stale.text, "what was typed is kept"
    assert post(ada, page, do="up").status_code == 303
    assert list(fields(server))[-2] == "Lieu"
    assert post(ada, page, do="delete").status_code == 303
    assert "Lieu" not in fields(server)
    assert ada.get(page).status_code == 404


def test_faults_are_told_in_the_language_of_the_page(server: Server, ada: Visitor) -> None:
    page = ada.client.post(
        BOX + "fields/", data={"csrf": ada.form(BOX)["csrf"], "name": "title"}, headers={"Accept-Language": "fr"}
    )
    assert page.status_code == 400
    assert "Il existe déjà un champ nommé Title." in page.text
    assert 'value="title"' in page.text


def test_status_bits_names_and_terms(server: Server, ada: Visitor) -> None:
    assert post(ada, BOX + "status/", bit="4", label_on="Checked", searchable="1").status_code == 303
    assert "Checked" in ada.get(BOX).text
    assert post(ada, BOX + "status/", bit="3", label_on="Checked").status_code == 400
    assert post(ada, BOX + "status/", bit="4", do="remove").status_code == 303
    revision = ada.form(BOX)["revision"]
    assert post(ada, BOX + "settings/", title="The museum", revision=revision, registration="1").status_code == 303
    assert post(ada, BOX + "settings/", title="Mine", revision=revision).status_code == 400
    assert "The museum" in ada.get(BOX).text
    assert post(ada, BOX + "terms/", text_en="<p>Use<script>x()</script></p>", must_accept="1").status_code == 303
    assert "&lt;p&gt;Use&lt;/p&gt;" in ada.get(BOX).text
    assert post(ada, BOX + "terms/", text_en="<script></script>").status_code == 400


def test_collections_are_made_ordered_and_taken_out_of_use(server: Server, ada: Visitor) -> None:
    assert post(ada, BOX + "collections/", do="add", name="Films").status_code == 303
    films = collections(server)[-1]
    assert post(ada, BOX + "collections/", do="up", base_id=str(films.id)).status_code == 303
    assert collections(server)[-2].id == films.id
    assert post(ada, BOX + "collections/", do="disable", base_id=str(films.id)).status_code == 303
    assert not collections(server)[-2].enabled
    assert post(ada, BOX + "collections/", do="enable", base_id=str(films.id)).status_code == 303
    assert post(ada, BOX + "collections/", do="disable", base_id="999").status_code == 400


@pytest.mark.parametrize(
    ("rights", "shown", "hidden"), [(STRUCTURE, "fields", "collections"), (MANAGES, "collections", "fields")], ids=str
)
def test_each_right_shows_its_own_part(server: Server, rights: DataboxRight, shown: str, hidden: str) -> None:
    bob = server.browser(person(server, "bob", rights))
    page = bob.get(BOX).text
    assert f'id="{shown}"' in page
    assert f'id="{hidden}"' not in page
    refused = bob.client.post(f"{BOX}{hidden}/", data={"csrf": bob.form(BOX)["csrf"], "name": "x", "do": "add"})
    assert refused.status_code == 404


def test_the_menu_leads_to_the_databoxes_who_may_change_one(server: Server) -> None:
    for login, right in (("ann", STRUCTURE), ("bea", MANAGES), ("cyd", DataboxRight.bas_chupub)):
        visitor = server.browser(person(server, login, right))
        is_led = 'href="/admin/databoxes/"' in visitor.get("/account/").text
        assert is_led == (right is not DataboxRight.bas_chupub) == (visitor.get("/admin/databoxes/").status_code == 200)


def test_a_refused_form_keeps_what_was_chosen(server: Server, ada: Visitor) -> None:
    settings = post(ada, BOX + "settings/", title="", registration="1", revision=ada.form(BOX)["revision"])
    assert 'name="registration" value="1" checked' in settings.text
    terms = post(ada, BOX + "terms/", text_en="<script></script>", must_accept="1")
    assert 'name="must_accept" value="1" checked' in terms.text
    bit = post(ada, BOX + "status/", bit="7", label_on="", searchable="1")
    assert "<option selected>7</option>" in bit.text
    assert 'name="searchable" value="1" checked' in bit.text


def test_an_unknown_choice_takes_no_collection_out_of_use(server: Server, ada: Visitor) -> None:
    base = collections(server)[0]
    assert post(ada, BOX + "collections/", base_id=str(base.id), do="other").status_code == 400
    assert collections(server)[0].enabled


def test_others_find_nothing(server: Server) -> None:
    bob: User = server.user("bob")
    visitor = server.browser(bob)
    field = next(iter(fields(server).values()))
    for path in ("/admin/databoxes/", BOX, f"{BOX}fields/{field.id}/", "/admin/databoxes/99/"):
        assert visitor.get(path).status_code == 404
    csrf = visitor.form("/account/")["csrf"]
    for path in (BOX + "fields/", BOX + "nothing/", f"{BOX}fields/{field.id}/"):
        assert visitor.client.post(path, data={"csrf": csrf, "name": "x", "do": "delete"}).status_code == 404
    assert "Title" in fields(server)


def test_a_form_of_another_site_changes_nothing(server: Server, ada: Visitor) -> None:
    assert ada.client.post(BOX + "fields/", data={"name": "x"}).status_code == 403
