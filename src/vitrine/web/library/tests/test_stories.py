"""Stories on the pages: on the wall, as a page of their records, and named on the page of a record."""

from pathlib import Path

import pytest

from vitrine.accounts import COMMAND, User
from vitrine.accounts.rights import READER
from vitrine.library.model import CollectionId, RecordKey
from vitrine.library.stories.model import ChildDraft, CoverSources, StoryDraft
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def records(server: Server, tmp_path: Path) -> list[RecordKey]:
    file = StoredRecord(make.jpeg(tmp_path / "a.jpg", 60, 40), "image/jpeg", 60, 40)
    files = dict.fromkeys(("document", "thumbnail", "preview"), file)
    return [
        add_record(server.services, base, "image", files, title=f"Quay {number}")
        for number, base in enumerate((server.photographs, server.archive, server.photographs))
    ]


def story_of(server: Server, keys: list[RecordKey], title: str = "The harbour <b>") -> RecordKey:
    children = [ChildDraft(key, CoverSources() if place == 0 else None) for place, key in enumerate(keys)]
    draft = StoryDraft(CollectionId(server.photographs.id), title, children=children)
    with server.services.database.write() as work:
        key = server.services.library.stories.create(work, COMMAND, draft)
    server.work()
    return key


def address(key: RecordKey) -> str:
    return f"/records/{key.databox}/{key.number}/"


def test_the_page_shows_the_records_that_one_sees_in_order(server: Server, ada: User, records: list[RecordKey]) -> None:
    story = story_of(server, records[::-1])
    text = server.browser(ada).get(address(story)).text
    assert "The harbour &lt;b&gt;" in text
    assert "<b>" not in text
    assert "Story · 3 documents" in text
    places = [text.index(f'href="{address(key)}"') for key in records[::-1]]
    assert places == sorted(places)
    assert f"/datafiles/{story.databox}/{story.number}/preview/" in text
    bea = server.browser(server.user("bea", {server.photographs.id: READER}))
    text = bea.get(address(story)).text
    assert "Story · 2 documents" in text
    assert address(records[1]) not in text


def test_many_records_come_in_pages(
    server: Server, ada: User, records: list[RecordKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vitrine.web.library.stories.PER_PAGE", 2)
    story = story_of(server, records)
    visitor = server.browser(ada)
    first = visitor.get(address(story)).text
    assert (address(records[0]) in first, address(records[2]) in first) == (True, False)
    assert f'rel="next" href="{address(story)}?start=2"' in first
    last = visitor.get(f"{address(story)}?start=2").text
    assert (address(records[0]) in last, address(records[2]) in last) == (False, True)
    assert f'rel="prev" href="{address(story)}?start=0"' in last
    for wrong in ("99999", "-1", "x", "9" * 30):
        assert visitor.get(f"{address(story)}?start={wrong}").text == first


def test_an_empty_story_without_a_title_says_so(server: Server, ada: User) -> None:
    story = story_of(server, [], title="")
    text = server.browser(ada).get(address(story)).text
    for words in ("Untitled story", "nothing in this story that you can see", "This story has no cover."):
        assert words in text
    assert "Untitled story" in server.browser(ada).get("/").text


def test_the_wall_marks_it_and_its_records_name_it(server: Server, ada: User, records: list[RecordKey]) -> None:
    story = story_of(server, records)
    visitor = server.browser(ada)
    wall = visitor.get("/?q=harbour").text
    assert '<span class="tag kind">Story</span>' in wall
    text = visitor.get(address(records[0])).text
    assert "In these stories" in text
    assert f'<a href="{address(story)}">The harbour &lt;b&gt;</a>' in text
    outsider = server.browser(server.user("cyd", {server.archive.id: READER}))
    text = outsider.get(address(records[1])).text
    assert "In these stories" not in text
    assert outsider.get(address(story)).status_code == 404


def test_in_french(server: Server, records: list[RecordKey]) -> None:
    zoe = server.browser(server.user("zoe", locale="fr"))
    text = zoe.get(address(story_of(server, records)), headers={"Accept-Language": "fr"}).text
    assert "Reportage · 3 documents" in text
