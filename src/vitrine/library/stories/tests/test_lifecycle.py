"""What becomes of a story and its pictures when its records, their files or the story itself change (06 section 11)."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from vitrine.accounts import COMMAND, Actor, Right, User, Via
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.errors import NotFound
from vitrine.library import store, story_links
from vitrine.library.errors import ChangedMeanwhile, MayNotChange
from vitrine.library.events import RecordChanged, StoryChildrenChanged, StoryCoverChanged
from vitrine.library.model import BIN, Collection, CollectionId, Record, RecordKey
from vitrine.library.sharing import public_links
from vitrine.library.stories.errors import NoSuchStory, NotAChild
from vitrine.library.stories.model import ChildDraft, CoverSources, StoryDraft
from vitrine.library.substitution import File
from vitrine.library.tables import renditions
from vitrine.platform.database import UnitOfWork
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server

NAMES = ("document", "thumbnail", "preview")


class Library:
    """A server with pictures that differ, and what one person does with stories."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.stories, self.views = server.services.library.stories, server.services.library.story_views
        self.pictures = 0

    def record(self, into: Collection | None = None) -> RecordKey:
        self.pictures += 1
        path = make.jpeg(self.folder / f"{self.pictures}.jpg", 60, 40, seed=self.pictures)
        file = StoredRecord(path, "image/jpeg", 60, 40)
        into = into or self.server.photographs
        return add_record(self.server.services, into, "image", dict.fromkeys(NAMES, file), title=f"P{self.pictures}")

    def write(self, call: Callable[[UnitOfWork], Any]) -> Any:
        with self.server.services.database.write() as work:
            return call(work)

    def change(self, method: Callable[..., Any], *arguments: Any, actor: Actor = COMMAND, **named: Any) -> Any:
        """Call a method of a service in a transaction of its own."""
        return self.write(lambda work: method(work, actor, *arguments, **named))

    def story(self, *children: RecordKey, cover: RecordKey | None = None, into: Collection | None = None) -> RecordKey:
        base = CollectionId((into or self.server.photographs).id)
        sources = {key: CoverSources() for key in [cover] if key is not None}
        drafts = [ChildDraft(key, sources.get(key)) for key in children]
        key: RecordKey = self.write(lambda work: self.stories.create(work, COMMAND, StoryDraft(base, children=drafts)))
        return key

    def numbers(self, story: RecordKey, actor: Actor = COMMAND) -> list[int]:
        with self.server.services.database.read() as work:
            shown = self.views.shown(work, actor, story)
            return [child.record.number for child in shown.children]

    def row(self, key: RecordKey) -> Record:
        with self.server.services.database.read() as work:
            record = store.by_key(work, key)
        assert record is not None
        return record

    def files(self, key: RecordKey) -> Mapping[str, str | None]:
        with self.server.services.database.read() as work:
            record = store.by_key(work, key)
            assert record is not None
            return {file.name: file.sha256 for file in store.renditions_of(work, [record.id])[record.id]}

    def pictures_of(self, child: RecordKey) -> Mapping[str, str | None]:
        return {name: digest for name, digest in self.files(child).items() if name != "document"}

    def actor(self, user: User) -> Actor:
        accounts = self.server.services.accounts.users
        with self.server.services.database.read() as work:
            return accounts.actor_of(work, accounts.get(work, user.id), Via.TOKEN)


@pytest.fixture
def library(server: Server, tmp_path: Path) -> Library:
    return Library(server, tmp_path)


@pytest.mark.both_databases
class TestDeletion:
    def test_a_deleted_record_leaves_its_stories(self, library: Library) -> None:
        first, second = library.record(), library.record()
        story, other = library.story(first, second), library.story(second)
        before = library.row(story).updated
        events = heard(library, StoryChildrenChanged)
        library.change(library.server.services.library.removal.remove, first)
        assert (library.numbers(story), library.numbers(other)) == ([second.number], [second.number])
        assert library.row(story).updated > before  # another version of it
        assert [(event.story_id, event.added) for event in events] == [(library.row(story).id, ())]

    def test_pictures_do_not_outlive_the_cover(self, library: Library) -> None:
        cover = library.record()
        story = library.story(cover, cover=cover)
        assert library.files(story) == library.pictures_of(cover)
        assert library.row(story).cover_record_id == library.row(cover).id
        library.change(library.server.services.library.removal.remove, cover)
        assert (library.files(story), library.row(story).cover_record_id) == ({}, None)

    def test_a_deleted_story_leaves_its_records(self, library: Library) -> None:
        child = library.record()
        story = library.story(child, cover=child)
        library.change(library.stories.delete, story)
        assert library.row(child).title == "P1"
        with pytest.raises(NotFound):
            library.numbers(story)
        with library.server.services.database.read() as work:
            record = store.by_key(work, child)
            assert record is not None
            assert story_links.parents(work, record.id) == []

    def test_records_go_with_it_each_with_its_own_right(self, library: Library, server: Server) -> None:
        mine, kept, hidden = library.record(), library.record(server.archive), library.record()
        story = library.story(mine, kept)
        rights: dict[int, Right] = {server.photographs.id: ALL_RIGHTS, server.archive.id: READER}
        bea = library.actor(server.user("bea", rights))
        with pytest.raises(MayNotChange, match=str(kept.number)):
            library.change(library.stories.delete, story, with_children=True, actor=bea)
        assert library.numbers(story) == [mine.number, kept.number]
        cyd = library.actor(server.user("cyd", {server.photographs.id: ALL_RIGHTS}))
        gone = library.change(library.stories.delete, story, with_children=True, actor=cyd)
        assert gone == [mine, story]  # what cyd does not see stays
        assert library.row(kept).title
        assert library.row(hidden).title
        with pytest.raises(AssertionError):
            library.row(mine)

    def test_a_reader_deletes_nothing(self, library: Library, server: Server) -> None:
        child = library.record()
        story = library.story(child)
        bea = library.actor(server.user("bea", READER | Right.canmodifrecord))
        for with_children in (False, True):
            with pytest.raises(MayNotChange):
                library.change(library.stories.delete, story, with_children=with_children, actor=bea)
        assert library.numbers(story) == [child.number]

    def test_a_restored_story_has_its_records_and_its_cover_again(self, library: Library) -> None:
        removal = library.server.services.library.removal
        first, second, third = library.record(), library.record(), library.record()
        story = library.story(third, first, second, cover=first)
        library.change(removal.remove, story)
        library.change(removal.remove, second)
        library.change(removal.restore, story)
        assert library.numbers(story) == [third.number, first.number]
        assert library.row(story).cover_record_id == library.row(first).id
        assert library.files(story) == library.pictures_of(first)

    def test_a_story_restored_without_its_cover_has_no_pictures(self, library: Library) -> None:
        removal = library.server.services.library.removal
        cover = library.record()
        story = library.story(cover, cover=cover)
        for key in (story, cover):
            library.change(removal.remove, key)
        library.change(removal.restore, story)
        assert (library.files(story), library.row(story).cover_record_id) == ({}, None)


@pytest.mark.both_databases
class TestCovers:
    def test_a_cover_that_leaves_the_story_takes_its_pictures_along(self, library: Library) -> None:
        cover, other = library.record(), library.record()
        story = library.story(cover, other, cover=cover)
        events = heard(library, StoryCoverChanged)
        library.change(library.stories.remove, story, [ChildDraft(cover)])
        assert (library.files(story), library.row(story).cover_record_id) == ({}, None)
        assert [event.after for event in events] == [None]

    def test_it_can_be_taken_away(self, library: Library) -> None:
        cover = library.record()
        story = library.story(cover, cover=cover)
        library.change(library.stories.set_cover, story, None)
        assert (library.files(story), library.numbers(story)) == ({}, [cover.number])

    def test_the_pictures_follow_the_files_of_the_cover(self, library: Library) -> None:
        cover = library.record()
        story = library.story(cover, cover=cover)
        substitute(library, cover, "thumbnail", library.record())
        assert library.files(story) == library.pictures_of(cover)

    def test_they_stay_while_the_files_are_made_again_and_go_when_that_fails(self, library: Library) -> None:
        cover = library.record()
        story = library.story(cover, cover=cover)
        shown = dict(library.files(story))
        change_rendition(library, cover, "preview", state="waiting")
        assert library.files(story) == shown
        change_rendition(library, cover, "preview", state="failed")
        assert library.files(story) == {"thumbnail": shown["thumbnail"]}

    def test_files_made_later_arrive(self, library: Library) -> None:
        cover = library.record()
        change_rendition(library, cover, "preview", state="waiting")
        story = library.story(cover, cover=cover)
        assert set(library.files(story)) == {"thumbnail"}
        change_rendition(library, cover, "preview", state="ready")
        assert library.files(story) == library.pictures_of(cover)

    def test_a_picture_put_in_by_hand_stays_until_a_cover_is_chosen(self, library: Library) -> None:
        cover, other, hand = library.record(), library.record(), library.record()
        story = library.story(cover, other, cover=cover)
        substitute(library, story, "thumbnail", hand)
        by_hand = library.files(hand)["thumbnail"]
        substitute(library, cover, "thumbnail", other)
        assert library.files(story)["thumbnail"] == by_hand
        library.change(library.server.services.library.removal.remove, cover)
        assert library.files(story) == {"thumbnail": by_hand}
        library.change(library.stories.set_cover, story, other.number)
        assert library.files(story) == library.pictures_of(other)

    def test_the_sweep_keeps_the_bytes_that_a_story_shows(self, library: Library, server: Server) -> None:
        cover = library.record()
        story = library.story(cover, cover=cover)
        of_cover = renditions.c.record_id == library.row(cover).id
        library.write(lambda work: work.db.execute(renditions.delete().where(of_cover)))
        digest = library.files(story)["thumbnail"]
        assert digest is not None
        with server.services.database.read() as work:
            assert store.referenced(work, [digest]) == {digest}

    def test_the_pictures_are_gone_while_the_cover_is_in_the_bin(self, library: Library, server: Server) -> None:
        bin_ = library.change(server.services.library.structure.add_collection, server.databox.id, BIN)
        cover = library.record()
        story = library.story(cover, cover=cover)
        library.change(server.services.library.removal.discard, cover)
        assert library.row(cover).collection_id == bin_.id
        assert (library.files(story), library.row(story).cover_record_id) == ({}, library.row(cover).id)
        library.change(server.services.library.changes.move, cover, server.photographs.id)
        assert library.files(story) == library.pictures_of(cover)
        library.change(library.stories.delete, story, with_children=True)  # both are in the bin, for who sees it
        assert library.files(story) == library.pictures_of(cover)

    @pytest.mark.parametrize("mark", ["wm", "stamp"])
    def test_no_picture_loses_its_mark_by_a_move(self, library: Library, server: Server, mark: str) -> None:
        """Of the cover, or of the story: from a collection with a mark into one without."""
        changes, cover, other = server.services.library.changes, library.record(), library.record(server.archive)
        set_presentation(library, server.archive, mark)
        story, marked = library.story(cover, cover=cover), library.story(other, cover=other, into=server.archive)
        assert library.files(marked) == library.pictures_of(other)
        library.change(changes.move, cover, server.archive.id)
        library.change(changes.move, marked, server.photographs.id)
        without_mark = {"thumbnail"} if mark == "wm" else set()  # a thumbnail is too small for a watermark
        for key in (story, marked):
            assert library.files(key).keys() == without_mark
        library.change(changes.move, story, server.archive.id)
        assert library.files(story) == library.pictures_of(cover)

    def test_a_mark_that_a_collection_gets_is_not_missing_in_stories(self, library: Library, server: Server) -> None:
        cover = library.record(server.archive)
        story = library.story(cover, cover=cover)
        assert library.files(story) == library.pictures_of(cover)
        set_presentation(library, server.archive, "wm")
        assert library.files(story) == {}  # until it is known which may be shown
        server.work()
        assert library.files(story).keys() == {"thumbnail"}
        set_presentation(library, server.archive, "none")
        server.work()
        assert library.files(story) == library.pictures_of(cover)

    def test_the_pictures_are_gone_while_the_collection_of_the_cover_is_disabled(
        self, library: Library, server: Server
    ) -> None:
        structure = server.services.library.administration.collections
        cover, own = library.record(server.archive), library.record()
        story, other = library.story(cover, own, cover=cover), library.story(cover, own, cover=own)
        library.change(structure.change, server.archive.id, {"enabled": False})
        assert library.files(story) == {}
        assert library.files(other) == library.pictures_of(own)
        change_rendition(library, cover, "thumbnail", state="ready")
        assert library.files(story) == {}
        library.change(structure.change, server.archive.id, {"enabled": True})
        server.work()
        assert library.files(story) == library.pictures_of(cover)

    def test_a_story_is_public_by_link_only_while_its_cover_is(self, library: Library, server: Server) -> None:
        cover = library.record()
        story = library.story(cover, cover=cover)
        token = server.token(server.user("ada"))
        path = f"/stories/{story.databox}/{story.number}/"
        link = server.get(path, token)["story"]["thumbnail"]["permalink"]
        assert server.http.get(link["url"]).status_code == 200
        switch(library, cover, on=False)
        assert server.http.get(link["url"]).status_code == 404
        shown = server.get(path, token)["story"]["thumbnail"]
        assert shown["permalink"]["is_activated"] is False
        assert server.http.get(shown["url"]).status_code == 404
        switch(library, cover, on=True)
        assert server.http.get(link["url"]).status_code == 200
        assert server.get(path, token)["story"]["thumbnail"]["permalink"]["is_activated"] is True


@pytest.mark.both_databases
class TestOrder:
    def test_every_child_that_is_seen_is_named_once(self, library: Library) -> None:
        keys = [library.record() for _ in range(3)]
        numbers = [key.number for key in keys]
        story = library.story(*keys)
        library.change(library.stories.reorder, story, numbers[::-1])
        assert library.numbers(story) == numbers[::-1]
        for wrong in (numbers[:2], [*numbers, numbers[0]], [*numbers[:2], 99999], [*numbers[:2], numbers[0]]):
            with pytest.raises(NotAChild):
                library.change(library.stories.reorder, story, wrong)
        assert library.numbers(story) == numbers[::-1]

    def test_children_that_are_not_seen_keep_their_places(self, library: Library, server: Server) -> None:
        first, hidden, second = library.record(), library.record(server.archive), library.record()
        story = library.story(first, hidden, second)
        bea = library.actor(server.user("bea", {server.photographs.id: ALL_RIGHTS}))
        library.change(library.stories.reorder, story, [second.number, first.number], actor=bea)
        assert library.numbers(story) == [second.number, hidden.number, first.number]

    def test_a_moved_story_and_moved_children_stay_together(self, library: Library, server: Server) -> None:
        child = library.record()
        story = library.story(child)
        changes = server.services.library.changes
        for key in (story, child):
            library.change(changes.move, key, CollectionId(server.archive.id))
        assert library.numbers(story) == [child.number]
        assert library.row(story).collection_id == server.archive.id


@pytest.mark.both_databases
class TestVersions:
    def test_a_change_of_somebody_else_is_noticed(self, library: Library) -> None:
        first, second = library.record(), library.record()
        story = library.story(first, second)
        read_at = library.row(story).updated
        calls: list[Callable[[UnitOfWork], Any]] = [
            lambda work: library.stories.add(work, COMMAND, story, [], unchanged_since=read_at),
            lambda work: library.stories.remove(work, COMMAND, story, [], unchanged_since=read_at),
            lambda work: library.stories.reorder(work, COMMAND, story, [], unchanged_since=read_at),
            lambda work: library.stories.set_cover(work, COMMAND, story, None, unchanged_since=read_at),
        ]
        library.write(calls[0])
        library.change(library.stories.set_cover, story, second.number)
        for call in calls:
            with pytest.raises(ChangedMeanwhile):
                library.write(call)

    def test_two_people_at_once_lose_nothing(self, library: Library, server: Server) -> None:
        """Additions, removals, orders, covers and deletions from several threads: the places stay whole."""
        keys = [library.record() for _ in range(8)]
        story = library.story(*keys[:4])
        failures: list[BaseException] = []

        def change(step: int) -> None:
            try:
                for turn in range(6):
                    key = keys[4 + (step + turn) % 4]
                    library.change(library.stories.add, story, [ChildDraft(key)])
                    order = library.numbers(story)[::-1]
                    try:
                        library.change(library.stories.reorder, story, order)
                        library.change(library.stories.set_cover, story, key.number)
                        library.change(library.stories.remove, story, [ChildDraft(key)])
                    except (NotAChild, NotFound):
                        pass  # the other one was faster: told, not lost
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=change, args=(step,)) for step in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        numbers = library.numbers(story)
        assert len(numbers) == len(set(numbers))
        assert {key.number for key in keys[:4]} <= set(numbers)
        cover = library.row(story).cover_record_id
        assert cover is None or cover in {library.row(key).id for key in keys if key.number in numbers}


def test_what_is_no_story_is_told_so(library: Library) -> None:
    key = library.record()
    with pytest.raises(NoSuchStory):
        library.change(library.stories.add, key, [])


def heard(library: Library, kind: type[Any]) -> list[Any]:
    events: list[Any] = []
    library.server.services.database.listen(kind, lambda _work, event: events.append(event))
    return events


def substitute(library: Library, key: RecordKey, name: str, source: RecordKey) -> None:
    digest = library.files(source)["thumbnail"]
    assert digest is not None
    file = File(digest, "image/jpeg", "jpg", 60, 40, 1000)
    replace = library.server.services.library.substitution.replace_rendition
    library.change(replace, key, name, file)


def change_rendition(library: Library, key: RecordKey, name: str, *, state: str) -> None:
    record_id = library.row(key).id

    def call(work: UnitOfWork) -> None:
        store.update_rendition(work, record_id, name, {"state": state})
        work.emit(RecordChanged(record_id))

    library.write(call)


def switch(library: Library, key: RecordKey, *, on: bool) -> None:
    def call(work: UnitOfWork) -> None:
        structure, record = library.server.services.library.records.structure(work), store.by_key(work, key)
        assert record is not None
        public_links.switch(work, COMMAND, structure, record, on=on)

    library.write(call)


def set_presentation(library: Library, base: Collection, presentation: str) -> None:
    changes: dict[str, Any] = {"public_presentation": presentation}
    if presentation == "stamp":
        changes["stamp"] = {"blocks": [{"place": "BOTTOM", "lines": [["Archive"]]}]}
    library.change(library.server.services.library.presentation.set, CollectionId(base.id), changes)
