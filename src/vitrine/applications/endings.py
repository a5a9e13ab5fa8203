"""How consents and acting as the owner end, and how rotation of a client secret is offered (`accounts.lifetimes`)."""

from collections.abc import Mapping

import sqlalchemy as sa

from vitrine.accounts.lifetimes import Credential, Ender, Event, Happening
from vitrine.applications import provenance, secret_views, store
from vitrine.applications.model import ApplicationId
from vitrine.applications.tables import accounts
from vitrine.platform.database import UnitOfWork


def accounts_of(happening: Happening) -> sa.ColumnElement[bool]:
    """The condition for the accounts that an event concerns."""
    wanted = []
    if happening.user_id is not None:
        wanted.append(accounts.c.user_id == happening.user_id)
    if happening.application_id is not None:
        wanted.append(accounts.c.application_id == happening.application_id)
    if not wanted:
        raise ValueError("an event is about a person, an application or both")
    return sa.and_(*wanted)


def _withdraw(work: UnitOfWork, happening: Happening) -> int:
    standing = sa.and_(accounts_of(happening), accounts.c.revoked_at.is_(None))
    return work.db.execute(accounts.update().where(standing).values(revoked_at=work.now)).rowcount


def _stop_acting(work: UnitOfWork, happening: Happening) -> int:
    acting = sa.and_(accounts_of(happening), accounts.c.acts_alone_since.is_not(None))
    return work.db.execute(accounts.update().where(acting).values(acts_alone_since=None)).rowcount


def _end_made_with_tokens(work: UnitOfWork, happening: Happening) -> int:
    """End what these accounts made (docs/decisions/0080). A suspended application does not get it back."""
    theirs = sa.select(accounts.c.id).where(accounts_of(happening))
    where = [
        f"{name} {number}"
        for name, number in (("user", happening.user_id), ("application", happening.application_id))
        if number is not None
    ]
    return provenance.end_made_by_accounts(work, theirs, ", ".join(where))


def _offer_rotation(work: UnitOfWork, happening: Happening) -> int:
    if happening.user_id is None or happening.application_id is None:
        return 0
    application_id = ApplicationId(happening.application_id)
    if happening.event is Event.CONSENT_WITHDRAWN and store.is_owner(work, happening.user_id, application_id):
        return 0  # owners may see the secret without using the application themselves
    return secret_views.offer_rotation(work, application_id, happening.user_id)


ENDERS: Mapping[Credential, Ender] = {
    Credential.MADE_WITH_TOKEN: _end_made_with_tokens,
    Credential.CONSENT: _withdraw,
    Credential.ACTS_AS_OWNER: _stop_acting,
    Credential.CLIENT_SECRET: _offer_rotation,
}
