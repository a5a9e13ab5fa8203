"""Download quotas: how many documents of a collection a person may fetch in a month (contract 06 section 17.4).

Counted are the original and files of class `document`, by whichever way a person fetches them with rights of their own:
files of pages, addresses signed for them, and downloads of several documents. A permalink is nobody's. A document that
was fetched again within a day, whole or in parts, counts once. People without a quota cost no statement.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

import sqlalchemy as sa

from vitrine.accounts import Actor, Right, Via
from vitrine.errors import Forbidden
from vitrine.library import access
from vitrine.library.model import DOCUMENT, CollectionId, Record, RecordId, Rendition, Structure
from vitrine.library.records import Records
from vitrine.library.sharing.tables import counted_downloads, download_counts
from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import Expiry

AGAIN = timedelta(days=1)  # a document fetched again meanwhile does not count again
EXPIRIES = (Expiry(counted_downloads, lambda work: counted_downloads.c.at < work.now - AGAIN),)
_CHUNK = 500
_TAKE = sa.text(
    "INSERT INTO download_counts (user_id, collection_id, month, downloads)"
    " VALUES (:user_id, :collection_id, :month, :count)"
    " ON CONFLICT (user_id, collection_id) DO UPDATE SET month = excluded.month, downloads = excluded.downloads"
    " + CASE WHEN download_counts.month = excluded.month THEN download_counts.downloads ELSE 0 END"
    " WHERE excluded.downloads"
    " + CASE WHEN download_counts.month = excluded.month THEN download_counts.downloads ELSE 0 END <= :most"
)
_counts, _counted = download_counts.c, counted_downloads.c


class DownloadQuotaUsed(Forbidden):
    """The documents are more than the person may fetch from a collection this month; nothing was counted."""

    code = "download_quota_used"


@dataclass(frozen=True, slots=True)
class Quota:
    """Of one collection: *most* a month, of which *remaining* are left until *renews*."""

    base_id: CollectionId
    most: int
    remaining: int
    renews: datetime


def limit_of(actor: Actor, base_id: CollectionId) -> int | None:
    """How many documents a month; None for no limit. A limit that has no number is 0, and it stays while the rights
    are suspended: an original that somebody gave to the person counts too."""
    grant = actor.rights.collections.get(base_id)
    if actor.via is Via.COMMAND or grant is None or Right.restrict_dwnld not in grant.rights:
        return None
    return grant.monthly_downloads or 0


def is_counted(structure: Structure, record: Record, rendition: Rendition) -> bool:
    """True for the original and for files of class `document`."""
    recipe = structure.recipe(record.databox_id, record.group, rendition.name)
    return access.class_of(record, rendition.name, recipe) == DOCUMENT


@dataclass(frozen=True, slots=True)
class DownloadQuotas:
    """Months begin in the time zone of the instance."""

    records: Records
    zone: tzinfo = UTC

    def concerns(self, work: UnitOfWork, actor: Actor, record: Record, rendition: Rendition) -> bool:
        """Must `take` be called before this file is given to *actor*?"""
        if limit_of(actor, record.collection_id) is None:
            return False
        return is_counted(self.records.structure(work), record, rendition)

    def take(self, work: UnitOfWork, actor: Actor, records: Iterable[Record]) -> None:
        """Count these documents, all of them or none. The unit of work must be a writing one: of two at the same time
        the second sees what the first counted. Raises DownloadQuotaUsed."""
        limited = {record.id: record for record in records if limit_of(actor, record.collection_id) is not None}
        if not limited:
            return
        again = self._counted_lately(work, actor, list(limited))
        by_base: dict[CollectionId, list[RecordId]] = {}
        for record in limited.values():
            if record.id not in again:
                by_base.setdefault(record.collection_id, []).append(record.id)
        for base_id, ids in by_base.items():
            self._count(work, actor, base_id, len(ids))
        rows = [
            {"user_id": actor.user_id, "record_id": record_id, "at": work.now}
            for ids in by_base.values()
            for record_id in ids
        ]
        if rows:
            # Those of yesterday that maintenance has not deleted yet are in the way.
            for start in range(0, len(rows), _CHUNK):
                some = [row["record_id"] for row in rows[start : start + _CHUNK]]
                old = sa.and_(_counted.user_id == actor.user_id, _counted.record_id.in_(some))
                work.db.execute(counted_downloads.delete().where(old))
            work.db.execute(counted_downloads.insert(), rows)

    def mine(self, work: UnitOfWork, actor: Actor) -> list[Quota]:
        """What is left to the actor, by collection: of those that limit them and are live."""
        limits = {
            CollectionId(grant.base_id): limit_of(actor, CollectionId(grant.base_id))
            for grant in actor.rights.live(work.now)
        }
        limited = {base_id: most for base_id, most in sorted(limits.items()) if most is not None}
        if not limited:
            return []
        own = sa.select(_counts.collection_id, _counts.downloads).where(
            _counts.user_id == actor.user_id, _counts.month == self._month(work)
        )
        used = {row[0]: row[1] for row in work.db.execute(own)}
        renews = self._renews(work)
        return [Quota(base_id, most, max(0, most - used.get(base_id, 0)), renews) for base_id, most in limited.items()]

    def _counted_lately(self, work: UnitOfWork, actor: Actor, ids: Sequence[RecordId]) -> set[RecordId]:
        counted: set[RecordId] = set()
        for start in range(0, len(ids), _CHUNK):
            lately = sa.select(_counted.record_id).where(
                _counted.user_id == actor.user_id,
                _counted.record_id.in_(ids[start : start + _CHUNK]),
                _counted.at >= work.now - AGAIN,
            )
            counted.update(RecordId(record_id) for record_id in work.db.scalars(lately))
        return counted

    def _count(self, work: UnitOfWork, actor: Actor, base_id: CollectionId, count: int) -> None:
        most = limit_of(actor, base_id) or 0
        values = {
            "user_id": actor.user_id, "collection_id": base_id, "month": self._month(work), "count": count,
            "most": most,
        }  # fmt: skip
        if count > most or not work.db.execute(_TAKE, values).rowcount:
            raise self._refusal(work, actor, base_id, count, most)

    def _refusal(
        self, work: UnitOfWork, actor: Actor, base_id: CollectionId, count: int, most: int
    ) -> DownloadQuotaUsed:
        own = sa.select(_counts.downloads).where(
            _counts.user_id == actor.user_id, _counts.collection_id == base_id, _counts.month == self._month(work)
        )
        left = max(0, most - (work.db.scalar(own) or 0))
        collection = self.records.structure(work).collections.get(base_id)
        values = {
            "collection": collection.name if collection else str(base_id), "most": most, "left": left, "count": count,
            "renews": f"{self._renews(work):%Y-%m-%d}",
        }  # fmt: skip
        return DownloadQuotaUsed(
            "You may download {most} documents a month from the collection {collection}. {left} are left, and this "
            "needs {count}. The number is renewed on {renews}.",
            values=values,
            why=f"collection {base_id} user {actor.user_id}",
        )

    def _month(self, work: UnitOfWork) -> int:
        """Months since the year 0, so that the same month of another year is another one."""
        now = work.now.astimezone(self.zone)
        return now.year * 12 + now.month - 1

    def _renews(self, work: UnitOfWork) -> datetime:
        year, month = divmod(self._month(work) + 1, 12)
        return datetime(year, month + 1, 1, tzinfo=self.zone)


def forget_person(work: UnitOfWork, user_id: int) -> None:
    """What was counted for an account that is closed."""
    work.db.execute(counted_downloads.delete().where(_counted.user_id == user_id))
    work.db.execute(download_counts.delete().where(_counts.user_id == user_id))
