"""Refresh tokens: one use each, with 30 seconds of grace; a later use ends the whole family.

The successor of a refresh token is derived from it under the server key. So a client that lost the answer, or sent the
request twice at once, gets the same successor again although its value is not stored; the database alone does not
allow to derive it. (RFC 9700 section 4.14.2; the numbers and their reasons: docs/decisions/0040.)
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from vitrine.applications import Application
from vitrine.oauth import refresh_store, store
from vitrine.oauth.errors import TokenError
from vitrine.oauth.lifetimes import ACCESS_TOKEN_LIFETIME, REFRESH_GRACE, REFRESH_TOKEN_LIFETIME
from vitrine.oauth.liveness import is_live
from vitrine.oauth.refresh_store import Refresh
from vitrine.platform import audit
from vitrine.platform.crypto import Vault, derived_secret, digest, is_mistyped, new_secret, signature
from vitrine.platform.database import UnitOfWork

_FAMILY_BITS = 62


class FamilyEnded(TokenError):
    """A used refresh token was presented again. The caller must commit, since its family was just deleted."""


class LateReuse(Exception):
    """A used refresh token was presented again, in a transaction that may not end its family: repeat it in one that is
    alone, since a token that another client gets at this moment would survive."""


@dataclass(frozen=True, slots=True)
class Rotated:
    access: str
    refresh: str
    token_id: int
    scope: frozenset[str]
    account_id: int
    expires_in: timedelta


def new_family() -> int:
    return secrets.randbits(_FAMILY_BITS)


def start(work: UnitOfWork, account_id: int, code_id: int | None, family: int, scope: frozenset[str]) -> str:
    """The first refresh token of a grant."""
    secret = new_secret("rt")
    refresh_store.add(
        work,
        {
            "digest": digest(secret),
            "account_id": account_id,
            "code_id": code_id,
            "family": family,
            "scope": sorted(scope),
            "issued": work.now,
            "expires": work.now + REFRESH_TOKEN_LIFETIME,
        },
    )
    return secret


@dataclass(frozen=True, slots=True)
class Rotation:
    """Exchanges a refresh token for its successor."""

    vault: Vault

    def _derived(self, kind: str, secret: str) -> str:
        return derived_secret(kind, signature(self.vault.derive("refresh successor"), f"{kind}:{secret}".encode()))

    def rotate(
        self,
        work: UnitOfWork,
        application: Application,
        secret: str,
        requested: frozenset[str] | None,
        *,
        is_alone: bool = True,
    ) -> Rotated:
        """Raises TokenError, FamilyEnded for a late second use, or LateReuse for one unless the transaction *is_alone*.
        *requested* None is the granted scope."""
        refresh = None if is_mistyped(secret) else refresh_store.find(work, digest(secret))
        if refresh is None or refresh.application_id != application.id:
            raise TokenError("invalid_grant", "The refresh token is unknown or was given to another application.")
        if not is_live(refresh.state, work.now):
            raise TokenError("invalid_grant", "The refresh token is too old, or the person withdrew the access.")
        scope = _narrowed(application, refresh, requested)
        if not refresh_store.take(work, refresh.id):
            return self._again(work, refresh, secret, is_alone=is_alone)
        access, successor = self._derived("at", secret), self._derived("rt", secret)
        token_id = store.add_token(
            work,
            {
                "digest": digest(access),
                "account_id": refresh.account_id,
                "family": refresh.family,
                "scope": sorted(scope),
                "last_four": access[-4:],
                "expires": work.now + ACCESS_TOKEN_LIFETIME,
            },
        )
        refresh_store.add(
            work,
            {
                "digest": digest(successor),
                "account_id": refresh.account_id,
                "family": refresh.family,
                "scope": refresh.scope,  # a narrower access token does not narrow the grant (RFC 6749 section 6)
                "issued": work.now,
                "expires": work.now + REFRESH_TOKEN_LIFETIME,
            },
        )
        return Rotated(access, successor, token_id, scope, refresh.account_id, ACCESS_TOKEN_LIFETIME)

    def _again(self, work: UnitOfWork, refresh: Refresh, secret: str, *, is_alone: bool) -> Rotated:
        """Handle a used token: within the grace return the same answer, later treat it as stolen."""
        used = refresh_store.used_at(work, refresh.id)
        access, successor = self._derived("at", secret), self._derived("rt", secret)
        successor_access = store.token_by_digest(work, digest(access))
        if used is not None and work.now - used <= REFRESH_GRACE:
            if successor_access is None or refresh_store.find(work, digest(successor)) is None:
                raise TokenError("invalid_grant", "What this refresh token gave was revoked.")
            left = max(_expiry(successor_access.expires) - work.now, timedelta(0))
            return Rotated(
                access,
                successor,
                successor_access.id,
                frozenset(successor_access.scope or ()),
                refresh.account_id,
                left,
            )
        if not is_alone:
            raise LateReuse
        gone = refresh_store.end_family(work, refresh.family)
        thing = f"application {refresh.application_id}"
        audit.write(work, None, "refresh_token.reused", thing, {"account": refresh.account_id, "tokens_revoked": gone})
        raise FamilyEnded("invalid_grant", "The refresh token was used already; what came of it is revoked.")


def _expiry(value: datetime | None) -> datetime:
    assert value is not None
    return value


def _narrowed(application: Application, refresh: Refresh, requested: frozenset[str] | None) -> frozenset[str]:
    """The requested part of what was granted and of what the person and the owner of the application allow now."""
    granted = frozenset(refresh.scope or ())
    if requested is not None and not requested <= granted:
        raise TokenError("invalid_scope", f"{min(requested - granted)} was not granted with this refresh token.")
    wanted = granted if requested is None else requested
    allowed = application.within(wanted if refresh.allowed is None else wanted & frozenset(refresh.allowed))
    if wanted and not allowed:
        raise TokenError("invalid_grant", "The person no longer allows any of this.")
    return allowed
