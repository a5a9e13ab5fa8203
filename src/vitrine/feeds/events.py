"""Events of feeds for the layers above (notifications, webhooks): ids only."""

from dataclasses import dataclass

from vitrine.feeds.model import EntryId, FeedId


@dataclass(frozen=True, slots=True)
class FeedAdded:
    feed_id: FeedId
    actor_id: int | None


@dataclass(frozen=True, slots=True)
class FeedChanged:
    """*was_public* and *is_public*: before and after."""

    feed_id: FeedId
    actor_id: int | None
    was_public: bool
    is_public: bool


@dataclass(frozen=True, slots=True)
class FeedRemoved:
    feed_id: FeedId
    actor_id: int | None


@dataclass(frozen=True, slots=True)
class PublisherAdded:
    feed_id: FeedId
    user_id: int
    actor_id: int | None


@dataclass(frozen=True, slots=True)
class PublisherRemoved:
    feed_id: FeedId
    user_id: int
    actor_id: int | None


@dataclass(frozen=True, slots=True)
class NewFeedEntry:
    """*notifies*: the people who may read it are told by mail, too."""

    feed_id: FeedId
    entry_id: EntryId
    publisher_id: int | None
    notifies: bool


@dataclass(frozen=True, slots=True)
class FeedEntryChanged:
    feed_id: FeedId
    entry_id: EntryId
    actor_id: int | None


@dataclass(frozen=True, slots=True)
class FeedEntryRemoved:
    feed_id: FeedId
    entry_id: EntryId
    actor_id: int | None
