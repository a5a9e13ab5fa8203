"""Who reads what of feeds, as random feeds, scopes, rights, masks, dates, entries and changes have it, against a small
reference model of contract 06 sections 13 and 17.7.

The model keeps plain dictionaries and decides by the sentences of the contract; the server is asked over HTTP.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from vitrine.accounts import COMMAND, DataboxRight, Right, User, Via
from vitrine.errors import DomainError
from vitrine.feeds import EntryDraft, EntryId, FeedId
from vitrine.library.model import CollectionId, RecordKey
from vitrine.library.tables import records as record_rows
from vitrine.testing.feed_factory import picture
from vitrine.testing.postgresql import PostgreSQL
from vitrine.testing.server import Server

EXTENDED = {"Accept": "application/vnd.phraseanet.record-extended+json"}
NOW = datetime.now(UTC)
BIT = 1 << 4


@dataclass(frozen=True, slots=True)
class Link:
    """A person's row on a collection."""

    is_active: bool = True
    has_previews: bool = False
    is_over: bool = False
    masks: bool = False  # hides records whose bit is on

    @property
    def grant(self) -> dict[str, Any]:
        return {
            "valid_until": NOW - timedelta(days=1) if self.is_over else None,
            "mask_and": BIT if self.masks else 0,
        }

    @property
    def rights(self) -> Right:
        return (Right.actif if self.is_active else Right(0)) | (
            Right.candwnldpreview if self.has_previews else Right(0)
        )


@dataclass(slots=True)
class Reader:
    links: dict[int, Link]
    publishes: bool


@dataclass(slots=True)
class Item:
    base: int
    bit: bool


@dataclass(slots=True)
class Feed:
    is_public: bool
    scope: int | None
    publishers: set[int]


@dataclass(slots=True)
class Model:
    """Bases, readers and records by number; entries as (feed, publisher, records)."""

    readers: dict[int, Reader] = field(default_factory=dict)
    records: dict[int, Item] = field(default_factory=dict)
    feeds: dict[int, Feed] = field(default_factory=dict)
    entries: dict[int, tuple[int, int, list[int]]] = field(default_factory=dict)

    def link(self, person: int, base: int) -> Link | None:
        """L T."""
        link = self.readers[person].links.get(base)
        return link if link is not None and link.is_active and not link.is_over else None

    def sees(self, person: int, number: int) -> bool:
        """V', without grants."""
        record = self.records[number]
        link = self.link(person, record.base)
        return link is not None and not (link.masks and record.bit)

    def reads(self, person: int | None, number: int) -> bool:
        feed = self.feeds[number]
        if feed.is_public:
            return True
        return person is not None and (feed.scope is None or self.link(person, feed.scope) is not None)

    def is_published(self, number: int) -> bool:
        """P."""
        return any(self.feeds[feed].is_public and number in items for feed, _, items in self.entries.values())

    def files(self, person: int, number: int) -> set[str]:
        if self.is_published(number):
            return {"preview", "thumbnail"}
        if not self.sees(person, number):
            return set()
        link = self.link(person, self.records[number].base)
        return {"thumbnail", "preview"} if link is not None and link.has_previews else {"thumbnail"}

    def may_publish(self, person: int, feed: int, items: list[int]) -> bool:
        is_publisher = person in self.feeds[feed].publishers
        return is_publisher and all(
            number in self.records and self.sees(person, number) and self.readers[person].publishes for number in items
        )


LINKS = st.builds(Link, st.booleans(), st.booleans(), st.sampled_from([False, False, True]), st.booleans())
PERSON, BASE, NUMBER = st.integers(0, 2), st.integers(0, 1), st.integers(0, 5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("link"), PERSON, BASE, LINKS),
        st.tuples(st.just("publish"), PERSON, st.integers(0, 2), st.lists(st.integers(0, 3), min_size=1, max_size=3)),
        st.tuples(st.just("publish"), PERSON, st.integers(0, 2), st.lists(st.integers(0, 3), min_size=1, max_size=3)),
        st.tuples(st.just("edit"), PERSON, NUMBER, st.lists(st.integers(0, 3), min_size=1, max_size=3)),
        st.tuples(st.just("unpublish"), PERSON, NUMBER, st.none()),
        st.tuples(st.just("public"), st.integers(0, 2), st.booleans(), st.none()),
        st.tuples(st.just("scope"), st.integers(0, 2), st.sampled_from([None, 0, 1]), st.none()),
        st.tuples(st.just("delete"), st.integers(0, 3), st.none(), st.none()),
        st.tuples(st.just("move"), st.integers(0, 3), BASE, st.none()),
        st.tuples(st.just("remove feed"), st.integers(0, 2), st.none(), st.none()),
    ),
    max_size=10,
)  # fmt: skip


class World:
    """The server beside the model."""

    def __init__(self, server: Server) -> None:
        self.server, self.model = server, Model()
        self.bases = [server.photographs, server.archive]
        self.people: list[User] = []
        self.keys: dict[int, RecordKey] = {}
        self.feed_ids: dict[int, FeedId] = {}
        self.entry_ids: dict[int, EntryId] = {}

    def begin(self, readers: list[tuple[bool, Link | None, Link | None]], feeds: list[tuple[bool, int | None]]) -> None:
        services = self.server.services
        for number, (publishes, first, second) in enumerate(readers):
            self.people.append(self.server.user(f"reader{number}", None))
            links = {base: link for base, link in ((0, first), (1, second)) if link is not None}
            self.model.readers[number] = Reader(links, publishes)
            with services.database.write() as work:
                rights = DataboxRight.bas_chupub if publishes else DataboxRight(0)
                services.accounts.users.grant_databox(
                    work, COMMAND, self.people[number].id, self.server.databox.id, rights
                )
            for base, link in links.items():
                self.link(number, base, link)
        for number in range(4):
            self.keys[number] = picture(self.server, self.bases[number % 2], title=f"Record {number}")
            self.model.records[number] = Item(number % 2, number >= 2)
            if number >= 2:
                with services.database.write() as work:
                    wanted = record_rows.c.number == self.keys[number].number
                    work.db.execute(record_rows.update().where(wanted).values(status=BIT))
        for number, (is_public, scope) in enumerate(feeds):
            with services.database.write() as work:
                feed = services.feeds.registry.add(
                    work,
                    COMMAND,
                    title=f"Feed {number}",
                    is_public=is_public,
                    collection_id=None if scope is None else self.bases[scope].id,
                    owner_id=self.people[number % 3].id,
                )
                services.feeds.registry.add_publisher(work, COMMAND, feed.id, self.people[(number + 1) % 3].id)
            self.feed_ids[number] = feed.id
            self.model.feeds[number] = Feed(is_public, scope, {number % 3, (number + 1) % 3})

    # -- steps ---------------------------------------------------------------------------------------------------

    def step(self, kind: str, *values: Any) -> None:
        getattr(self, kind.replace(" ", "_"))(*values)

    def link(self, person: int, base: int, link: Link) -> None:
        self.model.readers[person].links[base] = link
        self.server.regrant(self.people[person], self.bases[base], link.rights, **link.grant)

    def publish(self, person: int, feed: int, items: list[int]) -> None:
        items = list(dict.fromkeys(items))
        feed_id = self.feed_ids.get(feed)
        allowed = feed in self.model.feeds and self.model.may_publish(person, feed, items)
        entries = self.server.services.feeds.entries
        draft = EntryDraft(title="Entry", records=[self.keys[number] for number in items])
        entry = None
        if feed_id is not None:
            with self.acting(person) as (work, actor):
                entry = entries.publish(work, actor, feed_id, draft)
        assert (entry is not None) is allowed
        if entry is not None:
            number = len(self.entry_ids)
            self.entry_ids[number] = entry.id
            self.model.entries[number] = (feed, person, items)

    def edit(self, person: int, entry: int, items: list[int]) -> None:
        if entry not in self.model.entries:
            return
        items = list(dict.fromkeys(items))
        feed, publisher, before = self.model.entries[entry]
        fresh = [number for number in items if number not in before]
        missing = any(number not in self.model.records for number in items)
        allowed = publisher == person and not missing and self.model.may_publish(person, feed, fresh)
        draft = EntryDraft(records=[self.keys[number] for number in items])
        is_done = False
        with self.acting(person) as (work, actor):
            self.server.services.feeds.entries.change(work, actor, self.entry_ids[entry], draft)
            is_done = True
        assert is_done is allowed
        if is_done:
            self.model.entries[entry] = (feed, publisher, items)

    def unpublish(self, person: int, entry: int, _: None) -> None:
        if entry not in self.model.entries:
            return
        feed, publisher, _items = self.model.entries[entry]
        is_done = False
        with self.acting(person) as (work, actor):
            self.server.services.feeds.entries.remove(work, actor, self.entry_ids[entry])
            is_done = True
        assert is_done is (person in (publisher, feed % 3))
        if is_done:
            del self.model.entries[entry]

    def public(self, feed: int, is_public: bool, _: None) -> None:
        self._change_feed(feed, {"is_public": is_public}, is_public=is_public)

    def scope(self, feed: int, base: int | None, _: None) -> None:
        self._change_feed(feed, {"collection_id": None if base is None else self.bases[base].id}, scope=base)

    def _change_feed(self, feed: int, changes: dict[str, Any], **values: Any) -> None:
        if feed in self.model.feeds:
            with self.server.services.database.write() as work:
                self.server.services.feeds.registry.change(work, COMMAND, self.feed_ids[feed], changes)
            self.model.feeds[feed] = replace(self.model.feeds[feed], **values)

    def remove_feed(self, feed: int, _: None, __: None) -> None:
        if feed in self.model.feeds:
            with self.server.services.database.write() as work:
                self.server.services.feeds.registry.remove(work, COMMAND, self.feed_ids.pop(feed))
            del self.model.feeds[feed]
            entries = self.model.entries
            self.model.entries = {number: entry for number, entry in entries.items() if entry[0] != feed}

    def delete(self, number: int, _: None, __: None) -> None:
        if number in self.model.records:
            with self.server.services.database.write() as work:
                self.server.services.library.removal.remove(work, COMMAND, self.keys[number])
            del self.model.records[number]
            for _feed, _publisher, items in self.model.entries.values():
                items[:] = [item for item in items if item != number]

    def move(self, number: int, base: int, _: None) -> None:
        if number in self.model.records:
            with self.server.services.database.write() as work:
                into = CollectionId(self.bases[base].id)
                self.server.services.library.changes.move(work, COMMAND, self.keys[number], into)
            self.model.records[number].base = base

    @contextmanager
    def acting(self, person: int) -> Iterator[Any]:
        """A transaction of a person, which a refusal rolls back."""
        users = self.server.services.accounts.users
        try:
            with self.server.services.database.write() as work:
                actor = users.actor_of(work, users.get(work, self.people[person].id), Via.SESSION)
                yield work, actor
        except DomainError:
            pass

    # -- looking -------------------------------------------------------------------------------------------------

    def check(self) -> None:
        for person in range(3):
            self._check_api(person)
        self._check_public()

    def _check_api(self, person: int) -> None:
        model, token = self.model, self.server.token(self.people[person])
        readable = {number for number in model.feeds if model.reads(person, number)}
        listed = {feed["id"] for feed in self.server.get("/feeds/list/", token)["feeds"]}
        assert listed == {self.feed_ids[number] for number in readable}
        page = self.server.get("/feeds/content/?per_page=20", token, headers=EXTENDED)
        expected = {number for number, (feed, _, _) in model.entries.items() if feed in readable}
        assert {entry["id"] for entry in page["entries"]} == {self.entry_ids[number] for number in expected}
        assert page["total_entries"] == len(expected)
        by_id = {entry["id"]: entry for entry in page["entries"]}
        for number, (feed, _, items) in model.entries.items():
            path = f"/feeds/entry/{self.entry_ids[number]}/"
            answer = self.server.call("GET", f"/api/v1{path}", token, headers=EXTENDED)
            assert answer.status_code == (200 if feed in readable else 403)
            if feed in readable:
                entry = answer.json()["response"]["entry"]
                assert entry["items"] == by_id[entry["id"]]["items"]
                self._check_items(person, entry, items)
        for number, feed_id in self.feed_ids.items():
            content = self.server.get(f"/feeds/{feed_id}/content/?per_page=100", token)
            assert ("entries" in content) is (number in readable)

    def _check_items(self, person: int, entry: dict[str, Any], items: list[int]) -> None:
        assert [item["record"]["record_id"] for item in entry["items"]] == [
            self.keys[number].number for number in items
        ]
        for number, item in zip(items, entry["items"], strict=True):
            record, files = item["record"], self.model.files(person, number)
            assert {file["name"] for file in record["subdefs"]} == files
            assert (record["thumbnail"] is not None) is ("thumbnail" in files)

    def _check_public(self) -> None:
        model, http = self.model, self.server.http
        for number, key in self.keys.items():
            is_free = number in model.records and model.is_published(number)
            for name in ("preview", "thumbnail", "document"):
                status = http.get(f"/permalink/v1/{key.databox}/{key.number}/{name}/x.jpg").status_code
                assert status == (200 if is_free and name != "document" else 404)
        public = {number for number, (feed, _, _) in model.entries.items() if model.feeds[feed].is_public}
        document = etree.fromstring(http.get("/feeds/aggregated/rss/").content)
        guids = {str(guid.text).rstrip("/").rpartition("/")[2] for guid in document.iter("guid")}
        assert guids == {str(self.entry_ids[number]) for number in public}
        for number, feed_id in self.feed_ids.items():
            status = http.get(f"/feeds/feed/{feed_id}/atom/").status_code
            assert status == (200 if model.feeds[number].is_public else 403)


READERS = st.lists(
    st.tuples(st.sampled_from([True, True, False]), st.none() | LINKS, st.none() | LINKS), min_size=3, max_size=3
)
FEEDS = st.lists(st.tuples(st.booleans(), st.sampled_from([None, 0, 1])), min_size=3, max_size=3)
Begin = tuple[list[tuple[bool, Link | None, Link | None]], list[tuple[bool, int | None]]]


def run(folder: Path, readers: Any, feeds: Any, steps: list[tuple[Any, ...]], database_url: str = "") -> None:
    server = Server(folder / "data", database_url=database_url)
    try:
        world = World(server)
        world.begin(readers, feeds)
        for step in steps:
            world.step(*step)
        world.check()
    finally:
        server.close()


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(READERS, FEEDS, STEPS)
@pytest.mark.slow
def test_everybody_reads_what_the_contract_says(readers: Any, feeds: Any, steps: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory(prefix="vitrine-feeds-") as folder:
        run(Path(folder), readers, feeds, steps)


EVERYTHING = [
    ("publish", 0, 0, [0, 1, 2]), ("publish", 1, 1, [1, 3]), ("publish", 2, 2, [0, 3]), ("public", 0, True, None),
    ("edit", 0, 0, [2, 0]), ("link", 1, 0, Link(masks=True)), ("scope", 2, 1, None), ("delete", 3, None, None),
    ("move", 0, 1, None), ("public", 1, False, None), ("unpublish", 2, 1, None), ("publish", 0, 2, [2]),
]  # fmt: skip


def test_the_same_on_postgresql(tmp_path: Path, postgresql: PostgreSQL) -> None:
    whole = Link(has_previews=True)
    readers = [(True, whole, whole), (True, Link(), whole), (True, whole, Link(is_over=True))]
    feeds: list[tuple[bool, int | None]] = [(False, None), (True, 0), (False, 0)]
    with postgresql.database() as address:
        run(tmp_path, readers, feeds, EVERYTHING, address)
