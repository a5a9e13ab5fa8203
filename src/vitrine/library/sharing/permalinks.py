"""Permalinks: addresses of renditions, valid until somebody switches them off (contract 04 sections 1 to 3)."""

import re
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote_plus

from vitrine.accounts import Actor
from vitrine.errors import Forbidden, Invalid, NotFound
from vitrine.library import access, store
from vitrine.library.errors import MayNotChange, NoSuchRendition
from vitrine.library.model import (
    DOCUMENT,
    Permalink,
    Record,
    RecordId,
    RecordKey,
    Rendition,
    SharedFile,
    Structure,
)
from vitrine.library.sharing import permalink_store
from vitrine.platform import audit
from vitrine.platform.crypto import random_base62, same
from vitrine.platform.database import UnitOfWork

TOKEN_LENGTH = 64
LONGEST_LABEL = 150  # a title may be a caption of a page's length, too long for an address
_BLANKS = re.compile(r"[\s+]+")
_NOT_IN_LABEL = re.compile(r"[^0-9A-Za-z_+-]")
_UNSAFE_IN_NAME = re.compile(r"[\x00-\x1f\x7f \\/%+]")
_IMPORTED_TOKEN = re.compile(r"[0-9A-Za-z_-]{1,64}")


def label_of(title: str) -> str:
    """The label of a permalink as the original makes it from a title (04 section 1).

    The extension is dropped and the rest form-encoded. Runs of blanks and `+` become `-`. Of the result only letters,
    digits and `_ - +` stay: percent signs go and their hex digits stay, so that old addresses keep their form.
    """
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", title.strip())
    encoded = _BLANKS.sub("-", quote_plus(stem, safe=""))
    plain = unicodedata.normalize("NFKD", encoded)
    return _NOT_IN_LABEL.sub("", plain)[:LONGEST_LABEL] or "untitled"


def ensure(work: UnitOfWork, record_id: RecordId, title: str, name: str) -> None:
    """Give a rendition its permalink when it gets its first file. The permalink never changes afterwards."""
    permalink_store.ensure(work, record_id, name, random_base62(TOKEN_LENGTH), label_of(title))


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
    if not _IMPORTED_TOKEN.fullmatch(link.token):
        raise Invalid(f"token has 1 to {TOKEN_LENGTH} letters, digits, - or _.", field="token")
    label = _NOT_IN_LABEL.sub("", link.label) or label_of(record.title)
    values = {"token": link.token, "label": label, "activated": link.activated}
    permalink_store.put(work, record.id, name, values)
    audit.write(work, actor, "permalink.imported", f"record {key}", {"name": name})


def switch(work: UnitOfWork, actor: Actor, structure: Structure, record: Record, name: str, *, on: bool) -> None:
    """Switch the permalink of one file of *record* on or off; its token stays (06 section 10). While the record itself
    is not public by link (`public_links`), the permalink opens nothing in either state.

    *record* must be one that the actor sees. Raises NoSuchRendition or MayNotChange.
    """
    rendition = store.rendition(work, record.id, name.lower())
    if rendition is None or rendition.permalink is None:
        raise NoSuchRendition(f"This record has no file called {name}.", field="link")
    recipe = structure.recipe(record.databox_id, record.group, rendition.name)
    if not access.may_switch_link(work, actor, record, rendition.name, recipe):
        raise MayNotChange("You may not switch this link.", why=f"record {record.key} {rendition.name}")
    if rendition.permalink.switched_on is on:
        return
    permalink_store.put(work, record.id, rendition.name, {"activated": on})
    audit.write(
        work, actor, "permalink.on" if on else "permalink.off", f"record {record.key}", {"name": rendition.name}
    )


@dataclass(frozen=True, slots=True)
class PermalinkPaths:
    """The three paths of a permalink, without the host; the order of parameters is part of the contract."""

    page: str
    file: str
    download: str


def free_path(key: RecordKey, rendition: Rendition, link: Permalink) -> str:
    """The path of a file that needs no token while it is in a public feed (`access.is_free`): it gives nothing that
    outlasts the publication."""
    return paths(key, rendition, link).file.partition("?")[0]


def paths(key: RecordKey, rendition: Rendition, link: Permalink) -> PermalinkPaths:
    name = _UNSAFE_IN_NAME.sub("_", f"{link.label}.{rendition.extension}" if rendition.extension else link.label)
    root = f"/permalink/v1/{key.databox}/{key.number}/{rendition.name}/"
    file = f"{root}{name}?token={link.token}"
    return PermalinkPaths(page=f"{root}?token={link.token}", file=file, download=f"{file}&download=1")


class WrongToken(NotFound):
    """Unknown token, or the token of something else: a page shows the same as for an address that does not exist."""

    code = "wrong_token"


class SwitchedOff(NotFound):
    """Somebody switched this link or all links of its record off; only holders of the link are told."""

    code = "switched_off"


class Opened(NamedTuple):
    """A permalink that opens its file. Not *by_token*: the file is free, and the caller may be given no token."""

    link: Permalink
    by_token: bool


def check(rendition: Rendition, token: str | None, *, is_free: bool = False) -> Opened:
    """The permalink of this rendition, which *token* opens; one that *is_free* (`access.is_free`) opens without. Raises
    WrongToken or SwitchedOff (04 section 2)."""
    link = rendition.permalink
    by_token = link is not None and bool(token) and same(link.token, token or "")
    if link is None or not (by_token or (is_free and link.activated)):
        raise WrongToken("This link is not valid.")
    if not link.activated:
        raise SwitchedOff("This link has been switched off.")
    return Opened(link, by_token)


def shared(work: UnitOfWork, key: RecordKey, name: str, token: str | None) -> SharedFile:
    """The file that a permalink opens by its token, without the whole record. Raises what `check` raises, or
    NotFound."""
    file = permalink_store.shared_file(work, key, name.lower())
    if file is None:
        raise NotFound("There is nothing at this address.")
    if not token or not same(file.token, token):
        raise WrongToken("This link is not valid.")
    if not file.activated:
        raise SwitchedOff("This link has been switched off.")
    return file


def opened(work: UnitOfWork, key: RecordKey, name: str, token: str | None) -> tuple[SharedFile, bool]:
    """`shared`, for a free file also without its token or with a wrong one: (the file, whether *token* opened it)."""
    file = permalink_store.shared_file(work, key, name.lower())
    if file is None:
        raise NotFound("There is nothing at this address.")
    by_token = bool(token) and same(file.token, token or "")
    if not by_token and not (file.activated and access.is_free(file.is_published, file.name, file.klass)):
        raise WrongToken("This link is not valid.")
    if not file.activated:
        raise SwitchedOff("This link has been switched off.")
    return file, by_token
