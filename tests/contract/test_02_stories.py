"""Contract 02 sections 5.8 and 6.9: stories. Each hole that the contract names has a test of what closes it."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.contract.shapes import DUBLIN_CORE, EXTENDED, FOUND_STORY, SUBDEF, WHOLE_STORY, faults
from vitrine.accounts import Right, User
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.library.model import Collection, DataboxId, RecordKey
from vitrine.library.stories.model import MOST_AT_ONCE, MOST_CHILDREN
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server
from vitrine.testing.statements import recorded

EXTENDED_TYPE = {"Accept": "application/vnd.phraseanet.record-extended+json"}
SDK = {"User-Agent": "Phraseanet SDK/4.0"}


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def token(server: Server, ada: User) -> str:
    return server.token(ada)


@pytest.fixture
def picture(tmp_path: Path) -> StoredRecord:
    return StoredRecord(make.jpeg(tmp_path / "harbour.jpg", 60, 40), "image/jpeg", 60, 40)


class StoryClient:
    """Shorthands for first person who makes stories."""

    def __init__(self, server: Server, token: str, picture: StoredRecord) -> None:
        self.server, self.token, self.picture = server, token, picture

    def record(self, into: Collection | None = None, kind: str = "image", **files: StoredRecord) -> RecordKey:
        names = dict.fromkeys(("document", "thumbnail", "preview"), self.picture)
        return add_record(self.server.services, into or self.server.photographs, kind, {**names, **files})

    def send(self, method: str, where: str, body: Any, token: str | None = None, **options: Any) -> httpx.Response:
        return self.server.call(method, f"/api/v1/stories{where}", token or self.token, json=body, **options)

    def make(self, *children: RecordKey, into: Collection | None = None, **story: Any) -> RecordKey:
        body = {"base_id": (into or self.server.photographs).id, "story_records": items(*children), **story}
        answer = self.send("POST", "", {"stories": [body]})
        assert answer.status_code == 200, answer.text
        (address,) = answer.json()["response"]["stories"]
        return RecordKey(self.server.databox.id, int(address.split("/")[3]))

    def get(self, story: RecordKey, token: str | None = None, **options: Any) -> Any:
        return self.server.get(f"/stories/{story.databox}/{story.number}/", token or self.token, **options)["story"]

    def children(self, story: RecordKey, token: str | None = None) -> list[int]:
        return [record["record_id"] for record in self.get(story, token)["records"]]

    def change(
        self, story: RecordKey, what: str, body: Any, token: str | None = None, **options: Any
    ) -> httpx.Response:
        method = "DELETE" if what == "delrecords" else "POST"
        return self.send(method, f"/{story.databox}/{story.number}/{what}", body, token, **options)


@pytest.fixture
def client(server: Server, token: str, picture: StoredRecord) -> StoryClient:
    return StoryClient(server, token, picture)


def items(*keys: RecordKey, **more: Any) -> list[dict[str, Any]]:
    return [{"databox_id": key.databox, "record_id": key.number, **more} for key in keys]


def refused(answer: httpx.Response, status: int, word: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["response"] == {}
    assert word in answer.json()["meta"]["error_details"]


class TestShow:
    """What a story is, and who sees what of it (02 §5.8, 02 §6.9)."""

    def test_a_story_has_the_keys_of_the_contract_in_both_profiles(self, client: StoryClient) -> None:
        first, second = client.record(), client.record()
        story = client.make(second, first, title="The harbour")
        for headers in ({}, SDK):
            shown = client.get(story, headers=headers)
            assert faults(WHOLE_STORY, shown) == []
            assert [record["record_id"] for record in shown["records"]] == [second.number, first.number]
        assert (shown["cover_record_id"], shown["thumbnail"]) == (None, None)

    def test_the_bag_has_real_values_of_dublin_core_fields(self, client: StoryClient) -> None:
        values = {"Keywords": ["quay", "rope"], "City": "Brest", "Country": "France"}
        bag = client.get(client.make(title="The harbour", metadatas=values))["metadatas"]
        expected = {"dc:title": "The harbour", "dc:subject": "quay ; rope", "dc:coverage": "France"}
        rest = {f"dc:{element}": None for element in DUBLIN_CORE}
        assert {name: value for name, value in bag.items() if name != "@entity@"} == {**rest, **expected}

    def test_children_are_extended_where_the_answer_is(self, client: StoryClient) -> None:
        story = client.make(client.record())
        (child,) = client.get(story, headers=EXTENDED_TYPE)["records"]
        assert faults(EXTENDED, child) == []

    def test_a_story_is_a_record_too(self, client: StoryClient) -> None:
        story = client.make(title="The harbour")
        record = client.server.get(f"/records/{story.databox}/{story.number}/", client.token)["record"]
        assert (record["mime_type"], record["sha256"], record["title"]) == (None, None, "The harbour")

    def test_only_children_that_the_reader_sees_are_listed(self, client: StoryClient, server: Server) -> None:
        seen, hidden = client.record(), client.record(server.archive)
        story = client.make(hidden, seen)
        assert client.change(story, "setcover", {"record_id": hidden.number}).status_code == 200
        reader = server.token(server.user("bea", {server.photographs.id: READER}))
        shown = client.get(story, reader)
        assert [record["record_id"] for record in shown["records"]] == [seen.number]
        assert shown["cover_record_id"] is None  # the number of a record that bea may not know
        assert client.get(story)["cover_record_id"] == hidden.number

    def test_a_plain_record_is_no_story(self, client: StoryClient) -> None:
        key = client.record()
        for tail in ("", "embed/"):
            answer = client.server.call("GET", f"/api/v1/stories/{key.databox}/{key.number}/{tail}", client.token)
            refused(answer, 404)

    def test_refusals_of_the_addresses(self, client: StoryClient, server: Server) -> None:
        story = client.make(into=server.archive)
        outsider = server.token(server.user("cyd", {server.photographs.id: ALL_RIGHTS}))
        path = f"/api/v1/stories/{story.databox}/{story.number}/"
        for tail in ("", "embed/"):
            refused(server.call("GET", path + tail, outsider), 401)
            refused(server.call("GET", f"/api/v1/stories/{story.databox}/99999/{tail}", client.token), 404)
            refused(server.call("GET", f"/api/v1/stories/999/1/{tail}", client.token), 404)
            twin = server.call("GET", f"/api/v1/stories/abc/def/{tail}", client.token)
            refused(twin, 400)
            assert twin.json()["meta"]["error_details"] == ""
            assert server.call("GET", path + tail).status_code == 400  # no token
        assert server.call("GET", path.rstrip("/"), client.token).status_code == 301
        for tail in ("addrecords", "delrecords", "setcover"):
            method = "DELETE" if tail == "delrecords" else "POST"
            refused(server.call(method, f"{path}{tail}/", client.token, json={}), 404)
            refused(server.call(method, f"/api/v1/stories/abc/def/{tail}", client.token, json={}), 404)
        refused(server.call("POST", "/api/v1/stories/", client.token, json={}), 404)

    def test_files_of_a_story_and_their_filters(self, client: StoryClient) -> None:
        cover = client.record()
        story = client.make(cover)
        path = f"/stories/{story.databox}/{story.number}/embed/"
        assert client.server.get(path, client.token)["embed"] == []
        assert client.change(story, "setcover", {"record_id": cover.number}).status_code == 200
        files = client.server.get(path, client.token)["embed"]
        assert {file["name"] for file in files} == {"thumbnail", "preview"}
        assert [faults(SUBDEF, file) for file in files] == [[], []]
        assert [file["devices"] for file in files] == [[], []]  # 02 §5.3
        assert client.server.get(path + "?mimes[]=image/png", client.token)["embed"] == []
        assert len(client.server.get(path + "?mimes[]=image/jpeg", client.token)["embed"]) == 2
        assert client.server.get(path + "?devices[]=screen", client.token)["embed"] == []


class TestMake:
    """POST /stories (02 §6.9)."""

    def test_stories_come_in_the_order_of_the_request(self, client: StoryClient, server: Server) -> None:
        bodies = [{"base_id": base.id, "title": base.name} for base in (server.archive, server.photographs)]
        answer = client.send("POST", "", {"stories": bodies})
        addresses = answer.json()["response"]["stories"]
        titles = [server.get(address, client.token)["story"]["metadatas"]["dc:title"] for address in addresses]
        assert titles == ["Archive", "Photographs"]

    def test_fields_by_id_go_before_fields_by_name(self, client: StoryClient) -> None:
        ids = {
            field["name"]: field["id"] for field in client.server.get("/me/structures/", client.token)["meta_fields"]
        }
        values = {"City": "Nantes", str(ids["City"]): "Brest", "Credit": 7, "Unknown": "x", "FileName": "read-only"}
        story = client.make(title="A", metadatas=values)
        listed = client.server.get(f"/records/{story.databox}/{story.number}/metadatas/", client.token)[
            "record_metadatas"
        ]
        assert {entry["name"]: entry["value"] for entry in listed} == {"Title": "A", "City": "Brest", "Credit": "7"}

    def test_without_any_title_it_is_untitled_and_gets_one_with_its_field(self, client: StoryClient) -> None:
        story = client.make()
        path = f"/records/{story.databox}/{story.number}/"
        assert client.server.get(path, client.token)["record"]["title"] == ""
        ids = {
            field["name"]: field["id"] for field in client.server.get("/me/structures/", client.token)["meta_fields"]
        }
        for text in ("The quay", ""):
            item = {"meta_struct_id": str(ids["Title"]), "meta_id": "", "value": text}
            form = {f"metadatas[0][{name}]": value for name, value in item.items()}
            assert client.server.call("POST", f"/api/v1{path}setmetadatas/", client.token, data=form).status_code == 200
            assert client.server.get(path, client.token)["record"]["title"] == text

    def test_the_first_cover_of_the_records_counts(self, client: StoryClient) -> None:
        first, second, third = client.record(), client.record(), client.record()
        children = [*items(first, use_as_cover=1), *items(second, third, use_as_cover=True)]
        shown = client.get(client.make(story_records=children))
        assert (shown["cover_record_id"], len(shown["records"])) == (second.number, 3)
        assert shown["thumbnail"] is not None

    def test_a_story_is_made_whole_or_not_and_those_before_it_remain(self, client: StoryClient, server: Server) -> None:
        base, child = server.photographs.id, client.record()
        good = {"base_id": base, "title": "good", "story_records": items(child)}
        hidden = {**items(child)[0], "use_as_cover": True, "thumbnail_cover_source": "document"}
        bad: dict[int, Mapping[str, Any]] = {
            404: {"base_id": 999},
            400: {"base_id": base, "title": "half", "story_records": [hidden]},
        }
        for status, body in bad.items():
            refused(client.send("POST", "", {"stories": [good, body, good]}), status)
        refused(client.send("POST", "", {"stories": [good, {"title": "no base"}]}), 400, "base_id")
        server.work()
        hits = server.get("/search/?search_type=1", client.token)["results"]["stories"]
        assert [story["metadatas"]["dc:title"] for story in hits] == ["good", "good"]

    def test_who_may_make_one(self, client: StoryClient, server: Server) -> None:
        reader = server.token(server.user("bea", READER))
        refused(client.send("POST", "", "no JSON for this", reader), 403)  # before the body
        adder = server.token(server.user("cyd", {server.photographs.id: READER | Right.canaddrecord}))
        refused(client.send("POST", "", {"stories": [{"base_id": server.archive.id}]}, adder), 403)
        hidden = client.record(server.archive)
        body = {"stories": [{"base_id": server.photographs.id, "story_records": items(hidden)}]}
        refused(client.send("POST", "", body, adder), 403, str(hidden.number))
        body = {
            "stories": [{"base_id": server.photographs.id, "story_records": items(RecordKey(hidden.databox, 9999))}]
        }
        refused(client.send("POST", "", body, adder), 404)
        server.work()
        assert server.get("/search/?search_type=1", client.token)["total_results"] == 0

    @pytest.mark.parametrize(
        "body",
        [
            [], {}, {"stories": {}}, {"stories": [{}]}, {"stories": [{"base_id": "12"}]},
            {"stories": [{"base_id": 1.5}]}, {"stories": [{"base_id": True}]},
            {"stories": [{"base_id": 1, "story_records": [{"databox_id": "1", "record_id": 1}]}]},
            {"stories": [{"base_id": 1, "story_records": [{"record_id": 1}]}]},
            {"stories": [{"base_id": 1, "metadatas": {"City": {"a": "b"}}}]},
            {"stories": [{"base_id": 1, "title": ["a"]}]},
            {"stories": [{"base_id": 1}] * (MOST_AT_ONCE + 1)},
        ],
    )  # fmt: skip
    def test_bodies_against_the_schema_are_400(self, client: StoryClient, body: Any) -> None:
        refused(client.send("POST", "", body), 400)

    def test_huge_numbers_name_nothing(self, client: StoryClient, server: Server) -> None:
        refused(client.send("POST", "", {"stories": [{"base_id": 2**63}]}), 404)
        child = {"databox_id": server.databox.id, "record_id": 2**70}
        refused(
            client.send("POST", "", {"stories": [{"base_id": server.photographs.id, "story_records": [child]}]}), 404
        )

    def test_too_long_and_too_many_values_are_400(self, client: StoryClient, server: Server) -> None:
        base = server.photographs.id
        for values in ({"City": "é" * 20_000}, {"Keywords": [str(number) for number in range(501)]}):
            name = next(iter(values))
            refused(client.send("POST", "", {"stories": [{"base_id": base, "metadatas": values}]}), 400, name)
        story = client.make(title="T" * 400)
        assert client.get(story)["metadatas"]["dc:title"] == "T" * 400


class TestBodies:
    """02 §6.9, 08: how the JSON may come."""

    def ask(self, client: StoryClient, **options: Any) -> httpx.Response:
        return client.server.call("POST", "/api/v1/stories", client.token, **options)

    def test_types(self, client: StoryClient, server: Server) -> None:
        body = json.dumps({"stories": [{"base_id": server.photographs.id}]}).encode()
        for kind in ("application/json", "application/x-json", "application/json; charset=utf-8", ""):
            assert self.ask(client, content=body, headers={"Content-Type": kind}).status_code == 200, kind
        assert self.ask(client, content=body).status_code == 200  # absent
        for kind in ("text/plain", "application/xml"):
            refused(self.ask(client, content=body, headers={"Content-Type": kind}), 406)
        refused(self.ask(client, data={"base_id": "1"}), 406)

    def test_undecodable_is_422(self, client: StoryClient) -> None:
        for text in (b"{", b"", b"\xff", b"[NaN]"):
            refused(self.ask(client, content=text, headers={"Content-Type": "application/json"}), 422)

    def test_a_parameter_stands_in_for_an_empty_body(self, client: StoryClient, server: Server) -> None:
        text = json.dumps({"stories": [{"base_id": server.photographs.id}]})
        assert self.ask(client, params={"body": text}, headers={"Content-Type": "application/json"}).status_code == 200
        assert self.ask(client, data={"body": text}).status_code == 200
        refused(self.ask(client, data={"body": "{"}), 422)
        both = self.ask(client, params={"body": "{"}, json={"stories": []})
        assert both.json()["response"] == {"stories": []}  # the body goes first

    def test_the_token_may_stand_in_the_query(self, client: StoryClient, server: Server) -> None:
        body = {"stories": [{"base_id": server.photographs.id}]}
        assert server.http.post(f"/api/v1/stories?oauth_token={client.token}", json=body).status_code == 200
        assert server.http.post("/api/v1/stories", json=body).status_code == 400


class TestChildren:
    """addrecords and delrecords (02 §6.9)."""

    def test_add_keeps_places_and_names_every_item(self, client: StoryClient) -> None:
        first, second, third = client.record(), client.record(), client.record()
        story = client.make(first)
        answer = client.change(story, "addrecords", {"story_records": items(second, first, second, third)})
        names = [f"{key.databox}_{key.number}" for key in (second, first, second, third)]
        assert answer.json()["response"] == {"records": names}
        assert client.children(story) == [first.number, second.number, third.number]

    def test_remove_ignores_what_is_not_in_it(self, client: StoryClient) -> None:
        first, second, other = client.record(), client.record(), client.record()
        story = client.make(first, second)
        answer = client.change(story, "delrecords", {"story_records": items(other, first)})
        assert answer.json()["response"] == {"records": [f"{key.databox}_{key.number}" for key in (other, first)]}
        assert client.children(story) == [second.number]

    @pytest.mark.parametrize("what", ["addrecords", "delrecords"])
    def test_an_item_that_is_wrong_changes_nothing(self, client: StoryClient, server: Server, what: str) -> None:
        inside, outside = client.record(), client.record()
        story = client.make(inside)
        changed = inside if what == "delrecords" else outside
        for wrong, status in (
            ({"databox_id": 999, "record_id": 1}, 400),
            ({"databox_id": story.databox, "record_id": 99999}, 404),
            ({"databox_id": story.databox}, 400),
        ):
            refused(client.change(story, what, {"story_records": [*items(changed), wrong]}), status)
        assert client.children(story) == [inside.number]

    def test_a_story_cannot_hold_a_story(self, client: StoryClient) -> None:
        story, other = client.make(), client.make()
        for child in (other, story):
            refused(client.change(story, "addrecords", {"story_records": items(child)}), 400, "another story")
        assert client.children(story) == []

    @pytest.mark.parametrize("what", ["addrecords", "delrecords", "setcover"])
    def test_rights_on_the_story(self, client: StoryClient, server: Server, what: str) -> None:
        child = client.record()
        story = client.make(child)
        body = {"record_id": child.number} if what == "setcover" else {"story_records": items(child)}
        everything_elsewhere: dict[int, Right] = {server.archive.id: ALL_RIGHTS, server.photographs.id: READER}
        reader = server.token(server.user("bea", everything_elsewhere))
        refused(client.change(story, what, body, reader), 403)
        refused(client.change(story, what, "no JSON for this", reader), 403)  # before the body
        outsider = server.token(server.user("cyd", {server.archive.id: ALL_RIGHTS}))
        refused(client.change(story, what, body, outsider), 403)
        editor = server.user("dan", {server.photographs.id: READER | Right.canmodifrecord})
        their = server.token(editor)
        server.regrant(editor, server.photographs, ALL_RIGHTS, mask_and=1 << 4, mask_xor=1 << 4)  # sees only bit 4 on
        refused(client.change(story, what, body, their), 403)
        for wrong in (child, RecordKey(child.databox, 99999), RecordKey(DataboxId(999), 1)):
            refused(client.change(wrong, what, body), 404)
        assert client.children(story) == [child.number]
        assert client.get(story)["cover_record_id"] is None

    @pytest.mark.parametrize("what", ["addrecords", "delrecords", "setcover"])
    def test_each_child_asks_sight(self, client: StoryClient, server: Server, what: str) -> None:
        hidden = client.record(server.archive)
        story = client.make(*([] if what == "addrecords" else [hidden]))
        body = {"record_id": hidden.number} if what == "setcover" else {"story_records": items(hidden)}
        editor = server.user("bea", {server.photographs.id: READER | Right.canmodifrecord})
        refused(client.change(story, what, body, server.token(editor)), 403)

    def test_a_suspended_editor_changes_nothing(self, client: StoryClient, server: Server) -> None:
        child, story = client.record(), client.make()
        editor = server.user("bea")
        token = server.token(editor)
        server.regrant(editor, server.photographs, ALL_RIGHTS & ~Right.actif)
        refused(client.change(story, "addrecords", {"story_records": items(child)}, token), 403)

    def test_there_is_a_bound(self, client: StoryClient, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("vitrine.library.stories.service.MOST_CHILDREN", 2)
        monkeypatch.setattr("vitrine.library.stories.service.MOST_STORIES", 2)
        first, second, third = client.record(), client.record(), client.record()
        story, _other = client.make(first, second), client.make(first)
        refused(client.change(story, "addrecords", {"story_records": items(third)}), 400, "at most 2")
        assert (
            client.change(story, "addrecords", {"story_records": items(first)}).status_code == 200
        )  # is in it already
        body = {"base_id": server.photographs.id, "story_records": items(first)}
        refused(client.send("POST", "", {"stories": [body]}), 400, f"Record {first.number} is in 2 stories")
        many = items(*[first] * (MOST_CHILDREN + 1))
        refused(client.change(story, "addrecords", {"story_records": many}), 400, str(MOST_CHILDREN))


class TestCover:
    """setcover (02 §6.9, 02 §7)."""

    def test_the_answer_is_an_array(self, client: StoryClient) -> None:
        child = client.record()
        story = client.make(child)
        answer = client.change(story, "setcover", {"record_id": child.number})
        assert answer.json()["response"] == [f"{child.databox}_{child.number}"]
        shown = client.get(story)
        assert shown["cover_record_id"] == child.number
        assert faults(SUBDEF, shown["thumbnail"]) == []
        assert client.server.http.get(shown["thumbnail"]["url"].removeprefix("http://dam.test")).status_code == 200

    def test_what_is_not_in_the_story_is_404(self, client: StoryClient) -> None:
        story, other = client.make(client.record()), client.record()
        for number in (other.number, 99999, 2**70, -1):
            refused(client.change(story, "setcover", {"record_id": number}), 404)
        bodies: tuple[Any, ...] = ({}, {"record_id": "1"}, {"record_id": None}, [])
        for body in bodies:
            refused(client.change(story, "setcover", body), 400)

    def test_only_pictures_are_taken(self, client: StoryClient, tmp_path: Path) -> None:
        sound = StoredRecord(make.jpeg(tmp_path / "tone.mp3", 10, 10), "audio/mpeg")
        child = client.record(kind="audio", document=sound, preview=sound)
        story = client.make(child)
        assert client.change(story, "setcover", {"record_id": child.number}).status_code == 200
        assert names_of_files(client, story) == {"thumbnail"}
        body = {"record_id": child.number, "preview_cover_source": "thumbnail", "thumbnail_cover_source": "nothing"}
        assert client.change(story, "setcover", body).status_code == 200
        assert names_of_files(client, story) == {"preview"}

    def test_the_original_is_never_taken(self, client: StoryClient) -> None:
        child = client.record()
        story = client.make(child)
        for name in ("thumbnail_cover_source", "preview_cover_source"):
            body = {"record_id": child.number, name: "Document"}
            refused(client.change(story, "setcover", body), 400, "document")
        assert names_of_files(client, story) == set()

    def test_a_picture_that_the_editor_may_not_have_is_not_taken(self, client: StoryClient, server: Server) -> None:
        child = client.record()
        story = client.make(child)
        rights = Right.actif | Right.canmodifrecord
        editor = server.token(server.user("bea", {server.photographs.id: rights}))
        assert client.change(story, "setcover", {"record_id": child.number}, editor).status_code == 200
        assert names_of_files(client, story) == {"thumbnail"}

    def test_a_mark_is_not_washed_off(self, client: StoryClient, server: Server) -> None:
        child = client.record(server.archive)
        story = client.make(child)
        with_mark: dict[int, Right] = {
            server.archive.id: READER & ~Right.nowatermark,
            server.photographs.id: ALL_RIGHTS,
        }
        editor = server.token(server.user("bea", with_mark))
        assert client.change(story, "setcover", {"record_id": child.number}, editor).status_code == 200
        assert names_of_files(client, story) == {"thumbnail"}  # a thumbnail carries none
        assert client.change(story, "setcover", {"record_id": child.number}).status_code == 200
        assert names_of_files(client, story) == {"thumbnail", "preview"}


def names_of_files(client: StoryClient, story: RecordKey) -> set[str]:
    files = client.server.get(f"/stories/{story.databox}/{story.number}/embed/", client.token)["embed"]
    return {file["name"] for file in files}


class TestElsewhere:
    """Stories in searches (02 §6.5) and among what is related to a record (02 §6.6)."""

    def test_searches_give_the_search_variant(self, client: StoryClient, server: Server) -> None:
        seen, hidden = client.record(), client.record(server.archive)
        story = client.make(seen, hidden, title="The harbour at dawn", metadatas={"Keywords": ["quay", "rope"]})
        server.work()
        reader = server.token(server.user("bea", {server.photographs.id: READER}))
        for kind in ("1", "2"):
            answer = server.get(f"/search/?query=dawn&search_type={kind}", reader)
            assert (answer["total_results"], answer["results"]["records"]) == (1, [])
            (hit,) = answer["results"]["stories"]
            assert faults(FOUND_STORY, hit) == []
            assert (hit["story_id"], hit["record_count"]) == (story.number, 1)
            assert hit["metadatas"]["dc:subject"] == "quay ; rope"
        assert server.get("/search/?search_type=1", client.token)["results"]["stories"][0]["record_count"] == 2

    def test_the_fields_come_with_the_second_kind_only(self, client: StoryClient, server: Server) -> None:
        client.make(title="The harbour")
        server.work()
        for kind, has_caption in (("1", False), ("2", True)):
            answer = server.get(f"/search/?search_type={kind}", client.token, headers=EXTENDED_TYPE)
            (hit,) = answer["results"]["stories"]
            assert ("caption" in hit) is has_caption
        assert hit["caption"][0]["value"] == "The harbour"

    def test_the_older_search_gives_stories_as_records(self, client: StoryClient, server: Server) -> None:
        story = client.make(title="The harbour")
        client.record()
        server.work()
        (hit,) = server.get("/records/search/?search_type=1", client.token)["results"]
        assert (hit["record_id"], hit["mime_type"]) == (story.number, None)
        records = server.get("/search/", client.token)["results"]
        assert story.number not in [record["record_id"] for record in records["records"]]

    def test_related_lists_the_parents_that_one_sees(self, client: StoryClient, server: Server) -> None:
        child, hidden = client.record(), client.record(server.archive)
        first, second = client.make(child, hidden), client.make(child, into=server.archive)
        path = f"/records/{child.databox}/{child.number}/related/"
        answer = server.get(path, client.token)
        assert [faults(WHOLE_STORY, story) for story in answer["stories"]] == [[], []]
        assert [story["story_id"] for story in answer["stories"]] == [first.number, second.number]
        reader = server.token(server.user("bea", {server.photographs.id: READER}))
        (shown,) = server.get(path, reader)["stories"]
        assert (shown["story_id"], [record["record_id"] for record in shown["records"]]) == (
            first.number,
            [child.number],
        )

    def test_related_stays_bounded(self, client: StoryClient, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("vitrine.library.stories.views.MOST_CHILDREN", 2)
        child = client.record()
        client.make(child, client.record())
        client.make(child)
        first, second = server.get(f"/records/{child.databox}/{child.number}/related/", client.token)["stories"]
        assert (len(first["records"]), second["record_count"], "records" in second) == (2, 1, False)


@pytest.mark.both_databases
class TestCost:
    """A story of fifty records takes as many statements as one of three (02 §6.9)."""

    def statements(self, client: StoryClient, call: Callable[[], Any]) -> list[str]:
        with recorded(client.server.services.database) as statements:
            assert call().status_code == 200
            client.server.services.deferred_writes.flush()
        # SQLite's trace counts each row of one statement.
        return [statement for statement in statements if not statement.startswith("INSERT INTO story_children")]

    def test_reading(self, client: StoryClient, server: Server) -> None:
        keys = [client.record() for _ in range(50)]
        counts = []
        for count in (3, 50):
            story = client.make(*keys[:count])
            paths = [f"/api/v1/stories/{story.databox}/{story.number}/"]
            paths += [f"/api/v1/records/{story.databox}/{keys[0].number}/related/", "/api/v1/search/?search_type=1"]
            server.work()
            calls = [partial(server.call, "GET", path, client.token) for path in paths]
            for call in calls:
                call()
            counts.append([len(self.statements(client, call)) for call in calls])
        assert counts[0][0] == counts[1][0] < 24
        assert counts[1][1] - counts[0][1] <= 6  # one story more
        assert counts[0][2] == counts[1][2]

    def test_changing(self, client: StoryClient, server: Server) -> None:
        keys = [client.record() for _ in range(50)]
        counts = []
        for count in (3, 50):
            story, records = client.make(), items(*keys[:count])
            body = {"stories": [{"base_id": server.photographs.id, "story_records": records}]}
            calls = [
                partial(client.send, "POST", "", body),
                partial(client.change, story, "addrecords", {"story_records": records}),
                partial(client.change, story, "delrecords", {"story_records": records}),
            ]
            counts.append([len(self.statements(client, call)) for call in calls])
        assert counts[0] == counts[1]
        assert max(counts[1]) < 40
