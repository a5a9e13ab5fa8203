"""All SQL of linked identities and of flows through identity providers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from vitrine.accounts.model import UserId
from vitrine.accounts.tables import identity_provider_flows, linked_identities
from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import Expiry


@dataclass(frozen=True, slots=True)
class Linked:
    """An identity at a provider that opens an account here."""

    id: int
    user_id: int
    issuer: str
    subject: str
    label: str
    created: datetime
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in, proof or link through a provider that has begun and not returned yet."""

    provider: str
    purpose: str
    user_id: int | None
    back: str
    forced: bool
    started: datetime


_LINKED = [linked_identities.c[name] for name in Linked.__dataclass_fields__]
_FLOW = [identity_provider_flows.c[name] for name in Flow.__dataclass_fields__]


def by_subject(work: UnitOfWork, issuer: str, subject: str) -> Linked | None:
    columns = linked_identities.c
    row = work.db.execute(sa.select(*_LINKED).where(columns.issuer == issuer, columns.subject == subject)).first()
    return Linked(*row) if row else None


def of_user(work: UnitOfWork, user_id: UserId) -> list[Linked]:
    columns = linked_identities.c
    return [
        Linked(*row)
        for row in work.db.execute(sa.select(*_LINKED).where(columns.user_id == user_id).order_by(columns.id))
    ]


def add(work: UnitOfWork, user_id: UserId, issuer: str, subject: str, label: str, *, used: bool = False) -> bool:
    """False if this subject is linked already, also by a concurrent request. *used*: it opens the account now."""
    insert = insert_sqlite if work.db.dialect.name == "sqlite" else insert_postgresql
    row = insert(linked_identities).values(
        user_id=user_id, issuer=issuer, subject=subject, label=label[:254], created=work.now,
        last_used=work.now if used else None,
    )  # fmt: skip
    once = row.on_conflict_do_nothing(index_elements=["issuer", "subject"]).returning(linked_identities.c.id)
    return work.db.execute(once).first() is not None


def touch(work: UnitOfWork, linked_id: int, label: str) -> None:
    own = linked_identities.c.id == linked_id
    work.db.execute(linked_identities.update().where(own).values(last_used=work.now))
    if label:
        work.db.execute(linked_identities.update().where(own).values(label=label[:254]))


def remove(work: UnitOfWork, user_id: UserId, linked_id: int) -> bool:
    columns = linked_identities.c
    done = work.db.execute(linked_identities.delete().where(columns.id == linked_id, columns.user_id == user_id))
    return done.rowcount == 1


def begin(work: UnitOfWork, digest: bytes, visitor: bytes, flow: Flow, life: timedelta) -> None:
    values = {name: getattr(flow, name) for name in Flow.__dataclass_fields__}
    work.db.execute(
        identity_provider_flows.insert().values(digest=digest, visitor=visitor, expires=work.now + life, **values)
    )


def take(work: UnitOfWork, digest: bytes, visitor: bytes, provider: str) -> Flow | None:
    """Use up the flow of this state. Only the first caller gets it, and only in the browser that began it."""
    columns = identity_provider_flows.c
    own = sa.and_(
        columns.digest == digest, columns.visitor == visitor, columns.provider == provider, columns.expires > work.now
    )
    row = work.db.execute(sa.select(*_FLOW).where(own)).first()
    if row is None or work.db.execute(identity_provider_flows.delete().where(own)).rowcount != 1:
        return None
    return Flow(*row)


EXPIRIES = (Expiry(identity_provider_flows, lambda work: identity_provider_flows.c.expires < work.now),)
