"""What a feed is, and who reads and changes it (contract 06 section 13). Who may publish a record is in
`library.access`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from vitrine.accounts import Actor, UserId, Via
from vitrine.library.model import CollectionId, RecordId
from vitrine.library.records import RecordWithThumbnail

FeedId = NewType("FeedId", int)
EntryId = NewType("EntryId", int)

MOST_FEEDS = 2_000  # of an instance: API v1 lists them all at once
MOST_PUBLISHERS = 200  # of a feed
MOST_ITEMS = 100  # of an entry: API v1 gives them all at once


@dataclass(frozen=True, slots=True)
class Feed:
    """*icon_sha256* is the digest of a picture. *is_scoped*: only people with access to the collection read it; nobody
    if that collection was deleted. The owner is one of its publishers. *updated* is the last change of the feed or of
    an entry, *version* counts those of the feed alone."""

    id: FeedId
    title: str
    subtitle: str | None
    icon_sha256: str | None
    is_public: bool
    is_scoped: bool
    collection_id: CollectionId | None
    owner_id: UserId | None
    entries: int
    version: int
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class FeedEntry:
    id: EntryId
    feed_id: FeedId
    publisher_id: UserId | None
    title: str
    subtitle: str
    author_name: str
    author_email: str
    version: int
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class FeedItem:
    id: int
    entry_id: EntryId
    record_id: RecordId
    position: int


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed and what the actor is to it."""

    feed: Feed
    publishes: bool
    owns: bool


@dataclass(frozen=True, slots=True)
class ReadableEntry:
    """An entry with its feed and those of its records that are still there, each with the number of its item."""

    entry: FeedEntry
    feed: Feed
    items: Sequence[tuple[int, RecordWithThumbnail]]


def may_read(actor: Actor, feed: Feed, now: datetime) -> bool:
    """Public feeds: everybody, also without an account. Others: people with an account, of a feed with a scope those
    whose access to its collection is live. The same for each of its entries."""
    if feed.is_public or actor.via is Via.COMMAND:
        return True
    if not actor.is_known:
        return False
    return not feed.is_scoped or (feed.collection_id is not None and has_access(actor, feed.collection_id, now))


def has_access(actor: Actor, collection: CollectionId, now: datetime) -> bool:
    grant = actor.rights.collections.get(collection)
    return grant is not None and grant.is_live(now)


def administers(actor: Actor) -> bool:
    return actor.via is Via.COMMAND or actor.administers
