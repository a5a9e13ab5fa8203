"""All SQL of notifications."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from vitrine.accounts import User, UserId
from vitrine.notifications.model import Notification
from vitrine.notifications.tables import notification_broadcasts, notifications
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.expiry import Expiry
from vitrine.platform.upsert import insert_of

LIFETIME = timedelta(days=90)
MOST_UNREAD = 100
LOOKED_AT = 300  # unread ones, to count those that may be known
_COLUMNS = [notifications.c[name] for name in Notification.__dataclass_fields__]


def add(work: UnitOfWork, people: Sequence[User], kind: str, payload: Mapping[str, int]) -> None:
    rows = [{"user_id": user.id, "kind": kind, "payload": dict(payload), "created": work.now} for user in people]
    if rows:
        work.db.execute(notifications.insert(), rows)


def page(work: UnitOfWork, user_id: UserId, before: int | None, limit: int) -> list[Notification]:
    """The newest first, older than the number *before*."""
    own = notifications.c.user_id == user_id
    if before is not None:
        own = sa.and_(own, notifications.c.id < before)
    rows = work.db.execute(sa.select(*_COLUMNS).where(own).order_by(notifications.c.id.desc()).limit(limit))
    return [Notification(*row) for row in rows]


def newest_unread(work: UnitOfWork, user_id: UserId) -> list[Notification]:
    """At most LOOKED_AT."""
    own = sa.and_(notifications.c.user_id == user_id, notifications.c.read_at.is_(None))
    rows = work.db.execute(sa.select(*_COLUMNS).where(own).order_by(notifications.c.id.desc()).limit(LOOKED_AT))
    return [Notification(*row) for row in rows]


def mark_read(work: UnitOfWork, user_id: UserId, up_to: int) -> int:
    own = sa.and_(notifications.c.user_id == user_id, notifications.c.read_at.is_(None), notifications.c.id <= up_to)
    return work.db.execute(notifications.update().where(own).values(read_at=work.now)).rowcount


def forget(work: UnitOfWork, user_id: UserId) -> None:
    work.db.execute(notifications.delete().where(notifications.c.user_id == user_id))


# -- what many people are told ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The same notification for many people. *told_until* is the last of them who was told."""

    id: int
    kind: str
    payload: dict[str, int]
    is_mailed: bool
    told_until: int


_broadcasts = notification_broadcasts.c
_BROADCAST = [_broadcasts[name] for name in Broadcast.__dataclass_fields__]


def add_broadcast(
    work: UnitOfWork, kind: str, payload: Mapping[str, int], *, is_mailed: bool, subject: str | None = None
) -> int | None:
    """Its number; None where one of the same *subject* waits to begin."""
    row = insert_of(work)(notification_broadcasts).values(
        kind=kind, payload=dict(payload), is_mailed=is_mailed, subject=subject, created=work.now
    )
    if subject is None:
        return inserted_id(work.db.execute(row))
    once = row.on_conflict_do_nothing(index_elements=["subject"]).returning(_broadcasts.id)
    number: int | None = work.db.scalar(once)
    return number


def broadcast(work: UnitOfWork, number: int) -> Broadcast | None:
    row = work.db.execute(sa.select(*_BROADCAST).where(_broadcasts.id == number)).first()
    return Broadcast(*row) if row else None


def told(work: UnitOfWork, number: int, until: UserId) -> None:
    """From now on nothing joins it."""
    change = notification_broadcasts.update().where(_broadcasts.id == number)
    work.db.execute(change.values(told_until=until, subject=None))


def end_broadcast(work: UnitOfWork, number: int) -> None:
    work.db.execute(notification_broadcasts.delete().where(_broadcasts.id == number))


EXPIRIES = (
    Expiry(notifications, lambda work: notifications.c.created < work.now - LIFETIME),
    Expiry(notification_broadcasts, lambda work: _broadcasts.created < work.now - LIFETIME),
)
