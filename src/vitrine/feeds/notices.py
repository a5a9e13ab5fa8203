"""Mails about a new entry, to the people who may read it.

One job a batch: it queues the mails of the next people and the job of the batch after them, in one transaction. How far
it came is in the entry's row, so a job that runs twice mails nobody twice.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from vitrine.accounts import recipients
from vitrine.accounts.mail import AccountMail
from vitrine.feeds import store
from vitrine.feeds.errors import TooManyReaders
from vitrine.feeds.model import EntryId, Feed
from vitrine.feeds.tables import feed_entries
from vitrine.jobs import Job, JobKind, Jobs
from vitrine.library.model import CollectionId
from vitrine.platform.database import Database, UnitOfWork

NOTIFY = JobKind("feeds.notify", lane="mail")
BATCH = 100  # people of one transaction
TEXT = "feed-entry"


def audience(feed: Feed) -> CollectionId | None:
    """The collection whose people read *feed*; None for everybody."""
    return feed.collection_id if feed.is_scoped and not feed.is_public else None


def has_readers(feed: Feed) -> bool:
    """False where the collection of the scope was deleted."""
    return feed.is_public or not feed.is_scoped or feed.collection_id is not None


@dataclass(frozen=True, slots=True)
class EntryNotices:
    jobs: Jobs
    most: int

    def begin(self, work: UnitOfWork, feed: Feed, entry_id: EntryId) -> None:
        """Queue the mails about an entry that was just added. Raises TooManyReaders."""
        if not has_readers(feed):
            return
        if len(recipients.after(work, 0, self.most + 1, audience(feed))) > self.most:
            raise TooManyReaders(
                "More than {most} people may read this feed. Publish without telling them by mail.",
                values={"most": self.most},
                field="notify",
            )
        work.db.execute(feed_entries.update().where(feed_entries.c.id == entry_id).values(notified_until=0))
        self.jobs.add(work, NOTIFY, {"entry": entry_id, "after": 0}, key=f"{entry_id}:0")


@dataclass(frozen=True, slots=True)
class NoticeHandler:
    """Handler of `feeds.notify`."""

    database: Database
    jobs: Jobs
    mail: AccountMail

    def __call__(self, job: Job) -> None:
        entry_id, after = EntryId(int(job.payload["entry"])), int(job.payload["after"])
        with self.database.write() as work:
            entry = store.entry(work, entry_id)
            feed = store.feed(work, entry.feed_id) if entry is not None else None
            reached = work.db.scalar(sa.select(feed_entries.c.notified_until).where(feed_entries.c.id == entry_id))
            if entry is None or feed is None or reached != after or not has_readers(feed):
                return  # deleted meanwhile, or a second run
            people = recipients.after(work, after, BATCH, audience(feed))
            if not people:
                return
            values = {"feed": feed.title, "title": entry.title, "author": entry.author_name or feed.title}
            for user in people:
                if user.id != entry.publisher_id:
                    self.mail.send(work, TEXT, user, values)
            last = people[-1].id
            work.db.execute(feed_entries.update().where(feed_entries.c.id == entry_id).values(notified_until=last))
            self.jobs.add(work, NOTIFY, {"entry": entry_id, "after": last}, key=f"{entry_id}:{last}")
