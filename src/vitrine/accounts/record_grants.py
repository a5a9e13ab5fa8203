"""Grants on single records: what a basket, vote, order or push gives a person (contract 06 sections 12 and 17.5).

Each source gives a person at most one grant on a record. Grants of several sources stand side by side, the best one
counts, and a source that ends takes its own away and leaves the others.

They are read for the records of a request, never loaded as a whole: a person may hold hundreds of thousands. Only the
search needs all of them, as bare numbers (docs/decisions/0097).
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from vitrine.accounts.model import Actor, UserId
from vitrine.accounts.tables import record_grants, users
from vitrine.platform.database import UnitOfWork
from vitrine.platform.prepared import Prepared
from vitrine.platform.schema import Instant, metadata

_CHUNK = 500  # records a statement
_grants = record_grants.c


class SourceKind(StrEnum):
    BASKET = "basket"
    VOTE = "vote"
    ORDER = "order"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class GrantSource:
    """What gave a grant: *id* is that of the basket, vote, order or push. Ids are never given twice, so a source that
    is gone is never mistaken for another one."""

    kind: SourceKind
    id: int


_GIVE = sa.text(
    "INSERT INTO record_grants (user_id, record_id, document, source_kind, source_id, giver_id, expires, created)"
    " VALUES (:user_id, :record_id, :document, :source_kind, :source_id, :giver_id, :expires, :created)"
    " ON CONFLICT (user_id, record_id, source_kind, source_id) DO UPDATE"
    " SET document = excluded.document, giver_id = excluded.giver_id, expires = excluded.expires"
).bindparams(
    sa.bindparam("document", type_=sa.Boolean()),
    sa.bindparam("source_kind", type_=sa.String()),
    sa.bindparam("source_id", type_=sa.BigInteger()),
    sa.bindparam("giver_id", type_=sa.BigInteger()),
    sa.bindparam("expires", type_=Instant()),
    sa.bindparam("created", type_=Instant()),
)


def give(
    work: UnitOfWork,
    user_id: UserId,
    record_ids: Iterable[int],
    source: GrantSource,
    *,
    giver_id: int | None,
    document: bool = False,
    expires: datetime | None = None,
) -> None:
    """Let a person see these records, and fetch their originals if *document*. What the same source gave before on one
    of them is replaced; what others gave stays."""
    rows = [
        {
            "user_id": user_id, "record_id": record_id, "document": document, "source_kind": source.kind.value,
            "source_id": source.id, "giver_id": giver_id, "expires": expires, "created": work.now,
        }
        for record_id in sorted(set(record_ids))
    ]  # fmt: skip
    if rows:
        work.db.execute(_GIVE, rows)
        _rights_changed(work, users.c.id == user_id)


def end(
    work: UnitOfWork,
    source: GrantSource,
    *,
    user_id: UserId | None = None,
    record_ids: Iterable[int] | None = None,
    giver_id: int | None = None,
) -> int:
    """Delete what *source* gave, to one person or to everybody, on these records or on all, by one giver or by any;
    return how many grants."""
    if record_ids is None:
        return _end(work, source, user_id, None, giver_id)
    wanted = sorted(set(record_ids))
    chunks = (wanted[start : start + _CHUNK] for start in range(0, len(wanted), _CHUNK))
    return sum(_end(work, source, user_id, chunk, giver_id) for chunk in chunks)


def _end(
    work: UnitOfWork,
    source: GrantSource,
    user_id: UserId | None,
    record_ids: Sequence[int] | None,
    giver_id: int | None,
) -> int:
    own = _of(source, user_id)
    if record_ids is not None:
        own = sa.and_(own, record_grants.c.record_id.in_(record_ids))
    if giver_id is not None:
        own = sa.and_(own, record_grants.c.giver_id == giver_id)
    _rights_changed(work, users.c.id.in_(sa.select(record_grants.c.user_id).where(own)))
    return work.db.execute(record_grants.delete().where(own)).rowcount


def narrow(work: UnitOfWork, source: GrantSource, user_id: UserId, *, document: bool, expires: datetime | None) -> None:
    """What *source* gave a person ends at *expires* at the latest, and without *document* gives no original."""
    own, changed = _of(source, user_id), 0
    if expires is not None:
        longer = sa.or_(_grants.expires.is_(None), _grants.expires > expires)
        changed += work.db.execute(record_grants.update().where(own, longer).values(expires=expires)).rowcount
    if not document:
        changed += work.db.execute(record_grants.update().where(own, _grants.document).values(document=False)).rowcount
    if changed:
        _rights_changed(work, users.c.id == user_id)


def _of(source: GrantSource, user_id: UserId | None) -> sa.ColumnElement[bool]:
    own = sa.and_(_grants.source_kind == source.kind.value, _grants.source_id == source.id)
    return own if user_id is None else sa.and_(own, _grants.user_id == user_id)


def _rights_changed(work: UnitOfWork, who: sa.ColumnElement[bool]) -> None:
    work.db.execute(users.update().where(who).values(rights_version=users.c.rights_version + 1))


# -- reading -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=128)
def _granted(count: int) -> Prepared:
    """The statement for *count* records."""
    ids: list[sa.BindParameter[int]] = [sa.bindparam(f"id{place}") for place in range(count)]
    records, collections = metadata.tables["records"], metadata.tables["collections"]
    return Prepared(
        sa.select(_grants.record_id, _grants.document, _grants.expires)
        .join(records, records.c.id == _grants.record_id)
        .join(collections, collections.c.id == records.c.collection_id)
        .where(_grants.user_id == sa.bindparam("person"), _grants.record_id.in_(ids), collections.c.enabled)
    )


def on_records(work: UnitOfWork, actor: Actor, ids: Sequence[int]) -> Mapping[int, bool]:
    """Those of *ids* on which *actor* holds a live grant; true where one covers the original too. Every grant shows
    previews; none shows a record of a disabled collection. No statement for people who hold no grants."""
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


@dataclass(frozen=True, slots=True)
class Ends:
    """Until when a person's grants on a record show it, and until when they give its original; None is without end.
    *has_original* is false where none gives the original."""

    sight: datetime | None
    has_original: bool = False
    original: datetime | None = None


def ends_on(work: UnitOfWork, actor: Actor, ids: Sequence[int]) -> Mapping[int, Ends]:
    """`on_records` with the last instant of each: that of the live grant that lasts longest."""
    sights: dict[int, datetime | None] = {}
    originals: dict[int, datetime | None] = {}
    if not actor.rights.has_grants:
        return {}
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        named = {f"id{place}": record_id for place, record_id in enumerate(chunk)}
        for record_id, document, expires in _granted(len(chunk)).all(work, person=actor.user_id, **named):
            if expires is None or expires > work.now:
                for ends in (sights, originals) if document else (sights,):
                    ends[record_id] = later(ends.get(record_id, expires), expires)
    return {number: Ends(end, number in originals, originals.get(number)) for number, end in sights.items()}


@dataclass(frozen=True, slots=True)
class Given:
    record_id: int
    giver_id: int
    document: bool


def given_by_others(work: UnitOfWork, source: GrantSource, user_id: UserId, actor: Actor) -> list[Given]:
    """What *source* gave a person and another giver than *actor* put there; as many as the source has records."""
    others = sa.and_(_grants.giver_id.is_not(None), _grants.giver_id != actor.user_id)
    query = sa.select(_grants.record_id, _grants.giver_id, _grants.document).where(_of(source, user_id), others)
    return [Given(*row) for row in work.db.execute(query.order_by(_grants.record_id))]


def later(first: datetime | None, second: datetime | None) -> datetime | None:
    """Of two ends, where None is none."""
    return None if first is None or second is None else max(first, second)


def earlier(*ends: datetime | None) -> datetime | None:
    """The first of several ends, where None is none."""
    return min((end for end in ends if end is not None), default=None)


def all_live(work: UnitOfWork, user_id: int, most: int | None = None) -> tuple[Sequence[int], datetime | None]:
    """(the records on which a person holds a live grant, in ascending order, without those of disabled collections; the
    instant when the first of these grants expires, None if none does). At most *most* rows are read."""
    is_live = sa.or_(_grants.expires.is_(None), _grants.expires > work.now)
    disabled = _disabled_collections(work)
    if disabled:
        granted = metadata.tables["records"]
        hidden = sa.exists().where(granted.c.id == _grants.record_id, granted.c.collection_id.in_(disabled))
        is_live = sa.and_(is_live, ~hidden)
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


def _disabled_collections(work: UnitOfWork) -> list[int]:
    collections = metadata.tables["collections"]
    return list(work.db.scalars(sa.select(collections.c.id).where(~collections.c.enabled)))


def _rows(work: UnitOfWork, query: sa.Select[Any]) -> Iterator[tuple[int, datetime | None]]:
    """Without a list of all rows, on both databases."""
    with work.db.execute(query, execution_options={"yield_per": 5_000}) as rows:
        for row in rows:
            yield row[0], row[1]
