"""SQL of feeds, publishers and entries."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from vitrine.accounts import Actor, UserId, Via
from vitrine.feeds.model import EntryId, Feed, FeedEntry, FeedId, FeedItem, administers
from vitrine.feeds.tables import feed_entries, feed_items, feed_publishers, feeds
from vitrine.library import publications
from vitrine.library.model import RecordId
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.prepared import Prepared
from vitrine.platform.schema import metadata

_FEED = [feeds.c[name] for name in Feed.__dataclass_fields__]
_ENTRY = [feed_entries.c[name] for name in FeedEntry.__dataclass_fields__]
_ITEM = [feed_items.c[name] for name in FeedItem.__dataclass_fields__]
# While a page ends within so many entries, they are taken from as many feeds; a deeper one walks all entries.
_MERGED_WITHIN = 100

# -- feeds -------------------------------------------------------------------------------------------------------------


def readable(actor: Actor, now: datetime) -> sa.ColumnElement[bool]:
    """`model.may_read` as a condition."""
    if actor.via is Via.COMMAND:
        return sa.true()
    if not actor.is_known:
        return feeds.c.is_public
    live = [grant.base_id for grant in actor.rights.live(now)]
    return sa.or_(feeds.c.is_public, sa.not_(feeds.c.is_scoped), feeds.c.collection_id.in_(live))


def known_to(actor: Actor, now: datetime) -> sa.ColumnElement[bool]:
    """Those that the actor may read, publishes in or administers."""
    if administers(actor):
        return sa.true()
    condition = readable(actor, now)
    return condition if actor.user_id is None else sa.or_(condition, published_by(actor.user_id))


_FEED_BY_ID = Prepared(sa.select(*_FEED).where(feeds.c.id == sa.bindparam("feed")))


def feed(work: UnitOfWork, feed_id: FeedId) -> Feed | None:
    row = _FEED_BY_ID.first(work, feed=feed_id)
    return Feed(*row) if row else None


def feeds_where(work: UnitOfWork, condition: sa.ColumnElement[bool]) -> list[Feed]:
    """The last updated first."""
    query = sa.select(*_FEED).where(condition).order_by(feeds.c.updated.desc(), feeds.c.id.desc())
    return [Feed(*row) for row in work.db.execute(query)]


def feeds_by_id(work: UnitOfWork, ids: Iterable[FeedId]) -> dict[FeedId, Feed]:
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = _feeds_by_id(len(wanted)).all(work, **{f"id{place}": number for place, number in enumerate(wanted)})
    return {listed.id: listed for listed in (Feed(*row) for row in rows)}


@lru_cache(maxsize=128)
def _feeds_by_id(count: int) -> Prepared:
    return Prepared(sa.select(*_FEED).where(feeds.c.id.in_([sa.bindparam(f"id{place}") for place in range(count)])))


def feeds_after(work: UnitOfWork, condition: sa.ColumnElement[bool], after: FeedId | None, limit: int) -> list[Feed]:
    """By id, for lists with a cursor."""
    query = sa.select(*_FEED).where(condition, feeds.c.id > (after or 0)).order_by(feeds.c.id).limit(limit)
    return [Feed(*row) for row in work.db.execute(query)]


def published_by(user_id: int) -> sa.ColumnElement[bool]:
    """The condition for the feeds of a publisher."""
    theirs = sa.select(feed_publishers.c.feed_id).where(feed_publishers.c.user_id == user_id)
    return feeds.c.id.in_(theirs)


def these(ids: Collection[FeedId]) -> sa.ColumnElement[bool]:
    return feeds.c.id.in_(ids)


def are_fewer(work: UnitOfWork, most: int) -> bool:
    """True while there are fewer feeds than *most*."""
    some = sa.select(feeds.c.id).limit(most).subquery()
    return int(work.db.scalar(sa.select(sa.func.count()).select_from(some)) or 0) < most


def add_feed(work: UnitOfWork, values: Mapping[str, Any]) -> FeedId:
    row = feeds.insert().values(created=work.now, updated=work.now, **values)
    return FeedId(inserted_id(work.db.execute(row)))


def update_feed(work: UnitOfWork, feed_id: FeedId, values: Mapping[str, Any]) -> None:
    change = feeds.update().where(feeds.c.id == feed_id)
    work.db.execute(change.values(version=feeds.c.version + 1, updated=work.now, **values))


def delete_feed(work: UnitOfWork, feed_id: FeedId) -> None:
    """Publishers, entries and items go by cascade. The flags of its records must be refreshed (`refresh_flags`) after
    the feed is made non-public."""
    work.db.execute(feeds.delete().where(feeds.c.id == feed_id))


def count_entries(work: UnitOfWork, feed_id: FeedId, change: int) -> None:
    """After an entry was added (+1), changed (0) or deleted (-1)."""
    latest = sa.select(sa.func.max(feed_entries.c.updated)).where(feed_entries.c.feed_id == feed_id)
    values = {"entries": feeds.c.entries + change, "latest": latest.scalar_subquery(), "updated": work.now}
    work.db.execute(feeds.update().where(feeds.c.id == feed_id).values(**values))


def refresh_flags(work: UnitOfWork, concerned: Collection[RecordId] | sa.Select[Any]) -> int:
    """Tell the library which of the records *concerned*, ids or a select of them, are in a public feed now."""
    items = feed_items.join(feed_entries, feed_entries.c.id == feed_items.c.entry_id).join(
        feeds, feeds.c.id == feed_entries.c.feed_id
    )
    published = sa.exists(sa.literal(1)).select_from(items)
    published = published.where(feed_items.c.record_id == publications.RECORD_ID, feeds.c.is_public)
    return publications.refresh(work, concerned, published)


def records_of_feed(feed_id: FeedId) -> sa.Select[Any]:
    """The ids of all its records, for `refresh_flags`."""
    entries = sa.select(feed_entries.c.id).where(feed_entries.c.feed_id == feed_id)
    return sa.select(feed_items.c.record_id).where(feed_items.c.entry_id.in_(entries))


# -- publishers --------------------------------------------------------------------------------------------------------


def publishers(work: UnitOfWork, feed_id: FeedId) -> list[UserId]:
    """At most MOST_PUBLISHERS."""
    columns = feed_publishers.c
    query = sa.select(columns.user_id).where(columns.feed_id == feed_id).order_by(columns.user_id)
    return list(work.db.scalars(query))


def publishes(work: UnitOfWork, user_id: int | None, ids: Collection[FeedId]) -> set[FeedId]:
    """Those of *ids* in which a person publishes."""
    if not ids or user_id is None:
        return set()
    if len(ids) == 1:
        return {feed_id for feed_id in ids if publishes_in(work, user_id, feed_id)}
    columns = feed_publishers.c
    query = sa.select(columns.feed_id).where(columns.user_id == user_id, columns.feed_id.in_(ids))
    return set(work.db.scalars(query))


_PUBLISHES = Prepared(
    sa.select(feed_publishers.c.feed_id).where(
        feed_publishers.c.feed_id == sa.bindparam("feed"), feed_publishers.c.user_id == sa.bindparam("person")
    )
)


def publishes_in(work: UnitOfWork, user_id: int | None, feed_id: FeedId) -> bool:
    return user_id is not None and _PUBLISHES.raw(work, feed=feed_id, person=user_id) is not None


def add_publisher(work: UnitOfWork, feed_id: FeedId, user_id: UserId) -> None:
    work.db.execute(feed_publishers.insert().values(feed_id=feed_id, user_id=user_id, created=work.now))


def remove_publisher(work: UnitOfWork, feed_id: FeedId, user_id: int) -> None:
    columns = feed_publishers.c
    work.db.execute(feed_publishers.delete().where(columns.feed_id == feed_id, columns.user_id == user_id))


def forget_person(work: UnitOfWork, user_id: int) -> None:
    """A closed account publishes nowhere and owns no feed, and its entries name no address to write to."""
    work.db.execute(feed_publishers.delete().where(feed_publishers.c.user_id == user_id))
    work.db.execute(feeds.update().where(feeds.c.owner_id == user_id).values(owner_id=None))
    theirs = sa.and_(feed_entries.c.publisher_id == user_id, feed_entries.c.author_email != "")
    work.db.execute(feed_entries.update().where(theirs).values(author_email=""))


def forget_account_addresses(work: UnitOfWork, feed_id: FeedId) -> None:
    """Entries of a feed that becomes public name no address that is that of their publisher's account: it was the
    default while few people read it."""
    users = metadata.tables["users"]
    own = sa.select(users.c.email).where(users.c.id == feed_entries.c.publisher_id).scalar_subquery()
    theirs = sa.and_(feed_entries.c.feed_id == feed_id, feed_entries.c.author_email == own)
    work.db.execute(feed_entries.update().where(theirs).values(author_email="", version=feed_entries.c.version + 1))


# -- entries -----------------------------------------------------------------------------------------------------------


_ENTRY_BY_ID = Prepared(sa.select(*_ENTRY).where(feed_entries.c.id == sa.bindparam("entry")))


def entry(work: UnitOfWork, entry_id: EntryId) -> FeedEntry | None:
    row = _ENTRY_BY_ID.first(work, entry=entry_id)
    return FeedEntry(*row) if row else None


def readable_entries(work: UnitOfWork, actor: Actor, ids: Collection[EntryId]) -> set[EntryId]:
    """Those of *ids* that exist, in feeds that the actor may read."""
    if not ids:
        return set()
    joined = feed_entries.join(feeds, feeds.c.id == feed_entries.c.feed_id)
    wanted = sa.and_(feed_entries.c.id.in_(sorted(ids)), readable(actor, work.now))
    return set(work.db.scalars(sa.select(feed_entries.c.id).select_from(joined).where(wanted)))


_OLDEST = Prepared(
    sa.select(*_ENTRY)
    .where(feed_entries.c.feed_id == sa.bindparam("feed"))
    .order_by(feed_entries.c.created, feed_entries.c.id)
    .offset(sa.bindparam("skipped", type_=sa.BigInteger()))
    .limit(sa.bindparam("most", type_=sa.BigInteger()))
)


def oldest_entries(work: UnitOfWork, feed_id: FeedId, offset: int, limit: int) -> list[FeedEntry]:
    """The oldest created first."""
    return [FeedEntry(*row) for row in _OLDEST.all(work, feed=feed_id, skipped=offset, most=limit)]


def entries_after(
    work: UnitOfWork, feed_id: FeedId, after: tuple[datetime, EntryId] | None, limit: int
) -> list[FeedEntry]:
    """The newest first, those behind *after* (when an entry was created, and its id)."""
    columns = feed_entries.c
    query = sa.select(*_ENTRY).where(columns.feed_id == feed_id)
    if after is not None:
        created, entry_id = after
        query = query.where(columns.created <= created, sa.or_(columns.created < created, columns.id < entry_id))
    query = query.order_by(columns.created.desc(), columns.id.desc()).limit(limit)
    return [FeedEntry(*row) for row in work.db.execute(query)]


def total(work: UnitOfWork, condition: sa.ColumnElement[bool]) -> int:
    """How many entries the feeds have that fit."""
    return int(work.db.scalar(sa.select(sa.func.coalesce(sa.func.sum(feeds.c.entries), 0)).where(condition)) or 0)


_LATEST = (feed_entries.c.updated.desc(), feed_entries.c.id.desc())


def latest_entries(work: UnitOfWork, condition: sa.ColumnElement[bool], offset: int, limit: int) -> list[FeedEntry]:
    """Entries of the feeds that fit, the last updated first.

    The first n of them are in the n feeds whose latest entry is youngest, so a page that ends early reads at most n
    entries of n feeds, however many both there are.
    """
    end = offset + limit
    if end > _MERGED_WITHIN:
        wanted = feed_entries.c.feed_id.in_(sa.select(feeds.c.id).where(condition))
        query = sa.select(*_ENTRY).where(wanted).order_by(*_LATEST).offset(offset).limit(limit)
        return [FeedEntry(*row) for row in work.db.execute(query)]
    having = sa.and_(condition, feeds.c.latest.is_not(None))
    youngest = sa.select(feeds.c.id).where(having).order_by(feeds.c.latest.desc(), feeds.c.id.desc()).limit(end)
    ids = list(work.db.scalars(youngest))
    if not ids:
        return []
    named = {f"feed{place}": number for place, number in enumerate(ids)}
    rows = _merged(len(ids)).all(work, **named, each=end, skipped=offset, most=limit)
    return [FeedEntry(*row) for row in rows]


@lru_cache(maxsize=_MERGED_WITHIN)
def _merged(count: int) -> Prepared:
    """The statement for the latest entries of *count* feeds."""
    each = sa.bindparam("each", type_=sa.BigInteger())
    parts = [
        sa.select(
            sa.select(*_ENTRY)
            .where(feed_entries.c.feed_id == sa.bindparam(f"feed{place}"))
            .order_by(*_LATEST)
            .limit(each)
            .subquery()
        )
        for place in range(count)
    ]
    merged = sa.union_all(*parts).subquery()
    query = sa.select(*[merged.c[name] for name in FeedEntry.__dataclass_fields__])
    return Prepared(
        query.order_by(merged.c.updated.desc(), merged.c.id.desc())
        .offset(sa.bindparam("skipped", type_=sa.BigInteger()))
        .limit(sa.bindparam("most", type_=sa.BigInteger()))
    )


def add_entry(work: UnitOfWork, values: Mapping[str, Any]) -> EntryId:
    row = feed_entries.insert().values(created=work.now, updated=work.now, **values)
    return EntryId(inserted_id(work.db.execute(row)))


def update_entry(work: UnitOfWork, entry_id: EntryId, values: Mapping[str, Any]) -> None:
    change = feed_entries.update().where(feed_entries.c.id == entry_id)
    work.db.execute(change.values(version=feed_entries.c.version + 1, updated=work.now, **values))


def delete_entry(work: UnitOfWork, entry_id: EntryId) -> None:
    work.db.execute(feed_entries.delete().where(feed_entries.c.id == entry_id))


# -- items -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=128)
def _items(count: int) -> Prepared:
    """The statement for the items of *count* entries."""
    some = feed_items.c.entry_id.in_([sa.bindparam(f"id{place}") for place in range(count)])
    return Prepared(sa.select(*_ITEM).where(some).order_by(feed_items.c.entry_id, feed_items.c.position))


def items_of(work: UnitOfWork, ids: Sequence[EntryId]) -> dict[EntryId, list[FeedItem]]:
    """The items of a page of entries, at most 100 of them, in their order."""
    by_entry: dict[EntryId, list[FeedItem]] = {entry_id: [] for entry_id in ids}
    for row in _items(len(ids)).all_raw(work, ids) if ids else ():
        item = FeedItem(*row)
        by_entry[item.entry_id].append(item)
    return by_entry


def set_items(work: UnitOfWork, entry_id: EntryId, wanted: Sequence[RecordId], present: Sequence[FeedItem]) -> None:
    """Make *wanted* the records of an entry that has *present*; items that stay keep their number."""
    by_record = {item.record_id: item for item in present}
    gone = [item.id for item in present if item.record_id not in set(wanted)]
    if gone:
        work.db.execute(feed_items.delete().where(feed_items.c.id.in_(gone)))
    fresh = []
    for position, record_id in enumerate(wanted):
        item = by_record.get(record_id)
        if item is None:
            fresh.append({"entry_id": entry_id, "record_id": record_id, "position": position})
        elif item.position != position:
            work.db.execute(feed_items.update().where(feed_items.c.id == item.id).values(position=position))
    if fresh:
        work.db.execute(feed_items.insert(), fresh)
