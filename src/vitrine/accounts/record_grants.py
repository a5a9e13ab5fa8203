"""Grants on single records: what a basket, vote, order or push gives a person (contract 06 sections 12 and 17.5).

Each source gives a person at most one grant on a record. Grants of several sources stand side by side, the best one
counts, and a source that ends takes its own away and leaves the others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from vitrine.accounts.model import UserId
from vitrine.accounts.tables import record_grants, users
from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import Instant


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


def end(work: UnitOfWork, source: GrantSource, *, user_id: UserId | None = None) -> int:
    """Delete what *source* gave, to one person or to everybody; return how many grants."""
    own = sa.and_(record_grants.c.source_kind == source.kind.value, record_grants.c.source_id == source.id)
    if user_id is not None:
        own = sa.and_(own, record_grants.c.user_id == user_id)
    _rights_changed(work, users.c.id.in_(sa.select(record_grants.c.user_id).where(own)))
    return work.db.execute(record_grants.delete().where(own)).rowcount


def _rights_changed(work: UnitOfWork, who: sa.ColumnElement[bool]) -> None:
    work.db.execute(users.update().where(who).values(rights_version=users.c.rights_version + 1))
