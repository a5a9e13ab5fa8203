"""How many records each collection holds, without counting them.

Every change appends its difference to `collection_count_deltas`, in its own transaction. The deferred writes add these
rows up into `collection_counts` (docs/decisions/0096). A count is the sum of both, so it is exact after each commit,
and two writers never change the same row.
"""

from collections.abc import Sequence
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from vitrine.library.model import CollectionId
from vitrine.library.tables import collection_count_deltas, collection_counts, records
from vitrine.platform.database import UnitOfWork
from vitrine.platform.prepared import Prepared, PreparedInsert

FOLDED_AT_ONCE = 2_000  # rows: a fold holds the write lock of SQLite for a few milliseconds
_counts, _deltas = collection_counts.c, collection_count_deltas.c
_ADD = PreparedInsert(collection_count_deltas, "collection_id", "delta")
_HAS_DELTAS = Prepared(sa.select(_deltas.id).limit(1))


def added(work: UnitOfWork, collection: CollectionId, records: int = 1) -> None:
    """*records* were added to *collection*, or removed from it if negative."""
    _ADD.add(work, {"collection_id": collection, "delta": records})


@lru_cache(maxsize=128)
def _counted(count: int) -> Prepared:
    """The statement for *count* collections."""
    ids: list[sa.BindParameter[int]] = [sa.bindparam(f"id{place}") for place in range(count)]
    parts = sa.union_all(
        sa.select(_counts.collection_id.label("collection"), _counts.records.label("records")).where(
            _counts.collection_id.in_(ids)
        ),
        sa.select(_deltas.collection_id, _deltas.delta).where(_deltas.collection_id.in_(ids)),
    ).subquery()
    return Prepared(sa.select(parts.c.collection, sa.func.sum(parts.c.records)).group_by(parts.c.collection))


def of(work: UnitOfWork, collections: Sequence[CollectionId]) -> dict[CollectionId, int]:
    """The number of records of each of *collections*. Reads a row for each and the changes since the last fold."""
    if not collections:
        return {}
    named = {f"id{place}": collection for place, collection in enumerate(collections)}
    counted = {CollectionId(row[0]): int(row[1]) for row in _counted(len(collections)).all(work, **named)}
    return {collection: counted.get(collection, 0) for collection in collections}


def has_unfolded(work: UnitOfWork) -> bool:
    return _HAS_DELTAS.raw(work) is not None


def fold(work: UnitOfWork) -> int:
    """Add up to FOLDED_AT_ONCE differences to the counts; returns their number. Several processes may fold at once:
    each takes rows that no other holds, and changes the counts in the same order."""
    oldest = sa.select(_deltas.id).order_by(_deltas.id).limit(FOLDED_AT_ONCE).with_for_update(skip_locked=True)
    taken = work.db.execute(
        collection_count_deltas.delete().where(_deltas.id.in_(oldest)).returning(_deltas.collection_id, _deltas.delta)
    ).all()
    totals: dict[int, int] = {}
    for collection, delta in taken:
        totals[collection] = totals.get(collection, 0) + delta
    for collection, total in sorted(totals.items()):
        _increase(work, collection, total)
    return len(taken)


def _increase(work: UnitOfWork, collection: int, by: int) -> None:
    table = collection_counts
    insert = sqlite.insert(table) if work.db.dialect.name == "sqlite" else postgresql.insert(table)
    insert = insert.values(collection_id=collection, records=by)
    work.db.execute(
        insert.on_conflict_do_update(
            index_elements=[_counts.collection_id], set_={"records": _counts.records + insert.excluded.records}
        )
    )


def differences(work: UnitOfWork) -> dict[CollectionId, int]:
    """By how much each count that is wrong is too small. Counts all records, in one statement: one snapshot even where
    a transaction does not have one."""
    parts = sa.union_all(
        sa.select(records.c.collection_id.label("collection"), sa.func.count().label("missing")).group_by(
            records.c.collection_id
        ),
        sa.select(_counts.collection_id, -_counts.records),
        sa.select(_deltas.collection_id, -_deltas.delta),
    ).subquery()
    missing = sa.func.sum(parts.c.missing)
    rows = work.db.execute(sa.select(parts.c.collection, missing).group_by(parts.c.collection).having(missing != 0))
    return {CollectionId(row[0]): int(row[1]) for row in rows}


def repair(work: UnitOfWork) -> int:
    """Make every count right, by a difference like any other: a fold in another process does no harm. Returns the
    number of collections that were wrong. For rows written past `library.store` too."""
    wrong = differences(work)
    for collection, missing in wrong.items():
        added(work, collection, missing)
    return len(wrong)
