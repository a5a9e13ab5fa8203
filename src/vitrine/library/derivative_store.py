"""SQL of derivatives: files made on demand from others, such as overlaid copies and pictures of quarantined files.

They can be made again at any time. Renditions, which belong to a record, are in `store.py`.
"""

from collections.abc import Iterable, Sequence
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


Key = tuple[str, str]


def keys_after(work: UnitOfWork, after: Key, rows: int) -> list[Key]:
    """The keys of the next rows, in their order."""
    key = (derived_files.c.source, derived_files.c.recipe)
    keys = sa.select(*key).where(sa.tuple_(*key) > sa.tuple_(*after)).order_by(*key).limit(rows)
    return [(row[0], row[1]) for row in work.db.execute(keys)]


def stale(work: UnitOfWork, keys: Sequence[Key], older_than: datetime) -> list[Key]:
    """Those of *keys* whose source is no longer needed, and those of copies made before *older_than*."""
    if not keys:
        return []
    used = [
        sa.exists().where(column == derived_files.c.source)
        for column in (renditions.c.sha256, records.c.sha256, quarantine_items.c.sha256)
    ]
    named = derived_files.c.source.in_({source for source, _ in keys})
    is_stale = sa.or_(~sa.or_(*used), derived_files.c.created < older_than)
    rows = work.db.execute(sa.select(derived_files.c.source, derived_files.c.recipe).where(named, is_stale))
    known = set(keys)
    return [(row[0], row[1]) for row in rows if (row[0], row[1]) in known]


def delete(work: UnitOfWork, keys: Sequence[Key]) -> None:
    for source, recipe in keys:
        row = sa.and_(derived_files.c.source == source, derived_files.c.recipe == recipe)
        work.db.execute(derived_files.delete().where(row))
