"""SQL of co-owners, test users, logos, rotated secrets and deleted applications."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from vitrine.applications import store
from vitrine.applications.model import Application, ApplicationId, Secret
from vitrine.applications.tables import (
    accounts,
    application_logos,
    application_owners,
    application_secrets,
    application_testers,
    applications,
)
from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import Expiry
from vitrine.platform.schema import metadata

KEPT = timedelta(days=14)
PEOPLE = {"owner": application_owners, "tester": application_testers}


def people(work: UnitOfWork, application_id: ApplicationId, role: str) -> list[tuple[int, str, str]]:
    """Id, login and name of the people in *role*, in the order in which they were added."""
    table, users = PEOPLE[role], metadata.tables["users"]
    rows = work.db.execute(
        sa.select(users.c.id, users.c.login, users.c.first_name, users.c.last_name)
        .join(table, table.c.user_id == users.c.id)
        .where(table.c.application_id == application_id, users.c.deleted_at.is_(None))
        .order_by(table.c.added, users.c.id)
    )
    return [(row[0], row[1], f"{row[2]} {row[3]}".strip()) for row in rows]


def add_person(work: UnitOfWork, application_id: ApplicationId, user_id: int, role: str) -> None:
    remove_person(work, application_id, user_id, role)
    work.db.execute(PEOPLE[role].insert().values(application_id=application_id, user_id=user_id, added=work.now))


def remove_person(work: UnitOfWork, application_id: ApplicationId, user_id: int, role: str) -> bool:
    table = PEOPLE[role]
    done = work.db.execute(table.delete().where(table.c.application_id == application_id, table.c.user_id == user_id))
    return done.rowcount > 0


def deleted_of(work: UnitOfWork, user_id: int, limit: int, offset: int, words: str) -> list[Application]:
    restorable = applications.c.deleted_at > work.now - KEPT
    return store.page(work, limit, offset, words, restorable, store._owned(user_id))


def deleted(work: UnitOfWork, application_id: ApplicationId) -> Application | None:
    since = work.now - KEPT
    return next(
        iter(store._find(work, applications.c.id == application_id, live=applications.c.deleted_at > since)), None
    )


def every(work: UnitOfWork, limit: int, offset: int, words: str = "") -> list[Application]:
    """All applications: those that wait for approval first, then by name."""
    return store.page(work, limit, offset, words, store._LIVE, waiting_first=True)


def _gone(work: UnitOfWork) -> sa.ColumnElement[bool]:
    return applications.c.deleted_at < work.now - KEPT


def _accounts_of_gone(work: UnitOfWork) -> sa.Select[Any]:
    gone = sa.select(applications.c.id).where(_gone(work))
    return sa.select(accounts.c.id).where(accounts.c.application_id.in_(gone))


def _of_gone_accounts(name: str) -> Expiry:
    table = metadata.tables[name]
    return Expiry(table, lambda work: table.c.account_id.in_(_accounts_of_gone(work)))


def expiries() -> tuple[Expiry, ...]:
    """Applications that can no longer be restored, with everything that belongs to them. What can be many is deleted
    first, in batches; the rest goes with the application."""
    return (
        _of_gone_accounts("access_tokens"),
        _of_gone_accounts("refresh_tokens"),
        Expiry(accounts, lambda work: accounts.c.id.in_(_accounts_of_gone(work))),
        Expiry(applications, _gone),
    )


def secrets(work: UnitOfWork, application_id: ApplicationId) -> list[Secret]:
    """The live secrets, the newest first."""
    rows = work.db.execute(
        sa.select(*store._SECRET)
        .where(store._live_secret(work, application_id))
        .order_by(application_secrets.c.id.desc())
    )
    return [Secret(*row) for row in rows]


def end_secrets(work: UnitOfWork, application_id: ApplicationId, at: datetime, *, but: int | None = None) -> None:
    """Every live secret except *but* ends at *at*, unless it ends sooner."""
    own = store._live_secret(work, application_id)
    sooner = sa.or_(application_secrets.c.expires.is_(None), application_secrets.c.expires > at)
    work.db.execute(
        application_secrets.update().where(own, sooner, application_secrets.c.id != (but or 0)).values(expires=at)
    )


def logo(work: UnitOfWork, client_id: str) -> tuple[str, bytes] | None:
    """SHA-256 and PNG of an application's logo, by client id."""
    row = work.db.execute(
        sa.select(applications.c.logo, application_logos.c.picture)
        .join(application_logos, application_logos.c.application_id == applications.c.id)
        .where(applications.c.client_id == client_id, applications.c.deleted_at.is_(None))
    ).first()
    return (row[0], bytes(row[1])) if row else None


def set_logo(work: UnitOfWork, application_id: ApplicationId, picture: bytes | None) -> None:
    work.db.execute(application_logos.delete().where(application_logos.c.application_id == application_id))
    if picture is not None:
        work.db.execute(application_logos.insert().values(application_id=application_id, picture=picture))
