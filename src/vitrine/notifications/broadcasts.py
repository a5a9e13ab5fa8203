"""What many people are told: by a job, in parts, so that a request writes one row however many they are.

One job a part: it tells the next people and queues the job of the part after them, in one transaction. How far it came
is in the row of the broadcast, so a job that runs twice tells nobody twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from vitrine.accounts import Right, UserId, recipients
from vitrine.feeds import store as feeds_store
from vitrine.feeds.events import NewFeedEntry
from vitrine.feeds.model import EntryId
from vitrine.feeds.notices import audience, has_readers
from vitrine.jobs import Job, JobKind, Jobs
from vitrine.library.events import FileQuarantined
from vitrine.library.quarantine import store as quarantine_store
from vitrine.notifications import store
from vitrine.notifications.model import NotificationKind
from vitrine.notifications.service import Notifications
from vitrine.notifications.store import Broadcast
from vitrine.platform.database import Database, UnitOfWork

TELL = JobKind("notifications.tell", lane="mail")
PART = 100  # people of one transaction
BATCH_OF_FILES = timedelta(minutes=5)  # files that reach the quarantine of a collection meanwhile are told together


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told: people with *right* on a collection, or everybody, but not *except_id*. *values* are those of the
    mail."""

    collection_id: int | None
    right: Right = Right.actif
    except_id: int | None = None
    values: Mapping[str, str] = field(default_factory=dict)


def listen(database: Database, jobs: Jobs) -> None:
    """Begin a broadcast for what happens."""

    def published(work: UnitOfWork, event: NewFeedEntry) -> None:
        payload = {"feed_id": event.feed_id, "entry_id": event.entry_id}
        number = store.add_broadcast(work, NotificationKind.ENTRY_PUBLISHED, payload, is_mailed=event.notifies)
        jobs.add(work, TELL, {"broadcast": number, "after": 0})

    def quarantined(work: UnitOfWork, event: FileQuarantined) -> None:
        base = int(event.collection_id)
        number = store.add_broadcast(
            work, NotificationKind.FILE_QUARANTINED, {"base_id": base}, is_mailed=True, subject=f"quarantine {base}"
        )
        if number is not None:
            jobs.add(work, TELL, {"broadcast": number, "after": 0}, after=BATCH_OF_FILES)

    database.listen(NewFeedEntry, published)
    database.listen(FileQuarantined, quarantined)


@dataclass(frozen=True, slots=True)
class Broadcaster:
    """Handler of `notifications.tell`."""

    database: Database
    notifications: Notifications
    jobs: Jobs

    def __call__(self, job: Job) -> None:
        number, after = int(job.payload["broadcast"]), int(job.payload["after"])
        with self.database.write() as work:
            broadcast = store.broadcast(work, number)
            if broadcast is None or broadcast.told_until != after:
                return  # a second run
            wanted = _AUDIENCES[NotificationKind(broadcast.kind)](work, broadcast)
            people = (
                recipients.after(work, after, PART, wanted.collection_id, wanted.right, with_address=False)
                if wanted is not None
                else ()
            )
            if wanted is None or not people:
                store.end_broadcast(work, number)
                return
            self.notifications.notify(
                work,
                NotificationKind(broadcast.kind),
                [user.id for user in people if user.id != wanted.except_id],
                broadcast.payload,
                is_mailed=broadcast.is_mailed,
                values=wanted.values,
            )
            last = UserId(people[-1].id)
            store.told(work, number, last)
            self.jobs.add(work, TELL, {"broadcast": number, "after": last})


def _readers(work: UnitOfWork, broadcast: Broadcast) -> Audience | None:
    """The people who may read the entry; None if it is gone."""
    entry = feeds_store.entry(work, EntryId(broadcast.payload["entry_id"]))
    feed = feeds_store.feed(work, entry.feed_id) if entry is not None else None
    if entry is None or feed is None or not has_readers(feed):
        return None
    values = {"feed": feed.title, "title": entry.title, "author": entry.author_name or feed.title}
    return Audience(audience(feed), except_id=entry.publisher_id, values=values)


def _deciders(work: UnitOfWork, broadcast: Broadcast) -> Audience | None:
    """The people who may decide about the files of the collection; None if none waits any more."""
    base = broadcast.payload["base_id"]
    return Audience(base, Right.canaddrecord) if quarantine_store.count(work, [base]) else None


_AUDIENCES: Mapping[NotificationKind, Any] = {
    NotificationKind.ENTRY_PUBLISHED: _readers,
    NotificationKind.FILE_QUARANTINED: _deciders,
}
