"""Permalinks and signed addresses: the two ways in which a document is shown outside (contract 04 sections 1 to 4)."""

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
LONGEST_LABEL = 150  # a caption of a page's length may be a title, and would not fit into an address
_BLANKS = re.compile(r"[\s+]+")
_KEPT = re.compile(r"[^0-9A-Za-z_+-]")
_UNSAFE_IN_NAME = re.compile(r"[\x00-\x1f\x7f \\/%+]")
_BROUGHT = re.compile(r"[0-9A-Za-z_-]{1,64}")
_HOUR = 3600
_CACHED = 50_000


def label_of(title: str) -> str:
    """The label of a permalink as the original makes it from a title (04 section 1).

    The extension goes, the rest is form-encoded, runs of blanks and `+` become `-`, and of what is left only letters,
    digits and `_ - +` stay: the percent signs go, their hex digits stay, so that old addresses keep their shape.
    """
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", title.strip())
    encoded = _BLANKS.sub("-", quote_plus(stem, safe=""))
    plain = unicodedata.normalize("NFKD", encoded)
    return _KEPT.sub("", plain)[:LONGEST_LABEL] or "untitled"


def ensure(work: UnitOfWork, record_id: RecordId, title: str, name: str) -> None:
    """Give a rendition its permalink when it gets its first file; it keeps it for ever."""
    store.ensure_permalink(work, record_id, name, random_base62(TOKEN_LENGTH), label_of(title))


@dataclass(frozen=True, slots=True)
class BroughtLink:
    """A permalink as another server made it; an empty *label* is made anew from the title."""

    token: str
    label: str = ""
    activated: bool = True


def bring(work: UnitOfWork, actor: Actor, structure: Structure, key: RecordKey, name: str, link: BroughtLink) -> None:
    """Give a rendition the permalink it has elsewhere, so that pages which show it go on to do so; the one it had here
    stops. Administrators and the command line only. Raises Forbidden, NotFound or Invalid."""
    if not actor.is_admin:
        raise Forbidden("Only administrators may bring permalinks.")
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
    """End the permalink of one file of *record*, or let it open again; its token stays (06 section 10).

    *record* is one that the actor sees. Raises NoSuchRendition or MayNotChange.
    """
    found = store.rendition(work, record.id, name.lower())
    if found is None or found.permalink is None:
        raise NoSuchRendition(f"This record has no file called {name}.", field="link")
    recipe = structure.recipe(record.databox_id, record.group, found.name)
    if not access.may_switch_link(actor, record, found.name, recipe, work.now):
        raise MayNotChange("You may not switch this link.", why=f"record {record.key} {found.name}")
    if found.permalink.activated is on:
        return
    store.put_permalink(work, record.id, found.name, {"activated": on})
    audit.write(work, actor, "permalink.on" if on else "permalink.off", f"record {record.key}", {"name": found.name})


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
    """Unknown or of something else: on a page it looks like an address where nothing is."""

    code = "wrong_token"


class SwitchedOff(NotFound):
    """Somebody ended this link; said only to who has it."""

    code = "switched_off"


def check(rendition: Rendition, token: str | None) -> Permalink:
    """The permalink that *token* opens for this very rendition. Raises WrongToken or SwitchedOff (04 section 2)."""
    link = rendition.permalink
    if link is None or not token or not same(link.token, token):
        raise WrongToken("This link is not right.")
    if not link.activated:
        raise SwitchedOff("This link has been switched off.")
    return link


def shared(work: UnitOfWork, key: RecordKey, name: str, token: str | None) -> SharedFile:
    """The file that a permalink opens, without the whole record. Raises as `check` does, or NotFound."""
    found = store.shared_file(work, key, name.lower())
    if found is None:
        raise NotFound("There is nothing at this address.")
    if not token or not same(found.token, token):
        raise WrongToken("This link is not right.")
    if not found.activated:
        raise SwitchedOff("This link has been switched off.")
    return found


class BadAddress(Invalid):
    """A signed address that no key of ours made: 400 (04 section 4)."""

    code = "bad_address"


class StaleAddress(NotFound):
    """A signed address that has ended or whose signature is wrong: 404 (04 section 4)."""

    code = "stale_address"


Signer = Callable[[RecordKey, str], str]


class Behind(NamedTuple):
    """The permalink in whose name an address was signed: of which rendition, and a digest of its token."""

    name: str
    digest: str

    @classmethod
    def of(cls, name: str, link: Permalink) -> "Behind":
        return cls(name, sha256(link.token.encode()).hexdigest()[:24])

    def stands(self, link: Permalink | None) -> bool:
        """Is it still there, with the same token, and switched on?"""
        return link is not None and link.activated and Behind.of(self.name, link) == self


BY_LINK = (0, 0)  # the issuer of an address that stands on a permalink and not on a person


@dataclass(frozen=True, slots=True)
class SignedAddress:
    """What a signed address says once its signature is right."""

    issuer_id: int
    key: RecordKey
    name: str
    link: Behind | None = None


@dataclass(slots=True)
class SignedAddresses:
    """JSON Web Tokens (HS256) for `/medias/{token}` (02 section 5.3): usable without an access token.

    Each user has a key of their own, derived from the server key and a generation number, so that all addresses of one
    person can be ended at once; `kid` is `<user>-<generation>`. `iat` and `exp` are rounded to the hour, so one
    signature serves everybody who asks in that hour, and caches stay warm.
    """

    vault: Vault
    _signed: Cache[tuple[str, RecordKey, str], str] = field(default_factory=lambda: Cache("signed_addresses", _CACHED))

    def path(self, issuer: tuple[int, int], key: RecordKey, name: str, *, life: timedelta | None, now: datetime) -> str:
        """The path of one address; *issuer* is (user id, generation), *life* None means endless."""
        return self.signer(issuer, life=life, now=now)(key, name)

    def signer(self, issuer: tuple[int, int], *, life: timedelta | None, now: datetime) -> "Signer":
        """The same for many documents: what is equal for all of them is worked out once."""
        second = int(now.timestamp())
        hour = second // _HOUR * _HOUR
        # Rounded up, so that the address lives at least as long as was asked for.
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

    def path_by_link(self, link: Behind, key: RecordKey, name: str, *, life: timedelta, now: datetime) -> str:
        """An address for who has a permalink: it opens *name* for as long as that permalink does, and until its end."""
        second = int(now.timestamp())
        ends = -(-(second + int(life.total_seconds())) // _HOUR) * _HOUR
        return "/medias/" + self._sign(BY_LINK, key, name, second // _HOUR * _HOUR, ends, link)

    def _sign(
        self,
        issuer: tuple[int, int],
        key: RecordKey,
        name: str,
        issued: int,
        ends: int | None,
        link: Behind | None = None,
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
        """Check a token; *generation_of(user_id)* gives the current generation of a user's key or None.

        Raises BadAddress for what is no token of ours (400) and StaleAddress for a wrong signature or an ended life.
        """
        try:
            head, claims_part, signed = token.split(".")
            header = msgspec.json.decode(from_base64url(head), type=_Header)
            claims = msgspec.json.decode(from_base64url(claims_part), type=_Claims)
            user, _, generation = header.kid.partition("-")
            issuer = (int(user), int(generation))
            given = from_base64url(signed)
        except (ValueError, msgspec.DecodeError) as failure:
            raise BadAddress("This address is not well formed.", why=type(failure).__name__) from failure
        if header.alg != "HS256" or issuer[0] != claims.iss or generation_of(issuer[0]) != issuer[1]:
            raise BadAddress("This address was made with a key that is not in use.")
        if not same(signature(self._key(issuer), f"{head}.{claims_part}".encode()), given):
            raise StaleAddress("There is nothing at this address.")
        if claims.exp is not None and claims.exp <= now.timestamp():
            raise StaleAddress("This address has ended.")
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
    link: Behind | None = None
