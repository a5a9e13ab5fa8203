"""Claims about a person by scope (OpenID Connect Core sections 2, 5.1, 5.4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vitrine.accounts import User
from vitrine.oauth.lifetimes import ID_TOKEN_LIFETIME

CLAIMS = {
    "profile": ("name", "given_name", "family_name", "preferred_username", "locale", "updated_at"),
    "email": ("email", "email_verified"),
}


@dataclass(frozen=True, slots=True)
class AuthenticationContext:
    """The subject of an id_token, which is signed after the transaction, since signing is slow. *auth_time* is when the
    person last gave their password, None if unknown."""

    account_id: int
    nonce: str | None
    auth_time: datetime | None


def claims(user: User, scope: frozenset[str]) -> dict[str, Any]:
    """The claims about *user* that *scope* includes, without empty values. `email_verified` is false, since this server
    does not vouch for addresses, and sites that match accounts by address must know that (docs/decisions/0043)."""
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


def subject_of(claims: dict[str, Any] | None, issuer: str, client_id: str) -> int | None:
    """The person in the claims of an id_token that this server gave this client; None for other ones."""
    if claims is None or claims.get("iss") != issuer or claims.get("aud") != client_id:
        return None
    subject = str(claims.get("sub", ""))
    return int(subject) if subject.isascii() and subject.isdecimal() and len(subject) < 19 else None


def login_in(claims: Mapping[str, Any]) -> str:
    """What the claims say that their person may sign in with; "" if they do not say it: whoever holds an id_token
    learns nothing from the sign-in page that the token has not told."""
    login = claims.get("preferred_username") or claims.get("email") or ""
    return login if isinstance(login, str) else ""


def id_token(
    issuer: str, client_id: str, user: User, scope: frozenset[str], identity: AuthenticationContext, now: datetime
) -> dict[str, Any]:
    """The claims of an id_token (section 2)."""
    token_claims: dict[str, Any] = {
        "iss": issuer,
        "aud": client_id,
        "iat": int(now.timestamp()),
        "exp": int((now + ID_TOKEN_LIFETIME).timestamp()),
        **claims(user, scope),
    }
    if identity.auth_time is not None:
        token_claims["auth_time"] = int(identity.auth_time.timestamp())
    if identity.nonce:
        token_claims["nonce"] = identity.nonce
    return token_claims
