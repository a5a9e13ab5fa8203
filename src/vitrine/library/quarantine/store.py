"""SQL of the quarantine: waiting items, and the check policies."""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from vitrine.library.model import CollectionId, DataboxId, Record
from vitrine.library.store import folded_name
from vitrine.library.tables import quarantine_checks, quarantine_items, records
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.prepared import Prepared

_RECORD = [records.c[name] for name in Record.__dataclass_fields__]
INSTANCE, DATABOX, COLLECTION = "instance", "databox", "collection"
_NUMBERS_A_STATEMENT = 1_000
HIGHEST_ID = 2**63 - 1
MOST_COUNTED = 1_000
_COLLECTIONS_A_STATEMENT = 300  # SQLite takes 500 parts of a UNION


@dataclass(frozen=True, slots=True)
class Item:
    """A file that waits for a decision. *checks* maps the checks it failed to the numbers of clashing records;
    *attributes* are for its record; *session_id* is the first item of the same upload."""

    id: int
    collection_id: CollectionId
    user_id: int | None
    session: str
    original_name: str
    sha256: str
    uuid: str
    size: int
    mime: str
    forced: bool
    checks: Mapping[str, Sequence[int]]
    attributes: Mapping[str, Any]
    created: datetime
    updated: datetime
    session_id: int


_items = quarantine_items.c
_new_item: Callable[..., Item] = Item
_first = quarantine_items.alias()
_COLUMNS = [quarantine_items.c[name] for name in Item.__dataclass_fields__ if name != "session_id"]
_SELECT = sa.select(
    *_COLUMNS,
    sa.select(sa.func.min(_first.c.id)).where(_first.c.session == quarantine_items.c.session).scalar_subquery(),
)


def add(work: UnitOfWork, values: Mapping[str, Any]) -> int:
    """Returns the id of the item."""
    return inserted_id(work.db.execute(quarantine_items.insert().values(created=work.now, updated=work.now, **values)))


def page(work: UnitOfWork, bases: Iterable[int], offset: int, limit: int, before: int | None = None) -> list[Item]:
    """Newest first; with *before* those older than that item. No more of a collection is looked at than may stand on
    this page or before it."""
    ids = _newest(work, sorted(bases), offset + limit, HIGHEST_ID if before is None else before)[offset:]
    if not ids:
        return []
    rows = work.db.execute(_SELECT.where(quarantine_items.c.id.in_(ids)).order_by(quarantine_items.c.id.desc()))
    return [_new_item(*row) for row in rows]


def _newest(work: UnitOfWork, bases: Sequence[int], most: int, before: int) -> list[int]:
    """The ids of the newest *most* items of these collections that are older than *before*, newest first."""
    ids: list[int] = []
    for start in range(0, len(bases), _COLLECTIONS_A_STATEMENT):
        named = {f"base{place}": base for place, base in enumerate(bases[start : start + _COLLECTIONS_A_STATEMENT])}
        ids += (row[0] for row in _newest_of(len(named)).all(work, most=most, before=before, **named))
    return heapq.nlargest(most, ids)


@lru_cache(maxsize=128)
def _newest_of(count: int) -> Prepared:
    """The statement for *count* collections: compiling it takes ten times as long as running it."""
    most, before = sa.bindparam("most", type_=sa.Integer()), sa.bindparam("before", type_=sa.BigInteger())
    newest_of_each = [
        sa.select(
            sa.select(_items.id)
            .where(_items.collection_id == sa.bindparam(f"base{place}"), _items.id < before)
            .order_by(_items.id.desc())
            .limit(most)
            .subquery()
            .c.id
        )
        for place in range(count)
    ]
    newest = sa.union_all(*newest_of_each).subquery()
    return Prepared(sa.select(newest.c.id).order_by(newest.c.id.desc()).limit(most))


def count(work: UnitOfWork, bases: Iterable[int]) -> int:
    """How many wait; MOST_COUNTED + 1 stands for more than MOST_COUNTED."""
    some = sa.select(quarantine_items.c.id).where(quarantine_items.c.collection_id.in_(list(bases)))
    return int(work.db.scalar(sa.select(sa.func.count()).select_from(some.limit(MOST_COUNTED + 1).subquery())) or 0)


def get(work: UnitOfWork, item: int) -> Item | None:
    row = work.db.execute(_SELECT.where(quarantine_items.c.id == item)).first()
    return _new_item(*row) if row else None


def holds(work: UnitOfWork, base: CollectionId, sha256: str) -> bool:
    waiting = sa.select(quarantine_items.c.id).where(
        quarantine_items.c.sha256 == sha256, quarantine_items.c.collection_id == base
    )
    return work.db.execute(waiting.limit(1)).first() is not None


def take(work: UnitOfWork, item: int) -> bool:
    """Delete an item; False when somebody else decided first. The row can be deleted only once."""
    return work.db.execute(quarantine_items.delete().where(quarantine_items.c.id == item)).rowcount == 1


def matches(work: UnitOfWork, databox: DataboxId, numbers: Iterable[int]) -> dict[int, Record]:
    """The records of these numbers that exist, by number in ascending order; a statement for every thousand."""
    distinct = sorted(set(numbers))
    by_number: dict[int, Record] = {}
    for start in range(0, len(distinct), _NUMBERS_A_STATEMENT):
        some = distinct[start : start + _NUMBERS_A_STATEMENT]
        query = sa.select(*_RECORD).where(records.c.databox_id == databox, records.c.number.in_(some))
        for row in work.db.execute(query.order_by(records.c.number)):
            record = Record(*row)
            by_number[record.number] = record
    return by_number


def same_name(work: UnitOfWork, databox: DataboxId, name: str, *, sensitive: bool) -> list[Record]:
    same = records.c.original_name_folded == folded_name(name)  # indexed; equal names are equal when folded
    if sensitive:
        same = sa.and_(same, records.c.original_name == name)
    query = sa.select(*_RECORD).where(records.c.databox_id == databox, same).order_by(records.c.id).limit(50)
    return [Record(*row) for row in work.db.execute(query)]


def policies(work: UnitOfWork, collections: Iterable[tuple[int, int]]) -> dict[int, list[dict[str, Any]]]:
    """The policies for each of these (databox, collection), by collection: those of instance, databox and collection,
    in rising order of precedence. One statement, which reads at most one row for each of them."""
    scopes = {
        collection: [(INSTANCE, 0), (DATABOX, databox), (COLLECTION, collection)] for databox, collection in collections
    }
    wanted = sorted({scope for own in scopes.values() for scope in own})
    rows = work.db.execute(
        sa.select(quarantine_checks.c.scope, quarantine_checks.c.scope_id, quarantine_checks.c.policy).where(
            sa.tuple_(quarantine_checks.c.scope, quarantine_checks.c.scope_id).in_(wanted)
        )
    )
    by_scope = {(row[0], row[1]): row[2] for row in rows}
    return {collection: [by_scope[scope] for scope in own if scope in by_scope] for collection, own in scopes.items()}


def has_policy(work: UnitOfWork, scope: str, scope_id: int) -> bool:
    is_scope = sa.and_(quarantine_checks.c.scope == scope, quarantine_checks.c.scope_id == scope_id)
    return work.db.execute(sa.select(quarantine_checks.c.scope).where(is_scope)).first() is not None


def set_policy(work: UnitOfWork, scope: str, scope_id: int, policy: Mapping[str, Any] | None) -> None:
    """None deletes the policy."""
    is_scope = sa.and_(quarantine_checks.c.scope == scope, quarantine_checks.c.scope_id == scope_id)
    work.db.execute(quarantine_checks.delete().where(is_scope))
    if policy is not None:
        work.db.execute(quarantine_checks.insert().values(scope=scope, scope_id=scope_id, policy=policy))
