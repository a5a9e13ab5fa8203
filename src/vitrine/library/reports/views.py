"""Views of permalinks by the host that refers to them: counted in memory, written every two seconds.

A request for a file adds one to a number in memory and runs no statement. Kept are record, rendition, day (UTC) and
host: no address of a visitor, no path, no query. Thumbnails are not counted (contract 04 section 3), nor what our own
pages show.
"""

import re
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from vitrine.library.model import THUMBNAIL, CollectionId, RecordId, RecordKey
from vitrine.library.reports.tables import permalink_views
from vitrine.library.tables import records
from vitrine.platform.database import UnitOfWork
from vitrine.platform.deferred_buffers import MAX_PENDING_ROWS
from vitrine.platform.deferred_writes import DeferredKind
from vitrine.platform.expiry import Expiry
from vitrine.platform.upsert import insert_of

NO_REFERRER = ""
FURTHER = "*"
MOST_REFERRERS = 50  # of a record on a day; what comes from others is counted together
_A_STATEMENT = 400
_HOST = re.compile(rb"https?://([0-9a-z](?:[0-9a-z.-]{0,251}[0-9a-z])?)(?::\d{1,5})?(?:[/?#]|$)", re.IGNORECASE)


class ViewRow(NamedTuple):
    """Views that wait to be written."""

    key: RecordKey
    rendition: str
    referrer: str
    views: int


@dataclass(frozen=True, slots=True)
class Views:
    """*number* and *databox_id* name the record as it is on the wire."""

    id: int
    databox_id: int
    number: int
    day: date
    rendition: str
    referrer: str
    views: int


def host_of(referrer: bytes | None) -> str:
    """The host of a `Referer` header; NO_REFERRER without one, FURTHER for one that names no host."""
    if not referrer:
        return NO_REFERRER
    named = _HOST.match(referrer[:300])
    return named[1].decode().lower() if named else FURTHER


class ViewBuffer:
    """Where views wait for the next deferred write: numbers by record, rendition and host. Of a record it holds no more
    hosts than are kept for a day, so that made-up referrers displace nothing of other records."""

    def __init__(self, capacity: int = MAX_PENDING_ROWS) -> None:
        self.refused = 0
        self._capacity = capacity
        self._guard = threading.Lock()
        self._rows = 0
        self._views: dict[RecordKey, dict[tuple[str, str], int]] = {}

    def add(self, key: RecordKey, rendition: str, referrer: str, views: int = 1) -> None:
        with self._guard:
            of_record = self._views.setdefault(key, {})
            place = (rendition, referrer)
            if place not in of_record and len(of_record) >= MOST_REFERRERS:
                place = (rendition, FURTHER)
            if place not in of_record:
                if self._rows >= self._capacity:
                    self.refused += views
                    return
                self._rows += 1
            of_record[place] = of_record.get(place, 0) + views

    def take(self) -> list[ViewRow]:
        with self._guard:
            taken, self._views, self._rows = self._views, {}, 0
        return [
            ViewRow(key, rendition, referrer, views)
            for key, of_record in taken.items()
            for (rendition, referrer), views in of_record.items()
        ]

    def put_back(self, rows: list[ViewRow]) -> None:
        for row in rows:
            self.add(*row)


class ViewCounts:
    """Counts views. *own_host* is ours: what our pages show was counted when the page was."""

    def __init__(self, own_host: str) -> None:
        self.buffer = ViewBuffer()
        self._own_host = own_host.lower()

    def count(self, key: RecordKey, rendition: str, klass: str | None, referrer: bytes | None) -> None:
        """One view of a file of class *klass*; *referrer* is the header as it came."""
        if THUMBNAIL in (klass, rendition):
            return
        host = host_of(referrer)
        if host != self._own_host:
            self.buffer.add(key, rendition, host)

    def kind(self) -> DeferredKind[ViewRow]:
        return DeferredKind("permalink_views", self.buffer, write, lambda row: {"record": str(row.key)})


# -- rows --------------------------------------------------------------------------------------------------------------

_columns = permalink_views.c
_Place = tuple[RecordId, str, str]  # record, rendition, referrer


def write(work: UnitOfWork, rows: Sequence[ViewRow]) -> None:
    """Add to the numbers of the day. Views of records that are gone are dropped. Of a record and day about
    MOST_REFERRERS hosts are kept: two servers that write at once may each find room for theirs."""
    day = work.now.astimezone(UTC).date()
    homes = _homes(work, {row.key for row in rows})
    known = _known(work, day, [record_id for record_id, _ in homes.values()])
    hosts: defaultdict[RecordId, set[str]] = defaultdict(set)
    for record_id, _, referrer in known:
        hosts[record_id].add(referrer)
    views: defaultdict[_Place, int] = defaultdict(int)
    collections: dict[RecordId, CollectionId] = {}
    for row in rows:
        if row.key not in homes:
            continue
        record_id, collections[record_id] = homes[row.key]
        referrer = row.referrer
        if referrer not in hosts[record_id] and len(hosts[record_id] - {NO_REFERRER, FURTHER}) >= MOST_REFERRERS:
            referrer = referrer if referrer == NO_REFERRER else FURTHER
        hosts[record_id].add(referrer)
        views[record_id, row.rendition, referrer] += row.views
    changed = [{"_id": known[place], "_views": views[place]} for place in sorted(views) if place in known]
    if changed:
        change = permalink_views.update().where(_columns.id == sa.bindparam("_id"))
        work.db.execute(change.values(views=_columns.views + sa.bindparam("_views")), changed)
    new = [
        {
            "record_id": place[0], "collection_id": collections[place[0]], "day": day, "rendition": place[1],
            "referrer": place[2], "views": views[place],
        }
        for place in sorted(views) if place not in known
    ]  # fmt: skip
    if new:
        insert = insert_of(work)(permalink_views)
        once = insert.on_conflict_do_update(
            index_elements=["record_id", "day", "rendition", "referrer"],
            set_={"views": _columns.views + insert.excluded.views},
        )
        work.db.execute(once, new)


def _homes(work: UnitOfWork, keys: set[RecordKey]) -> dict[RecordKey, tuple[RecordId, CollectionId]]:
    """Records and their collections."""
    homes: dict[RecordKey, tuple[RecordId, CollectionId]] = {}
    ordered = sorted(keys)
    for start in range(0, len(ordered), _A_STATEMENT):
        some = [tuple(key) for key in ordered[start : start + _A_STATEMENT]]
        named = sa.tuple_(records.c.databox_id, records.c.number).in_(some)
        query = sa.select(records.c.databox_id, records.c.number, records.c.id, records.c.collection_id).where(named)
        for databox_id, number, record_id, collection_id in work.db.execute(query):
            homes[RecordKey(databox_id, number)] = (record_id, collection_id)
    return homes


def _known(work: UnitOfWork, day: date, ids: Sequence[RecordId]) -> dict[_Place, int]:
    """The rows of the day that these records have."""
    known: dict[_Place, int] = {}
    for start in range(0, len(ids), _A_STATEMENT):
        some = sa.and_(_columns.record_id.in_(ids[start : start + _A_STATEMENT]), _columns.day == day)
        query = sa.select(_columns.record_id, _columns.rendition, _columns.referrer, _columns.id).where(some)
        known |= {(row[0], row[1], row[2]): row[3] for row in work.db.execute(query)}
    return known


def of_record(work: UnitOfWork, record_id: RecordId, before: int | None, limit: int) -> list[Views]:
    """The newest first, older than the row *before*."""
    return _page(work, _columns.record_id == record_id, before, limit)


def of_collection(work: UnitOfWork, collection_id: int, before: int | None, limit: int) -> list[Views]:
    """Of the records that were in the collection then, the newest first, older than the row *before*."""
    return _page(work, _columns.collection_id == collection_id, before, limit)


def _page(work: UnitOfWork, wanted: sa.ColumnElement[bool], before: int | None, limit: int) -> list[Views]:
    if before is not None:
        wanted = sa.and_(wanted, _columns.id < before)
    query = (
        sa.select(
            _columns.id, records.c.databox_id, records.c.number, _columns.day, _columns.rendition, _columns.referrer,
            _columns.views,
        )
        .join(records, records.c.id == _columns.record_id)
        .where(wanted)
        .order_by(_columns.id.desc())
        .limit(limit)
    )  # fmt: skip
    return [Views(*row) for row in work.db.execute(query)]


_NEWEST: Any = sa.select(sa.func.max(permalink_views.c.id)).scalar_subquery()


def expiries(days: int, rows: int) -> tuple[Expiry, ...]:
    """Older numbers, and all but about the newest *rows*."""
    return (
        Expiry(permalink_views, lambda work: _columns.day < work.now.astimezone(UTC).date() - timedelta(days=days)),
        Expiry(permalink_views, lambda _work: _columns.id <= _NEWEST - rows),
    )
