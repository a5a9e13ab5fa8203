"""SQL of the originals that were replaced."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from vitrine.library import store
from vitrine.library.model import DOCUMENT, RecordId
from vitrine.library.tables import document_texts, original_versions, records, renditions
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.expiry import Expiry

MOST_VERSIONS = 20  # of a record; the oldest goes when another comes
RECORD_COLUMNS = (
    "kind", "mime", "original_name", "sha256", "size", "technical", "width", "height", "duration_ms", "rotation",
)  # fmt: skip
DOCUMENT_COLUMNS = ("state", "sha256", "mime", "extension", "width", "height", "size", "substituted")
LISTED = ("id", "name", "mime", "size", "replaced_at", "replaced_by", "sha256")
_columns = original_versions.c


def keep(work: UnitOfWork, record_id: RecordId, user_id: int | None) -> int | None:
    """Keep the present original of a record as a version; returns its number, None for a record without one."""
    row = work.db.execute(sa.select(*(records.c[name] for name in RECORD_COLUMNS)).where(records.c.id == record_id))
    record = row.mappings().one()
    document = (
        work.db.execute(
            sa.select(*(renditions.c[name] for name in DOCUMENT_COLUMNS)).where(
                renditions.c.record_id == record_id, renditions.c.name == DOCUMENT
            )
        )
        .mappings()
        .first()
    )
    if record["sha256"] is None or document is None:
        return None
    texts = work.db.execute(
        sa.select(document_texts.c.pages, document_texts.c.text).where(document_texts.c.record_id == record_id)
    ).first()
    values = {
        "record_id": record_id,
        "sha256": record["sha256"],
        "name": record["original_name"] or "document",
        "mime": document["mime"],
        "size": record["size"] or 0,
        "kept": {
            "record": dict(record), "document": dict(document), "pages": texts[0] if texts else None,
            "text": texts[1] if texts else "",
        },
        "replaced_at": work.now,
        "replaced_by": user_id,
    }  # fmt: skip
    version = inserted_id(work.db.execute(original_versions.insert().values(**values)))
    _drop_oldest(work, record_id)
    return version


def _drop_oldest(work: UnitOfWork, record_id: RecordId) -> None:
    ids = list(work.db.scalars(sa.select(_columns.id).where(_columns.record_id == record_id).order_by(_columns.id)))
    if len(ids) > MOST_VERSIONS:
        work.db.execute(original_versions.delete().where(_columns.id.in_(ids[:-MOST_VERSIONS])))


def listed(work: UnitOfWork, record_id: RecordId) -> Sequence[Any]:
    """Rows of LISTED, the newest first; at most MOST_VERSIONS."""
    columns = [_columns[name] for name in LISTED]
    own = sa.select(*columns).where(_columns.record_id == record_id)
    return work.db.execute(own.order_by(_columns.id.desc()).limit(MOST_VERSIONS)).all()


def kept(work: UnitOfWork, record_id: RecordId, version: int) -> dict[str, Any] | None:
    """What was kept of a version."""
    own = (_columns.id == version, _columns.record_id == record_id)
    row = work.db.execute(sa.select(_columns.kept).where(*own)).first()
    return None if row is None else dict(row[0])


def delete(work: UnitOfWork, version: int) -> None:
    work.db.execute(original_versions.delete().where(_columns.id == version))


def of_file(work: UnitOfWork, record_id: RecordId, sha256: str) -> int | None:
    """The newest version with these bytes."""
    own = (_columns.record_id == record_id, _columns.sha256 == sha256)
    newest: int | None = work.db.scalar(sa.select(sa.func.max(_columns.id)).where(*own))
    return newest


def set_rotation(work: UnitOfWork, record_id: RecordId, degrees: int) -> None:
    store.update_record(work, record_id, {"rotation": degrees})


def expiry(kept_for: timedelta) -> Expiry:
    """The versions whose time is over; the sweep then deletes their bytes."""
    return Expiry(original_versions, lambda work: _columns.replaced_at < work.now - kept_for)
