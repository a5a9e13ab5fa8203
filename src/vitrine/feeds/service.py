"""Feeds and their publishers (contract 06 section 13)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vitrine.accounts import Accounts, Actor, UserId
from vitrine.errors import Invalid, NotFound
from vitrine.feeds import store
from vitrine.feeds.errors import MayNotManage, MayNotRead, NoSuchFeed, TooMany
from vitrine.feeds.events import FeedAdded, FeedChanged, FeedRemoved, PublisherAdded, PublisherRemoved
from vitrine.feeds.model import (
    MOST_FEEDS,
    MOST_PUBLISHERS,
    Feed,
    FeedId,
    ListedFeed,
    administers,
    may_read,
)
from vitrine.feeds.texts import subtitle_of, title_of
from vitrine.library.errors import ChangedMeanwhile
from vitrine.library.model import CollectionId
from vitrine.library.records import Records
from vitrine.media.service import Media
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

LARGEST_ICON = 2 * 2**20
_OF_OWNERS = frozenset({"title", "subtitle", "icon_sha256"})
_OF_ADMINISTRATORS = frozenset({"is_public", "collection_id"})


@dataclass(frozen=True, slots=True)
class Feeds:
    records: Records
    accounts: Accounts
    media: Media

    # -- reading -------------------------------------------------------------------------------------------------

    def all(self, work: UnitOfWork, actor: Actor) -> list[ListedFeed]:
        """The feeds that the actor may read, the last updated first: at most MOST_FEEDS."""
        return self.described(work, actor, store.feeds_where(work, store.readable(actor, work.now)))

    def page(self, work: UnitOfWork, actor: Actor, after: FeedId | None, limit: int) -> list[ListedFeed]:
        """The feeds that the actor may read, publishes in or administers, by id."""
        condition = store.known_to(actor, work.now)
        return self.described(work, actor, store.feeds_after(work, condition, after, limit))

    def described(self, work: UnitOfWork, actor: Actor, feeds: Iterable[Feed]) -> list[ListedFeed]:
        listed = list(feeds)
        theirs = store.publishes(work, actor.user_id, [feed.id for feed in listed])
        return [
            ListedFeed(feed, feed.id in theirs, actor.is_known and feed.owner_id == actor.user_id) for feed in listed
        ]

    def readable(self, work: UnitOfWork, actor: Actor, feed_id: FeedId) -> Feed:
        """Raises NoSuchFeed or MayNotRead."""
        feed = self._feed(work, feed_id)
        if not may_read(actor, feed, work.now):
            raise MayNotRead("You may not read this feed.", why=f"feed {feed_id}")
        return feed

    def get(self, work: UnitOfWork, actor: Actor, feed_id: FeedId) -> ListedFeed:
        """A feed that the actor may read, publishes in or administers. Raises NoSuchFeed, also for all others."""
        listed = self.described(work, actor, [self._feed(work, feed_id)])[0]
        if not (listed.publishes or administers(actor) or may_read(actor, listed.feed, work.now)):
            raise self._unknown(feed_id)
        return listed

    @staticmethod
    def _unknown(feed_id: FeedId) -> NoSuchFeed:
        return NoSuchFeed(f"There is no feed {feed_id}.", field="feed_id")

    def _feed(self, work: UnitOfWork, feed_id: FeedId) -> Feed:
        feed = store.feed(work, feed_id)
        if feed is None:
            raise self._unknown(feed_id)
        return feed

    # -- changing ------------------------------------------------------------------------------------------------

    def add(
        self,
        work: UnitOfWork,
        actor: Actor,
        *,
        title: str,
        subtitle: str | None = None,
        is_public: bool = False,
        collection_id: CollectionId | None = None,
        owner_id: UserId | None = None,
    ) -> Feed:
        """Administrators and the command line. The owner is *owner_id*, else the actor; without either, nobody.
        Raises MayNotManage, NoSuchCollection, NotFound for the owner, Invalid, or TooMany."""
        self.require_administrator(actor)
        if not store.are_fewer(work, MOST_FEEDS):
            raise TooMany("There are {most} feeds already. Remove one first.", values={"most": MOST_FEEDS})
        values = {
            "title": title_of(title),
            "subtitle": subtitle_of(subtitle) or None,
            "is_public": is_public,
            **self._scope(work, collection_id),
        }
        owner_id = owner_id or actor.user_id
        if owner_id is not None:
            self._require_person(work, owner_id)
        feed_id = store.add_feed(work, {**values, "owner_id": owner_id})
        if owner_id is not None:
            store.add_publisher(work, feed_id, owner_id)
        work.emit(FeedAdded(feed_id, actor.user_id))
        details = {"is_public": is_public, "collection_id": collection_id, "owner": owner_id}
        audit.write(work, actor, "feed.added", f"feed {feed_id}", details)
        return self._feed(work, feed_id)

    def _scope(self, work: UnitOfWork, collection_id: CollectionId | None) -> dict[str, Any]:
        if collection_id is not None:
            self.records.collection(work, collection_id)
        return {"is_scoped": collection_id is not None, "collection_id": collection_id}

    def change(
        self,
        work: UnitOfWork,
        actor: Actor,
        feed_id: FeedId,
        changes: Mapping[str, Any],
        *,
        expected: int | None = None,
    ) -> Feed:
        """Change any of `title`, `subtitle`, `icon_sha256` (owner and administrators), `is_public` and `collection_id`
        (administrators: they decide who reads). Records of a feed that becomes public are free from then on, those of
        one that no longer is are closed, in this transaction; and its entries no longer name the addresses of
        accounts.

        *expected* is the version that the caller read. Raises NoSuchFeed, MayNotManage, Invalid, NoSuchCollection or
        ChangedMeanwhile."""
        feed = self.managed(work, actor, feed_id)
        if unknown := set(changes) - _OF_OWNERS - _OF_ADMINISTRATORS:
            raise Invalid(f"A feed has no {min(unknown)}.", field=min(unknown))
        if _OF_ADMINISTRATORS & set(changes) and not administers(actor):
            raise MayNotManage("Only administrators decide who reads a feed.", why=f"feed {feed_id}")
        if expected is not None and expected != feed.version:
            raise ChangedMeanwhile("Somebody else has changed this feed. Read it again.")
        values: dict[str, Any] = {name: changes[name] for name in ("icon_sha256", "is_public") if name in changes}
        if "title" in changes:
            values["title"] = title_of(changes["title"])
        if "subtitle" in changes:
            values["subtitle"] = subtitle_of(changes["subtitle"]) or None
        if "collection_id" in changes:
            values |= self._scope(work, changes["collection_id"])
        store.update_feed(work, feed_id, values)
        fresh = self._feed(work, feed_id)
        if fresh.is_public != feed.is_public:
            store.refresh_flags(work, store.records_of_feed(feed_id))
        if fresh.is_public and not feed.is_public:
            store.forget_account_addresses(work, feed_id)
        work.emit(FeedChanged(feed_id, actor.user_id, feed.is_public, fresh.is_public))
        details: dict[str, Any] = {"changed": sorted(changes)}
        for name in sorted(_OF_ADMINISTRATORS & set(changes)):
            details[name] = {"before": getattr(feed, name), "after": getattr(fresh, name)}
        audit.write(work, actor, "feed.changed", f"feed {feed_id}", details)
        return fresh

    def keep_icon(self, source: BinaryIO | Path, name: str) -> str:
        """Store a picture for `change` and return its digest; no unit of work may be open. Raises Invalid or a
        MediaError for a file that is no picture. The sweep may delete it until a feed refers to it."""
        with self.media.store.spool(source, LARGEST_ICON) as spooled:
            if self.media.probe(spooled.path, name).mime not in ("image/png", "image/jpeg", "image/gif", "image/webp"):
                raise Invalid(
                    "{name} is not a picture for the web: choose a PNG or JPEG file.",
                    field="icon",
                    values={"name": name},
                )
            return self.media.store_spooled(spooled).sha256

    def remove(self, work: UnitOfWork, actor: Actor, feed_id: FeedId) -> None:
        """Delete a feed with its entries: its owner and administrators. Raises NoSuchFeed or MayNotManage."""
        feed = self.managed(work, actor, feed_id)
        if feed.is_public:
            store.update_feed(work, feed_id, {"is_public": False})
            store.refresh_flags(work, store.records_of_feed(feed_id))
        store.delete_feed(work, feed_id)
        work.emit(FeedRemoved(feed_id, actor.user_id))
        audit.write(work, actor, "feed.removed", f"feed {feed_id}", {"title": feed.title, "entries": feed.entries})

    def managed(self, work: UnitOfWork, actor: Actor, feed_id: FeedId) -> Feed:
        """A feed that the actor owns or administers. Raises NoSuchFeed or MayNotManage."""
        listed = self.get(work, actor, feed_id)
        if not (listed.owns or administers(actor)):
            raise MayNotManage("You may not change this feed.", why=f"feed {feed_id}")
        return listed.feed

    @staticmethod
    def require_administrator(actor: Actor) -> None:
        """Raises MayNotManage for who may not add feeds."""
        if not administers(actor):
            raise MayNotManage("Only administrators add feeds.")

    # -- publishers ----------------------------------------------------------------------------------------------

    def publishers(self, work: UnitOfWork, actor: Actor, feed_id: FeedId) -> list[UserId]:
        """For publishers and administrators. Raises NoSuchFeed or MayNotManage."""
        listed = self.get(work, actor, feed_id)
        if not (listed.publishes or administers(actor)):
            raise MayNotManage("Only publishers see who publishes here.", why=f"feed {feed_id}")
        return store.publishers(work, feed_id)

    def add_publisher(self, work: UnitOfWork, actor: Actor, feed_id: FeedId, user_id: UserId) -> None:
        """Does nothing for somebody who is one. Raises NoSuchFeed, MayNotManage, NotFound, or TooMany."""
        self.managed(work, actor, feed_id)
        self._require_person(work, user_id)
        present = store.publishers(work, feed_id)
        if user_id in present:
            return
        if len(present) >= MOST_PUBLISHERS:
            raise TooMany("A feed has at most {most} publishers.", values={"most": MOST_PUBLISHERS}, field="user_id")
        store.add_publisher(work, feed_id, user_id)
        work.emit(PublisherAdded(feed_id, user_id, actor.user_id))
        audit.write(work, actor, "feed.publisher_added", f"feed {feed_id}", {"user": user_id})

    def remove_publisher(self, work: UnitOfWork, actor: Actor, feed_id: FeedId, user_id: UserId) -> None:
        """The owner stays until another one is named. Entries stay. Raises NoSuchFeed, MayNotManage, NotFound or
        Invalid."""
        feed = self.managed(work, actor, feed_id)
        if not store.publishes_in(work, user_id, feed_id):
            raise NotFound("This person does not publish here.", field="user_id")
        if feed.owner_id == user_id:
            raise Invalid("The owner of a feed publishes in it. Name another owner first.", field="user_id")
        store.remove_publisher(work, feed_id, user_id)
        work.emit(PublisherRemoved(feed_id, user_id, actor.user_id))
        audit.write(work, actor, "feed.publisher_removed", f"feed {feed_id}", {"user": user_id})

    def set_owner(self, work: UnitOfWork, actor: Actor, feed_id: FeedId, user_id: UserId) -> None:
        """Make a person the owner, and a publisher before that if need be. Raises what `add_publisher` raises."""
        self.add_publisher(work, actor, feed_id, user_id)
        store.update_feed(work, feed_id, {"owner_id": user_id})
        audit.write(work, actor, "feed.owner", f"feed {feed_id}", {"user": user_id})

    def _require_person(self, work: UnitOfWork, user_id: UserId) -> None:
        user = self.accounts.known(work, user_id)
        if user is None or user.is_guest:
            raise NotFound("There is no such person.", field="user_id")
