"""Who saw which client secret, so that a new one is offered when that person leaves."""

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
class Offer:
    """A live secret without an end that somebody knows who has left since."""

    last_four: str
    login: str
    seen: datetime
    since: datetime


def note(work: UnitOfWork, secret_id: int, user_id: int | None) -> None:
    """*user_id* saw this secret; None is the command line."""
    if user_id is None:
        return
    mine = sa.and_(views.c.secret_id == secret_id, views.c.user_id == user_id)
    if work.db.execute(views.update().where(mine).values(seen=work.now, offered=None)).rowcount == 0:
        work.db.execute(views.insert().values(secret_id=secret_id, user_id=user_id, seen=work.now))


def offer_rotation(work: UnitOfWork, application_id: ApplicationId, user_id: int) -> int:
    """Offer a new secret for each live one that *user_id* saw; how many those are."""
    live = sa.select(secrets.c.id).where(_live_secret(work, application_id))
    seen = sa.and_(views.c.user_id == user_id, views.c.secret_id.in_(live), views.c.offered.is_(None))
    return work.db.execute(views.update().where(seen).values(offered=work.now)).rowcount


def offers(work: UnitOfWork, application_id: ApplicationId) -> list[Offer]:
    """What should be rotated; a secret that a rotation has given an end is no longer among them."""
    users = metadata.tables["users"].c
    rows = work.db.execute(
        sa.select(secrets.c.last_four, users.login, views.c.seen, views.c.offered)
        .join(views, views.c.secret_id == secrets.c.id)
        .join(metadata.tables["users"], users.id == views.c.user_id)
        .where(_live_secret(work, application_id), secrets.c.expires.is_(None), views.c.offered.is_not(None))
        .order_by(views.c.offered, users.login)
    )
    return [Offer(*row) for row in rows]
