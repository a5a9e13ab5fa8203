"""How codes and tokens end (`accounts.credential_revocation`)."""

from collections.abc import Mapping

import sqlalchemy as sa

from vitrine.accounts import UserId
from vitrine.accounts.credential_revocation import Credential, DeveloperTokenLine, Occurrence, Revoker
from vitrine.applications.revokers import accounts_of
from vitrine.oauth.tables import access_tokens, authorization_codes, delegations, device_codes, refresh_tokens
from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import metadata

_DEVELOPER = access_tokens.c.is_developer
_NAMED = sa.and_(access_tokens.c.name != "", sa.not_(_DEVELOPER))
_OF_APPLICATIONS = sa.and_(access_tokens.c.name == "", sa.not_(_DEVELOPER))
# Used codes are kept, so that a replay revokes what the code gave (RFC 6749 section 10.5).
_UNUSED = authorization_codes.c.used_at.is_(None)
_ALLOWED = device_codes.c.state == "allowed"


def _of_accounts(table: sa.Table, condition: sa.ColumnElement[bool] | None = None) -> Revoker:
    def end(work: UnitOfWork, occurrence: Occurrence) -> int:
        accounts = metadata.tables["accounts"].c
        own = table.c.account_id.in_(sa.select(accounts.id).where(accounts_of(occurrence)))
        wanted = own if condition is None else sa.and_(own, condition)
        return work.db.execute(table.delete().where(wanted)).rowcount

    return end


def _waiting_devices(work: UnitOfWork, occurrence: Occurrence) -> int:
    """End pending device codes, which belong to an application but to no person yet."""
    if occurrence.user_id is not None:
        return 0
    own = sa.and_(device_codes.c.application_id == occurrence.application_id, device_codes.c.state == "waiting")
    return work.db.execute(device_codes.delete().where(own)).rowcount


def _delegations(work: UnitOfWork, occurrence: Occurrence) -> int:
    if occurrence.user_id is None:
        return 0
    return work.db.execute(delegations.delete().where(delegations.c.user_id == occurrence.user_id)).rowcount


REVOKERS: Mapping[Credential, Revoker] = {
    Credential.AUTHORIZATION_CODE: _of_accounts(authorization_codes, _UNUSED),
    Credential.PENDING_DEVICE_CODE: _waiting_devices,
    Credential.DEVICE_CODE: _of_accounts(device_codes, _ALLOWED),
    Credential.REFRESH_TOKEN: _of_accounts(refresh_tokens),
    Credential.ACCESS_TOKEN: _of_accounts(access_tokens, _OF_APPLICATIONS),
    Credential.DEVELOPER_TOKEN: _of_accounts(access_tokens, _DEVELOPER),
    Credential.NAMED_TOKEN: _of_accounts(access_tokens, _NAMED),
    Credential.DELEGATION: _delegations,
}


def developer_tokens(work: UnitOfWork, user_id: UserId) -> list[DeveloperTokenLine]:
    """The valid developer tokens of a person, by application."""
    accounts, applications = metadata.tables["accounts"], metadata.tables["applications"]
    live = sa.or_(access_tokens.c.expires.is_(None), access_tokens.c.expires > work.now)
    rows = work.db.execute(
        sa.select(applications.c.name, access_tokens.c.name, access_tokens.c.last_four, access_tokens.c.created)
        .join(accounts, accounts.c.id == access_tokens.c.account_id)
        .join(applications, applications.c.id == accounts.c.application_id)
        .where(accounts.c.user_id == user_id, applications.c.deleted_at.is_(None), live, sa.or_(_DEVELOPER, _NAMED))
        .order_by(applications.c.name, access_tokens.c.id)
    )
    return [DeveloperTokenLine(*row) for row in rows]
