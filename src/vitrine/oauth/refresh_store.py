"""All SQL of refresh tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from vitrine.oauth.liveness import TokenState
from vitrine.oauth.tables import access_tokens, refresh_tokens
from vitrine.platform.database import UnitOfWork
from vitrine.platform.prepared import Prepared, PreparedChange, PreparedInsert
from vitrine.platform.schema import metadata


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token with the state that decides whether it is valid. *allowed* is what the person allows now."""

    id: int
    account_id: int
    application_id: int
    family: int
    scope: list[str] | None
    allowed: list[str] | None
    state: TokenState


_ADD = PreparedInsert(
    refresh_tokens, "digest", "account_id", "code_id", "family", "scope", "issued", "expires", "used_at"
)


def add(work: UnitOfWork, values: Mapping[str, Any]) -> None:
    _ADD.add(work, values)


def _row() -> Prepared:
    accounts, users = metadata.tables["accounts"], metadata.tables["users"]
    applications = metadata.tables["applications"]
    tokens = refresh_tokens.c
    return Prepared(
        sa.select(
            tokens.id, tokens.account_id, accounts.c.application_id, tokens.family, tokens.scope,
            accounts.c.granted_scope, tokens.expires,
            sa.null(), sa.null(), tokens.issued, accounts.c.revoked_at, applications.c.activated,
            applications.c.deleted_at.label("gone"), users.c.deleted_at, users.c.mail_locked,
        )
        .join(accounts, accounts.c.id == tokens.account_id)
        .join(users, users.c.id == accounts.c.user_id)
        .join(applications, applications.c.id == accounts.c.application_id)
        .where(tokens.digest == sa.bindparam("digest"))
    )  # fmt: skip


_ROW = lru_cache(maxsize=1)(_row)  # built when the tables of all capabilities are known


def find(work: UnitOfWork, digest: bytes) -> Refresh | None:
    row = _ROW().first(work, digest=digest)
    if row is None:
        return None
    token, account, application, family, scope, allowed, *state = row
    return Refresh(
        id=token,
        account_id=account,
        application_id=application,
        family=family,
        scope=scope,
        allowed=allowed,
        state=TokenState(*state),
    )


_TAKE = PreparedChange(
    refresh_tokens.update()
    .where(refresh_tokens.c.id == sa.bindparam("token"), refresh_tokens.c.used_at.is_(None))
    .values(used_at=sa.bindparam("at", type_=refresh_tokens.c.used_at.type))
)


def take(work: UnitOfWork, token_id: int) -> bool:
    """Use up the token; True for exactly one of concurrent callers."""
    return _TAKE.run(work, token=token_id, at=work.now) == 1


def used_at(work: UnitOfWork, token_id: int) -> datetime | None:
    at: datetime | None = work.db.scalar(sa.select(refresh_tokens.c.used_at).where(refresh_tokens.c.id == token_id))
    return at


def end_family(work: UnitOfWork, family: int) -> int:
    """Delete every refresh and access token of one grant; returns how many, used ones included."""
    gone = work.db.execute(access_tokens.delete().where(access_tokens.c.family == family)).rowcount
    return gone + work.db.execute(refresh_tokens.delete().where(refresh_tokens.c.family == family)).rowcount


def families_of_code(work: UnitOfWork, code_id: int) -> list[int]:
    return list(
        work.db.scalars(sa.select(refresh_tokens.c.family).distinct().where(refresh_tokens.c.code_id == code_id))
    )
