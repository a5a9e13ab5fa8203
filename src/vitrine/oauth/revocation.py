"""Revocation (RFC 7009) and introspection (RFC 7662): what the owner of a token may do with it besides using it."""

from typing import Any

import msgspec
import sqlalchemy as sa

from vitrine.applications import Application
from vitrine.oauth import refresh_store, scopes, store
from vitrine.oauth.liveness import TokenState, ends, instant, is_live
from vitrine.oauth.tables import access_tokens, refresh_tokens
from vitrine.platform import audit
from vitrine.platform.crypto import digest, is_mistyped
from vitrine.platform.database import UnitOfWork
from vitrine.platform.prepared import Prepared
from vitrine.platform.schema import metadata

_STATE = len(TokenState._fields)


def revoke(work: UnitOfWork, application: Application, secret: str) -> None:
    """End a token of *application*: an access token alone, a refresh token with everything of its grant.

    Unknown tokens and those of others are left as they are, without a word (RFC 7009 section 2.2). No hint is needed:
    both tables are looked at.
    """
    if is_mistyped(secret):
        return
    key = digest(secret)
    refresh = refresh_store.find(work, key)
    if refresh is not None:
        if refresh.application_id == application.id:
            gone = refresh_store.end_family(work, refresh.family)
            audit.write(work, None, "token.revoked", f"application {application.id}", {"tokens": gone})
        return
    accounts = metadata.tables["accounts"]
    row = work.db.execute(
        sa.select(access_tokens.c.id, access_tokens.c.is_developer)
        .join(accounts, accounts.c.id == access_tokens.c.account_id)
        .where(access_tokens.c.digest == key, accounts.c.application_id == application.id)
    ).first()
    if row is not None:
        store.delete_token(work, row.id)
        audit.write(work, None, "token.revoked", f"application {application.id}", {"tokens": 1})


def _statement(table: sa.Table) -> sa.Select[Any]:
    accounts, applications = metadata.tables["accounts"].c, metadata.tables["applications"].c
    users = metadata.tables["users"].c
    is_refresh = table is refresh_tokens
    nothing = sa.null()
    return (
        sa.select(
            table.c.expires,
            nothing if is_refresh else table.c.idle_limit_s,
            nothing if is_refresh else table.c.last_used,
            table.c.issued if is_refresh else table.c.created,
            accounts.revoked_at, applications.activated, applications.deleted_at,
            users.deleted_at, users.mail_locked,
            table.c.used_at if is_refresh else nothing,
            applications.id, applications.client_id, users.id, users.login, table.c.scope,
        )
        .join(metadata.tables["accounts"], accounts.id == table.c.account_id)
        .join(metadata.tables["applications"], applications.id == accounts.application_id)
        .join(metadata.tables["users"], users.id == accounts.user_id)
        .where(table.c.digest == sa.bindparam("digest"))
    )  # fmt: skip


class Introspection:
    """One statement for an access token, a second one for what is none."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._access = Prepared(_statement(access_tokens))
        self._refresh = Prepared(_statement(refresh_tokens))

    def of(self, work: UnitOfWork, application: Application, secret: str) -> dict[str, Any]:
        """What a token is worth now: only to the application it was given to, `{"active": false}` to all others."""
        if len(secret) > 256 or is_mistyped(secret):
            return {"active": False}
        key, kind = digest(secret), "access_token"
        row = self._access.cached_raw(work, key)
        if not row:
            row, kind = self._refresh.cached_raw(work, key), "refresh_token"
        if not row:
            return {"active": False}
        state = TokenState(*row[0][:_STATE])
        spent, owner, *facts = row[0][_STATE:]
        if spent or owner != application.id or not is_live(state, work.now):
            return {"active": False}
        return self._active(kind, state, facts)

    def _active(self, kind: str, state: TokenState, facts: list[Any]) -> dict[str, Any]:
        client_id, user_id, login, scope = facts
        answer: dict[str, Any] = {"active": True, "client_id": client_id, "username": login, "sub": str(user_id)}
        if kind == "access_token":
            answer["token_type"] = "Bearer"  # noqa: S105 - a kind
        if scope is not None:
            listed = scope if isinstance(scope, list) else _decoded(scope)
            answer["scope"] = scopes.written(listed)
        answer["iat"] = int(instant(state.created).timestamp())
        end = ends(state)
        if end is not None:
            answer["exp"] = int(end.timestamp())
        return {**answer, "iss": self._issuer}


def _decoded(text: str) -> list[str]:
    return msgspec.json.decode(text, type=list[str])
