"""SQL of records, values and renditions with their permalinks. The structure's SQL is in `structure_store.py`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from vitrine.library import counts, story_links
from vitrine.library.model import (
    DOCUMENT,
    THUMBNAIL,
    CollectionId,
    DataboxId,
    FieldId,
    Permalink,
    Record,
    RecordId,
    RecordKey,
    Rendition,
    Value,
)
from vitrine.library.tables import (
    databoxes,
    field_values,
    original_versions,
    permalinks,
    quarantine_items,
    records,
    removed_files,
    renditions,
)
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.prepared import Prepared
from vitrine.platform.schema import metadata
from vitrine.platform.texts import folded

LONGEST_FOLDED_NAME = 255  # characters, the width of the column

# P counts outside a bin only: what a record's switch said before is kept just while it is in one (`library.bins`).
_PUBLISHED = sa.and_(records.c.in_public_feed, records.c.public_before_bin.is_(None)).label("in_public_feed")
_RECORD = [_PUBLISHED if name == "in_public_feed" else records.c[name] for name in Record.__dataclass_fields__]
_RENDITION = [renditions.c[name] for name in Rendition.__dataclass_fields__ if name != "permalink"]
_cover = records.alias("cover")
# Of a record, and of a story its cover too, whose pictures it shows.
_PUBLIC_BY_LINK = sa.and_(
    records.c.public_by_link,
    sa.or_(
        records.c.cover_record_id.is_(None),
        sa.select(_cover.c.public_by_link).where(_cover.c.id == records.c.cover_record_id).scalar_subquery(),
    ),
)
# Whether a permalink opens its file; whatever selects it joins its record.
LINK_ACTIVATED = sa.and_(permalinks.c.activated, _PUBLIC_BY_LINK)
_PERMALINK = [
    permalinks.c.id,
    permalinks.c.token,
    permalinks.c.label,
    LINK_ACTIVATED.label("link_activated"),
    permalinks.c.activated,
    permalinks.c.created,
    permalinks.c.updated,
]
_WITH_PERMALINK = renditions.join(records, records.c.id == renditions.c.record_id).outerjoin(
    permalinks, sa.and_(permalinks.c.record_id == renditions.c.record_id, permalinks.c.name == renditions.c.name)
)
_RECORD_WIDTH = len(_RECORD)
_RENDITION_WIDTH = len(_RENDITION)
_new_rendition: Callable[..., Rendition] = Rendition  # positional arguments: a page makes one per record


def _rendition(row: Sequence[Any]) -> Rendition:
    link = Permalink(*row[_RENDITION_WIDTH:]) if row[_RENDITION_WIDTH] is not None else None
    return _new_rendition(*row[:_RENDITION_WIDTH], link)


# -- records -----------------------------------------------------------------------------------------------------------

_BY_KEY = Prepared(
    sa.select(*_RECORD).where(
        records.c.databox_id == sa.bindparam("databox"), records.c.number == sa.bindparam("number")
    )
)
_THUMBNAILED = sa.select(*_RECORD, *_RENDITION, *_PERMALINK).select_from(
    records.outerjoin(
        renditions,
        sa.and_(renditions.c.record_id == records.c.id, renditions.c.name == THUMBNAIL, renditions.c.state == "ready"),
    ).outerjoin(
        permalinks,
        sa.and_(permalinks.c.record_id == records.c.id, permalinks.c.name == THUMBNAIL),
    )
)


@lru_cache(maxsize=128)
def _thumbnailed(count: int) -> Prepared:
    """The statement for a page of *count* records."""
    return Prepared(_THUMBNAILED.where(records.c.id.in_([sa.bindparam(f"id{place}") for place in range(count)])))


def by_key(work: UnitOfWork, key: RecordKey) -> Record | None:
    row = _BY_KEY.first(work, databox=key.databox, number=key.number)
    return Record(*row) if row else None


def by_keys(work: UnitOfWork, keys: Iterable[RecordKey]) -> dict[RecordKey, Record]:
    """The records that exist of a bounded number of keys: one statement a databox."""
    numbers: dict[DataboxId, list[int]] = {}
    for key in keys:
        numbers.setdefault(key.databox, []).append(key.number)
    existing: dict[RecordKey, Record] = {}
    for databox, wanted in numbers.items():
        named = sa.and_(records.c.databox_id == databox, records.c.number.in_(wanted))
        for row in work.db.execute(sa.select(*_RECORD).where(named)):
            record = Record(*row)
            existing[record.key] = record
    return existing


_ID_OF = Prepared(
    sa.select(records.c.id).where(
        records.c.databox_id == sa.bindparam("databox"), records.c.number == sa.bindparam("number")
    )
)


def id_of(work: UnitOfWork, key: RecordKey) -> RecordId | None:
    row = _ID_OF.raw(work, databox=key.databox, number=key.number)
    return RecordId(row[0]) if row else None


def by_id(work: UnitOfWork, record_id: RecordId) -> Record | None:
    row = work.db.execute(sa.select(*_RECORD).where(records.c.id == record_id)).first()
    return Record(*row) if row else None


def with_thumbnails(work: UnitOfWork, ids: Sequence[RecordId]) -> dict[RecordId, tuple[Record, Rendition | None]]:
    """Records with their ready thumbnail, one statement for the whole page."""
    by_id: dict[RecordId, tuple[Record, Rendition | None]] = {}
    if not ids:
        return by_id
    for row in _thumbnailed(len(ids)).all(work, **{f"id{place}": record_id for place, record_id in enumerate(ids)}):
        record = Record(*row[:_RECORD_WIDTH])
        rendition_row = row[_RECORD_WIDTH:]
        by_id[record.id] = (record, _rendition(rendition_row) if rendition_row[0] is not None else None)
    return by_id


# Identifies the state of a record and its thumbnail: every change moves one of the three instants or the two switches.
_STAMPS = sa.select(
    records.c.id,
    records.c.collection_id,
    records.c.status,
    records.c.updated,
    renditions.c.updated,
    permalinks.c.updated,
    _PUBLIC_BY_LINK.label("public_by_link"),
    records.c.in_public_feed,
).select_from(
    records.outerjoin(
        renditions, sa.and_(renditions.c.record_id == records.c.id, renditions.c.name == THUMBNAIL)
    ).outerjoin(permalinks, sa.and_(permalinks.c.record_id == records.c.id, permalinks.c.name == THUMBNAIL))
)


@lru_cache(maxsize=128)
def _stamped(count: int) -> Prepared:
    return Prepared(_STAMPS.where(records.c.id.in_([sa.bindparam(f"id{place}") for place in range(count)])))


def stamps(work: UnitOfWork, ids: Sequence[RecordId]) -> dict[RecordId, tuple[Any, ...]]:
    """For each record (id, collection, status, three instants, the switch of its links and whether it is in a public
    feed, as the database stores them), in one statement."""
    return {RecordId(row[0]): row for row in _stamped(len(ids)).all_raw(work, ids)}


def places(work: UnitOfWork, keys: Sequence[RecordKey]) -> dict[RecordKey, tuple[RecordId, CollectionId, int]]:
    """(id, collection, status) of those of *keys* that exist, as `library.access` takes them; one statement for each
    databox."""
    numbers: dict[DataboxId, list[int]] = {}
    for key in keys:
        numbers.setdefault(key.databox, []).append(key.number)
    by_key: dict[RecordKey, tuple[RecordId, CollectionId, int]] = {}
    for databox, wanted in numbers.items():
        statement = sa.select(records.c.number, records.c.id, records.c.collection_id, records.c.status).where(
            records.c.databox_id == databox, records.c.number.in_(wanted)
        )
        for number, *place in work.db.execute(statement):
            by_key[RecordKey(databox, number)] = (RecordId(place[0]), CollectionId(place[1]), place[2])
    return by_key


def next_number(work: UnitOfWork, databox: DataboxId) -> int:
    """Take the next record number of a databox. The row is locked until the commit, so no number is used twice."""
    next_record = work.db.scalar(
        databoxes.update()
        .where(databoxes.c.id == databox)
        .values(next_record=databoxes.c.next_record + 1)
        .returning(databoxes.c.next_record)
    )
    assert next_record is not None
    return int(next_record) - 1


def folded_name(name: str) -> str:
    """A file name as it is compared without case; cut, since a folded character can be three."""
    return folded(name[:LONGEST_FOLDED_NAME])[:LONGEST_FOLDED_NAME]


def with_folded_name(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a record, with the folded name beside the name if that is among them."""
    name = values.get("original_name")
    if "original_name" not in values:
        return dict(values)
    return {**values, "original_name_folded": None if name is None else folded_name(name)}


def rotation(work: UnitOfWork, record_id: RecordId) -> int:
    """By how many degrees the renditions of a record are turned; 0 for one that is gone."""
    return int(work.db.scalar(sa.select(records.c.rotation).where(records.c.id == record_id)) or 0)


def add_record(work: UnitOfWork, values: Mapping[str, Any]) -> RecordId:
    """The only way a row comes into `records`: it is counted too."""
    record_id = RecordId(inserted_id(work.db.execute(records.insert().values(**with_folded_name(values)))))
    counts.added(work, values["collection_id"])
    return record_id


def update_record(work: UnitOfWork, record_id: RecordId, values: Mapping[str, Any]) -> None:
    if "collection_id" in values:
        _count_move(work, record_id, values["collection_id"])
    row = with_folded_name(values)
    work.db.execute(records.update().where(records.c.id == record_id).values(updated=work.now, **row))


def _count_move(work: UnitOfWork, record_id: RecordId, into: CollectionId) -> None:
    before = work.db.scalar(sa.select(records.c.collection_id).where(records.c.id == record_id).with_for_update())
    if before is not None and before != into:
        counts.added(work, before, -1)
        counts.added(work, into)


def delete_record(work: UnitOfWork, record_id: RecordId) -> None:
    """Values, renditions, permalinks, places in stories and grants are deleted by cascade; bytes are swept later."""
    story_links.leave(work, record_id)
    deleted = records.delete().where(records.c.id == record_id).returning(records.c.collection_id)
    for collection in work.db.scalars(deleted):
        counts.added(work, collection, -1)


def same_file(work: UnitOfWork, databox: DataboxId, sha256: str) -> list[Record]:
    rows = work.db.execute(
        sa.select(*_RECORD)
        .where(records.c.sha256 == sha256, records.c.databox_id == databox)
        .order_by(records.c.id)
        .limit(50)
    )
    return [Record(*row) for row in rows]


def same_uuid(work: UnitOfWork, databox: DataboxId, uuid: str) -> list[Record]:
    rows = work.db.execute(
        sa.select(*_RECORD)
        .where(records.c.uuid == uuid, records.c.databox_id == databox)
        .order_by(records.c.id)
        .limit(50)
    )
    return [Record(*row) for row in rows]


def ids_after(work: UnitOfWork, after: RecordId, limit: int) -> list[RecordId]:
    """Ids in order, to iterate over all records (index rebuild)."""
    return list(
        work.db.scalars(sa.select(records.c.id).where(records.c.id > after).order_by(records.c.id).limit(limit))
    )


def iterate_id_batches(work: UnitOfWork, batch: int = 500) -> Iterator[list[RecordId]]:
    """All record ids in batches."""
    last = RecordId(0)
    while ids := ids_after(work, last, batch):
        yield ids
        last = ids[-1]


# -- values ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=128)
def _values(count: int) -> Prepared:
    return Prepared(
        sa.select(field_values.c.record_id, field_values.c.id, field_values.c.field_id, field_values.c.value)
        .where(field_values.c.record_id.in_([sa.bindparam(f"id{place}") for place in range(count)]))
        .order_by(field_values.c.record_id, field_values.c.position, field_values.c.id)
    )


def values_of(work: UnitOfWork, ids: Sequence[RecordId]) -> dict[RecordId, list[Value]]:
    """Values of several records, in order of field and entry."""
    by_record: dict[RecordId, list[Value]] = {record_id: [] for record_id in ids}
    for row in _values(len(ids)).all_raw(work, ids) if ids else ():
        by_record[RecordId(row[0])].append(Value(*row[1:]))
    return by_record


def add_values(work: UnitOfWork, record_id: RecordId, values: Sequence[tuple[FieldId, str]]) -> None:
    if values:
        rows = [
            {"record_id": record_id, "field_id": field_id, "value": value, "position": position}
            for position, (field_id, value) in enumerate(values)
        ]
        work.db.execute(field_values.insert(), rows)


# -- renditions --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=128)
def _renditions(count: int) -> Prepared:
    return Prepared(
        sa.select(*_RENDITION, *_PERMALINK)
        .select_from(_WITH_PERMALINK)
        .where(renditions.c.record_id.in_([sa.bindparam(f"id{place}") for place in range(count)]))
        .order_by(renditions.c.record_id, sa.case((renditions.c.name == DOCUMENT, 0), else_=1), renditions.c.id)
    )


def renditions_of(work: UnitOfWork, ids: Sequence[RecordId]) -> dict[RecordId, list[Rendition]]:
    """All renditions of several records in any state, the original first, then by id."""
    by_record: dict[RecordId, list[Rendition]] = {record_id: [] for record_id in ids}
    named = {f"id{place}": record_id for place, record_id in enumerate(ids)}
    for row in _renditions(len(ids)).all(work, **named) if ids else ():
        rendition = _rendition(row)
        by_record[rendition.record_id].append(rendition)
    return by_record


@lru_cache(maxsize=128)
def _rendition_stamps(count: int) -> Prepared:
    return Prepared(
        sa.select(
            renditions.c.record_id,
            renditions.c.id,
            renditions.c.updated,
            permalinks.c.updated,
            _PUBLIC_BY_LINK.label("public_by_link"),
        )
        .select_from(_WITH_PERMALINK)
        .where(renditions.c.record_id.in_([sa.bindparam(f"id{place}") for place in range(count)]))
        .order_by(renditions.c.record_id, renditions.c.id)
    )


def rendition_stamps(work: UnitOfWork, ids: Sequence[RecordId]) -> dict[RecordId, tuple[Any, ...]]:
    """For each record what identifies the state of its renditions and their permalinks, as the database stores it."""
    by_record: dict[RecordId, tuple[Any, ...]] = {record_id: (record_id,) for record_id in ids}
    for row in _rendition_stamps(len(ids)).all_raw(work, ids) if ids else ():
        by_record[RecordId(row[0])] += row[1:]
    return by_record


_ONE_RENDITION = Prepared(
    sa.select(*_RENDITION, *_PERMALINK)
    .select_from(_WITH_PERMALINK)
    .where(renditions.c.record_id == sa.bindparam("record"), renditions.c.name == sa.bindparam("rendition"))
)


def rendition(work: UnitOfWork, record_id: RecordId, name: str) -> Rendition | None:
    row = _ONE_RENDITION.first(work, record=record_id, rendition=name)
    return _rendition(row) if row else None


def add_rendition(work: UnitOfWork, record_id: RecordId, name: str, values: Mapping[str, Any]) -> None:
    work.db.execute(
        renditions.insert().values(record_id=record_id, name=name, created=work.now, updated=work.now, **values)
    )


def update_rendition(work: UnitOfWork, record_id: RecordId, name: str, values: Mapping[str, Any]) -> int:
    """Returns the number of rows: 0 when the record has been deleted."""
    return work.db.execute(
        renditions.update()
        .where(renditions.c.record_id == record_id, renditions.c.name == name)
        .values(updated=work.now, **values)
    ).rowcount


_BLOBS = (
    records.c.sha256, renditions.c.sha256, quarantine_items.c.sha256, removed_files.c.sha256,
    original_versions.c.sha256,
)  # fmt: skip


def referenced(work: UnitOfWork, sha256s: Sequence[str]) -> set[str]:
    """Those of these blobs that some row still needs."""
    digests = list(sha256s)
    used: set[str] = set()
    icons = metadata.tables["feeds"].c.icon_sha256
    for column in (*_BLOBS, icons):
        used.update(sha256 for sha256 in work.db.scalars(sa.select(column).where(column.in_(digests))) if sha256)
    return used


def rendition_states(work: UnitOfWork) -> dict[str, int]:
    rows = work.db.execute(sa.select(renditions.c.state, sa.func.count()).group_by(renditions.c.state))
    return {row[0]: row[1] for row in rows}


MOST_COUNTED = 100_000


def unready_renditions(work: UnitOfWork) -> dict[str, int]:
    """How many renditions wait and how many failed, MOST_COUNTED at most of each: those that are ready are nearly all,
    and counting them reads an entry for each."""
    numbers = {}
    for state in ("waiting", "failed"):
        some = sa.select(renditions.c.id).where(renditions.c.state == state).limit(MOST_COUNTED)
        numbers[state] = int(work.db.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0)
    return numbers
