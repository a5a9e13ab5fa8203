"""All SQL of notifications."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa

from vitrine.accounts import User, UserId
from vitrine.notifications.model import Notification
from vitrine.notifications.tables import notifications
from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import Expiry

LIFETIME = timedelta(days=90)
MOST_UNREAD = 100
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


def unread(work: UnitOfWork, user_id: UserId) -> int:
    """At most MOST_UNREAD are counted."""
    own = sa.and_(notifications.c.user_id == user_id, notifications.c.read_at.is_(None))
    some = sa.select(notifications.c.id).where(own).limit(MOST_UNREAD).subquery()
    return int(work.db.scalar(sa.select(sa.func.count()).select_from(some)) or 0)


def mark_read(work: UnitOfWork, user_id: UserId, up_to: int) -> int:
    own = sa.and_(notifications.c.user_id == user_id, notifications.c.read_at.is_(None), notifications.c.id <= up_to)
    return work.db.execute(notifications.update().where(own).values(read_at=work.now)).rowcount


def forget(work: UnitOfWork, user_id: UserId) -> None:
    work.db.execute(notifications.delete().where(notifications.c.user_id == user_id))


EXPIRIES = (Expiry(notifications, lambda work: notifications.c.created < work.now - LIFETIME),)
