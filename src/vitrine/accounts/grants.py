"""Rights on single records, given by a basket, a vote, an order or a push (06 section 17.5).

They are asked for the records of a request, never loaded as a whole: a person may hold hundreds of thousands. Only the
search needs all of them, as bare numbers (docs/decisions/0097).
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from vitrine.accounts.model import Actor
from vitrine.accounts.tables import record_grants
from vitrine.platform.database import UnitOfWork
from vitrine.platform.prepared import Prepared

_CHUNK = 500  # records a statement
_grants = record_grants.c


@lru_cache(maxsize=128)
def _granted(count: int) -> Prepared:
    """The statement for *count* records."""
    ids: list[sa.BindParameter[int]] = [sa.bindparam(f"id{place}") for place in range(count)]
    return Prepared(
        sa.select(_grants.record_id, _grants.document, _grants.expires).where(
            _grants.user_id == sa.bindparam("person"), _grants.record_id.in_(ids)
        )
    )


def on_records(work: UnitOfWork, actor: Actor, ids: Sequence[int]) -> Mapping[int, bool]:
    """Those of *ids* on which *actor* holds a live grant; true where one covers the original too. Every grant shows
    previews. No statement for people who hold no grants."""
    best: dict[int, bool] = {}
    if not actor.rights.has_grants or not ids:
        return best
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        named = {f"id{place}": record_id for place, record_id in enumerate(chunk)}
        for record_id, document, expires in _granted(len(chunk)).all(work, person=actor.user_id, **named):
            if expires is None or expires > work.now:
                best[record_id] = bool(document) or best.get(record_id, False)
    return best


def all_live(work: UnitOfWork, user_id: int, most: int | None = None) -> tuple[Sequence[int], datetime | None]:
    """(the records on which a person holds a live grant, in ascending order; the instant when the first of these grants
    expires, None if none does). At most *most* rows are read."""
    is_live = sa.or_(_grants.expires.is_(None), _grants.expires > work.now)
    query = (
        sa.select(_grants.record_id, _grants.expires)
        .where(_grants.user_id == user_id, is_live)
        .order_by(_grants.record_id)
        .limit(most)
    )
    records: array[int] = array("q")
    earliest: datetime | None = None
    for record_id, expires in _rows(work, query):
        if not records or records[-1] != record_id:
            records.append(record_id)
        if expires is not None and (earliest is None or expires < earliest):
            earliest = expires
    return records, earliest


def _rows(work: UnitOfWork, query: sa.Select[Any]) -> Iterator[tuple[int, datetime | None]]:
    """Without a list of all rows, on both databases."""
    with work.db.execute(query, execution_options={"yield_per": 5_000}) as rows:
        for row in rows:
            yield row[0], row[1]
