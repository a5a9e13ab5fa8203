"""How consents and acting as the owner end, and how rotation of a client secret is offered: see
`accounts.credential_revocation`."""

from collections.abc import Mapping

import sqlalchemy as sa

from vitrine.accounts.credential_revocation import Credential, Event, Occurrence, Revoker
from vitrine.applications import provenance, secret_views, store
from vitrine.applications.model import ApplicationId
from vitrine.applications.tables import accounts, application_secret_views, application_secrets
from vitrine.platform.database import UnitOfWork


def accounts_of(occurrence: Occurrence) -> sa.ColumnElement[bool]:
    """The condition for the accounts that an event concerns."""
    wanted = []
    if occurrence.user_id is not None:
        wanted.append(accounts.c.user_id == occurrence.user_id)
    if occurrence.application_id is not None:
        wanted.append(accounts.c.application_id == occurrence.application_id)
    if not wanted:
        raise ValueError("an event is about a person, an application or both")
    return sa.and_(*wanted)


def _withdraw(work: UnitOfWork, occurrence: Occurrence) -> int:
    standing = sa.and_(accounts_of(occurrence), accounts.c.revoked_at.is_(None))
    return work.db.execute(accounts.update().where(standing).values(revoked_at=work.now)).rowcount


def _stop_acting(work: UnitOfWork, occurrence: Occurrence) -> int:
    acting = sa.and_(accounts_of(occurrence), accounts.c.acts_alone_since.is_not(None))
    return work.db.execute(accounts.update().where(acting).values(acts_alone_since=None)).rowcount


def _end_made_with_tokens(work: UnitOfWork, occurrence: Occurrence) -> int:
    """End what these accounts made (docs/decisions/0080). A suspended application does not get it back."""
    theirs = sa.select(accounts.c.id).where(accounts_of(occurrence))
    where = [
        f"{name} {number}"
        for name, number in (("user", occurrence.user_id), ("application", occurrence.application_id))
        if number is not None
    ]
    return provenance.end_made_by_accounts(work, theirs, ", ".join(where))


def _offer_rotation(work: UnitOfWork, occurrence: Occurrence) -> int:
    """Offer rotation of what the person saw of the application, or of every application if the event names none."""
    if occurrence.user_id is None:
        return 0
    if occurrence.application_id is None:
        seen_by_them = _applications_seen(work, occurrence.user_id)
        return sum(secret_views.offer_rotation(work, seen, occurrence.user_id) for seen in seen_by_them)
    application_id = ApplicationId(occurrence.application_id)
    if occurrence.event is Event.CONSENT_WITHDRAWN and store.is_owner(work, occurrence.user_id, application_id):
        return 0  # owners may see the secret without using the application themselves
    return secret_views.offer_rotation(work, application_id, occurrence.user_id)


def _applications_seen(work: UnitOfWork, user_id: int) -> list[ApplicationId]:
    """The applications of which the person saw a client secret."""
    seen = sa.select(application_secrets.c.application_id).join(
        application_secret_views, application_secret_views.c.secret_id == application_secrets.c.id
    )
    rows = work.db.scalars(seen.where(application_secret_views.c.user_id == user_id).distinct())
    return [ApplicationId(number) for number in rows]


REVOKERS: Mapping[Credential, Revoker] = {
    Credential.MADE_WITH_TOKEN: _end_made_with_tokens,
    Credential.CONSENT: _withdraw,
    Credential.ACTS_AS_OWNER: _stop_acting,
    Credential.CLIENT_SECRET: _offer_rotation,
}
