"""SQL of derivatives: files made on demand from others, such as overlaid copies and pictures of quarantined files.

They can be made again at any time. Renditions, which belong to a record, are in `store.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from vitrine.library.tables import derived_files, quarantine_items, records, renditions
from vitrine.platform.database import UnitOfWork
from vitrine.platform.prepared import Prepared

_COLUMNS = [derived_files.c[name] for name in ("sha256", "mime", "extension", "size", "created")]
_BY_SOURCE = Prepared(
    sa.select(*_COLUMNS).where(
        derived_files.c.source == sa.bindparam("source"), derived_files.c.recipe == sa.bindparam("recipe")
    )
)
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Derivative:
    """A file made from another file; *size* in bytes."""

    sha256: str
    mime: str
    extension: str
    size: int
    created: datetime


def find(work: UnitOfWork, source: str, recipe: str) -> Derivative | None:
    row = _BY_SOURCE.first(work, source=source, recipe=recipe)
    return Derivative(*row) if row else None


def save(work: UnitOfWork, source: str, recipe: str, derivative: Derivative) -> None:
    """Store a derivative. If two servers make the same one at once, the later row counts."""
    insert = insert_sqlite if work.db.dialect.name == "sqlite" else insert_postgresql
    values = {name: getattr(derivative, name) for name in Derivative.__dataclass_fields__}
    row = insert(derived_files).values(source=source, recipe=recipe, **values)
    work.db.execute(row.on_conflict_do_update(index_elements=["source", "recipe"], set_=values))


def referenced(work: UnitOfWork, sha256s: Iterable[str]) -> set[str]:
    return set(work.db.scalars(sa.select(derived_files.c.sha256).where(derived_files.c.sha256.in_(list(sha256s)))))


def prune(work: UnitOfWork, older_than: datetime) -> int:
    """Delete rows of copies whose source is no longer needed and of copies made before *older_than*, one batch at a
    time."""
    used = [
        sa.exists().where(column == derived_files.c.source)
        for column in (renditions.c.sha256, records.c.sha256, quarantine_items.c.sha256)
    ]
    stale = (
        sa.select(derived_files.c.source, derived_files.c.recipe)
        .where(sa.or_(~sa.or_(*used), derived_files.c.created < older_than))
        .limit(_BATCH)
    )
    rows = work.db.execute(stale).all()
    for source, recipe in rows:
        work.db.execute(
            derived_files.delete().where(derived_files.c.source == source, derived_files.c.recipe == recipe)
        )
    return len(rows)
