"""How sessions, pending sign-ins, links in mails and signed addresses end (`accounts.credential_revocation`)."""

from collections.abc import Callable, Mapping

import sqlalchemy as sa

from vitrine.accounts.credential_revocation import TABLE, Credential, Effect, Occurrence, Revoker
from vitrine.accounts.model import OpenedBy
from vitrine.accounts.tables import mailed_links, sessions, users
from vitrine.platform.database import UnitOfWork

_UNKNOWN = sessions.c.opened_by.is_(None)  # opened before this was recorded, so in an unknown way


def _sessions(opened: Callable[[Occurrence], sa.ColumnElement[bool]]) -> Revoker:
    """Ends the sessions that were *opened* in that way or in an unknown way. The current session stays, unless it was
    opened with the very passkey or provider that was removed."""

    def end(work: UnitOfWork, occurrence: Occurrence) -> int:
        others = sessions.c.id != (occurrence.current or 0)
        spared = TABLE[occurrence.event][Credential.PASSWORD_SESSION] is Effect.ENDS
        due = sa.or_(opened(occurrence), _UNKNOWN)
        condition = sa.and_(due, others) if spared else sa.or_(opened(occurrence), sa.and_(_UNKNOWN, others))
        own = sessions.c.user_id == occurrence.user_id
        return work.db.execute(sessions.delete().where(own, condition)).rowcount

    return end


def _by_password(_occurrence: Occurrence) -> sa.ColumnElement[bool]:
    return sa.and_(sessions.c.opened_by == OpenedBy.PASSWORD.value, sa.not_(sessions.c.second_factor))


def _by_second_factor(_occurrence: Occurrence) -> sa.ColumnElement[bool]:
    return sessions.c.second_factor


def _opened_by(first_step: OpenedBy) -> Callable[[Occurrence], sa.ColumnElement[bool]]:
    def opened(occurrence: Occurrence) -> sa.ColumnElement[bool]:
        this = sessions.c.opened_by == first_step.value
        if occurrence.authenticator_id is None:
            return this
        known = sessions.c.authenticator_id
        return sa.and_(this, sa.or_(known == occurrence.authenticator_id, known.is_(None)))

    return opened


def _current(work: UnitOfWork, occurrence: Occurrence) -> int:
    own = sa.and_(sessions.c.user_id == occurrence.user_id, sessions.c.id == (occurrence.current or 0))
    return work.db.execute(sessions.delete().where(own)).rowcount


def _bump(column: sa.Column[int]) -> Revoker:
    def end(work: UnitOfWork, occurrence: Occurrence) -> int:
        own = users.c.id == occurrence.user_id
        return work.db.execute(users.update().where(own).values({column: column + 1})).rowcount

    return end


def _links(purpose: str) -> Revoker:
    def end(work: UnitOfWork, occurrence: Occurrence) -> int:
        own = sa.and_(mailed_links.c.user_id == occurrence.user_id, mailed_links.c.purpose == purpose)
        return work.db.execute(mailed_links.delete().where(own)).rowcount

    return end


PASSWORD, EMAIL, TOKENS = "password", "email", "password-and-tokens"  # purposes of links
RESET, CONFIRM, UNLOCK = "password-given", "confirm", "unlock"

REVOKERS: Mapping[Credential, Revoker] = {
    Credential.CURRENT_SESSION: _current,
    Credential.PASSWORD_SESSION: _sessions(_by_password),
    Credential.SECOND_FACTOR_SESSION: _sessions(_by_second_factor),
    Credential.PASSKEY_SESSION: _sessions(_opened_by(OpenedBy.PASSKEY)),
    Credential.PROVIDER_SESSION: _sessions(_opened_by(OpenedBy.PROVIDER)),
    # A pending sign-in is a signed text in a form, or a request in progress: a new version number ends it.
    Credential.PENDING_SIGN_IN: _bump(users.c.auth_version),
    Credential.PASSWORD_LINK: _links(PASSWORD),
    Credential.EMAIL_LINK: _links(EMAIL),
    Credential.TOKENS_LINK: _links(TOKENS),
    Credential.RESET_TOKEN: _links(RESET),
    Credential.CONFIRMATION_LINK: _links(CONFIRM),
    Credential.UNLOCK_TOKEN: _links(UNLOCK),
    Credential.SIGNED_ADDRESS: _bump(users.c.url_key),
}
