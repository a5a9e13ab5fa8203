"""API v4: history of records, versions, rotation, operations on many records, tasks and maintenance."""

from pathlib import Path
from typing import Any

import pytest

from tests.v4.conftest import Call, path_of
from vitrine.accounts import COMMAND, Right, User
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.applications import Policy, Profile
from vitrine.library.model import RecordKey
from vitrine.oauth.tokens import Tokens
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server


@pytest.fixture
def city(server: Server) -> int:
    with server.services.database.read() as work:
        fields = server.services.library.records.structure(work).fields[server.databox.id]
    return next(int(field.id) for field in fields if field.name == "City")


@pytest.fixture
def admin(server: Server) -> str:
    return server.token(server.user("root", is_admin=True))


def scoped(server: Server, user: User, *scopes: str) -> str:
    """A token of an application with scopes."""
    registered = server.register(user, profile=Profile.STRICT)
    with server.services.database.write() as work:
        account = server.services.applications.consents.account(work, user.id, registered.application)
        assert account is not None
        return (
            Tokens(server.services.vault, Policy.FLAGGED)
            .issue_without_refresh(work, account.id, frozenset(scopes))
            .secret
        )


def begin(call: Call, keys: list[RecordKey], **change: Any) -> Any:
    body = {"records": [{"databox_id": key.databox, "record_ids": [key.number]} for key in keys], **change}
    return call("POST", "/operations", body)


def set_city(call: Call, server: Server, key: RecordKey, city: int, text: str) -> int:
    """By an operation; its number."""
    answer = begin(call, [key], fields=[{"field_id": city, "action": "set", "values": [text]}])
    assert answer.status_code == 202, answer.text
    server.work()
    number: int = answer.json()["operation_id"]
    return number


def test_a_history_names_person_and_application_and_a_change_is_taken_back(
    server: Server, call: Call, key: RecordKey, city: int, ada: User
) -> None:
    number = set_city(call, server, key, city, "Brest")
    (entry,) = call("GET", path_of(key) + "/history").json()["data"]
    assert entry["by"] == {"user_id": ada.id, "name": "Ada Martin"}
    assert entry["application"]["name"] == "Field Notes"
    assert (entry["kind"], entry["before"], entry["after"]) == ("fields", {str(city): []}, {str(city): ["Brest"]})
    assert (entry["operation_id"], entry["undone"], entry["shortened"]) == (number, False, False)
    path = f"{path_of(key)}/history/{entry['change_id']}/undo"
    first, again = (call("POST", path, idempotency_key="k-1") for _ in range(2))
    assert (first.status_code, again.status_code, again.headers["idempotent-replayed"]) == (200, 200, "true")
    refused = call("POST", path)
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (409, "changed_since", "City")
    newest, _ = call("GET", path_of(key) + "/history").json()["data"]
    assert (newest["undoes"], newest["after"]) == (entry["change_id"], {str(city): []})


def test_a_history_is_paged(server: Server, call: Call, key: RecordKey, city: int) -> None:
    for text in ("a", "b", "c"):
        set_city(call, server, key, city, text)
    first = call("GET", path_of(key) + "/history?limit=2").json()
    second = call("GET", f"{path_of(key)}/history?limit=2&cursor={first['next']}").json()
    values = [entry["after"][str(city)] for entry in (*first["data"], *second["data"])]
    assert values == [["c"], ["b"], ["a"]]
    assert second["next"] is None


def test_who_may_not_edit_reads_no_history_and_learns_no_numbers(
    server: Server, call: Call, key: RecordKey, city: int
) -> None:
    set_city(call, server, key, city, "Brest")
    reader = server.token(server.user("reader", READER))
    for path in ("/history", "/history/1/undo", "/history/999/undo"):
        method = "POST" if path.endswith("undo") else "GET"
        answer = call(method, path_of(key) + path, token=reader)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert call("POST", path_of(key) + "/history/999/undo").status_code == 404


def test_versions_are_listed_fetched_and_restored(
    server: Server, call: Call, key: RecordKey, token: str, ada: User, tmp_path: Path
) -> None:
    old = (tmp_path / "harbour.jpg").read_bytes()
    new = make.jpeg(tmp_path / "quay.jpg", 80, 60, seed=5)
    form = {"databox_id": str(key.databox), "record_id": str(key.number), "name": "document"}
    files = {"file": ("quay.jpg", new.read_bytes())}
    assert server.call("POST", "/api/v1/embed/substitute/", token, data=form, files=files).status_code == 200
    (version,) = call("GET", path_of(key) + "/versions").json()["data"]
    assert (version["name"], version["mime_type"], version["replaced_by"]) == ("harbour.jpg", "image/jpeg", ada.id)
    address = version["url"].removeprefix(str(server.http.base_url))
    assert server.call("GET", address, token).content == old
    assert server.browser(ada).get(address).content == old
    without = server.user("without", ALL_RIGHTS & ~Right.candwnldhd)
    assert server.call("GET", address, server.token(without)).status_code == 404
    assert server.browser(without).get(address).status_code == 404
    assert server.http.get(address).status_code == 404
    assert server.call("GET", address, "nonsense").status_code == 401
    assert call("GET", path_of(key) + "/versions", token=server.token(without)).status_code == 404
    restored = call("POST", f"{path_of(key)}/versions/{version['version_id']}/restore")
    assert restored.status_code == 200, restored.text
    assert call("GET", path_of(key)).json()["original_name"] == "harbour.jpg"
    assert call("POST", f"{path_of(key)}/versions/{version['version_id']}/restore").status_code == 404


def test_a_picture_turns_and_a_type_is_corrected(call: Call, key: RecordKey, server: Server) -> None:
    assert call("POST", path_of(key) + "/rotate", {"degrees": 90}).status_code == 200
    server.work()
    files = {file["name"]: file for file in call("GET", path_of(key)).json()["renditions"]}
    assert (files["thumbnail"]["width"], files["thumbnail"]["height"]) == (48, 64)
    assert (files["document"]["width"], files["document"]["height"]) == (64, 48)
    for body in ({"degrees": 45}, {}, {"degrees": 10**30}, {"degrees": True}):
        assert call("POST", path_of(key) + "/rotate", body).status_code == 400
    tag = call("GET", path_of(key)).headers["etag"]
    corrected = call("PATCH", path_of(key) + "/type", {"mime_type": "image/png"}, if_match=tag)
    assert corrected.status_code == 200
    assert call("GET", path_of(key)).json()["mime_type"] == "image/png"
    assert call("PATCH", path_of(key) + "/type", {"type": "video"}, if_match=tag).status_code == 412
    assert call("PATCH", path_of(key) + "/type", {}).status_code == 400


class TestOperations:
    def test_progress_and_outcomes(
        self, server: Server, call: Call, key: RecordKey, city: int, ada: User, tmp_path: Path
    ) -> None:
        other = server.add(make.jpeg(tmp_path / "other.jpg", 70, 50, seed=8), ada, server.archive)
        missing = RecordKey(key.databox, 999)
        change = {
            "fields": [{"field_id": city, "action": "set", "values": ["Brest"]}], "base_id": server.archive.id
        }  # fmt: skip
        answer = begin(call, [key, other, missing], **change)
        assert (answer.status_code, answer.json()["state"], answer.json()["processed"]) == (202, "waiting", 0)
        path = answer.headers["location"].removeprefix("/api/v4")
        server.work()
        done = call("GET", path).json()
        counts = (done["state"], done["total"], done["processed"], done["changed"], done["refused"])
        assert counts == ("done", 3, 3, 2, 1)
        items = call("GET", path + "/items?limit=2").json()
        rest = call("GET", f"{path}/items?limit=2&cursor={items['next']}").json()["data"]
        outcomes = [item["outcome"] for item in (*items["data"], *rest)]
        assert outcomes == ["changed", "changed", "no_such_record"]
        assert call("POST", path + "/cancel").json()["code"] == "operation_over"
        undone = call("POST", path + "/undo")
        assert (undone.status_code, undone.json()["undoes"]) == (202, done["operation_id"])
        server.work()
        assert call("GET", path_of(key)).json()["base_id"] == server.photographs.id
        listed = call("GET", "/operations").json()["data"]
        assert [operation["operation_id"] for operation in listed] == [
            undone.json()["operation_id"], done["operation_id"],
        ]  # fmt: skip

    def test_they_are_hidden_from_others(
        self, server: Server, call: Call, key: RecordKey, city: int, admin: str
    ) -> None:
        number = set_city(call, server, key, city, "Brest")
        for method, path in (("GET", ""), ("GET", "/items"), ("POST", "/cancel"), ("POST", "/undo")):
            answer = call(method, f"/operations/{number}{path}", token=admin)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert call("GET", "/operations", token=admin).json()["data"] == []

    @pytest.mark.parametrize(
        "body",
        [
            {}, [], {"records": []}, {"records": [{"databox_id": 1, "record_ids": [1]}]},
            {"records": [{"databox_id": 1, "record_ids": ["1"]}], "delete": True},
            {"records": [{"databox_id": 1, "record_ids": [10**40]}], "delete": True},
            {"records": [{"databox_id": 1, "record_ids": [-1]}], "delete": True},
            {"records": [{"databox_id": 1, "record_ids": [1]}], "delete": True, "base_id": 1},
            {"records": [{"databox_id": 1, "record_ids": [1]}], "status": {"x": True}},
            {"records": [{"databox_id": 1, "record_ids": [1]}], "colour": 1},
            {"records": [{"databox_id": 1, "record_ids": [1]}], "fields": [{"field_id": 1, "action": "shout"}]},
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_refused_by_name(self, call: Call, key: RecordKey, body: Any) -> None:
        answer = call("POST", "/operations", body)
        assert answer.status_code == 400, body
        assert answer.json()["field"]

    def test_a_token_without_the_scope_delete_deletes_nothing_and_takes_no_deletion_back(
        self, server: Server, call: Call, key: RecordKey, ada: User
    ) -> None:
        narrow = scoped(server, ada, "metadata:edit", "library:read")
        body = {"records": [{"databox_id": key.databox, "record_ids": [key.number]}], "delete": True}
        assert call("POST", "/operations", body, token=narrow).status_code == 403
        server.work()
        assert call("GET", path_of(key)).status_code == 200

    def test_an_operation_ends_with_the_developer_token_that_began_it(
        self, server: Server, key: RecordKey, city: int, ada: User
    ) -> None:
        registered = server.register(ada)
        body = {
            "records": [{"databox_id": key.databox, "record_ids": [key.number]}],
            "fields": [{"field_id": city, "action": "set", "values": ["Brest"]}],
        }
        answer = server.call("POST", "/api/v4/operations", registered.developer_token, json=body)
        with server.services.database.write() as work:
            actor = server.services.accounts.users.actor_of(work, ada, COMMAND.via)
            server.services.oauth.developer_tokens.renew(work, actor, registered.application)
        server.work()
        path = f"/api/v4/operations/{answer.json()['operation_id']}"
        assert server.call("GET", path, server.token(ada)).json()["state"] == "ended"


def test_fields_are_copied(server: Server, call: Call, key: RecordKey, city: int, ada: User, tmp_path: Path) -> None:
    other = server.add(make.jpeg(tmp_path / "other.jpg", 70, 50, seed=8), ada)
    set_city(call, server, key, city, "Brest")
    body = {"databox_id": key.databox, "record_id": key.number, "field_ids": [city]}
    assert call("POST", path_of(other) + "/copy-fields", body).status_code == 200
    assert call("GET", path_of(other)).json()["metadata"]["City"] == ["Brest"]
    for wrong in ({}, {**body, "field_ids": []}, {**body, "field_ids": ["x"]}, {**body, "record_id": -1}):
        assert call("POST", path_of(other) + "/copy-fields", wrong).status_code == 400
    assert call("POST", path_of(other) + "/copy-fields", {**body, "field_ids": [9999]}).status_code == 404
    assert call("POST", path_of(other) + "/copy-fields", {**body, "record_id": 999}).status_code == 404


def test_tasks_and_maintenance_are_for_administrators(server: Server, call: Call, admin: str) -> None:
    for method, path, body in (
        ("GET", "/tasks", None), ("PATCH", "/tasks/1", {"started": False}), ("GET", "/maintenance", None),
        ("PUT", "/maintenance", {"on": True}), ("PATCH", "/tasks/999", {"started": False}),
    ):  # fmt: skip
        answer = call(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_administrator"), path
    stopped = call("PATCH", "/tasks/5", {"started": False, "title": "Mails"}, token=admin).json()
    assert (stopped["started"], stopped["title"]) == (False, "Mails")
    assert call("PATCH", "/tasks/5", {"started": True}, token=admin).json()["started"] is True
    assert call("PATCH", "/tasks/999", {"started": True}, token=admin).status_code == 404
    assert call("PUT", "/maintenance", {}, token=admin).status_code == 400
    assert call("PUT", "/maintenance", {"on": True}, token=admin).json() == {"on": True}
    refused = call("GET", "/me")
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "maintenance", "3600")
    assert call("GET", "/maintenance", token=admin).json() == {"on": True}
    assert call("PUT", "/maintenance", {"on": False}, token=admin).json() == {"on": False}
    assert call("GET", "/me").status_code == 200


def test_the_name_in_a_history_is_never_an_address(server: Server, call: Call, key: RecordKey, city: int) -> None:
    nameless = server.user("plain", email="plain@museum.example")
    body = {
        "records": [{"databox_id": key.databox, "record_ids": [key.number]}],
        "fields": [{"field_id": city, "action": "set", "values": ["Brest"]}],
    }
    assert call("POST", "/operations", body, token=server.token(nameless)).status_code == 202
    server.work()
    (entry,) = call("GET", path_of(key) + "/history").json()["data"]
    assert entry["by"] == {"user_id": nameless.id, "name": "plain"}
