"""What OpenID Connect says of a person: claims by scope (OpenID Connect Core sections 2, 5.1, 5.4)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vitrine.accounts import User

ID_TOKEN_LIFETIME = timedelta(hours=1)
CLAIMS = {
    "profile": ("name", "given_name", "family_name", "preferred_username", "locale", "updated_at"),
    "email": ("email", "email_verified"),
}


@dataclass(frozen=True, slots=True)
class AuthenticationContext:
    """Whom an id_token is about, kept until the transaction has ended: signing takes longer than a row. *authenticated*
    is when they last gave their password, None where nobody knows."""

    account_id: int
    nonce: str | None
    auth_time: datetime | None


def claims(user: User, scope: frozenset[str]) -> dict[str, Any]:
    """What *scope* tells of *user*; empty values are left out. `email_verified` is false: nobody proves an address to
    a third party here, and a site that joins accounts by address must know that (docs/decisions/0043)."""
    known: dict[str, Any] = {
        "name": user.display_name,
        "given_name": user.first_name,
        "family_name": user.last_name,
        "preferred_username": user.login,
        "locale": user.locale,
        "updated_at": int(user.updated.timestamp()),
        "email": user.email,
        "email_verified": False if user.email else None,
    }
    names = [name for scope_name, listed in CLAIMS.items() if scope_name in scope for name in listed]
    return {"sub": str(user.id), **{name: known[name] for name in names if known[name] not in (None, "")}}


def id_token(
    issuer: str, client_id: str, user: User, scope: frozenset[str], identity: AuthenticationContext, now: datetime
) -> dict[str, Any]:
    """The claims of an id_token (section 2)."""
    claims_of_token: dict[str, Any] = {
        "iss": issuer,
        "aud": client_id,
        "iat": int(now.timestamp()),
        "exp": int((now + ID_TOKEN_LIFETIME).timestamp()),
        **claims(user, scope),
    }
    if identity.auth_time is not None:
        claims_of_token["auth_time"] = int(identity.auth_time.timestamp())
    if identity.nonce:
        claims_of_token["nonce"] = identity.nonce
    return claims_of_token
