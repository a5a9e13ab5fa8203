"""Permalinks and signed addresses, the two ways to share a document outside (contract 04 sections 1 to 4)."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote_plus

import msgspec

from vitrine.accounts import Actor
from vitrine.errors import Forbidden, Invalid, NotFound
from vitrine.library import access, store
from vitrine.library.errors import MayNotChange, NoSuchRendition
from vitrine.library.model import (
    DOCUMENT,
    DataboxId,
    Permalink,
    Record,
    RecordId,
    RecordKey,
    Rendition,
    SharedFile,
    Structure,
)
from vitrine.platform import audit
from vitrine.platform.cache import Cache
from vitrine.platform.crypto import Vault, base64url, from_base64url, random_base62, same, signature
from vitrine.platform.database import UnitOfWork

TOKEN_LENGTH = 64
LONGEST_LABEL = 150  # a title may be a caption of a page's length, too long for an address
_BLANKS = re.compile(r"[\s+]+")
_KEPT = re.compile(r"[^0-9A-Za-z_+-]")
_UNSAFE_IN_NAME = re.compile(r"[\x00-\x1f\x7f \\/%+]")
_BROUGHT = re.compile(r"[0-9A-Za-z_-]{1,64}")
_HOUR = 3600
_CACHED = 50_000


def label_of(title: str) -> str:
    """The label of a permalink as the original makes it from a title (04 section 1).

    The extension is dropped and the rest form-encoded. Runs of blanks and `+` become `-`. Of the result only letters,
    digits and `_ - +` stay: percent signs go, their hex digits stay, so that old addresses keep their shape.
    """
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", title.strip())
    encoded = _BLANKS.sub("-", quote_plus(stem, safe=""))
    plain = unicodedata.normalize("NFKD", encoded)
    return _KEPT.sub("", plain)[:LONGEST_LABEL] or "untitled"


def ensure(work: UnitOfWork, record_id: RecordId, title: str, name: str) -> None:
    """Give a rendition its permalink when it gets its first file. The permalink never changes afterwards."""
    store.ensure_permalink(work, record_id, name, random_base62(TOKEN_LENGTH), label_of(title))


@dataclass(frozen=True, slots=True)
class ImportedPermalink:
    """A permalink made by another server; an empty *label* is derived from the title."""

    token: str
    label: str = ""
    activated: bool = True


def import_permalink(
    work: UnitOfWork, actor: Actor, structure: Structure, key: RecordKey, name: str, link: ImportedPermalink
) -> None:
    """Give a rendition the permalink it has on another server, so that pages which show it keep working. Its previous
    permalink stops working. Administrators and the command line only. Raises Forbidden, NotFound or Invalid."""
    if not actor.is_admin:
        raise Forbidden("Only administrators may import permalinks.")
    record = store.by_key(work, key)
    if record is None:
        raise NotFound(f"There is no record {key}.", field="record_id")
    if name != DOCUMENT and structure.recipe(record.databox_id, record.group, name) is None:
        raise NotFound(f"Record {key} has no file called {name}.", field="subdef")
    if not _BROUGHT.fullmatch(link.token):
        raise Invalid(f"token has 1 to {TOKEN_LENGTH} letters, digits, - or _.", field="token")
    label = _KEPT.sub("", link.label) or label_of(record.title)
    values = {"token": link.token, "label": label, "activated": link.activated}
    store.put_permalink(work, record.id, name, values)
    audit.write(work, actor, "permalink.imported", f"record {key}", {"name": name})


def switch(work: UnitOfWork, actor: Actor, structure: Structure, record: Record, name: str, *, on: bool) -> None:
    """Switch the permalink of one file of *record* on or off; its token stays (06 section 10).

    *record* must be one that the actor sees. Raises NoSuchRendition or MayNotChange.
    """
    rendition = store.rendition(work, record.id, name.lower())
    if rendition is None or rendition.permalink is None:
        raise NoSuchRendition(f"This record has no file called {name}.", field="link")
    recipe = structure.recipe(record.databox_id, record.group, rendition.name)
    if not access.may_switch_link(actor, record, rendition.name, recipe, work.now):
        raise MayNotChange("You may not switch this link.", why=f"record {record.key} {rendition.name}")
    if rendition.permalink.activated is on:
        return
    store.put_permalink(work, record.id, rendition.name, {"activated": on})
    audit.write(
        work, actor, "permalink.on" if on else "permalink.off", f"record {record.key}", {"name": rendition.name}
    )


@dataclass(frozen=True, slots=True)
class PermalinkPaths:
    """The three paths of a permalink, without the host; the order of parameters is part of the contract."""

    page: str
    file: str
    download: str


def paths(key: RecordKey, rendition: Rendition, link: Permalink) -> PermalinkPaths:
    name = _UNSAFE_IN_NAME.sub("_", f"{link.label}.{rendition.extension}" if rendition.extension else link.label)
    root = f"/permalink/v1/{key.databox}/{key.number}/{rendition.name}/"
    file = f"{root}{name}?token={link.token}"
    return PermalinkPaths(page=f"{root}?token={link.token}", file=file, download=f"{file}&download=1")


class WrongToken(NotFound):
    """Unknown token, or the token of something else: a page shows the same as for an address that does not exist."""

    code = "wrong_token"


class SwitchedOff(NotFound):
    """Somebody switched this link off; only holders of the link are told."""

    code = "switched_off"


def check(rendition: Rendition, token: str | None) -> Permalink:
    """The permalink that *token* opens for this rendition. Raises WrongToken or SwitchedOff (04 section 2)."""
    link = rendition.permalink
    if link is None or not token or not same(link.token, token):
        raise WrongToken("This link is not valid.")
    if not link.activated:
        raise SwitchedOff("This link has been switched off.")
    return link


def shared(work: UnitOfWork, key: RecordKey, name: str, token: str | None) -> SharedFile:
    """The file that a permalink opens, without the whole record. Raises what `check` raises, or NotFound."""
    file = store.shared_file(work, key, name.lower())
    if file is None:
        raise NotFound("There is nothing at this address.")
    if not token or not same(file.token, token):
        raise WrongToken("This link is not valid.")
    if not file.activated:
        raise SwitchedOff("This link has been switched off.")
    return file


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

    def signer(self, issuer: tuple[int, int], *, life: timedelta | None, now: datetime) -> "Signer":
        """The same for many documents: what they have in common is computed once."""
        second = int(now.timestamp())
        hour = second // _HOUR * _HOUR
        # Rounded up, so that the address is valid for at least the time asked for.
        ends = None if life is None else -(-(second + int(life.total_seconds())) // _HOUR) * _HOUR
        signed, kept = self._signed, self._signed.get
        scope = f"{issuer[0]}-{issuer[1]} {hour} {ends}"  # one text, whose hash is worked out once

        def path(key: RecordKey, name: str) -> str:
            memo = (scope, key, name)
            address = kept(memo)
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
            header = msgspec.json.decode(from_base64url(head), type=_Header)
            claims = msgspec.json.decode(from_base64url(claims_part), type=_Claims)
            user, _, generation = header.kid.partition("-")
            issuer = (int(user), int(generation))
            given_signature = from_base64url(signed)
        except (ValueError, msgspec.DecodeError) as failure:
            raise BadAddress("This address is not well formed.", why=type(failure).__name__) from failure
        if header.alg != "HS256" or issuer[0] != claims.iss or generation_of(issuer[0]) != issuer[1]:
            raise BadAddress("This address was made with a key that is not in use.")
        if not same(signature(self._key(issuer), f"{head}.{claims_part}".encode()), given_signature):
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
