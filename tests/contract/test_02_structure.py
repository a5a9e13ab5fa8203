"""Contract 02 sections 5.11, 5.12, 6.2 and 6.10: the structure of databoxes."""

from typing import Any

import pytest

from vitrine.accounts import COMMAND, DataboxRight, Right, User
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, ALL_RIGHTS, READER
from vitrine.library import structure_store
from vitrine.testing.server import Server

LABELS = ["fr", "en", "de", "nl"]


@pytest.fixture
def ada(server: Server) -> User:
    user = server.user("ada")
    grant_structure(server, user, ALL_DATABOX_RIGHTS)
    with server.services.database.write() as work:
        bit = {"bit": 4, "label_on": "Checked", "label_off": "Unchecked", "labels_on": {"fr": "Vu"}, "labels_off": {}}
        structure_store.add_status_bit(work, server.databox.id, {**bit, "searchable": True})
        structure_store.increase_version(work)
    return user


@pytest.fixture
def token(server: Server, ada: User) -> str:
    return server.token(ada)


def grant_structure(server: Server, user: User, rights: DataboxRight) -> None:
    with server.services.database.write() as work:
        server.services.accounts.users.grant_databox(work, COMMAND, user.id, server.databox.id, rights)


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
    entries = server.get(box(server, "metadatas/"), token)["document_metadatas"]
    by_name: dict[str, Any] = {field["name"]: field for field in entries.values()}
    assert all(str(field["id"]) == place for place, field in entries.items()), "an object keyed by field id (02 §7)"
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
    response = server.get(f"/collections/{server.photographs.id}/", token)
    assert list(response) == ["collection"]
    listed = server.get(box(server, "collections/"), token)["collections"]
    assert response["collection"] == listed[str(server.photographs.number)]


@pytest.mark.parametrize(("base", "status"), [("999", 401), ("x", 404), ("9" * 30, 401)])
def test_6_2_collections_that_are_not_there(server: Server, token: str, base: str, status: int) -> None:
    assert server.call("GET", f"/api/v1/collections/{base}/", token).status_code == status


def test_6_2_a_suspended_link_is_no_access(server: Server, token: str) -> None:
    bob = server.token(server.user("bob", {server.photographs.id: Right.canputinalbum, server.archive.id: READER}))
    assert server.call("GET", f"/api/v1/collections/{server.photographs.id}/", bob).status_code == 401
    assert server.call("GET", f"/api/v1/collections/{server.archive.id}/", bob).status_code == 200


def test_6_10_structures(server: Server, token: str) -> None:
    response = server.get("/me/structures/", token)
    assert list(response) == ["meta_fields", "aggregable_fields", "technical_fields"]
    assert list(response["meta_fields"][0]) == [
        "name", "id", "databox_id", "multivalue", "indexable", "readonly", "business", "source", "labels",
    ]  # fmt: skip
    assert list(response["aggregable_fields"][0])[:6] == ["name", "type", "label", "field", "esfield", "query"]
    assert response["aggregable_fields"][0]["name"] == "_base"
    assert "field.Keywords" in [field["field"] for field in response["aggregable_fields"]]
    widths = response["technical_fields"][0]
    assert widths == {"name": "Width", "method": "getWidth", "type": "integer", "analyzable": False}
    assert {field["type"] for field in response["technical_fields"]} <= {
        "integer",
        "float",
        "string",
        "boolean",
        "long",
    }
    assert len(response["technical_fields"]) == 26


def test_6_10_business_fields_are_for_editors(server: Server, token: str) -> None:
    bob = server.token(server.user("bob", READER))
    for reader_token, sees in ((token, True), (bob, False)):
        names = [field["name"] for field in server.get("/me/structures/", reader_token)["meta_fields"]]
        assert ("Comments" in names) is sees
    eve = server.token(server.user("eve", None))
    assert server.get("/me/structures/", eve)["meta_fields"] == []


def test_6_10_subdefs(server: Server, token: str) -> None:
    groups = server.get("/me/subdefs/", token)["subdefs"]
    assert set(groups) <= {"image", "video", "audio", "document", "flash"}
    preview = groups["image"]["preview"]
    assert list(preview) == ["name", "databox_id", "class", "preset", "downloadable", "devices", "labels", "options"]
    assert (preview["class"], preview["preset"], preview["devices"], preview["options"]["size"]) == (
        "preview",
        None,
        ["screen"],
        1280,
    )
    assert list(preview["labels"]) == LABELS
    assert server.get("/me/subdefs/", server.token(server.user("eve", None)))["subdefs"] == {}


def test_6_10_collections(server: Server, token: str) -> None:
    collections = server.get("/me/collections/", token)["collections"]
    assert [collection["base_id"] for collection in collections] == [server.photographs.id, server.archive.id]
    assert list(collections[0]) == [
        "databox_id", "base_id", "collection_id", "rights", "statuses", "name", "logo", "labels",
    ]  # fmt: skip
    assert (collections[0]["name"], collections[0]["logo"]) == ("Photographs", "")
    when_on = {"fr": "Vu", **dict.fromkeys(("en", "de", "nl"), "Checked")}
    when_off = dict.fromkeys(("fr", "en", "de", "nl"), "Unchecked")
    assert collections[0]["statuses"] == [
        {"position": 4, "labels": {"on": when_on, "off": when_off}, "restricted": False, "restriction_flag": False}
    ]
