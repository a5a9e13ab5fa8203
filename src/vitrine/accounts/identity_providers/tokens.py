"""The validation of an id_token (OpenID Connect Core section 3.1.3.7, RFC 8725).

joserfc verifies signatures. This module decides which keys and algorithms may be tried and what the claims must say.
Keys come only from the provider's JWKS; keys in the token's own header (`jwk`, `jku`, `x5c`) are never read.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from vitrine.platform import json_text
from vitrine.platform.crypto import base64url, from_base64url, same

LEEWAY = timedelta(seconds=60)
OLDEST = timedelta(minutes=10)
MOST_KEYS = 32
LONGEST_TOKEN = 32_768
LONGEST_SUBJECT = 255
SMALLEST_RSA_BITS = 2048
# Public-key signatures only: an HMAC could be checked against a public key, which everybody knows.
ALGORITHMS: Mapping[str, str] = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
    "ES256": "EC", "ES384": "EC", "ES512": "EC", "EdDSA": "OKP", "Ed25519": "OKP",
}  # fmt: skip
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
PublicKey = RSAKey | ECKey | OKPKey
_KINDS: Mapping[str, type[PublicKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_PUBLIC = frozenset({"kty", "kid", "alg", "use", "n", "e", "crv", "x", "y"})


class BadToken(ValueError):
    """The token is invalid. The text says why, for the log, and contains none of its claims."""


class UnknownKey(BadToken):
    """The signing key is not among the known keys of the provider; it may have published a new one."""


class NotProved(BadToken):
    """The token is valid, but does not say that the person signed in just now."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the claims must match. *forced_since*: the sign-in must be newer than this; None accepts an older one."""

    issuer: str
    client_id: str
    nonce: str
    algorithms: frozenset[str]
    forced_since: datetime | None = None


def keys_of(document: object) -> list[PublicKey]:
    """The signing keys of a JWKS; other and unknown ones are ignored (RFC 7517 section 5)."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise BadToken("the JWKS has no keys")
    keys = []
    for jwk in listed[:MOST_KEYS]:
        if not isinstance(jwk, dict) or jwk.get("use") not in (None, "sig") or jwk.get("kty") not in _KINDS:
            continue
        try:
            key = _KINDS[jwk["kty"]].import_key({name: jwk[name] for name in jwk if name in _PUBLIC})
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, RSAKey) and key.raw_value.key_size < SMALLEST_RSA_BITS:
            continue
        keys.append(key)
    return keys


def check(token: str, keys: list[PublicKey], expected: Expected, now: datetime, access_token: str) -> dict[str, Any]:
    """The claims of *token*. Raises BadToken, or UnknownKey if fetching the keys again might help."""
    if len(token) > LONGEST_TOKEN:
        raise BadToken("longer than any id_token")
    algorithm, kid = _header(token)
    if algorithm not in expected.algorithms or algorithm not in ALGORITHMS:
        raise BadToken(f"signed with {algorithm[:20]}")
    fitting = [
        key
        for key in keys
        if key.key_type == ALGORITHMS[algorithm]
        and (kid is None or key.get("kid") == kid)
        and key.get("alg") in (None, algorithm)
    ]
    if not fitting:
        raise UnknownKey("no published key fits")
    claims = _verified(token, fitting, algorithm)
    _require(claims, expected, now)
    _require_hash(claims, algorithm, access_token)
    return claims


def _header(token: str) -> tuple[str, str | None]:
    try:
        header = json_text.parse(from_base64url(token.partition(".")[0]))
        algorithm, kid = header["alg"], header.get("kid")
    except (ValueError, KeyError, TypeError, AttributeError) as failure:
        raise BadToken("not a JWT") from failure
    if not isinstance(algorithm, str) or not (kid is None or isinstance(kid, str)):
        raise BadToken("a header that is none")
    return algorithm, kid


def _verified(token: str, keys: list[PublicKey], algorithm: str) -> dict[str, Any]:
    for key in keys:
        try:
            return dict(jwt.decode(token, key, algorithms=[algorithm]).claims)
        except (JoseError, ValueError):
            continue
    raise UnknownKey("the signature is not of a published key")


def _require(claims: dict[str, Any], expected: Expected, now: datetime) -> None:
    audience = claims.get("aud")
    if claims.get("iss") != expected.issuer:
        raise BadToken("of another issuer")
    if audience not in (expected.client_id, [expected.client_id]):
        raise BadToken("for another audience, or for others too")  # no other audience is trusted
    if claims.get("azp") not in (None, expected.client_id):
        raise BadToken("given to another party")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not same(nonce, expected.nonce):
        raise BadToken("for another sign-in (nonce)")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise BadToken("without a subject")
    ends, issued, not_before = (_instant(claims, name) for name in ("exp", "iat", "nbf"))
    if ends is None or ends + LEEWAY <= now:
        raise BadToken("too old")
    if issued is None or issued - LEEWAY > now or issued + OLDEST + LEEWAY < now:
        raise BadToken("made at another time")
    if not_before is not None and not_before - LEEWAY > now:
        raise BadToken("not valid yet")
    if expected.forced_since is not None:
        authenticated = _instant(claims, "auth_time")
        if authenticated is None or authenticated + LEEWAY < expected.forced_since:
            raise NotProved("no sign-in as new as was asked for")


def _require_hash(claims: dict[str, Any], algorithm: str, access_token: str) -> None:
    """Check `at_hash` if it is present (section 3.1.3.8). For Edwards curves the hash is not defined."""
    at_hash = claims.get("at_hash")
    hash_of = _HASHES.get(algorithm[-3:])
    if at_hash is None or hash_of is None:
        return
    digest = hash_of(access_token.encode()).digest()
    if not isinstance(at_hash, str) or not same(at_hash, base64url(digest[: len(digest) // 2])):
        raise BadToken("for another access token")


def authenticated(claims: dict[str, Any]) -> datetime | None:
    """When the person signed in at the provider, if the token says so."""
    return _instant(claims, "auth_time")


def _instant(claims: dict[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise BadToken(f"{name} is no time")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        raise BadToken(f"{name} is no time") from None
