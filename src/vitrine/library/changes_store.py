"""SQL of changes to records: values, and removed records that can be restored."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from vitrine.library import store, story_links
from vitrine.library.model import FieldId, RecordId, RecordKey
from vitrine.library.tables import (
    document_texts,
    field_values,
    permalinks,
    records,
    removed_files,
    removed_records,
    renditions,
)
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.schema import Instant, from_micros, metadata, to_micros

PARTS = {"values": field_values, "renditions": renditions, "permalinks": permalinks, "texts": document_texts}


def next_position(work: UnitOfWork, record_id: RecordId) -> int:
    last = work.db.scalar(sa.select(sa.func.max(field_values.c.position)).where(field_values.c.record_id == record_id))
    return 0 if last is None else int(last) + 1


def add_value(work: UnitOfWork, record_id: RecordId, field_id: FieldId, value: str, position: int) -> int:
    row = field_values.insert().values(record_id=record_id, field_id=field_id, value=value, position=position)
    return inserted_id(work.db.execute(row))


def set_value(work: UnitOfWork, value_id: int, value: str) -> None:
    work.db.execute(field_values.update().where(field_values.c.id == value_id).values(value=value))


def delete_values(work: UnitOfWork, ids: Sequence[int]) -> None:
    if ids:
        work.db.execute(field_values.delete().where(field_values.c.id.in_(list(ids))))


def finish_rendition(
    work: UnitOfWork, record_id: RecordId, name: str, values: Mapping[str, Any], *, again: str | None = None
) -> int:
    """Store the outcome of a rendition that is waiting, or that failed with the code *again*. Returns 0 when it no
    longer waits because somebody has replaced it by hand, or when the record is deleted."""
    is_rendition = sa.and_(renditions.c.record_id == record_id, renditions.c.name == name)
    is_waiting = renditions.c.state == "waiting"
    if again is not None:
        is_waiting = sa.or_(is_waiting, sa.and_(renditions.c.state == "failed", renditions.c.failure == again))
    return work.db.execute(
        renditions.update().where(is_rendition, is_waiting).values(updated=work.now, **values)
    ).rowcount


def delete_rendition(work: UnitOfWork, record_id: RecordId, name: str) -> None:
    work.db.execute(renditions.delete().where(renditions.c.record_id == record_id, renditions.c.name == name))


# -- removed records ---------------------------------------------------------------------------------------------------


def _plain(table: sa.Table, row: Any) -> dict[str, Any]:
    """A row with its instants as numbers, so that it survives as JSON."""
    return {
        column.name: to_micros(row[column.name])
        if isinstance(column.type, Instant) and row[column.name] is not None
        else row[column.name]
        for column in table.columns
    }


def _row(table: sa.Table, plain: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse. Columns added since get their default; columns dropped since are left out."""
    return {
        column.name: from_micros(plain[column.name])
        if isinstance(column.type, Instant) and plain[column.name] is not None
        else plain[column.name]
        for column in table.columns
        if column.name in plain
    }


def keep_removed(work: UnitOfWork, record_id: RecordId, remover: int | None) -> None:
    """Copy everything about a record into one row, and the digests of its files beside it."""
    record_row = work.db.execute(sa.select(records).where(records.c.id == record_id)).mappings().one()
    kept: dict[str, Any] = {"record": _plain(records, record_row)}
    blobs = {record_row["sha256"]}
    for name, table in PARTS.items():
        rows = work.db.execute(
            sa.select(table).where(table.c.record_id == record_id).order_by(*table.primary_key)
        ).mappings()
        kept[name] = [_plain(table, row) for row in rows]
    blobs.update(rendition["sha256"] for rendition in kept["renditions"])
    if record_row["is_story"]:
        kept["children"] = story_links.kept_children(work, record_id)
    removed_id = inserted_id(
        work.db.execute(
            removed_records.insert().values(
                databox_id=record_row["databox_id"],
                number=record_row["number"],
                title=record_row["title"],
                removed_at=work.now,
                removed_by=remover,
                kept=kept,
            )
        )
    )
    files = [{"removed_id": removed_id, "sha256": digest} for digest in sorted(digest for digest in blobs if digest)]
    if files:
        work.db.execute(removed_files.insert(), files)


def removed(work: UnitOfWork, key: RecordKey) -> tuple[int, dict[str, Any]] | None:
    """(id, what was kept) of a removed record."""
    row = work.db.execute(
        sa.select(removed_records.c.id, removed_records.c.kept).where(
            removed_records.c.databox_id == key.databox, removed_records.c.number == key.number
        )
    ).first()
    return (row[0], row[1]) if row else None


def all_removed(work: UnitOfWork, limit: int = 1000) -> list[Any]:
    """Removed records that can be restored, newest first."""
    columns = removed_records.c
    query = sa.select(columns.databox_id, columns.number, columns.title, columns.removed_at)
    return list(work.db.execute(query.order_by(columns.removed_at.desc(), columns.id.desc()).limit(limit)))


def restore_removed(work: UnitOfWork, kept: Mapping[str, Any], fields: Iterable[int]) -> RecordId:
    """Write the record again under a new internal id. Values of fields deleted since are left out."""
    # Its places in feeds are lost, and with them what they opened.
    fresh = {"cover_record_id": None, "in_public_feed": False, "updated": work.now}
    values = {**_row(records, kept["record"]), **fresh}
    values.pop("id")
    users = metadata.tables["users"]
    creator = values.get("creator_id")
    if creator is not None and work.db.execute(sa.select(users.c.id).where(users.c.id == creator)).first() is None:
        values["creator_id"] = None
    record_id = store.add_record(work, values)  # a copy made earlier has no folded name
    known = set(fields)
    for name, table in PARTS.items():
        for plain in kept.get(name, ()):  # copies made by earlier versions have fewer parts
            if name == "values" and plain["field_id"] not in known:
                continue
            row = {**_row(table, plain), "record_id": record_id}
            row.pop("id", None)
            work.db.execute(table.insert().values(**row))
    if values.get("is_story"):
        story_links.restore_children(work, record_id, values["databox_id"], kept.get("children", ()))
    return record_id


def delete_removed(work: UnitOfWork, removed_id: int) -> None:
    work.db.execute(removed_records.delete().where(removed_records.c.id == removed_id))


def expired_removed(work: UnitOfWork, before: datetime, limit: int) -> list[int]:
    """The ids of copies of records removed before *before*."""
    columns = removed_records.c
    return list(work.db.scalars(sa.select(columns.id).where(columns.removed_at <= before).limit(limit)))


def purge_removed(work: UnitOfWork, ids: Sequence[int], before: datetime) -> list[str]:
    """Delete those of these copies that are still expired. Returns the digests of their files."""
    over = sa.and_(removed_records.c.id.in_(ids), removed_records.c.removed_at <= before)
    over_ids = sa.select(removed_records.c.id).where(over)
    digests = list(work.db.scalars(sa.select(removed_files.c.sha256).where(removed_files.c.removed_id.in_(over_ids))))
    work.db.execute(removed_records.delete().where(over))
    return sorted(set(digests))
