"""API v4 against the reference model: it shows exactly what the table allows, and refuses exactly what it forbids."""

from typing import Any

import pytest

from tests.rights.model import ACTIONS, Key
from tests.rights.world import BIT, SECRET, World, records_in
from vitrine.testing.server import Server

V4 = "/api/v4"
SEEDS = range(4)


def path_of(key: Key) -> str:
    return f"{V4}/records/{key[0]}/{key[1]}"


def listed(world: World, path: str) -> list[Any]:
    """All items of a list, page by page; none of the answers names a record that the person may not see."""
    items: list[Any] = []
    cursor = ""
    while True:
        answer = world.call("GET", f"{V4}{path}{'&' if '?' in path else '?'}limit=3{cursor}")
        assert answer.status_code == 200, answer.text
        assert set(records_in(answer.json())) <= world.allowed("see")
        items += answer.json()["data"]
        if answer.json()["next"] is None:
            return items
        cursor = f"&cursor={answer.json()['next']}"


def check_reads(world: World) -> None:
    for key in world.all_keys():
        answer = world.call("GET", path_of(key))
        assert answer.status_code == (200 if world.may("see", key) else 404), (key, answer.text)
        if answer.status_code == 404:
            assert "record_id" not in answer.text
        files = {
            name: world.call("GET", f"{path_of(key)}/renditions/{name}").status_code == 200
            for name in ("document", "preview", "thumbnail")
        }
        assert files == {
            "document": world.may("original", key),
            "preview": world.may("preview", key),
            "thumbnail": world.may("thumbnail", key),
        }, key
        if answer.status_code == 200:
            record = answer.json()
            assert {file["name"] for file in record["renditions"]} == {
                name for name, is_open in files.items() if is_open
            }
            assert (SECRET in record["metadata"]) == world.may("business fields", key)
            all_files = world.call("GET", f"{path_of(key)}/renditions").json()["data"]
            assert {file["name"] for file in all_files if file["state"] == "ready"} == {
                name for name, is_open in files.items() if is_open
            }


def check_collections(world: World) -> None:
    live = world.live_bases()
    assert {item["base_id"] for item in listed(world, "/collections")} == live
    for base in world.bases:
        status = world.call("GET", f"{V4}/collections/{base}").status_code
        assert status == (200 if base in live else 404)


def check_search(world: World, *, is_indexed: bool) -> None:
    """The index may lag behind; rights may not."""
    for query, action in (
        ("sort=recordid", "find by search"), ("query=boat&fields=metadata,renditions", "find by search"),
        ("query=secret&sort=created_on", "business fields"),
    ):  # fmt: skip
        found_keys = list(records_in(listed(world, f"/records?{query}")))
        assert len(found_keys) == len(set(found_keys))
        if is_indexed and action == "find by search":
            assert set(found_keys) == world.allowed(action), query
        if is_indexed:
            assert set(found_keys) <= world.allowed(action), query


def check_changes(world: World) -> None:
    """Each change is done where its row of the table says so, refused with 403 where the record is only seen, and with
    404 otherwise. All of them leave the records as they are, but the last."""
    anything = {"If-Match": "*"}
    for key in world.all_keys():
        document = world.documents.get(key)
        bit = bool(document and document.status & 1 << BIT)
        base = document.base_id if document else next(iter(world.bases))
        for action, change in (
            ("edit fields", {"metadata": {SECRET: [f"secret of {key[0]}/{key[1]}"]}}),
            ("set status", {"status": {str(BIT): bit}}),
        ):
            answer = world.call("PATCH", path_of(key), json=change, headers=anything)
            expected = 200 if world.may(action, key) else 403 if world.may("see", key) else 404
            assert answer.status_code == expected, (key, action, answer.text)
            assert set(records_in(answer.json())) <= world.allowed("see")
        answer = world.call("PATCH", path_of(key), json={"base_id": base}, headers=anything)
        expected = 404 if not world.may("see", key) else 200 if world.may("move away", key) else 403
        assert answer.status_code == expected, (key, answer.text)
    for key in world.all_keys()[::3]:
        expected = 204 if world.may("delete", key) else 403 if world.may("see", key) else 404
        answer = world.call("DELETE", path_of(key))
        assert answer.status_code == expected, (key, answer.text)
        if expected == 204:
            del world.documents[key]


@pytest.mark.parametrize("seed", SEEDS)
def test_v4_shows_what_the_table_allows_and_refuses_what_it_forbids(server: Server, seed: int) -> None:
    world = World(server, seed)
    check_reads(world)
    check_collections(world)
    check_search(world, is_indexed=True)
    check_changes(world)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_moved_hidden_deleted_or_ended_is_gone_at_once(server: Server, seed: int) -> None:
    """Before the index knows of it, and after."""
    world = World(server, 100 + seed)
    world.shuffle(is_indexed=False)
    check_search(world, is_indexed=False)
    check_reads(world)
    server.work()
    check_search(world, is_indexed=True)
    check_collections(world)


def test_the_worlds_are_not_trivial(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each row of the table allows some and forbids some, over the worlds that are asked."""
    allowed: dict[str, int] = dict.fromkeys(ACTIONS, 0)
    records = 0
    for seed in SEEDS:
        server = Server(tmp_path_factory.mktemp("world"))
        world = World(server, seed)
        records += len(world.documents)
        for action in ACTIONS:
            allowed[action] += len(world.allowed(action))
        server.close()
    assert all(0 < count < records for count in allowed.values()), allowed
