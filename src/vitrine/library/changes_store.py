"""SQL of changes to records: values, and removed records that can be restored."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from vitrine.library import bins, counts, store, story_links
from vitrine.library.model import Collection, CollectionId, Record, RecordId, RecordKey
from vitrine.library.tables import (
    document_texts,
    field_values,
    original_versions,
    permalinks,
    records,
    removed_files,
    removed_records,
    renditions,
)
from vitrine.library.value_edits import NEW, ValueEdit
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.schema import Instant, from_micros, metadata, to_micros

PARTS = {
    "values": field_values, "renditions": renditions, "permalinks": permalinks, "texts": document_texts,
    "versions": original_versions,
}  # fmt: skip


_DELETED_AT_ONCE = 500
_SET_VALUE = field_values.update().where(field_values.c.id == sa.bindparam("value_id"))
_TITLE = records.update().where(records.c.id == sa.bindparam("record"))


def write_edits(work: UnitOfWork, edits: Sequence[ValueEdit]) -> None:
    """Write the changed values of any number of records, in a few statements."""
    removed: list[int] = []
    updated: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    added: list[dict[str, Any]] = []
    positions = _next_positions(work, [edit.record.id for edit in edits])
    for edit in edits:
        stored = {value.id: value.value for values in edit.stored.values() for value in values}
        final = [value for values in edit.values.values() for value in values]
        removed += stored.keys() - {value.id for value in final}
        updated += [
            {"value_id": value.id, "value": value.value}
            for value in final
            if value.id != NEW and stored[value.id] != value.value
        ]
        position = positions.get(edit.record.id, 0)
        for value in final:
            if value.id == NEW:
                row = {"record_id": edit.record.id, "field_id": value.field_id, "value": value.value}
                added.append({**row, "position": position})
            elif value.field_id in edit.reordered:
                moved.append({"value_id": value.id, "position": position})
            position += 1
    for start in range(0, len(removed), _DELETED_AT_ONCE):
        some = removed[start : start + _DELETED_AT_ONCE]
        work.db.execute(field_values.delete().where(field_values.c.id.in_(some)))
    if updated:
        work.db.execute(_SET_VALUE.values(value=sa.bindparam("value")), updated)
    if moved:
        work.db.execute(_SET_VALUE.values(position=sa.bindparam("position")), moved)
    if added:
        work.db.execute(field_values.insert(), added)


def _next_positions(work: UnitOfWork, ids: Sequence[RecordId]) -> dict[RecordId, int]:
    """After the last value of each record."""
    last = sa.func.max(field_values.c.position)
    statement = sa.select(field_values.c.record_id, last).where(field_values.c.record_id.in_(list(ids)))
    return {RecordId(row[0]): int(row[1]) + 1 for row in work.db.execute(statement.group_by(field_values.c.record_id))}


def set_titles(work: UnitOfWork, titles: Mapping[RecordId, tuple[str, dict[str, str] | None]]) -> None:
    """Title and titles by language after a change of values; each record is marked as changed."""
    rows = [
        {"record": record_id, "title": title, "titles": by_language}
        for record_id, (title, by_language) in titles.items()
    ]
    if rows:
        new = {"title": sa.bindparam("title"), "titles": sa.bindparam("titles"), "updated": work.now}
        work.db.execute(_TITLE.values(new), rows)


def set_statuses(work: UnitOfWork, statuses: Mapping[RecordId, int]) -> None:
    rows = [{"record": record_id, "status": status} for record_id, status in statuses.items()]
    if rows:
        work.db.execute(_TITLE.values(status=sa.bindparam("status"), updated=work.now), rows)


def move(
    work: UnitOfWork, moved: Sequence[Record], into: CollectionId, collections: Mapping[CollectionId, Collection]
) -> None:
    """Move records of other collections, into a bin or out of it too; the numbers of records follow. The caller has
    them locked or writes alone."""
    leaving: dict[CollectionId, list[RecordId]] = {}
    for record in moved:
        leaving.setdefault(record.collection_id, []).append(record.id)
    for source, ids in leaving.items():
        columns = bins.columns_on_move(collections[source], collections[into])
        new = {"collection_id": into, "updated": work.now, **columns}
        work.db.execute(records.update().where(records.c.id.in_(ids)).values(new))
        counts.added(work, source, -len(ids))
    if moved:
        counts.added(work, into, len(moved))


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
    blobs.update(part["sha256"] for name in ("renditions", "versions") for part in kept[name])
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


def restore_removed(work: UnitOfWork, kept: Mapping[str, Any], fields: Iterable[int], status: int) -> RecordId:
    """Write the record again under a new internal id, with *status*. Values of fields deleted since are left out."""
    # Its places in feeds are lost, and with them what they opened.
    fresh = {"cover_record_id": None, "in_public_feed": False, "status": status, "updated": work.now}
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
