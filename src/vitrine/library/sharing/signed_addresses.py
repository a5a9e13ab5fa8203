"""Signed addresses: each opens one file, without an access token, until it expires (contract 04 section 4)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from vitrine.errors import Invalid, NotFound
from vitrine.library.model import DataboxId, Permalink, RecordKey
from vitrine.platform import json_text
from vitrine.platform.cache import Cache
from vitrine.platform.crypto import Vault, base64url, from_base64url, same, signature

_HOUR = 3600
_CACHED = 10_000


class BadAddress(Invalid):
    """A signed address not made with any key of this server: 400 (04 section 4)."""

    code = "bad_address"


class StaleAddress(NotFound):
    """A signed address that has expired or whose signature is wrong: 404 (04 section 4)."""

    code = "stale_address"


Signer = Callable[[RecordKey, str], str]


class LinkBinding(NamedTuple):
    """The permalink on whose behalf an address was signed: the rendition's name and a digest of the token."""

    name: str
    digest: str

    @classmethod
    def of(cls, name: str, link: Permalink) -> "LinkBinding":
        return cls(name, sha256(link.token.encode()).hexdigest()[:24])

    def is_valid(self, link: Permalink | None) -> bool:
        """Does the permalink still exist, with the same token, switched on?"""
        return link is not None and link.activated and LinkBinding.of(self.name, link) == self


LINK_ISSUER = (0, 0)  # the issuer of an address signed for a permalink rather than a person


@dataclass(frozen=True, slots=True)
class SignedAddress:
    """The content of a signed address whose signature has been checked."""

    issuer_id: int
    key: RecordKey
    name: str
    link: LinkBinding | None = None


@dataclass(slots=True)
class SignedAddresses:
    """JSON Web Tokens (HS256) for `/medias/{token}` (02 section 5.3): usable without an access token.

    Each user has their own key, derived from the server key and a generation number, so that all addresses of one
    person can be revoked at once; `kid` is `<user>-<generation>`. `iat` and `exp` are rounded to the hour, so that one
    signature serves everybody who asks within that hour and caches stay warm.
    """

    vault: Vault
    _signed: Cache[tuple[str, RecordKey, str], str] = field(default_factory=lambda: Cache("signed_addresses", _CACHED))

    def path(self, issuer: tuple[int, int], key: RecordKey, name: str, *, life: timedelta | None, now: datetime) -> str:
        """The path of one address. *issuer* is (user id, generation); *life* None means that it never expires."""
        return self.signer(issuer, life=life, now=now)(key, name)

    def signer(self, issuer: tuple[int, int], *, life: timedelta | None, now: datetime) -> Signer:
        """The same for many documents: what they have in common is computed once."""
        second = int(now.timestamp())
        hour = second // _HOUR * _HOUR
        # Rounded up, so that the address is valid for at least *life*.
        ends = None if life is None else -(-(second + int(life.total_seconds())) // _HOUR) * _HOUR
        signed = self._signed
        shared_part = f"{issuer[0]}-{issuer[1]} {hour} {ends}"  # one text, whose hash is computed once

        def path(key: RecordKey, name: str) -> str:
            memo = (shared_part, key, name)
            address = signed.get(memo)
            if address is None:
                address = "/medias/" + self._sign(issuer, key, name, hour, ends)
                signed.put(memo, address)  # follows from the key alone
            return address

        return path

    def path_by_link(self, link: LinkBinding, key: RecordKey, name: str, *, life: timedelta, now: datetime) -> str:
        """An address for the holder of a permalink: it opens *name* until it expires or the permalink is switched
        off."""
        second = int(now.timestamp())
        ends = -(-(second + int(life.total_seconds())) // _HOUR) * _HOUR
        return "/medias/" + self._sign(LINK_ISSUER, key, name, second // _HOUR * _HOUR, ends, link)

    def _sign(
        self,
        issuer: tuple[int, int],
        key: RecordKey,
        name: str,
        issued: int,
        ends: int | None,
        link: LinkBinding | None = None,
    ) -> str:
        header = {"typ": "JWT", "alg": "HS256", "kid": f"{issuer[0]}-{issuer[1]}"}
        claims: dict[str, Any] = {"iat": issued, "iss": issuer[0], "sdef": [key.databox, key.number, name]}
        if ends is not None:
            claims["exp"] = ends
        if link is not None:
            claims["link"] = link
        body = ".".join(base64url(msgspec.json.encode(part)) for part in (header, claims))
        return f"{body}.{base64url(signature(self._key(issuer), body.encode()))}"

    def _key(self, issuer: tuple[int, int]) -> bytes:
        return self.vault.derive(f"signed addresses {issuer[0]}-{issuer[1]}")

    def open(self, token: str, *, generation_of: Callable[[int], int | None], now: datetime) -> SignedAddress:
        """Check a token. *generation_of(user_id)* returns the current generation of a user's key, or None.

        Raises BadAddress for a token that is not ours (400), StaleAddress for a wrong signature or an expired address.
        """
        try:
            head, claims_part, signed = token.split(".")
            header = json_text.parse(from_base64url(head), _Header)
            claims = json_text.parse(from_base64url(claims_part), _Claims)
            user, _, generation = header.kid.partition("-")
            issuer = (int(user), int(generation))
            sent_signature = from_base64url(signed)
        except ValueError as failure:
            raise BadAddress("This address is not well formed.", why=type(failure).__name__) from failure
        if header.alg != "HS256" or issuer[0] != claims.iss or generation_of(issuer[0]) != issuer[1]:
            raise BadAddress("This address was made with a key that is not in use.")
        if not same(signature(self._key(issuer), f"{head}.{claims_part}".encode()), sent_signature):
            raise StaleAddress("There is nothing at this address.")
        if claims.exp is not None and claims.exp <= now.timestamp():
            raise StaleAddress("This address has expired.")
        databox, number, name = claims.sdef
        return SignedAddress(issuer[0], RecordKey(DataboxId(databox), number), name, claims.link)


class _Header(msgspec.Struct):
    alg: str
    kid: str


class _Claims(msgspec.Struct):
    iat: int
    iss: int
    sdef: tuple[int, int, str]
    exp: int | None = None
    link: LinkBinding | None = None
