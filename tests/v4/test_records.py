"""Records of API v4: find, change, move, delete, files."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.rights.world import World
from tests.v4.conftest import V4, Call, define_bit, path_of
from tests.v4.test_frame import paged, problem
from vitrine.accounts import COMMAND, Right, User
from vitrine.accounts.rights import ALL_RIGHTS
from vitrine.library.model import RecordKey
from vitrine.testing import media_factory
from vitrine.testing.server import Server
from vitrine.testing.statements import recorded

TITLE = {"metadata": {"Title": "The harbour at dawn"}}


def tag(call: Call, key: RecordKey) -> str:
    return str(call("GET", path_of(key)).headers["etag"])


@pytest.mark.both_databases
def test_fields_status_and_collection_change_together(server: Server, call: Call, key: RecordKey) -> None:
    define_bit(server)
    change = {
        "metadata": {"Title": "Dawn", "Keywords": ["harbour", "dawn", "harbour"]}, "status": {"4": True},
        "base_id": server.archive.id,
    }  # fmt: skip
    before = tag(call, key)
    answer = call("PATCH", path_of(key), change, If_Match=before)
    assert answer.status_code == 200, answer.text
    record = answer.json()
    assert (record["title"], record["base_id"], record["status"]) == ("Dawn", server.archive.id, {"4": True})
    assert record["metadata"]["Keywords"] == ["harbour", "dawn"]
    assert answer.headers["etag"] == tag(call, key) != before
    again = call("PATCH", path_of(key), {"metadata": {"Keywords": ["dawn", "harbour"], "Title": None}}, If_Match="*")
    left = {name: values for name, values in again.json()["metadata"].items() if name != "FileName"}
    assert left == {"Keywords": ["dawn", "harbour"]}, "in the order that was sent; null empties"
    assert again.json()["status"] == {"4": True}, "what is not named stays"


def test_a_change_needs_the_tag_of_what_it_changes(call: Call, key: RecordKey) -> None:
    assert problem(call("PATCH", path_of(key), TITLE), 428)["code"] == "if_match_required"
    old = tag(call, key)
    assert call("PATCH", path_of(key), TITLE, If_Match=old).status_code == 200
    assert problem(call("PATCH", path_of(key), TITLE, If_Match=old), 412)["code"] == "changed_meanwhile"
    assert problem(call("DELETE", path_of(key), If_Match=old), 412)["code"] == "changed_meanwhile"
    assert call("DELETE", path_of(key)).status_code == 204
    assert call("GET", path_of(key)).status_code == 404


@pytest.mark.both_databases
def test_of_two_who_change_at_once_one_is_told(call: Call, key: RecordKey) -> None:
    old = tag(call, key)
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda turn: call("PATCH", path_of(key), {"metadata": {"Title": f"T{turn}"}}, If_Match=old), range(4)
            )
        )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    done = next(answer.json()["title"] for answer in answers if answer.status_code == 200)
    assert call("GET", path_of(key)).json()["title"] == done


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metadata": {"Colour": "red"}}, "metadata.Colour"), ({"metadata": {"Title": ["a", "b"]}}, "metadata.Title"),
        ({"metadata": {"Title": 7}}, "metadata.Title"), ({"metadata": {"Keywords": [["x"]]}}, "metadata.Keywords"),
        ({"metadata": "x"}, "metadata"), ({"status": {"99": True}}, "status"), ({"status": {"x": True}}, "status.x"),
        ({"status": {"4": 1}}, "status.4"), ({"base_id": 99}, "base_id"), ({"base_id": -1}, "base_id"),
        ({"base_id": 2**70}, "base_id"), ({"base_id": True}, "base_id"), ({"colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name_and_nothing_is_changed(
    call: Call, key: RecordKey, change: Any, field: str
) -> None:
    before = call("GET", path_of(key))
    sent = {**TITLE, **change, "metadata": {**TITLE["metadata"], **change["metadata"]}} if isinstance(
        change.get("metadata"), dict
    ) else {**TITLE, **change}  # fmt: skip
    assert problem(call("PATCH", path_of(key), sent, If_Match="*"), 400)["field"] == field
    after = call("GET", path_of(key))
    assert (after.headers["etag"], after.json()["title"]) == (before.headers["etag"], before.json()["title"])


@pytest.mark.parametrize(
    ("missing", "change"),
    [
        (Right.canmodifrecord, TITLE), (Right.chgstatus, {"status": {"4": True}}),
        (Right.candeleterecord, {"base_id": 2}),
    ],
)  # fmt: skip
def test_each_change_needs_its_right(server: Server, call: Call, key: RecordKey, missing: Right, change: Any) -> None:
    define_bit(server)
    change = {"base_id": server.archive.id} if "base_id" in change else change
    eve = server.token(server.user("eve", ALL_RIGHTS & ~missing))
    assert problem(call("PATCH", path_of(key), change, token=eve, If_Match="*"), 403)["code"] == "may_not_change"
    stranger = server.token(server.user("bob", {int(server.archive.id): ALL_RIGHTS}))
    problem(call("PATCH", path_of(key), change, token=stranger, If_Match="*"), 404)


def test_who_moves_a_record_out_of_sight_learns_nothing_more_of_it(server: Server, call: Call, key: RecordKey) -> None:
    define_bit(server)
    eve = server.user("eve")
    server.regrant(eve, server.archive, ALL_RIGHTS, mask_and=1 << 4, mask_xor=0)  # sees only records whose bit is off
    change = {"status": {"4": True}, "base_id": server.archive.id}
    answer = call("PATCH", path_of(key), change, token=server.token(eve), If_Match="*")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"databox_id": key.databox, "record_id": key.number}
    assert "etag" not in answer.headers


def test_a_target_that_one_may_not_know_of_looks_like_none(server: Server, call: Call, key: RecordKey) -> None:
    eve = server.token(server.user("eve", {int(server.photographs.id): ALL_RIGHTS}))
    hidden = call("PATCH", path_of(key), {"base_id": server.archive.id}, token=eve, If_Match="*")
    missing = call("PATCH", path_of(key), {"base_id": 99}, token=eve, If_Match="*")
    assert problem(hidden, 400) == problem(missing, 400)


def test_files_in_any_state(server: Server, call: Call, ada: User, tmp_path: Path) -> None:
    arrival = server.services.library.ingest.take(media_factory.jpeg(tmp_path / "a.jpg", 64, 48), "a.jpg")
    with server.services.database.write() as work:
        actor = server.services.accounts.users.actor_of(work, ada, COMMAND.via)
        added: Any = server.services.library.ingest.add(work, actor, arrival, server.photographs.id)
    path = f"{path_of(added.key)}/renditions"
    waiting = {file["name"]: file for file in call("GET", path).json()["data"]}
    assert (waiting["document"]["state"], waiting["preview"]["state"]) == ("ready", "waiting")
    assert (waiting["preview"]["url"], waiting["preview"]["permalink"]) == (None, None)
    server.work()
    made_now = {file["name"]: file for file in call("GET", path).json()["data"]}
    assert made_now["preview"]["state"] == "ready"
    assert call("GET", f"{path}/preview").json() == made_now["preview"]
    problem(call("GET", f"{path}/nothing"), 404)
    eve = server.token(server.user("eve", Right.actif))
    problem(call("GET", f"{path}/document", token=eve), 404)


@pytest.mark.both_databases
def test_finding_shows_each_record_once(server: Server, call: Call, ada: User, tmp_path: Path) -> None:
    keys = [
        server.add(
            media_factory.jpeg(tmp_path / f"{number}.jpg", 64 + number, 48),
            ada,
            (server.photographs, server.archive)[number % 2],
        )
        for number in range(5)
    ]
    for limit in (1, 2, 3, 100):
        found_keys = [(item["databox_id"], item["record_id"]) for item in paged(call, "/records?sort=recordid", limit)]
        assert sorted(found_keys) == sorted(keys)
        assert len(set(found_keys)) == len(keys)
    page = call("GET", f"/records?base_ids={server.archive.id}&order=asc&sort=created_on").json()
    assert [item["record_id"] for item in page["data"]] == [keys[1].number, keys[3].number]
    assert (page["total"], page["next"]) == (2, None)
    assert "renditions" not in page["data"][0]
    deep = call("GET", "/records?fields=renditions,metadata&limit=1").json()["data"][0]
    assert set(deep) == {"databox_id", "record_id", "renditions", "metadata"}
    assert call("GET", "/records?types=video").json()["total"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [("sort=colour", "sort"), ("order=up", "order"), ("types=film", "types"), ("base_ids=x", "base_ids"),
     ("base_ids=" + "9" * 40, "base_ids"), ("base_ids=99", "bases")],
)  # fmt: skip
def test_a_search_that_cannot_be_is_refused(call: Call, query: str, field: str) -> None:
    assert problem(call("GET", f"/records?{query}"), 400)["field"] == field


def test_an_unreadable_query_is_told(call: Call) -> None:
    answer = call("GET", '/records?query="unfinished')
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        problem(answer, 400)


@pytest.mark.parametrize("fields", ["", "&fields=metadata,renditions"])
def test_a_page_takes_as_many_statements_for_many_records_as_for_few(
    tmp_path_factory: pytest.TempPathFactory, fields: str
) -> None:
    taken: list[list[str]] = []
    sizes: list[int] = []
    for count in (18, 40):
        server = Server(tmp_path_factory.mktemp("statements"))
        world = World(server, 1, count)
        sizes.append(len(world.allowed("see")))
        assert {key for key in world.allowed("see") if world.person.grants.get(key)}
        with recorded(server.services.database) as statements:
            answer = world.call("GET", f"{V4}/records?limit=100{fields}")
            assert len(answer.json()["data"]) == len(world.allowed("see"))
            taken.append([" ".join(str(statement).split())[:100] for statement in statements])
        server.close()
    few, many = taken
    assert sizes[1] > 2 * sizes[0] > 0
    assert len(many) <= len(few), "\n".join(many)
