"""Records who saw which client secret, so that rotation is offered when that person leaves."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from vitrine.applications.model import ApplicationId
from vitrine.applications.store import _live_secret
from vitrine.applications.tables import application_secret_views as views
from vitrine.applications.tables import application_secrets as secrets
from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import metadata


@dataclass(frozen=True, slots=True)
class RotationOffer:
    """A live secret without expiry, known to a person who has left since."""

    last_four: str
    login: str
    seen: datetime
    since: datetime


def note(work: UnitOfWork, secret_id: int, user_id: int | None) -> None:
    """Record that *user_id* saw this secret; None is the command line."""
    if user_id is None:
        return
    mine = sa.and_(views.c.secret_id == secret_id, views.c.user_id == user_id)
    if work.db.execute(views.update().where(mine).values(seen=work.now, offered=None)).rowcount == 0:
        work.db.execute(views.insert().values(secret_id=secret_id, user_id=user_id, seen=work.now))


def offer_rotation(work: UnitOfWork, application_id: ApplicationId, user_id: int) -> int:
    """Offer rotation of each live secret that *user_id* saw; returns how many."""
    live = sa.select(secrets.c.id).where(_live_secret(work, application_id))
    seen = sa.and_(views.c.user_id == user_id, views.c.secret_id.in_(live), views.c.offered.is_(None))
    return work.db.execute(views.update().where(seen).values(offered=work.now)).rowcount


def offers(work: UnitOfWork, application_id: ApplicationId) -> list[RotationOffer]:
    """The secrets that should be rotated, without those that a rotation has given an expiry."""
    users = metadata.tables["users"].c
    rows = work.db.execute(
        sa.select(secrets.c.last_four, users.login, views.c.seen, views.c.offered)
        .join(views, views.c.secret_id == secrets.c.id)
        .join(metadata.tables["users"], users.id == views.c.user_id)
        .where(_live_secret(work, application_id), secrets.c.expires.is_(None), views.c.offered.is_not(None))
        .order_by(views.c.offered, users.login)
    )
    return [RotationOffer(*row) for row in rows]
