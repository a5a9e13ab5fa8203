"""SQL of permalinks, and of the files they open."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from vitrine.library.model import BIN, CollectionId, RecordId, RecordKey, SharedFile
from vitrine.library.store import LINK_ACTIVATED
from vitrine.library.tables import collections, permalinks, recipes, records, renditions
from vitrine.platform.cache import Cache
from vitrine.platform.database import UnitOfWork
from vitrine.platform.prepared import Prepared

_SHARED = Prepared(
    sa.select(
        records.c.title,
        records.c.original_name,
        renditions.c.name,
        renditions.c.sha256,
        renditions.c.mime,
        renditions.c.extension,
        renditions.c.size,
        renditions.c.updated,
        recipes.c.klass,
        collections.c.public_presentation,
        permalinks.c.token,
        LINK_ACTIVATED,
        sa.and_(records.c.in_public_feed, collections.c.enabled, collections.c.name != BIN).label("is_published"),
    )
    .select_from(
        records.join(renditions, renditions.c.record_id == records.c.id)
        .join(collections, collections.c.id == records.c.collection_id)
        .join(permalinks, sa.and_(permalinks.c.record_id == records.c.id, permalinks.c.name == renditions.c.name))
        .outerjoin(
            recipes,
            sa.and_(
                recipes.c.databox_id == records.c.databox_id,
                recipes.c.group == sa.case((records.c.is_story, "image"), else_=records.c.kind),
                recipes.c.name == renditions.c.name,
            ),
        )
    )
    .where(
        records.c.databox_id == sa.bindparam("databox"),
        records.c.number == sa.bindparam("number"),
        renditions.c.name == sa.bindparam("rendition"),
        renditions.c.state == "ready",
        collections.c.enabled,
    )
)
# By the row itself: a changed row is another key.
_shared_files: Cache[tuple[Any, ...], SharedFile] = Cache("shared_files", 20_000)


def shared_file(work: UnitOfWork, key: RecordKey, name: str) -> SharedFile | None:
    """What a permalink needs, in one statement, since pages contain many of them."""
    row = _SHARED.raw(work, databox=key.databox, number=key.number, rendition=name)
    if row is None:
        return None
    known = _shared_files.get(row)
    if known is None:
        known = SharedFile(*_SHARED.converted(work, row))
        _shared_files.keep(work, row, known)
    return known


def ensure(work: UnitOfWork, record_id: RecordId, name: str, token: str, label: str) -> None:
    """Make the permalink unless it exists: it survives every re-make of its rendition."""
    known = sa.select(permalinks.c.id).where(permalinks.c.record_id == record_id, permalinks.c.name == name)
    if work.db.execute(known).first() is None:
        work.db.execute(
            permalinks.insert().values(
                record_id=record_id, name=name, token=token, label=label, created=work.now, updated=work.now
            )
        )


def put(work: UnitOfWork, record_id: RecordId, name: str, values: Mapping[str, Any]) -> None:
    """Make the permalink, or change the values of the existing one."""
    is_permalink = sa.and_(permalinks.c.record_id == record_id, permalinks.c.name == name)
    if work.db.execute(permalinks.update().where(is_permalink).values(updated=work.now, **values)).rowcount == 0:
        row = permalinks.insert().values(record_id=record_id, name=name, created=work.now, updated=work.now, **values)
        work.db.execute(row)


def active_tokens(work: UnitOfWork, record_id: RecordId) -> list[str]:
    """Tokens of the active permalinks of all renditions of the record (the caption route accepts each of them)."""
    return list(
        work.db.scalars(
            sa.select(permalinks.c.token)
            .join(records, records.c.id == permalinks.c.record_id)
            .join(collections, collections.c.id == records.c.collection_id)
            .where(permalinks.c.record_id == record_id, LINK_ACTIVATED, collections.c.enabled)
        )
    )


def switch_records(work: UnitOfWork, ids: Sequence[RecordId], *, on: bool, within: CollectionId | None = None) -> int:
    """Make records public by link or end that; with *within* only those that are still in that collection. Returns how
    many changed."""
    some = sa.and_(records.c.id.in_(list(ids)), records.c.public_by_link != on)
    if within is not None:
        some = sa.and_(some, records.c.collection_id == within)
    return work.db.execute(records.update().where(some).values(public_by_link=on)).rowcount


def switches_of(
    work: UnitOfWork, base: CollectionId, after: tuple[datetime, RecordId] | None, limit: int
) -> list[tuple[RecordId, datetime, bool]]:
    """(id, created, public by link) of the records of a collection, in the order of (created, id) after *after*."""
    columns = (records.c.id, records.c.created, records.c.public_by_link)
    query = sa.select(*columns).where(records.c.collection_id == base)
    if after is not None:
        created, record_id = after
        query = query.where(records.c.created >= created, sa.or_(records.c.created > created, records.c.id > record_id))
    query = query.order_by(records.c.created, records.c.id).limit(limit)
    return [(RecordId(row[0]), row[1], row[2]) for row in work.db.execute(query)]
