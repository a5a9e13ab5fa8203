"""Documents into the library by API v4, and the quarantine."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.v4.conftest import V4, Call
from tests.v4.test_frame import paged, problem
from vitrine.accounts import Right, User
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.library.model import RecordKey
from vitrine.library.tables import quarantine_items, records
from vitrine.platform.tables import idempotency_keys
from vitrine.testing import media_factory
from vitrine.testing.server import Server

KEY = "upload-1"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return media_factory.jpeg(tmp_path / "harbour.jpg", 64, 48)


def post(server: Server, token: str, picture: Path, key: str = "", **form: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    with picture.open("rb") as file:
        return server.call("POST", f"{V4}/records", token, data=form, files={"file": file}, headers=headers)


def count(server: Server, table: sa.Table) -> int:
    with server.services.database.read() as work:
        return int(work.db.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


@pytest.mark.both_databases
def test_an_upload_is_a_record_or_waits(server: Server, call: Call, token: str, picture: Path) -> None:
    base = server.photographs.id
    added = post(server, token, picture, base_id=base)
    assert added.status_code == 201, added.text
    value = added.json()
    assert value["outcome"] == "added"
    assert added.headers["location"].endswith(f"/api/v4/records/{value['databox_id']}/{value['record_id']}")
    waits = post(server, token, picture, base_id=base)
    assert (waits.status_code, waits.json()["outcome"], "Sha256" in waits.json()["checks"]) == (
        202,
        "quarantined",
        True,
    )
    item = call("GET", f"/quarantine/{waits.json()['item_id']}").json()
    assert item["matches"] == [
        {
            "databox_id": value["databox_id"],
            "record_id": value["record_id"],
            "checks": item["matches"][0]["checks"],
            "replaceable": True,
        }
    ]
    assert post(server, token, picture, base_id=base, quarantine="never").json()["outcome"] == "added"
    assert post(server, token, picture, base_id=base, quarantine="always").json()["outcome"] == "quarantined"


@pytest.mark.both_databases
def test_the_same_upload_again_adds_nothing(server: Server, token: str, picture: Path, tmp_path: Path) -> None:
    first = post(server, token, picture, KEY, base_id=server.photographs.id)
    again = post(server, token, picture, KEY, base_id=server.photographs.id)  # another boundary
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    (tmp_path / "other").mkdir()
    other = media_factory.jpeg(tmp_path / "other" / "harbour.jpg", 65, 48)
    for refused in (
        post(server, token, other, KEY, base_id=server.photographs.id),
        post(server, token, picture, KEY, base_id=server.archive.id),
        post(server, token, picture, KEY, base_id=server.photographs.id, quarantine="never"),
    ):
        assert problem(refused, 422)["code"] == "idempotency_key_reused"
    assert (count(server, records), count(server, quarantine_items)) == (1, 0)


@pytest.mark.both_databases
def test_of_many_uploads_at_once_one_is_done(server: Server, token: str, picture: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _turn: post(server, token, picture, KEY, base_id=server.photographs.id), range(4))
        )
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_key_running"}
    assert (count(server, records), count(server, quarantine_items)) == (1, 0)
    assert post(server, token, picture, KEY, base_id=server.photographs.id).headers["idempotent-replayed"] == "true"


def test_a_refused_upload_leaves_its_key_free(server: Server, token: str, picture: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jpg"
    empty.write_bytes(b"")
    assert post(server, token, empty, KEY, base_id=server.photographs.id).status_code == 400
    assert count(server, idempotency_keys) == 0
    assert post(server, token, picture, KEY, base_id=server.photographs.id).status_code == 201


def test_what_cannot_be_uploaded_is_refused_by_name(server: Server, token: str, picture: Path) -> None:
    base = server.photographs.id
    for form, field in (
        ({}, "base_id"), ({"base_id": "x"}, "base_id"), ({"base_id": 99}, "base_id"),
        ({"base_id": base, "quarantine": "maybe"}, "quarantine"), ({"base_id": base, "colour": "red"}, "colour"),
        ({"base_id": base, "url": "https://x.example/a.jpg"}, "file"),
    ):  # fmt: skip
        assert problem(post(server, token, picture, **form), 400)["field"] == field
    nothing = server.call("POST", f"{V4}/records", token, data={"base_id": base}, files={"other": b"x"})
    assert problem(nothing, 400)["field"] == "other"
    assert problem(server.call("POST", f"{V4}/records", token, json={"base_id": base}), 415)["code"] == "not_json"


def test_adding_needs_the_right_and_hides_what_one_may_not_know_of(server: Server, picture: Path) -> None:
    bases = {int(server.photographs.id): READER}
    eve = server.token(server.user("eve", {**bases}))
    assert problem(post(server, eve, picture, base_id=server.photographs.id), 403)["code"] == "may_not_add"
    some = server.token(server.user("bob", {int(server.photographs.id): ALL_RIGHTS}))
    hidden, missing = (post(server, some, picture, base_id=base) for base in (server.archive.id, 99))
    assert problem(hidden, 400) == problem(missing, 400)


class TestQuarantine:
    @pytest.fixture
    def items(self, server: Server, token: str, key: RecordKey, tmp_path: Path) -> list[int]:
        """Four files that clash with the record *key*."""
        picture = tmp_path / "harbour.jpg"
        return [
            post(server, token, picture, base_id=server.photographs.id, quarantine="always").json()["item_id"]
            for _ in range(4)
        ]

    def test_decisions(self, server: Server, call: Call, key: RecordKey, items: list[int]) -> None:
        accepted = call("POST", f"/quarantine/{items[0]}/accept", Idempotency_Key="a")
        assert accepted.status_code == 201, accepted.text
        record = accepted.json()
        assert call("GET", f"/records/{record['databox_id']}/{record['record_id']}").status_code == 200
        again = call("POST", f"/quarantine/{items[0]}/accept", Idempotency_Key="a")
        assert (again.json(), again.headers["idempotent-replayed"]) == (record, "true")
        problem(call("POST", f"/quarantine/{items[0]}/accept"), 404)
        assert call("DELETE", f"/quarantine/{items[1]}").status_code == 204
        problem(call("GET", f"/quarantine/{items[1]}"), 404)
        assert problem(call("POST", f"/quarantine/{items[2]}/substitute", {"record_id": 99}), 409)["code"] == "no_match"
        assert problem(call("POST", f"/quarantine/{items[2]}/substitute", {}), 400)["field"] == "record_id"
        assert [item["item_id"] for item in paged(call, "/quarantine", 1)] == [items[3], items[2]]

    def test_a_file_takes_the_place_of_another(self, call: Call, server: Server, token: str, tmp_path: Path) -> None:
        picture = media_factory.jpeg(tmp_path / "b.jpg", 64, 48)
        first = post(server, token, picture, base_id=server.photographs.id).json()
        item = post(server, token, picture, base_id=server.photographs.id).json()["item_id"]
        answer = call("POST", f"/quarantine/{item}/substitute", {"record_id": first["record_id"]})
        assert (answer.status_code, answer.json()["record_id"]) == (201, first["record_id"])

    def test_who_may_not_add_there_knows_of_nothing(
        self, server: Server, call: Call, items: list[int], ada: User
    ) -> None:
        eve = server.token(server.user("eve", {int(server.photographs.id): READER | Right.actif}))
        assert call("GET", "/quarantine", token=eve).json() == {"data": [], "next": None}
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/accept")):
            hidden, missing = (call(method, f"/quarantine/{item}{path}", token=eve) for item in (items[0], 999))
            assert problem(hidden, 404) == problem(missing, 404)
        assert call("GET", f"/quarantine/{items[0]}").status_code == 200
