"""Contract 02 sections 5.11, 5.12, 6.2 and 6.10: what databoxes are made of."""

from typing import Any

import pytest

from vitrine.accounts import COMMAND, DataboxRight, Right, User
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, ALL_RIGHTS, READER
from vitrine.library import structure_store
from vitrine.testing.server import Server

LABELS = ["fr", "en", "de", "nl"]


@pytest.fixture
def ada(server: Server) -> User:
    made = server.user("ada")
    grant_structure(server, made, ALL_DATABOX_RIGHTS)
    with server.services.database.write() as work:
        bit = {"bit": 4, "label_on": "Checked", "label_off": "Unchecked", "labels_on": {"fr": "Vu"}, "labels_off": {}}
        structure_store.add_status_bit(work, server.databox.id, {**bit, "searchable": True})
        structure_store.bump(work)
    return made


@pytest.fixture
def token(server: Server, ada: User) -> str:
    return server.token(ada)


def grant_structure(server: Server, user: User, rights: DataboxRight) -> None:
    with server.services.database.write() as work:
        server.services.accounts.grant_databox(work, COMMAND, user.id, server.databox.id, rights)


def box(server: Server, tail: str) -> str:
    return f"/databoxes/{server.databox.id}/{tail}"


def test_5_11_status_definitions(server: Server, token: str) -> None:
    assert server.get(box(server, "status/"), token) == {
        "status": [
            {
                "bit": 4, "label_on": "Checked", "label_off": "Unchecked",
                "labels": {"en": "Checked", "fr": "Vu", "de": "Checked", "nl": "Checked"},
                "img_on": None, "img_off": None, "searchable": True, "printable": False,
            }
        ]
    }  # fmt: skip


def test_5_12_field_definitions(server: Server, token: str) -> None:
    found = server.get(box(server, "metadatas/"), token)["document_metadatas"]
    by_name: dict[str, Any] = {one["name"]: one for one in found.values()}
    assert all(str(one["id"]) == place for place, one in found.items()), "an object keyed by field id (02 §7)"
    title = by_name["Title"]
    assert list(title) == [
        "id", "namespace", "source", "tagname", "name", "labels", "separator", "thesaurus_branch", "generate_cterms",
        "gui_editable", "gui_visible", "printable", "input_disable", "type", "indexable", "multivalue", "readonly",
        "required",
    ]  # fmt: skip
    assert (title["namespace"], title["source"], title["tagname"]) == ("XMP-dc", "XMP-dc:Title", "Title")
    assert list(title["labels"]) == LABELS
    assert (title["multivalue"], by_name["Keywords"]["multivalue"], by_name["Keywords"]["separator"]) == (
        False, True, ";",
    )  # fmt: skip
    nowhere = by_name["Comments"]
    assert (nowhere["namespace"], nowhere["source"], nowhere["tagname"]) == (
        "Phraseanet", "Phraseanet:no-source", "no-source",
    )  # fmt: skip


def test_7_lists_for_the_php_sdk(server: Server, token: str) -> None:
    agent = {"User-Agent": "Phraseanet SDK Player/4.1"}
    assert isinstance(server.get(box(server, "metadatas/"), token, headers=agent)["document_metadatas"], list)


@pytest.mark.parametrize("tail", ["status/", "metadatas/"])
def test_6_2_structure_needs_its_right(server: Server, ada: User, tail: str) -> None:
    bob = server.user("bob", ALL_RIGHTS)
    token = server.token(bob)
    assert server.call("GET", f"/api/v1{box(server, tail)}", token).status_code == 401
    grant_structure(server, bob, DataboxRight.bas_manage)
    assert server.call("GET", f"/api/v1{box(server, tail)}", token).status_code == 401
    grant_structure(server, bob, DataboxRight.bas_modify_struct)
    assert server.call("GET", f"/api/v1{box(server, tail)}", token).status_code == 200


@pytest.mark.parametrize("tail", ["status/", "metadatas/", "termsOfUse/", "collections/"])
def test_6_2_strangers_unknown_ids_and_twins(server: Server, token: str, tail: str) -> None:
    stranger = server.token(server.user("eve", None))
    assert server.call("GET", f"/api/v1{box(server, tail)}", stranger).status_code == 401
    assert server.call("GET", f"/api/v1/databoxes/99/{tail}", token).status_code == 404
    assert server.call("GET", f"/api/v1/databoxes/x/{tail}", token).status_code == 400


def test_6_2_terms_of_use_are_a_list(server: Server, token: str) -> None:
    assert server.get(box(server, "termsOfUse/"), token) == {"termsOfUse": []}


def test_6_2_one_collection(server: Server, token: str) -> None:
    found = server.get(f"/collections/{server.photographs.id}/", token)
    assert list(found) == ["collection"]
    listed = server.get(box(server, "collections/"), token)["collections"]
    assert found["collection"] == listed[str(server.photographs.number)]


@pytest.mark.parametrize(("base", "status"), [("999", 401), ("x", 404), ("9" * 30, 401)])
def test_6_2_collections_that_are_not_there(server: Server, token: str, base: str, status: int) -> None:
    assert server.call("GET", f"/api/v1/collections/{base}/", token).status_code == status


def test_6_2_a_suspended_link_is_no_access(server: Server, token: str) -> None:
    bob = server.token(server.user("bob", {server.photographs.id: Right.canputinalbum, server.archive.id: READER}))
    assert server.call("GET", f"/api/v1/collections/{server.photographs.id}/", bob).status_code == 401
    assert server.call("GET", f"/api/v1/collections/{server.archive.id}/", bob).status_code == 200


def test_6_10_structures(server: Server, token: str) -> None:
    found = server.get("/me/structures/", token)
    assert list(found) == ["meta_fields", "aggregable_fields", "technical_fields"]
    assert list(found["meta_fields"][0]) == [
        "name", "id", "databox_id", "multivalue", "indexable", "readonly", "business", "source", "labels",
    ]  # fmt: skip
    assert list(found["aggregable_fields"][0])[:6] == ["name", "type", "label", "field", "esfield", "query"]
    assert found["aggregable_fields"][0]["name"] == "_base"
    assert "field.Keywords" in [one["field"] for one in found["aggregable_fields"]]
    widths = found["technical_fields"][0]
    assert widths == {"name": "Width", "method": "getWidth", "type": "integer", "analyzable": False}
    assert {one["type"] for one in found["technical_fields"]} <= {"integer", "float", "string", "boolean", "long"}
    assert len(found["technical_fields"]) == 26


def test_6_10_business_fields_are_for_editors(server: Server, token: str) -> None:
    bob = server.token(server.user("bob", READER))
    for one, sees in ((token, True), (bob, False)):
        names = [field["name"] for field in server.get("/me/structures/", one)["meta_fields"]]
        assert ("Comments" in names) is sees
    eve = server.token(server.user("eve", None))
    assert server.get("/me/structures/", eve)["meta_fields"] == []


def test_6_10_subdefs(server: Server, token: str) -> None:
    groups = server.get("/me/subdefs/", token)["subdefs"]
    assert set(groups) <= {"image", "video", "audio", "document", "flash"}
    one = groups["image"]["preview"]
    assert list(one) == ["name", "databox_id", "class", "preset", "downloadable", "devices", "labels", "options"]
    assert (one["class"], one["preset"], one["devices"], one["options"]["size"]) == ("preview", None, ["screen"], 1280)
    assert list(one["labels"]) == LABELS
    assert server.get("/me/subdefs/", server.token(server.user("eve", None)))["subdefs"] == {}


def test_6_10_collections(server: Server, token: str) -> None:
    found = server.get("/me/collections/", token)["collections"]
    assert [one["base_id"] for one in found] == [server.photographs.id, server.archive.id]
    assert list(found[0]) == [
        "databox_id", "base_id", "collection_id", "rights", "statuses", "name", "logo", "labels",
    ]  # fmt: skip
    assert (found[0]["name"], found[0]["logo"]) == ("Photographs", "")
    assert found[0]["statuses"] == [
        {"position": 4, "labels": {"on": {"fr": "Vu"}, "off": {}}, "restricted": False, "restriction_flag": False}
    ]
