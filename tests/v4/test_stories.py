"""Stories of API v4: make, show, their records, cover, deletion, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from tests.v4.conftest import Call
from vitrine.accounts import Right
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.library.model import Collection
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server


@pytest.fixture
def picture(tmp_path: Path) -> StoredRecord:
    return StoredRecord(make.jpeg(tmp_path / "a.jpg", 60, 40), "image/jpeg", 60, 40)


class Library:
    def __init__(self, server: Server, call: Call, picture: StoredRecord) -> None:
        self.server, self.call, self.picture = server, call, picture

    def record(self, into: Collection | None = None) -> int:
        files = dict.fromkeys(("document", "thumbnail", "preview"), self.picture)
        return add_record(self.server.services, into or self.server.photographs, "image", files).number

    def story(self, *numbers: int, **more: Any) -> str:
        answer = self.call(
            "POST", "/stories", {"base_id": self.server.photographs.id, "records": list(numbers), **more}
        )
        assert answer.status_code == 201, answer.text
        path = "/stories/{databox_id}/{record_id}".format(**answer.json())
        assert answer.headers["Location"].endswith(path)
        return path

    def tag(self, story: str) -> str:
        return str(self.call("GET", story).headers["ETag"])

    def numbers(self, story: str, **options: Any) -> list[int]:
        data = self.call("GET", f"{story}/children?fields=title", **options).json()["data"]
        return [record["record_id"] for record in data]


@pytest.fixture
def library(server: Server, call: Call, picture: StoredRecord) -> Library:
    return Library(server, call, picture)


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_a_story_is_made_whole(library: Library) -> None:
    first, second = library.record(), library.record()
    story = library.story(second, first, title="The harbour", metadata={"City": "Brest"}, cover_record_id=first)
    shown = library.call("GET", story).json()
    assert (shown["title"], shown["children"], shown["cover_record_id"]) == ("The harbour", 2, first)
    assert shown["metadata"] == {"Title": ["The harbour"], "City": ["Brest"]}
    assert {file["name"] for file in shown["renditions"]} == {"thumbnail", "preview"}
    assert library.numbers(story) == [second, first]
    chosen = library.call("GET", f"{story}?fields=children").json()
    assert set(chosen) == {"databox_id", "record_id", "children"}


def test_what_cannot_be_made(library: Library, server: Server) -> None:
    base, number = server.photographs.id, library.record()
    nested = int(library.story().rpartition("/")[2])
    for body, status, code in (
        ({}, 400, "invalid"),
        ({"base_id": base, "colour": "blue"}, 400, "invalid"),
        ({"base_id": base, "records": ["1"]}, 400, "invalid"),
        ({"base_id": base, "records": [True]}, 400, "invalid"),
        ({"base_id": base, "records": [number], "cover_record_id": 999}, 400, "invalid"),
        ({"base_id": base, "metadata": {"Colour": "blue"}}, 404, "no_such_field"),
        ({"base_id": base, "metadata": {"City": [1]}}, 400, "invalid"),
        ({"base_id": base, "records": [nested]}, 400, "not_a_child"),
        ({"base_id": base, "records": [2**70]}, 404, "not_found"),
        ({"base_id": 999}, 400, "invalid"),
    ):
        refused(library.call("POST", "/stories", body), status, code)


def test_a_collection_that_one_may_not_know_looks_like_none(library: Library, server: Server) -> None:
    number, bea = library.record(), server.token(server.user("bea", {server.photographs.id: ALL_RIGHTS}))
    records = [{"databox_id": server.databox.id, "record_ids": [number]}]
    for path, body in (("/stories", {}), ("/operations", {"records": records})):
        answers = [
            library.call("POST", path, {**body, "base_id": base}, token=bea) for base in (server.archive.id, 999)
        ]
        assert [answer.status_code for answer in answers] == [400, 400]
        assert answers[0].json() == answers[1].json()
        assert answers[0].json()["field"] == "base_id"


def test_a_repeated_request_makes_one_story(library: Library, server: Server) -> None:
    body = {"base_id": server.photographs.id, "title": "Once"}
    answers = [library.call("POST", "/stories", body, Idempotency_Key="a-key") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_children_come_in_pages_and_only_those_that_one_sees(library: Library, server: Server) -> None:
    seen = [library.record() for _ in range(5)]
    hidden = library.record(server.archive)
    story = library.story(*seen[:2], hidden, *seen[2:], cover_record_id=hidden)
    bea = server.token(server.user("bea", {server.photographs.id: READER}))
    numbers, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = library.call("GET", f"{story}/children?limit=2{cursor}", token=bea).json()
        numbers += [record["record_id"] for record in page["data"]]
        cursor, pages = f"&cursor={page['next']}" if page["next"] else "", pages + 1
    assert (numbers, pages) == (seen, 3)
    shown = library.call("GET", story, token=bea).json()
    assert (shown["children"], shown["cover_record_id"]) == (5, None)
    (deep, *_) = library.call("GET", f"{story}/children?fields=metadata,renditions", token=bea).json()["data"]
    assert set(deep) == {"databox_id", "record_id", "metadata", "renditions"}


def test_records_are_added_removed_and_put_in_order(library: Library) -> None:
    first, second, third = library.record(), library.record(), library.record()
    story = library.story(first)
    answer = library.call("POST", f"{story}/children", {"records": [first, second, third, second]})
    assert answer.json() == {"added": [second, third]}
    assert answer.headers["ETag"] == library.tag(story)
    answer = library.call("PUT", f"{story}/children", {"records": [third, first, second]}, If_Match=library.tag(story))
    assert (answer.status_code, answer.headers["ETag"]) == (204, library.tag(story))
    assert library.numbers(story) == [third, first, second]
    assert library.call("DELETE", f"{story}/children/{first}").status_code == 204
    assert library.numbers(story) == [third, second]
    refused(library.call("PUT", f"{story}/children", {"records": [third]}, If_Match="*"), 400, "not_a_child")


def test_nothing_of_somebody_else_is_lost(library: Library) -> None:
    first, second = library.record(), library.record()
    story = library.story(first)
    old = library.tag(story)
    refused(library.call("PUT", f"{story}/children", {"records": [first]}), 428, "if_match_required")
    refused(library.call("PUT", f"{story}/cover", {"record_id": first}), 428, "if_match_required")
    assert library.call("POST", f"{story}/children", {"records": [second]}, If_Match=old).status_code == 200
    for method, path, body in (
        ("POST", "/children", {"records": [second]}), ("PUT", "/children", {"records": [second, first]}),
        ("DELETE", f"/children/{first}", None), ("PUT", "/cover", {"record_id": first}), ("DELETE", "/cover", None),
        ("DELETE", "", None),
    ):  # fmt: skip
        refused(library.call(method, story + path, body, If_Match=old), 412, "changed_meanwhile")
    assert library.numbers(story) == [first, second]


def test_a_deleted_record_changes_the_tag_of_its_stories(library: Library, server: Server, token: str) -> None:
    number = library.record()
    story = library.story(number)
    old = library.tag(story)
    assert server.call("DELETE", f"/api/v1/records/{server.databox.id}/{number}/", token).status_code == 200
    assert library.tag(story) != old


def test_the_cover_is_chosen_and_taken_away(library: Library) -> None:
    number = library.record()
    story = library.story(number)
    answer = library.call("PUT", f"{story}/cover", {"record_id": number, "preview": "thumbnail"}, If_Match="*")
    assert answer.json() == {"cover_record_id": number, "files": {"thumbnail": "thumbnail", "preview": "thumbnail"}}
    assert library.call("GET", story).json()["thumbnail"] is not None
    refused(library.call("PUT", f"{story}/cover", {"record_id": 999}, If_Match="*"), 404, "not_found")
    refused(library.call("PUT", f"{story}/cover", {}, If_Match="*"), 400, "invalid")
    body = {"record_id": number, "thumbnail": "document"}
    refused(library.call("PUT", f"{story}/cover", body, If_Match="*"), 400, "source_too_good")
    assert library.call("DELETE", f"{story}/cover").status_code == 204
    shown = library.call("GET", story).json()
    assert (shown["thumbnail"], shown["cover_record_id"]) == (None, None)


def test_a_story_is_deleted_with_its_records_or_without(library: Library) -> None:
    first, second = library.record(), library.record()
    story, other = library.story(first), library.story(first, second)
    databox = story.split("/")[2]
    assert library.call("DELETE", story).json() == {"deleted": [int(story.rpartition("/")[2])]}
    assert library.call("GET", f"/records/{databox}/{first}").status_code == 200
    refused(library.call("DELETE", f"{other}?with_children=perhaps"), 400, "invalid")
    deleted = library.call("DELETE", f"{other}?with_children=true").json()["deleted"]
    assert deleted == [first, second, int(other.rpartition("/")[2])]
    refused(library.call("GET", f"/records/{databox}/{first}"), 404, "not_found")


CHANGES: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/children", {"records": []}), ("PUT", "/children", {"records": []}), ("DELETE", "/children/1", None),
    ("PUT", "/cover", {"record_id": 1}), ("DELETE", "/cover", None), ("DELETE", "", None),
)  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_rights_and_what_looks_like_nothing(
    library: Library, server: Server, method: str, path: str, body: Any
) -> None:
    number = library.record()
    story = library.story(number)
    if body and "record_id" in body:
        body = {"record_id": number}
    path = path.replace("/1", f"/{number}")
    reader = server.token(server.user("bea", {server.photographs.id: READER, server.archive.id: ALL_RIGHTS}))
    answer = library.call(method, story + path, body, token=reader, If_Match="*")
    assert answer.status_code == 403, answer.text
    outsider = server.token(server.user("cyd", {server.archive.id: ALL_RIGHTS}))
    plain = f"/stories/{server.databox.id}/{number}"
    for who, where in ((outsider, story), (None, plain), (None, f"/stories/{server.databox.id}/99999")):
        options = {} if who is None else {"token": who}
        refused(library.call(method, where + path, body, If_Match="*", **options), 404, "not_found")
    assert library.numbers(story) == [number]


def test_a_hidden_record_looks_like_none(library: Library, server: Server) -> None:
    hidden = library.record(server.archive)
    story = library.story()
    editor = server.token(server.user("bea", {server.photographs.id: READER | Right.canmodifrecord}))
    for number in (hidden, 99999):
        refused(library.call("POST", f"{story}/children", {"records": [number]}, token=editor), 404, "not_found")
    adder = server.token(server.user("cyd", {server.photographs.id: READER | Right.canaddrecord}))
    body = {"base_id": server.photographs.id, "records": [hidden]}
    refused(library.call("POST", "/stories", body, token=adder), 404, "not_found")
    refused(library.call("POST", "/stories", {"base_id": server.archive.id}, token=adder), 400, "invalid")
    looker = server.token(server.user("dan", {server.archive.id: READER}))
    refused(library.call("POST", "/stories", {"base_id": server.archive.id}, token=looker), 403, "may_not_add")
