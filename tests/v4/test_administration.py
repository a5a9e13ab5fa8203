"""API v4: the structure of databoxes, settings of collections, terms of use."""

from pathlib import Path
from typing import Any

import pytest

from tests.v4.conftest import Call
from vitrine.accounts import COMMAND, DataboxRight, Right, User
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, READER
from vitrine.library.model import RecordKey
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server


@pytest.fixture(autouse=True)
def all_rights(server: Server, ada: User) -> None:
    with server.services.database.write() as work:
        rights = DataboxRight(ALL_DATABOX_RIGHTS)
        server.services.accounts.users.grant_databox(work, COMMAND, ada.id, server.databox.id, rights)


def field_called(call: Call, name: str) -> Any:
    fields = call("GET", "/databoxes/1/fields?limit=100").json()["data"]
    return next(field for field in fields if field["name"] == name)


def test_a_field_from_its_making_to_its_end(server: Server, call: Call) -> None:
    created = call("POST", "/databoxes/1/fields", {"name": "Lieu", "multi": True}, Idempotency_Key="k")
    assert created.status_code == 201
    again = call("POST", "/databoxes/1/fields", {"name": "Lieu", "multi": True}, Idempotency_Key="k")
    assert again.json() == created.json()
    address = created.headers["location"].removeprefix("/api/v4")
    read = call("GET", address)
    assert read.headers["etag"] == created.headers["etag"]
    assert call("PATCH", address, {"required": True}).status_code == 428
    changed = call("PATCH", address, {"required": True}, If_Match=read.headers["etag"])
    assert changed.json()["required"] is True
    stale = call("PATCH", address, {"required": False}, If_Match=read.headers["etag"])
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    wrong = call("PATCH", address, {"colour": "red"}, If_Match="*")
    assert (wrong.status_code, wrong.json()["field"]) == (400, "colour")
    ended = call("DELETE", address)
    assert ended.status_code == 202
    server.work()
    task = call("GET", ended.headers["location"].removeprefix("/api/v4")).json()
    assert (task["kind"], task["state"]) == ("field.delete_values", "done")
    assert call("GET", address).status_code == 404


def test_several_values_are_not_lost(server: Server, call: Call, key: RecordKey, token: str) -> None:
    keywords = field_called(call, "Keywords")["field_id"]
    for value in ("sea", "ship"):
        body = {"metadatas[0][meta_struct_id]": keywords, "metadatas[0][meta_id]": "", "metadatas[0][value]": value}
        address = f"/api/v1/records/{key.databox}/{key.number}/setmetadatas/"
        assert server.call("POST", address, token, data=body).status_code == 200
    refused = call("PATCH", f"/databoxes/1/fields/{keywords}", {"multi": False}, If_Match="*")
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (409, "in_use", "multi")
    assert str(key) in refused.json()["detail"]


def test_fields_are_listed_in_order_page_by_page(call: Call) -> None:
    ids = [field["field_id"] for field in call("GET", "/databoxes/1/fields?limit=100").json()["data"]]
    assert call("PUT", "/databoxes/1/fields/order", {"order": ids[::-1]}).status_code == 204
    known_row: list[int] = []
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:
        cursor = f"&cursor={page['next']}" if page["next"] else ""
        page = call("GET", f"/databoxes/1/fields?limit=7{cursor}").json()
        known_row += [field["field_id"] for field in page["data"]]
    assert known_row == ids[::-1]
    assert call("PUT", "/databoxes/1/fields/order", {"order": ids[1:]}).status_code == 400
    assert call("PUT", "/databoxes/1/fields/order", {}).status_code == 400


def test_status_bits(server: Server, call: Call) -> None:
    created = call("PUT", "/databoxes/1/status-bits/4", {"label_on": "Checked", "labels_on": {"fr": "Vu"}})
    assert created.status_code == 200
    assert call("PUT", "/databoxes/1/status-bits/4", {"searchable": True}).status_code == 428
    changed = call("PUT", "/databoxes/1/status-bits/4", {"searchable": True}, If_Match=created.headers["etag"])
    assert changed.json()["searchable"] is True
    assert call("GET", "/databoxes/1/status-bits").json()["data"] == [changed.json()]
    assert call("PUT", "/databoxes/1/status-bits/3", {"label_on": "No"}).status_code == 400
    assert call("DELETE", "/databoxes/1/status-bits/4").status_code == 202
    assert call("PUT", "/databoxes/1/status-bits/4", {"label_on": "Again"}).status_code == 409
    server.work()
    assert call("PUT", "/databoxes/1/status-bits/4", {"label_on": "Again"}).status_code == 200


def test_recipes(server: Server, call: Call, key: RecordKey) -> None:
    body = {"group": "image", "name": "web", "class": "preview", "mediatype": "image", "options": {"size": 40}}
    created = call("POST", "/databoxes/1/recipes", body)
    assert created.status_code == 201
    server.work()
    files = call("GET", f"/records/{key.databox}/{key.number}?fields=renditions").json()["renditions"]
    assert next(file["width"] for file in files if file["name"] == "web") == 40
    address = created.headers["location"].removeprefix("/api/v4")
    changed = call("PATCH", address, {"class": "document"}, If_Match=created.headers["etag"])
    assert changed.json()["recipe"]["class"] == "document"
    assert changed.json()["task"] is None
    assert call("PATCH", address, {"klass": "preview"}, If_Match="*").status_code == 400
    assert call("POST", address + "/remake").status_code == 202
    thumbnail = next(
        recipe for recipe in call("GET", "/databoxes/1/recipes").json()["data"] if recipe["name"] == "thumbnail"
    )
    assert call("DELETE", f"/databoxes/1/recipes/{thumbnail['recipe_id']}").status_code == 409
    assert call("DELETE", address).status_code == 202
    assert call("GET", address).status_code == 404


def test_a_collection_from_its_making_to_its_end(server: Server, call: Call, ada: User, tmp_path: Path) -> None:
    created = call("POST", "/databoxes/1/collections", {"name": "Films", "labels": {"de": "Filme"}})
    assert created.status_code == 201
    base = created.json()["base_id"]
    with server.services.database.read() as work:
        films = server.services.library.records.collection(work, base)
    server.add(make.jpeg(tmp_path / "a.jpg"), ada, films)
    settings = f"/collections/{base}/settings"
    read = call("GET", settings)
    assert (read.json()["records"], read.json()["enabled"]) == (1, True)
    hidden = call("PATCH", settings, {"enabled": False}, If_Match=read.headers["etag"])
    assert hidden.json()["enabled"] is False
    assert call("PATCH", settings, {"enabled": True}, If_Match=read.headers["etag"]).status_code == 412
    assert call("GET", f"/collections/{base}").status_code == 404
    listed = call("GET", "/databoxes/1/collections").json()["data"]
    assert [entry["base_id"] for entry in listed if not entry["enabled"]] == [base]
    assert call("DELETE", f"/collections/{base}").status_code == 409
    assert call("POST", f"/collections/{base}/empty").status_code == 202
    server.work()
    assert call("DELETE", f"/collections/{base}").status_code == 204
    assert call("GET", settings).status_code == 404


def test_suggested_values(server: Server, call: Call) -> None:
    city = field_called(call, "City")["field_id"]
    base = server.photographs.id
    assert call("PUT", f"/collections/{base}/suggested-values/{city}", {"values": ["Genoa", "Nice"]}).status_code == 204
    shown = call("GET", f"/collections/{base}/suggested-values").json()["data"]
    assert shown == [{"field_id": city, "field": "City", "values": ["Genoa", "Nice"]}]
    assert call("PUT", f"/collections/{base}/suggested-values/{city}", {"values": [7]}).status_code == 400


def test_terms_and_whether_this_person_accepted_them(server: Server, call: Call, ada: User) -> None:
    nothing = call("GET", "/databoxes/1/terms").json()
    assert (nothing["version"], nothing["mine"]["is_accepted"]) == (None, True)
    published = call("POST", "/databoxes/1/terms", {"texts": {"en": "<p>Use<script>x()</script></p>"}})
    assert (published.status_code, published.json()["texts"]) == (201, {"en": "<p>Use</p>"})
    mine = call("GET", "/databoxes/1/terms").json()["mine"]
    assert (mine["is_accepted"], mine["number"]) == (False, None)
    page = mine["page"].removeprefix(server.settings.base_url)
    assert server.browser(ada).submit(page, page, {}).status_code == 303
    mine = call("GET", "/databoxes/1/terms").json()["mine"]
    assert (mine["is_accepted"], mine["number"]) == (True, 1)
    rows = call("GET", "/databoxes/1/terms/acceptances").json()["data"]
    assert [(row["user_id"], row["number"]) for row in rows] == [(ada.id, 1)]
    assert [entry["number"] for entry in call("GET", "/databoxes/1/terms/versions").json()["data"]] == [1]


def test_logos_and_icons(server: Server, call: Call, token: str, tmp_path: Path) -> None:
    picture = make.png(tmp_path / "logo.png", 24, 24).read_bytes()
    call("PUT", "/databoxes/1/status-bits/4", {"label_on": "Checked"})
    own = f"/collections/{server.photographs.id}/logo"
    for path in ("/databoxes/1/logo", own, "/databoxes/1/status-bits/4/icons/on"):
        address = "/api/v4" + path
        assert server.call("PUT", address, token, content=b"<svg/>").status_code == 400
        assert server.call("PUT", address, token, content=b"").status_code == 400
        assert server.call("PUT", address, token, content=b"x" * 70_000).status_code in (400, 413)
        assert server.call("PUT", address, token, content=picture).status_code == 204
    shown = call("GET", "/databoxes/1/settings").json()["logo"]
    assert server.http.get(shown).content == picture
    assert call("DELETE", "/databoxes/1/logo").status_code == 204
    assert call("GET", "/databoxes/1/settings").json()["logo"] is None


WRITES = [
    ("POST", "/databoxes/1/fields", {"name": "Place"}), ("PATCH", "/databoxes/1/fields/1", {"required": True}),
    ("DELETE", "/databoxes/1/fields/1", None), ("PUT", "/databoxes/1/fields/order", {"order": []}),
    ("PUT", "/databoxes/1/status-bits/4", {"label_on": "x"}), ("DELETE", "/databoxes/1/status-bits/4", None),
    ("GET", "/databoxes/1/recipes", None), ("POST", "/databoxes/1/recipes", {"group": "image", "name": "web"}),
    ("PATCH", "/databoxes/1/recipes/1", {}), ("DELETE", "/databoxes/1/recipes/1", None),
    ("POST", "/databoxes/1/recipes/1/remake", None), ("GET", "/databoxes/1/settings", None),
    ("PATCH", "/databoxes/1/settings", {"title": "x"}), ("GET", "/databoxes/1/tasks", None),
    ("GET", "/databoxes/1/collections", None), ("POST", "/databoxes/1/collections", {"name": "x"}),
    ("PUT", "/databoxes/1/collections/order", {"order": []}), ("GET", "/collections/1/settings", None),
    ("PATCH", "/collections/1/settings", {"name": "x"}), ("DELETE", "/collections/1", None),
    ("POST", "/collections/1/empty", None), ("PUT", "/collections/1/suggested-values/1", {"values": []}),
    ("POST", "/databoxes/1/terms", {"texts": {"en": "x"}}), ("GET", "/databoxes/1/terms/versions", None),
    ("GET", "/databoxes/1/terms/acceptances", None), ("PUT", "/databoxes/1/logo", None),
    ("DELETE", "/databoxes/1/logo", None), ("DELETE", "/collections/1/logo", None),
]  # fmt: skip


def test_who_has_no_right_there_changes_and_learns_nothing(server: Server, call: Call) -> None:
    """A reader is told that they may not; a stranger, that there is no such thing."""
    reader = server.token(server.user("bob", READER | Right.canmodifrecord))
    stranger = server.token(server.user("eve", None))
    shown = ("/databoxes/1/fields", "/databoxes/1/settings", "/databoxes/1/recipes")
    before = [call("GET", path).json() for path in shown]
    for method, path, body in WRITES:
        refused = call(method, path, body, token=reader, If_Match="*")
        assert refused.status_code == 403, (method, path, refused.text)
        hidden = call(method, path, body, token=stranger, If_Match="*")
        assert hidden.status_code == 404, (method, path, hidden.text)
    assert [call("GET", path).json() for path in shown] == before


def test_databoxes_are_made_by_administrators(server: Server, call: Call) -> None:
    root = server.token(server.user("root", None, is_admin=True))
    assert call("POST", "/databoxes", {"name": "Annexe"}).status_code == 403
    created = call("POST", "/databoxes", {"name": "Annexe"}, token=root)
    assert created.status_code == 201
    number = created.json()["databox_id"]
    assert call("GET", f"/databoxes/{number}/fields", token=root).json()["data"], "who makes it has every right on it"
    assert call("POST", f"/databoxes/{number}/fields", {"name": "Place"}, token=root).status_code == 201
    assert call("PUT", "/databoxes/order", {"order": [number, 1]}, token=root).status_code == 204
    assert call("PUT", "/databoxes/order", {"order": [1, number]}).status_code == 403


def test_faults_name_the_members_of_the_body(call: Call, key: RecordKey) -> None:
    """Not what they are called inside."""
    reference, record = {"databox_id": key.databox, "record_id": key.number}, f"/records/{key.databox}/{key.number}"
    for method, path, body, member in (
        ("PATCH", "/databoxes/1/settings", {"title": ""}, "title"),
        ("PATCH", "/databoxes/1/settings", {"view_name": "Annexe"}, "view_name"),
        ("POST", "/databoxes/1/recipes", {"group": "image", "name": "web", "class": "x"}, "class"),
        ("PATCH", record + "/type", {"mime_type": "no/such"}, "mime_type"),
        ("PATCH", record + "/type", {"type": "no"}, "type"),
        ("POST", record + "/copy-fields", {**reference, "field_ids": [9_999]}, "field_ids"),
        ("POST", "/baskets/push", {"records": [reference], "people": [], "name": "For you"}, "people"),
    ):
        refused = call(method, path, body, If_Match="*")
        assert (refused.status_code, refused.json().get("field")) in ((400, member), (404, member)), refused.text
        assert "klass" not in refused.text


def test_a_rule_is_tried_run_and_changed_by_one_at_a_time(server: Server, key: RecordKey, token: str) -> None:
    """The rules of 06 section 23 over HTTP."""
    box = f"/api/v4/databoxes/{server.databox.id}/rules"
    given = {
        "name": "Tidy up", "criteria": {"base_ids": [server.photographs.id]}, "action": {"base_id": server.archive.id},
    }  # fmt: skip
    created = server.call("POST", box, token, json=given)
    assert created.status_code == 201
    path = created.headers["location"]
    assert (created.json()["enabled"], created.json()["last_run"]) == (False, None)
    tried = server.call("GET", path + "/dry-run", token).json()
    assert tried["is_complete"]
    assert tried["records"] == [
        {
            "databox_id": key.databox, "record_id": key.number,
            "before": {"base_id": server.photographs.id, "status": 0},
            "after": {"base_id": server.archive.id, "status": 0},
        }
    ]  # fmt: skip
    started = server.call("POST", path + "/runs", token)
    assert (started.status_code, started.json()["state"]) == (202, "waiting")
    assert server.call("POST", path + "/runs", token).status_code == 409
    server.work()
    run = server.call("GET", started.headers["location"], token).json()
    assert (run["state"], run["matched"], run["changed"]) == ("done", 1, 1)
    assert [row["run_id"] for row in server.call("GET", path + "/runs", token).json()["data"]] == [run["run_id"]]
    assert server.call("GET", path, token).json()["last_run"] == run
    enabling = {"json": {"enabled": True}, "headers": {"If-Match": created.headers["etag"]}}
    assert server.call("PATCH", path, token, json={"enabled": True}).status_code == 428
    assert server.call("PATCH", path, token, **enabling).json()["enabled"]
    assert server.call("PATCH", path, token, **enabling).status_code == 412
    (listed,) = server.call("GET", box, token).json()["data"]
    assert listed["rule_id"] == run["rule_id"]
    other = server.token(server.user("other"))
    for method, address in (("GET", box), ("GET", path), ("GET", path + "/dry-run"), ("POST", path + "/runs"),
                            ("DELETE", path)):  # fmt: skip
        assert server.call(method, address, other).status_code == 403
    wrong = server.call("POST", box, token, json={**given, "criteria": {"status": {"9": True}}})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "criteria.status")
    assert server.call("DELETE", path, token).status_code == 204
    assert server.call("GET", path, token).status_code == 404
