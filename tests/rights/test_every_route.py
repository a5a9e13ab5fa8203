"""Every route of v1, v4 and the feeds outward against the reference model.

Reading: each address is asked for each thing there is, and names nothing that the person may not see. Changing: each
address that names a record refuses what the table forbids. A route that is added is asked too; one with a new kind of
id, or a new change of a record, needs a row here.
"""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.rights.model import Key, ModelRecord
from tests.rights.world import World
from vitrine.accounts import COMMAND, CollectionGrant, DataboxRight, Right, User
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, ALL_RIGHTS
from vitrine.api import v1, v4
from vitrine.library.model import CollectionId, DataboxId, RecordKey
from vitrine.library.stories.model import ChildDraft, CoverSources, StoryDraft
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.feed_factory import add_feed, publish
from vitrine.testing.server import Server

READS = [
    *(f"/api/v1{route.path}" for route in v1.ROUTES if "GET" in route.methods),
    *(f"/api/v4{route.path}" for route in v4.ROUTES if route.method == "GET"),
]
RECORD_V1, RECORD_V4 = "/api/v1/records/{box}/{number}/", "/api/v4/records/{box}/{number}"
STORY_V4 = "/api/v4/stories/{box}/{number}"
LINK = re.compile(r"/permalink/v1/(\d+)/(\d+)/(\w+)/")
TAGGED = {"If-Match": "*"}
# Each change of the very record (or story) in its path: the row of the table that it needs, and a request.
CHANGES: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("POST", RECORD_V1 + "setmetadatas/"): ("edit fields", {"data": {
        "metadatas[0][meta_struct_id]": "1", "metadatas[0][meta_id]": "", "metadatas[0][value]": "stolen"}}),
    ("POST", RECORD_V1 + "setstatus/"): ("set status", {"data": {"status[4]": "1"}}),
    ("POST", RECORD_V1 + "setcollection/"): ("move away", {"data": {"base_id": "1"}}),
    ("DELETE", RECORD_V1): ("delete", {}),
    ("PATCH", RECORD_V4): ("edit fields", {"json": {"metadata": {"Secret": "stolen"}}}),
    ("DELETE", RECORD_V4): ("delete", {}),
    ("POST", RECORD_V4 + "/history/{change}/undo"): ("edit fields", {}),
    ("POST", RECORD_V4 + "/versions/{version}/restore"): ("replace file", {}),
    ("POST", RECORD_V4 + "/rotate"): ("replace file", {"json": {"degrees": 90}}),
    ("POST", RECORD_V4 + "/copy-fields"): ("edit fields", {"json": {"from": {"databox_id": 1, "record_id": 1}}}),
    ("PATCH", RECORD_V4 + "/type"): ("edit fields", {"json": {"type": "video"}}),
    ("DELETE", STORY_V4): ("delete", {}),
    ("POST", STORY_V4 + "/children"): ("edit fields", {"json": {"records": [1]}}),
    ("PUT", STORY_V4 + "/children"): ("edit fields", {"json": {"records": [1]}}),
    ("DELETE", STORY_V4 + "/children/{child}"): ("edit fields", {}),
    ("PUT", STORY_V4 + "/cover"): ("edit fields", {"json": {"record_id": 1}}),
    ("DELETE", STORY_V4 + "/cover"): ("edit fields", {}),
    ("POST", "/api/v1/stories/{box}/{number}/addrecords"): ("edit fields", {"json": {"story_records": []}}),
    ("DELETE", "/api/v1/stories/{box}/{number}/delrecords"): ("edit fields", {"json": {"story_records": []}}),
    ("POST", "/api/v1/stories/{box}/{number}/setcover"): ("edit fields", {"json": {"record_id": 1}}),
}  # fmt: skip
REFUSED = {"/api/v1": {400, 401, 403, 404}, "/api/v4": {403, 404}}


class Library:
    """A `World` with a story, a basket and two feeds of somebody else, in which are records that the person sees and
    records that they do not. The other one may push nothing, so the basket gives no grants."""

    def __init__(self, server: Server, seed: int) -> None:
        self.world = World(server, seed)
        self.server = server
        self.keeper = self._keeper()
        keys = sorted(self.world.documents)
        box = int(server.databox.id)
        self.stories = [self._story([key for key in keys if key[0] == box])]
        rows = BasketWorld(server)
        self.content = [RecordKey(DataboxId(key[0]), key[1]) for key in keys]
        self.basket = rows.create(self.keeper, self.content)
        rows.share(self.keeper, self.basket, self.world.user, can_modify=True)
        self.feeds = [add_feed(server, self.keeper, public=True), add_feed(server, self.keeper, scope=server.archive)]
        self.published = [set(keys[:5]), set(keys[3:9])]
        for feed, published in zip(self.feeds, self.published, strict=True):
            publish(server, self.keeper, feed.id, [RecordKey(DataboxId(key[0]), key[1]) for key in sorted(published)])
        server.work()

    def _keeper(self) -> User:
        """Has every right, and may push in a collection without records alone."""
        server = self.server
        user = server.user("keeper", {})
        with server.services.database.write() as work:
            users = server.services.accounts.users
            spare = server.services.library.structure.add_collection(work, COMMAND, server.databox.id, "Spare")
            for base, box in self.world.bases.items():
                grant = CollectionGrant(base, box, ALL_RIGHTS & ~Right.canpush)
                users.grant(work, COMMAND, user.id, grant)
                users.grant_databox(work, COMMAND, user.id, box, DataboxRight(ALL_DATABOX_RIGHTS))
            users.grant(
                work, COMMAND, user.id, CollectionGrant(spare.id, spare.databox_id, Right.actif | Right.canpush)
            )
            return users.get(work, user.id)

    def _story(self, keys: list[Key]) -> Key:
        children = [
            ChildDraft(RecordKey(DataboxId(key[0]), key[1]), None if place else CoverSources())
            for place, key in enumerate(keys)
        ]
        base = int(self.server.photographs.id)
        with self.server.services.database.write() as work:
            stories = self.server.services.library.stories
            story_key = stories.create(work, COMMAND, StoryDraft(CollectionId(base), title="Boats", children=children))
            key = (int(story_key.databox), story_key.number)
            self.world.ids[key] = int(stories.get(work, COMMAND, story_key).id)
        self.world.documents[key] = ModelRecord(key, base, 0)
        return key

    def may_be_named(self) -> set[Key]:
        """What the person sees, and what readable feeds list (whatever one may see: contract 06 section 13)."""
        readable = set(self.published[0])
        if int(self.server.archive.id) in self.world.live_bases():
            readable |= self.published[1]
        return self.world.allowed("see") | readable

    def values(self) -> dict[str, list[Any]]:
        """By the name of a part of a path. A new one needs a line, or its routes are not asked."""
        few, first = [1, 2], [1]
        return {
            "databox_id": sorted(set(self.world.bases.values())), "base_id": sorted(self.world.bases),
            "record_id": sorted({number for _, number in self.world.all_keys()}),
            "name": ["document", "preview", "thumbnail"],
            "basket": [int(self.basket)], "basket_id": [int(self.basket)],
            **dict.fromkeys(("feed_id", "entry_id"), few),
            **dict.fromkeys(("item", "item_id", "task", "task_id", "field_id", "recipe_id", "operation_id", "group_id",
                             "template_id", "user_id", "id", "bundle_id", "hot_folder_id", "list_id", "rule_id",
                             "run_id"), first),
        }  # fmt: skip


def named_in(value: Any) -> Iterator[Key]:
    """Records and stories that an answer names, however deep."""
    if isinstance(value, dict):
        for member in ("record_id", "story_id"):
            if isinstance(value.get("databox_id"), int) and isinstance(value.get(member), int):
                yield value["databox_id"], value[member]
        for part in value.values():
            yield from named_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from named_in(part)


def addresses(library: Library, pattern: str) -> Iterator[str]:
    values = library.values()
    names = re.findall(r"\{(\w+)", pattern)
    for chosen in product(*(values[name] for name in names)):
        address = pattern
        for name, value in zip(names, chosen, strict=True):
            address = re.sub(rf"\{{{name}(:int)?\}}", str(value), address)
        yield address


def check_every_read(library: Library) -> None:
    allowed, named = library.may_be_named(), 0
    for pattern in READS:
        for address in addresses(library, pattern):
            for accept in ("", "application/vnd.phraseanet.record-extended+json") if "/v1/" in pattern else ("",):
                answer = library.world.call("GET", address, headers={"Accept": accept} if accept else {})
                if answer.headers.get("content-type", "").startswith(("application/json", "application/problem")):
                    keys = set(named_in(answer.json()))
                    assert keys <= allowed, (address, keys - allowed)
                    named += len(keys)
                else:
                    assert "/renditions/" in address or "/icon" in address or "/logo" in address, address
    assert named > 0


def check_lists_are_exact(library: Library) -> None:
    """Members and counts of what has records of several collections in it."""
    world, sees = library.world, library.world.allowed("see")
    expected = {key for key in sees if RecordKey(DataboxId(key[0]), key[1]) in library.content}
    elements = world.call("GET", f"/api/v4/baskets/{library.basket}/elements?limit=100").json()["data"]
    assert set(named_in([element["record"] for element in elements])) == expected
    shown = world.call("GET", f"/api/v4/baskets/{library.basket}").json()
    assert shown["elements"] - shown["hidden"] == len(elements) == len(expected)
    content = world.call("GET", f"/api/v1/baskets/{library.basket}/content/").json()["response"]
    assert set(named_in(content["basket_elements"])) == expected
    for story in library.stories:
        children = {key for key in expected if key[0] == story[0]}
        path = f"/api/v4/stories/{story[0]}/{story[1]}"
        answer = world.call("GET", path)
        assert answer.status_code == (200 if world.may("see", story) else 404)
        if answer.status_code == 200:
            assert answer.json()["children"] == len(children)
            listed = world.call("GET", f"{path}/children?limit=100").json()["data"]
            assert set(named_in(listed)) == children
        old = world.call("GET", f"/api/v1/stories/{story[0]}/{story[1]}/")
        assert old.status_code == (200 if world.may("see", story) else 401 if story in world.documents else 404)
        if old.status_code == 200:
            assert set(named_in(old.json()["response"]["story"]["records"])) == children


def check_v1_records(library: Library) -> None:
    world = library.world
    for key in world.all_keys():
        path = f"/api/v1/records/{key[0]}/{key[1]}/"
        expected = 200 if world.may("see", key) else 401 if key in world.documents else 404
        for tail in ("", "caption/", "metadatas/", "status/", "related/", "embed/"):
            assert world.call("GET", path + tail).status_code == expected, (key, tail)
        if expected == 200 and key not in library.stories:
            files = {file["name"] for file in world.call("GET", f"{path}embed/").json()["response"]["embed"]}
            is_free = key in library.published[0]
            assert ("document" in files) == world.may("original", key), key
            assert ("preview" in files) == (world.may("preview", key) or is_free), key


def check_forbidden_changes(library: Library) -> int:
    world, count = library.world, 0
    for (method, pattern), (action, request) in CHANGES.items():
        prefix, is_of_story = pattern[:7], "/stories/" in pattern
        for key in library.stories if is_of_story else world.all_keys():
            if world.may(action, key):
                continue
            address = pattern.format(box=key[0], number=key[1], change=1, version=1, child=1)
            answer = world.call(method, address, headers=TAGGED if prefix == "/api/v4" else {}, **request)
            allowed = REFUSED[prefix] if world.may("see", key) or prefix == "/api/v1" else {404}
            assert answer.status_code in allowed, (method, address, action, answer.text)
            assert set(named_in(answer.json())) <= world.allowed("see")
            count += 1
    return count


@pytest.mark.parametrize("seed", [1, 2])
def test_every_address_shows_and_refuses_what_the_table_says(server: Server, seed: int) -> None:
    """Then things are moved, hidden, deleted and rights end: before the index knows of it, and after."""
    library = Library(server, seed)
    check_every_read(library)
    check_lists_are_exact(library)
    check_v1_records(library)
    assert check_forbidden_changes(library) > 0
    library.world.shuffle(is_indexed=False)
    check_every_read(library)
    check_lists_are_exact(library)
    check_v1_records(library)
    server.work()
    check_lists_are_exact(library)


def test_each_change_of_a_record_has_a_row() -> None:
    """Every route that changes what has a record or a story in its path."""
    of_records: set[tuple[str, str]] = set()
    for prefix, routes in (("/api/v1", [(route.path, route.methods) for route in v1.ROUTES]),
                           ("/api/v4", [(route.path, (route.method,)) for route in v4.ROUTES])):  # fmt: skip
        for path, methods in routes:
            plain = prefix + re.sub(r":int\}", "}", path)
            plain = plain.replace("{databox_id}", "{box}").replace("{record_id}", "{number}")
            plain = plain.replace("{story_id}", "{number}").replace("{child_id}", "{child}")
            plain = plain.replace("{change_id}", "{change}").replace("{version_id}", "{version}")
            if "{number}" in plain:
                of_records |= {(method, plain) for method in methods if method != "GET"}
    assert of_records == CHANGES.keys()


def test_each_part_of_a_path_has_values(server: Server) -> None:
    library = Library(server, 3)
    known = library.values().keys()
    unknown = {name for pattern in READS for name in re.findall(r"\{(\w+)", pattern)} - known
    assert unknown <= {"bit", "state", "change_id", "version_id", "child_id"}, unknown


def test_feeds_outward_hold_published_records_and_open_only_free_files(server: Server) -> None:
    """Who reads them has no account, or has the address of a person: files are theirs by the table or free."""
    library = Library(server, 4)
    world, count = library.world, 0
    own = world.call("POST", "/api/v4/feeds/address").json()
    for form in ("rss", "atom"):
        public = {f"/feeds/feed/{feed.id}/{form}/": feed for feed in library.feeds}
        statuses = {server.http.get(path).status_code for path, feed in public.items() if not feed.is_public}
        assert statuses == {403}
        of_person = own[form].removeprefix(server.settings.base_url)
        free, theirs = library.published[0], library.published[0] | world.allowed("preview")
        for path, previews in (
            (f"/feeds/feed/{library.feeds[0].id}/{form}/", free), (f"/feeds/aggregated/{form}/", free),
            (of_person, theirs),
        ):  # fmt: skip
            answer = server.http.get(path)
            assert answer.status_code == 200, path
            linked = {(int(box), int(number), name) for box, number, name in LINK.findall(answer.text)}
            assert {(box, number) for box, number, _ in linked} <= library.may_be_named()
            assert "document" not in {name for _, _, name in linked} or "userfeed" in path
            assert {(box, number) for box, number, name in linked if name == "preview"} <= previews, path
            count += len(linked)
    assert count > 0
