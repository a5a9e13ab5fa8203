"""Rights and rules of feeds, publishers and entries, at the service (06 sections 13 and 17.7)."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import COMMAND, Actor, DataboxRight, Right, User, UserId, Via
from vitrine.accounts.rights import READER
from vitrine.errors import DomainError, Invalid, NotFound
from vitrine.feeds import EntryDraft, Feed, FeedEntry, FeedId, model
from vitrine.feeds import entries as entries_module
from vitrine.feeds import service as service_module
from vitrine.feeds.errors import (
    MayNotManage,
    MayNotPublish,
    NoSuchEntry,
    NoSuchFeed,
    TooMany,
    TooManyReaders,
)
from vitrine.feeds.events import FeedEntryRemoved, NewFeedEntry
from vitrine.feeds.tables import feed_entries, feed_publishers, feeds
from vitrine.jobs import Job
from vitrine.library.errors import ChangedMeanwhile, NoSuchCollection, NoSuchRecord
from vitrine.library.model import CollectionId, RecordKey
from vitrine.library.sweep import SWEEP, Sweeper
from vitrine.library.tests.test_sweep import age_blobs
from vitrine.platform.database import UnitOfWork
from vitrine.testing import media_factory
from vitrine.testing.feed_factory import add_feed, picture, publish, publisher
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases


@pytest.fixture
def ada(server: Server) -> User:
    return publisher(server, "ada", email="ada@museum.example")


@pytest.fixture
def bob(server: Server) -> User:
    return publisher(server, "bob")


@pytest.fixture
def keeper(server: Server) -> User:
    return server.user("keeper", None, is_admin=True)


@pytest.fixture
def news(server: Server, ada: User) -> Feed:
    return add_feed(server, ada)


@pytest.fixture
def entry(server: Server, ada: User, news: Feed) -> FeedEntry:
    return publish(server, ada, news.id, [picture(server)])


def actor_of(server: Server, work: UnitOfWork, user: User) -> Actor:
    users = server.services.accounts.users
    return users.actor_of(work, users.get(work, user.id), Via.SESSION)


def act(server: Server, user: User, call: Callable[[UnitOfWork, Actor], Any]) -> Any:
    with server.services.database.write() as work:
        return call(work, actor_of(server, work, user))


def change(server: Server, user: User, feed_id: FeedId, changes: Mapping[str, Any], **more: Any) -> Feed:
    feed: Feed = act(
        server, user, lambda work, actor: server.services.feeds.registry.change(work, actor, feed_id, changes, **more)
    )
    return feed


def edit(server: Server, user: User, entry: FeedEntry, **draft: Any) -> FeedEntry:
    expected = draft.pop("expected", None)
    changed: FeedEntry = act(
        server,
        user,
        lambda work, actor: server.services.feeds.entries.change(
            work, actor, entry.id, EntryDraft(**draft), expected=expected
        ),
    )
    return changed


def remove(server: Server, user: User, entry: FeedEntry) -> None:
    act(server, user, lambda work, actor: server.services.feeds.entries.remove(work, actor, entry.id))


def make_publisher(server: Server, user: User, feed: Feed, other: User) -> None:
    act(server, user, lambda work, actor: server.services.feeds.registry.add_publisher(work, actor, feed.id, other.id))


# -- feeds -------------------------------------------------------------------------------------------------------------


def test_administrators_add_feeds_and_nobody_else(server: Server, ada: User, keeper: User) -> None:
    registry = server.services.feeds.registry
    with pytest.raises(MayNotManage):
        act(server, ada, lambda work, actor: registry.add(work, actor, title="Mine"))
    feed = act(server, keeper, lambda work, actor: registry.add(work, actor, title=" News ", subtitle=""))
    assert (feed.title, feed.subtitle, feed.owner_id, feed.is_public) == ("News", None, keeper.id, False)
    with server.services.database.write() as work:
        limited = replace(actor_of(server, work, keeper), via=Via.TOKEN, scope=frozenset({"feeds"}))
        with pytest.raises(MayNotManage):
            registry.add(work, limited, title="By an application")


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"title": ""}, Invalid), ({"title": "x" * 129}, Invalid), ({"title": "a\nb"}, Invalid),
        ({"title": "\u202egpj"}, Invalid), ({"subtitle": "x" * 1025}, Invalid), ({"subtitle": "\x00"}, Invalid),
        ({"collection_id": 999}, NoSuchCollection), ({"owner_id": UserId(999)}, NotFound),
    ],
)  # fmt: skip
def test_what_a_feed_cannot_be_is_refused(server: Server, values: dict[str, Any], refusal: type[DomainError]) -> None:
    with server.services.database.write() as work, pytest.raises(refusal):
        server.services.feeds.registry.add(work, COMMAND, **{"title": "News", **values})


def test_an_instance_has_so_many_feeds(server: Server, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "MOST_FEEDS", 2)
    for _ in range(2):
        add_feed(server, ada)
    with pytest.raises(TooMany):
        add_feed(server, ada)


def test_the_owner_changes_texts_administrators_who_reads(
    server: Server, ada: User, bob: User, keeper: User, news: Feed
) -> None:
    assert change(server, ada, news.id, {"title": "Fresh", "subtitle": "Daily"}).title == "Fresh"
    for changes in ({"is_public": True}, {"collection_id": CollectionId(1)}, {"title": "x", "is_public": True}):
        with pytest.raises(MayNotManage):
            change(server, ada, news.id, changes)
    make_publisher(server, ada, news, bob)
    with pytest.raises(MayNotManage):
        change(server, bob, news.id, {"title": "Bob's"})
    changed = change(server, keeper, news.id, {"collection_id": server.archive.id, "is_public": True})
    assert (changed.is_scoped, changed.collection_id, changed.is_public) == (True, server.archive.id, True)
    assert not change(server, keeper, news.id, {"collection_id": None}).is_scoped
    with pytest.raises(Invalid):
        change(server, keeper, news.id, {"colour": "red"})


def test_a_lost_update_is_refused(server: Server, ada: User, news: Feed, entry: FeedEntry) -> None:
    changed = change(server, ada, news.id, {"title": "One"}, expected=news.version)
    with pytest.raises(ChangedMeanwhile):
        change(server, ada, news.id, {"title": "Two"}, expected=news.version)
    assert change(server, ada, news.id, {"title": "Two"}, expected=changed.version).title == "Two"
    edited = edit(server, ada, entry, title="One", expected=entry.version)
    with pytest.raises(ChangedMeanwhile):
        edit(server, ada, entry, title="Two", expected=entry.version)
    assert edit(server, ada, entry, title="Two", expected=edited.version).title == "Two"


def test_a_feed_whose_scope_is_deleted_is_read_by_nobody(server: Server, ada: User, bob: User, keeper: User) -> None:
    with server.services.database.write() as work:
        empty = server.services.library.structure.add_collection(work, COMMAND, server.databox.id, "Empty")
    feed = add_feed(server, ada, scope=empty)
    with server.services.database.write() as work:
        work.db.execute(sa.text("DELETE FROM collections WHERE id = :id"), {"id": empty.id})
    with server.services.database.read() as work:
        registry = server.services.feeds.registry
        assert registry.all(work, actor_of(server, work, bob)) == []
        assert registry.get(work, actor_of(server, work, ada), feed.id).owns
        assert registry.get(work, actor_of(server, work, keeper), feed.id).feed.is_scoped
        with pytest.raises(NoSuchFeed):
            registry.get(work, actor_of(server, work, bob), feed.id)


def test_publishers_come_and_go_and_one_of_them_owns_the_feed(
    server: Server, ada: User, bob: User, keeper: User, news: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, reader = server.services.feeds.registry, server.user("reader", READER)
    for _ in range(2):
        make_publisher(server, ada, news, bob)
    with server.services.database.read() as work:
        assert registry.publishers(work, actor_of(server, work, bob), news.id) == sorted([ada.id, bob.id])
        with pytest.raises(MayNotManage):
            registry.publishers(work, actor_of(server, work, reader), news.id)
    with pytest.raises(MayNotManage):
        make_publisher(server, bob, news, keeper)
    with pytest.raises(Invalid):
        act(server, ada, lambda work, actor: registry.remove_publisher(work, actor, news.id, ada.id))
    with pytest.raises(NotFound):
        act(server, ada, lambda work, actor: registry.remove_publisher(work, actor, news.id, keeper.id))
    act(server, ada, lambda work, actor: registry.set_owner(work, actor, news.id, bob.id))
    act(server, bob, lambda work, actor: registry.remove_publisher(work, actor, news.id, ada.id))
    with pytest.raises(MayNotManage):
        change(server, ada, news.id, {"title": "No longer mine"})
    monkeypatch.setattr(service_module, "MOST_PUBLISHERS", 1)
    with pytest.raises(TooMany):
        make_publisher(server, bob, news, ada)


def test_a_closed_account_publishes_nowhere_and_leaves_no_address(
    server: Server, ada: User, bob: User, news: Feed, entry: FeedEntry
) -> None:
    make_publisher(server, ada, news, bob)
    with server.services.database.write() as work:
        server.services.accounts.administration.close(work, COMMAND, "ada")
    with server.services.database.read() as work:
        assert work.db.scalars(sa.select(feed_publishers.c.user_id)).all() == [bob.id]
        assert work.db.scalars(sa.select(feeds.c.owner_id)).all() == [None]
        row = work.db.execute(sa.select(feed_entries.c.author_name, feed_entries.c.author_email)).one()
        assert tuple(row) == ("ada@museum.example", "")


def test_the_sweep_leaves_the_picture_of_a_feed(server: Server, news: Feed) -> None:
    services = server.services
    file = media_factory.jpeg(server.settings.data_dir / "icon.jpg", 32, 32)
    kept, dropped = (services.feeds.registry.keep_icon(each, "icon.jpg") for each in (file, _other(file)))
    with services.database.write() as work:
        services.feeds.registry.change(work, COMMAND, news.id, {"icon_sha256": kept})
    age_blobs(server)
    Sweeper(services.database, services.media)(Job(1, SWEEP.name, {}, 1, 1))
    left = {blob.sha256 for blob in services.media.store.listing()}
    assert kept in left and dropped not in left


def _other(file: Path) -> Path:
    return media_factory.jpeg(file.with_name("other.jpg"), 40, 40)


# -- entries -----------------------------------------------------------------------------------------------------------


def test_publishing_needs_all_three(server: Server, ada: User, bob: User, news: Feed) -> None:
    """Publisher of the feed, `bas_chupub` on the databox of each record, V'."""
    key = picture(server)
    with pytest.raises(MayNotPublish):
        publish(server, bob, news.id, [key])
    make_publisher(server, ada, news, bob)
    publish(server, bob, news.id, [key])
    with server.services.database.write() as work:
        users = server.services.accounts.users
        users.grant_databox(work, COMMAND, bob.id, server.databox.id, DataboxRight(0))
    with pytest.raises(MayNotPublish):
        publish(server, bob, news.id, [key])
    with server.services.database.write() as work:
        users.grant_databox(work, COMMAND, bob.id, server.databox.id, DataboxRight.bas_chupub)
    server.regrant(bob, server.photographs, Right(0))
    with pytest.raises(NoSuchRecord):
        publish(server, bob, news.id, [key])


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"title": ""}, Invalid), ({"title": " "}, Invalid), ({"title": "x" * 129}, Invalid),
        ({"subtitle": "x" * 1025}, Invalid), ({"author_email": "nobody"}, Invalid),
        ({"author_name": "a\x07"}, Invalid), ({"records": ()}, Invalid),
        ({"records": (RecordKey(model.FeedId(1), 999),)}, NoSuchRecord),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_an_entry_cannot_be_is_refused_whole(
    server: Server, ada: User, news: Feed, values: dict[str, Any], refusal: type[DomainError]
) -> None:
    values = {"records": (picture(server),), **values}
    keys = values.pop("records")
    with pytest.raises(refusal):
        publish(server, ada, news.id, keys, **values)
    with server.services.database.read() as work:
        assert work.db.execute(sa.select(feed_entries.c.id)).all() == []


def test_an_entry_has_so_many_records_each_once(
    server: Server, ada: User, news: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [picture(server) for _ in range(3)]
    entry = publish(server, ada, news.id, [*keys, *keys])
    assert [key.number for key in shown(server, ada, entry)] == [key.number for key in keys]
    monkeypatch.setattr(entries_module, "MOST_ITEMS", 2)
    with pytest.raises(TooMany):
        publish(server, ada, news.id, keys)


def shown(server: Server, user: User, entry: FeedEntry) -> list[RecordKey]:
    with server.services.database.read() as work:
        readable = server.services.feeds.entries.get(work, actor_of(server, work, user), entry.id)
        return [item.record.key for _, item in readable.items]


def test_editing_is_its_publishers_while_they_publish_there(
    server: Server, ada: User, bob: User, keeper: User, news: Feed
) -> None:
    make_publisher(server, ada, news, bob)
    keys = [picture(server) for _ in range(3)]
    entry = publish(server, bob, news.id, keys[:2])
    for other in (ada, keeper):
        with pytest.raises(MayNotManage):
            edit(server, other, entry, title="Mine")
    edited = edit(server, bob, entry, title="Ships", subtitle="", author_email="", records=(keys[2], keys[0]))
    assert (edited.title, edited.author_email, edited.version) == ("Ships", "", 2)
    assert shown(server, bob, entry) == [keys[2], keys[0]]
    registry = server.services.feeds.registry
    act(server, ada, lambda work, actor: registry.remove_publisher(work, actor, news.id, bob.id))
    with pytest.raises(MayNotPublish):
        edit(server, bob, entry, title="Late")


def test_records_that_stay_need_no_right_and_new_ones_do(
    server: Server, ada: User, news: Feed, entry: FeedEntry
) -> None:
    (old,) = shown(server, ada, entry)
    hidden = picture(server, server.archive)
    server.regrant(ada, server.photographs, Right(0))
    server.regrant(ada, server.archive, Right(0))
    edit(server, ada, entry, records=(old,))
    with pytest.raises(NoSuchRecord):
        edit(server, ada, entry, records=(old, hidden))
    assert shown(server, ada, entry) == [old]


def test_items_that_stay_keep_their_number(server: Server, ada: User, news: Feed) -> None:
    keys = [picture(server) for _ in range(3)]
    entry = publish(server, ada, news.id, keys)

    def numbers() -> dict[int, int]:
        with server.services.database.read() as work:
            readable = server.services.feeds.entries.get(work, actor_of(server, work, ada), entry.id)
            return {item.record.number: number for number, item in readable.items}

    before = numbers()
    edit(server, ada, entry, records=(keys[2], keys[0]))
    assert list(numbers().items()) == [
        (keys[2].number, before[keys[2].number]),
        (keys[0].number, before[keys[0].number]),
    ]


def test_deleting_is_its_publishers_the_owners_and_the_administrators(
    server: Server, ada: User, bob: User, keeper: User, news: Feed
) -> None:
    carol = publisher(server, "carol")
    for user in (bob, carol):
        make_publisher(server, ada, news, user)
    for remover, allowed in ((bob, True), (ada, True), (keeper, True), (carol, False)):
        entry = publish(server, bob, news.id, [picture(server)])
        if allowed:
            remove(server, remover, entry)
            with pytest.raises(NoSuchEntry):
                remove(server, remover, entry)
        else:
            with pytest.raises(MayNotManage):
                remove(server, remover, entry)
    stranger = server.user("stranger", None)
    hidden = add_feed(server, ada, scope=server.photographs)
    entry = publish(server, ada, hidden.id, [picture(server)])
    with pytest.raises(NoSuchEntry):  # they may not know that it exists
        remove(server, stranger, entry)


def test_counts_and_dates_of_a_feed_follow_its_entries(server: Server, ada: User, news: Feed) -> None:
    entries = [publish(server, ada, news.id, [picture(server)]) for _ in range(3)]
    remove(server, ada, entries[2])

    def row() -> Any:
        with server.services.database.read() as work:
            return work.db.execute(sa.select(feeds.c.entries, feeds.c.latest, feeds.c.version)).one()

    assert tuple(row()) == (2, entries[1].updated, news.version)
    edited = edit(server, ada, entries[0], title="Ships")
    assert row().latest == edited.updated
    for entry in entries[:2]:
        remove(server, ada, entry)
    assert tuple(row())[:2] == (0, None)


def test_events_carry_ids_only(server: Server, ada: User, news: Feed) -> None:
    seen: list[object] = []
    server.services.database.listen(NewFeedEntry, lambda _work, event: seen.append(event))
    server.services.database.listen(FeedEntryRemoved, lambda _work, event: seen.append(event))
    entry = publish(server, ada, news.id, [picture(server)])
    remove(server, ada, entry)
    assert seen == [NewFeedEntry(news.id, entry.id, ada.id, False), FeedEntryRemoved(news.id, entry.id, ada.id)]


def test_two_who_publish_at_once_both_count(server: Server, ada: User, news: Feed) -> None:
    keys = [picture(server) for _ in range(2)]
    barrier = threading.Barrier(2)
    failures: list[BaseException] = []

    def run(key: RecordKey) -> None:
        barrier.wait()
        try:
            for _ in range(5):
                publish(server, ada, news.id, [key, keys[0]])
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with server.services.database.read() as work:
        assert work.db.scalar(sa.select(feeds.c.entries)) == 10


# -- mails -------------------------------------------------------------------------------------------------------------


def test_more_people_than_allowed_are_not_mailed_and_nothing_is_published(
    server: Server, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        server.user(f"reader{number}", READER, email=f"r{number}@museum.example")
    entries = replace(server.services.feeds.entries, most_mailed=3)  # and ada
    feed = add_feed(server, ada)
    draft = EntryDraft(title="Boats", records=(picture(server),))
    with pytest.raises(TooManyReaders):
        act(server, ada, lambda work, actor: entries.publish(work, actor, feed.id, draft, notify=True))
    with server.services.database.read() as work:
        assert work.db.execute(sa.select(feed_entries.c.id)).all() == []
    act(server, ada, lambda work, actor: entries.publish(work, actor, feed.id, draft))
