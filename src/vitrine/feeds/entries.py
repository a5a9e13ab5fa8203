"""Entries of feeds: reading, publishing, changing, deleting (contract 06 sections 13 and 17.7)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import sqlalchemy as sa

from vitrine.accounts import Accounts, Actor, Via
from vitrine.errors import Invalid
from vitrine.feeds import store
from vitrine.feeds.errors import MayNotManage, MayNotPublish, MayNotRead, NoSuchEntry, TooMany
from vitrine.feeds.events import FeedEntryChanged, FeedEntryRemoved, NewFeedEntry
from vitrine.feeds.model import (
    MOST_ITEMS,
    EntryId,
    Feed,
    FeedEntry,
    FeedId,
    ListedFeed,
    ReadableEntry,
    administers,
    may_read,
)
from vitrine.feeds.notices import require_few_readers
from vitrine.feeds.service import Feeds
from vitrine.feeds.texts import author_email_of, author_of, subtitle_of, title_of
from vitrine.library import access
from vitrine.library import store as library_store
from vitrine.library.errors import ChangedMeanwhile, NoSuchRecord
from vitrine.library.model import Record, RecordId, RecordKey
from vitrine.library.records import Records
from vitrine.library.reports import UseKind, uses
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """What a person writes; None leaves it as it is, or takes the publisher's name and address."""

    title: str | None = None
    subtitle: str | None = None
    author_name: str | None = None
    author_email: str | None = None
    records: Sequence[RecordKey] | None = None

    @property
    def named(self) -> list[str]:
        return [field.name for field in fields(self) if getattr(self, field.name) is not None]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """*total* counts all entries that the actor may read of the same feeds."""

    total: int
    entries: list[ReadableEntry]


@dataclass(frozen=True, slots=True)
class Entries:
    feeds: Feeds
    records: Records
    accounts: Accounts
    most_mailed: int  # people whom one entry may be announced to by mail

    # -- reading -------------------------------------------------------------------------------------------------

    def latest(
        self, work: UnitOfWork, actor: Actor, offset: int, limit: int, among: Sequence[FeedId] | None = None
    ) -> EntryPage:
        """Entries of every feed that the actor may read, or of those *among* them, the last updated first."""
        condition = store.readable(actor, work.now)
        if among is not None:
            condition = sa.and_(condition, store.these(among))
        entries = store.latest_entries(work, condition, offset, limit)
        return EntryPage(store.total(work, condition), self._with_records(work, actor, entries))

    def of_feed(
        self, work: UnitOfWork, actor: Actor, feed_id: FeedId, offset: int, limit: int
    ) -> tuple[ListedFeed, list[ReadableEntry]]:
        """A feed and its entries, the oldest created first. Raises NoSuchFeed or MayNotRead."""
        feed = self.feeds.readable(work, actor, feed_id)
        entries = self._with_records(work, actor, store.oldest_entries(work, feed_id, offset, limit), feed)
        return self.feeds.described(work, actor, [feed])[0], entries

    def after(
        self,
        work: UnitOfWork,
        actor: Actor,
        feed_id: FeedId,
        after: tuple[datetime, EntryId] | None,
        limit: int,
    ) -> list[ReadableEntry]:
        """The newest created first, those behind *after* (instant and id of an entry). Raises NoSuchFeed or
        MayNotRead."""
        feed = self.feeds.readable(work, actor, feed_id)
        return self._with_records(work, actor, store.entries_after(work, feed_id, after, limit), feed)

    def get(self, work: UnitOfWork, actor: Actor, entry_id: EntryId) -> ReadableEntry:
        """Raises NoSuchEntry or MayNotRead."""
        entry, feed = self._entry(work, entry_id)
        if not may_read(actor, feed, work.now):
            raise MayNotRead("You may not read this feed.", why=f"feed {feed.id}")
        return self._with_records(work, actor, [entry], feed)[0]

    def of(self, work: UnitOfWork, actor: Actor, feed_id: FeedId, entry_id: EntryId) -> ReadableEntry:
        """`get` for an entry of this very feed. Raises NoSuchEntry or MayNotRead."""
        if self._entry(work, entry_id)[1].id != feed_id:
            raise NoSuchEntry(f"There is no entry {entry_id} in this feed.", field="entry_id")
        return self.get(work, actor, entry_id)

    def known(self, work: UnitOfWork, actor: Actor, feed_id: FeedId, entry_id: EntryId) -> FeedEntry:
        """An entry of this feed that the actor may read, delete or change. Raises NoSuchEntry."""
        entry, feed = self._entry_of(work, actor, entry_id)
        if feed.id != feed_id:
            raise NoSuchEntry(f"There is no entry {entry_id} in this feed.", field="entry_id")
        return entry

    def _entry(self, work: UnitOfWork, entry_id: EntryId) -> tuple[FeedEntry, Feed]:
        entry = store.entry(work, entry_id)
        feed = store.feed(work, entry.feed_id) if entry is not None else None
        if entry is None or feed is None:
            raise NoSuchEntry(f"There is no entry {entry_id}.", field="entry_id")
        return entry, feed

    def _with_records(
        self, work: UnitOfWork, actor: Actor, entries: Sequence[FeedEntry], feed: Feed | None = None
    ) -> list[ReadableEntry]:
        """Entries that the actor may read, with all their records (02 section 6.8); *feed* if it is that of each."""
        feeds = {feed.id: feed} if feed else store.feeds_by_id(work, (entry.feed_id for entry in entries))
        items = store.items_of(work, [entry.id for entry in entries])
        ids = dict.fromkeys(item.record_id for of_entry in items.values() for item in of_entry)
        shown = {record.record.id: record for record in self.records.listed(work, actor, list(ids))}
        return [
            ReadableEntry(
                entry,
                feeds[entry.feed_id],
                [(item.id, shown[item.record_id]) for item in items[entry.id] if item.record_id in shown],
            )
            for entry in entries
        ]

    # -- changing ------------------------------------------------------------------------------------------------

    def permit(self, work: UnitOfWork, actor: Actor, feed_id: FeedId) -> Feed:
        """The feed, for its publishers. Raises NoSuchFeed or MayNotPublish."""
        feed = self.feeds.get(work, actor, feed_id).feed
        self._require_publisher(work, actor, feed_id)
        return feed

    def permit_change(self, work: UnitOfWork, actor: Actor, entry_id: EntryId) -> tuple[FeedEntry, Feed]:
        """The entry, for its publisher, who still publishes in the feed. Raises NoSuchEntry, MayNotManage or
        MayNotPublish."""
        entry, feed = self._entry_of(work, actor, entry_id)
        if actor.via is not Via.COMMAND and entry.publisher_id != actor.user_id:
            raise MayNotManage("Only its publisher changes an entry.", why=f"entry {entry_id}")
        self._require_publisher(work, actor, feed.id)
        return entry, feed

    def publish(
        self, work: UnitOfWork, actor: Actor, feed_id: FeedId, draft: EntryDraft, *, notify: bool = False
    ) -> FeedEntry:
        """Requires a publisher of the feed who sees each record and has `bas_chupub` on its databox. *notify*: tell the
        people who may read the feed by mail, too. The author is the publisher, whose address an entry of a public feed
        has only where the draft names it.

        Raises NoSuchFeed, MayNotPublish, NoSuchRecord, Invalid, TooMany, or TooManyReaders for *notify*."""
        feed = self.permit(work, actor, feed_id)
        ids = self._publishable(work, actor, draft.records or ())
        user = self.accounts.known(work, actor.user_id) if actor.user_id is not None else None
        name, email = (user.display_name, user.email or "") if user is not None else ("", "")
        if feed.is_public:
            email = ""  # else everybody would read it, though the author never wrote it there
        values = {
            "feed_id": feed_id,
            "publisher_id": actor.user_id,
            "title": title_of(draft.title or ""),
            "subtitle": subtitle_of(draft.subtitle),
            "author_name": author_of(name if draft.author_name is None else draft.author_name),
            "author_email": author_email_of(email if draft.author_email is None else draft.author_email),
        }
        entry_id = store.add_entry(work, values)
        store.set_items(work, entry_id, ids, ())
        store.count_entries(work, feed_id, +1)
        if feed.is_public:
            store.refresh_flags(work, ids)
        if notify:
            require_few_readers(work, feed, self.most_mailed)
        uses.write(work, actor, UseKind.PUBLISH, ids)
        work.emit(NewFeedEntry(feed_id, entry_id, actor.user_id, notify))
        audit.write(work, actor, "feed.published", f"feed {feed_id}", {"entry": entry_id, "records": len(ids)})
        return self._entry(work, entry_id)[0]

    def change(
        self, work: UnitOfWork, actor: Actor, entry_id: EntryId, draft: EntryDraft, *, expected: int | None = None
    ) -> FeedEntry:
        """Requires its publisher, who still publishes in the feed. Records that are new in it need what `publish`
        needs; others may stay or go.

        *expected* is the version that the caller read. Raises NoSuchEntry, MayNotManage, and what `publish` raises, or
        ChangedMeanwhile."""
        entry, feed = self.permit_change(work, actor, entry_id)
        if expected is not None and expected != entry.version:
            raise ChangedMeanwhile("Somebody else has changed this entry. Read it again.")
        values = {}
        if draft.title is not None:
            values["title"] = title_of(draft.title)
        if draft.subtitle is not None:
            values["subtitle"] = subtitle_of(draft.subtitle)
        if draft.author_name is not None:
            values["author_name"] = author_of(draft.author_name)
        if draft.author_email is not None:
            values["author_email"] = author_email_of(draft.author_email)
        if draft.records is not None:
            self._set_records(work, actor, feed, entry, draft.records)
        store.update_entry(work, entry_id, values)
        store.count_entries(work, feed.id, 0)
        work.emit(FeedEntryChanged(feed.id, entry_id, actor.user_id))
        audit.write(work, actor, "feed.entry_changed", f"feed {feed.id}", {"entry": entry_id, "changed": draft.named})
        return self._entry(work, entry_id)[0]

    def _set_records(
        self, work: UnitOfWork, actor: Actor, feed: Feed, entry: FeedEntry, keys: Sequence[RecordKey]
    ) -> None:
        present = store.items_of(work, [entry.id])[entry.id]
        before = {item.record_id for item in present}
        ids = self._publishable(work, actor, keys, staying=before)
        store.set_items(work, entry.id, ids, present)
        if feed.is_public:
            store.refresh_flags(work, [*before.symmetric_difference(ids)])

    def remove(self, work: UnitOfWork, actor: Actor, entry_id: EntryId) -> None:
        """Its publisher, the owner of the feed, and administrators. Raises NoSuchEntry or MayNotManage."""
        entry, feed = self._entry_of(work, actor, entry_id)
        is_own = actor.user_id is not None and entry.publisher_id == actor.user_id
        owns = actor.is_known and feed.owner_id == actor.user_id
        if not (is_own or owns or administers(actor)):
            raise MayNotManage("You may not delete this entry.", why=f"entry {entry_id}")
        ids = [item.record_id for item in store.items_of(work, [entry_id])[entry_id]]
        store.delete_entry(work, entry_id)
        store.count_entries(work, feed.id, -1)
        if feed.is_public:
            store.refresh_flags(work, ids)
        work.emit(FeedEntryRemoved(feed.id, entry_id, actor.user_id))
        audit.write(work, actor, "feed.entry_removed", f"feed {feed.id}", {"entry": entry_id, "title": entry.title})

    def _entry_of(self, work: UnitOfWork, actor: Actor, entry_id: EntryId) -> tuple[FeedEntry, Feed]:
        """An entry that the actor may know: they may read, publish in or administer its feed, or it is theirs. Raises
        NoSuchEntry."""
        entry, feed = self._entry(work, entry_id)
        is_own = actor.user_id is not None and entry.publisher_id == actor.user_id
        is_known = is_own or administers(actor) or may_read(actor, feed, work.now)
        if not is_known and not store.publishes_in(work, actor.user_id, feed.id):
            raise NoSuchEntry(f"There is no entry {entry_id}.", field="entry_id")
        return entry, feed

    @staticmethod
    def _require_publisher(work: UnitOfWork, actor: Actor, feed_id: FeedId) -> None:
        if actor.via is Via.COMMAND:
            return
        if not store.publishes_in(work, actor.user_id, feed_id):
            raise MayNotPublish("You are no publisher of this feed.", why=f"feed {feed_id}")

    def _publishable(
        self,
        work: UnitOfWork,
        actor: Actor,
        keys: Sequence[RecordKey],
        staying: frozenset[RecordId] | set[RecordId] = frozenset(),
    ) -> list[RecordId]:
        """The ids of the records *keys*, in order and each once; those *staying* need no right. Raises Invalid,
        TooMany, NoSuchRecord (also for a record that the actor does not see), or MayNotPublish."""
        distinct = list(dict.fromkeys(keys))
        if not distinct:
            raise Invalid("An entry has at least one record.", field="records")
        if len(distinct) > MOST_ITEMS:
            raise TooMany("An entry has at most {most} records.", field="records", values={"most": MOST_ITEMS})
        existing = library_store.by_keys(work, distinct)
        fresh = [record for record in existing.values() if record.id not in staying]
        seen = access.visible_ids(work, actor, ((record.id, record.collection_id, record.status) for record in fresh))
        for key in distinct:
            record = existing.get(key)
            if record is None or not (record.id in staying or record.id in seen):
                raise NoSuchRecord(f"There is no record {key}.", field="records")
        self._require_right(work, actor, fresh)
        return [existing[key].id for key in distinct]

    @staticmethod
    def _require_right(work: UnitOfWork, actor: Actor, page: Sequence[Record]) -> None:
        allowed = access.may_publish(work, actor, page)
        for record in page:
            if record.id not in allowed:
                raise MayNotPublish(
                    "You may not publish records of this databox.", field="records", why=f"record {record.key}"
                )
