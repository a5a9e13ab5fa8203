"""All SQL of codes and tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from vitrine.applications.provenance import Maker
from vitrine.oauth import refresh_store
from vitrine.oauth.tables import access_tokens, authorization_codes, device_codes, refresh_tokens
from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import Expiry
from vitrine.platform.prepared import Prepared, PreparedChange, PreparedInsert
from vitrine.platform.schema import metadata


@dataclass(frozen=True, slots=True)
class Code:
    id: int
    account_id: int
    application_id: int
    redirect_uri: str
    names_redirect_uri: bool
    code_challenge: str | None
    issued: datetime
    expires: datetime
    used_at: datetime | None
    scope: list[str] | None
    nonce: str | None
    auth_time: datetime | None
    revoked_at: datetime | None
    user_deleted_at: datetime | None
    user_locked: bool

    @property
    def is_closed(self) -> bool:
        """True once consent was withdrawn, or the person's account was suspended or closed."""
        return self.revoked_at is not None or self.user_deleted_at is not None or self.user_locked


_ADD_CODE = PreparedInsert(
    authorization_codes, "digest", "account_id", "redirect_uri", "names_redirect_uri", "scope", "code_challenge",
    "nonce", "authenticated", "issued", "expires", "used_at",
)  # fmt: skip


def add_code(work: UnitOfWork, values: Mapping[str, Any]) -> None:
    _ADD_CODE.add(work, values)


def _code() -> Prepared:
    accounts, codes = metadata.tables["accounts"], authorization_codes.c
    users = metadata.tables["users"]
    return Prepared(
        sa.select(
            codes.id,
            codes.account_id,
            accounts.c.application_id,
            codes.redirect_uri,
            codes.names_redirect_uri,
            codes.code_challenge,
            codes.issued,
            codes.expires,
            codes.used_at,
            codes.scope,
            codes.nonce,
            codes.authenticated,
            accounts.c.revoked_at,
            users.c.deleted_at,
            users.c.mail_locked,
        )
        .join(accounts, accounts.c.id == codes.account_id)
        .join(users, users.c.id == accounts.c.user_id)
        .where(codes.digest == sa.bindparam("digest"))
    )


_CODE = lru_cache(maxsize=1)(_code)  # built when the tables of all capabilities are known


def code_by_digest(work: UnitOfWork, digest: bytes) -> Code | None:
    row = _CODE().first(work, digest=digest)
    return Code(*row) if row else None


_USE_CODE = PreparedChange(
    authorization_codes.update()
    .where(authorization_codes.c.id == sa.bindparam("code"), authorization_codes.c.used_at.is_(None))
    .values(used_at=sa.bindparam("at", type_=authorization_codes.c.used_at.type))
)


def use_code(work: UnitOfWork, code_id: int) -> bool:
    """Use up the code; True for exactly one of concurrent callers."""
    return _USE_CODE.run(work, code=code_id, at=work.now) == 1


_ADD_TOKEN = PreparedInsert(
    access_tokens, "digest", "account_id", "code_id", "family", "is_developer", "name", "scope", "sealed", "last_four",
    "created", "expires", "idle_limit_s", "last_used", "last_address",
)  # fmt: skip


def add_token(work: UnitOfWork, values: Mapping[str, Any]) -> int:
    usual = {"is_developer": False, "name": "", "last_address": "", "created": work.now}
    return _ADD_TOKEN.add(work, {**usual, **values})


def knows_token(work: UnitOfWork, digest: bytes) -> bool:
    return work.db.execute(sa.select(access_tokens.c.id).where(access_tokens.c.digest == digest)).first() is not None


def token_by_digest(work: UnitOfWork, digest: bytes) -> Any:
    """The row of an access token, or None."""
    return work.db.execute(sa.select(access_tokens).where(access_tokens.c.digest == digest)).first()


def delete_tokens_of_code(work: UnitOfWork, code_id: int) -> int:
    """Delete all tokens that came from a code, through refresh tokens too; returns how many."""
    families = refresh_store.families_of_code(work, code_id)
    gone = sum(refresh_store.end_family(work, family) for family in families)
    return gone + work.db.execute(access_tokens.delete().where(access_tokens.c.code_id == code_id)).rowcount


def add_developer_token(work: UnitOfWork, values: Mapping[str, Any], maker: Maker | None) -> None:
    """Add a developer token. One with a *maker* expires no later than the maker."""
    if maker is not None:
        values = {**values, **maker.values(), "expires": maker.within(values["expires"])}
    work.db.execute(access_tokens.insert().values(created=work.now, **values))


def developer_token(work: UnitOfWork, account_id: int) -> Any:
    """The row of the one developer token of an account, or None."""
    return work.db.execute(
        sa.select(access_tokens).where(access_tokens.c.account_id == account_id, access_tokens.c.is_developer)
    ).first()


def replace_token(work: UnitOfWork, token_id: int, values: Mapping[str, Any]) -> None:
    work.db.execute(access_tokens.update().where(access_tokens.c.id == token_id).values(created=work.now, **values))


def delete_token(work: UnitOfWork, token_id: int) -> None:
    work.db.execute(access_tokens.delete().where(access_tokens.c.id == token_id))


def record_last_use(work: UnitOfWork, last_uses: Mapping[int, tuple[datetime, str]]) -> None:
    """Write the last uses that were collected, in the order of ids, so that two servers never block each other."""
    rows = [{"token": token, "at": at, "from": address} for token, (at, address) in sorted(last_uses.items())]
    work.db.execute(
        access_tokens.update()
        .where(access_tokens.c.id == sa.bindparam("token"))
        .values(last_used=sa.bindparam("at"), last_address=sa.bindparam("from")),
        rows,
    )
    accounts = metadata.tables["accounts"]
    ids = sa.select(access_tokens.c.account_id).where(access_tokens.c.id.in_(list(last_uses)))
    newest = max(at for at, _ in last_uses.values())
    work.db.execute(accounts.update().where(accounts.c.id.in_(ids)).values(last_used=newest))


def _remembered_for_a_day(table: sa.Table) -> Expiry:
    return Expiry(table, lambda work: table.c.expires < work.now - timedelta(days=1))


# A code is kept for another day, so that a replay revokes what it gave (RFC 6749 section 10.5), and a used refresh
# token until it expires, so that its reuse is detected.
EXPIRIES = (
    _remembered_for_a_day(refresh_tokens),
    _remembered_for_a_day(authorization_codes),
    _remembered_for_a_day(device_codes),
    Expiry(access_tokens, lambda work: access_tokens.c.expires < work.now),
)


def idle(work: UnitOfWork, after: int, rows: int) -> tuple[list[int], int]:
    """Which of the next *rows* tokens after number *after* were unused for longer than their idle limit, so that they
    are no longer valid, and the number of the last one looked at: 0 at the end.

    A walk instead of an index: an index by last use would be written with every use."""
    last_use = sa.func.coalesce(access_tokens.c.last_used, access_tokens.c.created, type_=access_tokens.c.created.type)
    tokens = work.db.execute(
        sa.select(access_tokens.c.id, access_tokens.c.idle_limit_s, last_use)
        .where(access_tokens.c.id > after)
        .order_by(access_tokens.c.id)
        .limit(rows)
    ).all()
    now = work.now
    over = [token for token, limit_s, at in tokens if limit_s is not None and at < now - timedelta(seconds=limit_s)]
    return over, tokens[-1].id if len(tokens) == rows else 0


def delete_idle(work: UnitOfWork, ids: list[int]) -> None:
    """Delete tokens found by `idle`, except those used since."""
    limits = work.db.execute(
        sa.select(access_tokens.c.id, access_tokens.c.idle_limit_s).where(
            access_tokens.c.id.in_(ids), access_tokens.c.idle_limit_s.is_not(None)
        )
    ).all()
    for token, seconds in limits:
        this = sa.and_(access_tokens.c.id == token, _unused_since(work, seconds))
        work.db.execute(access_tokens.delete().where(this))


def _unused_since(work: UnitOfWork, seconds: int) -> sa.ColumnElement[bool]:
    last = sa.func.coalesce(access_tokens.c.last_used, access_tokens.c.created, type_=access_tokens.c.created.type)
    return last < work.now - timedelta(seconds=seconds)
