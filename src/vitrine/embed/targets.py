"""Addresses of documents as people paste them: permalinks of all forms, pages, signed ones (04 sections 2, 4, 6)."""

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from vitrine.errors import Invalid, NotFound
from vitrine.library.model import DataboxId, RecordKey

_CURRENT = re.compile(r"/permalink/v1/(\d{1,18})/(\d{1,18})/([^/]+)/([^/]*)")
_OLD = re.compile(r"/permalink/v1/([^/]+)/(\d{1,18})/(\d{1,18})/([^/]+)/([^/]+)/(view/?)?")
_MEDIAS = re.compile(r"/medias/([^/]+)")


class ForeignAddress(Invalid):
    """Not an address of this server: 400 (04 section 6)."""

    code = "foreign_address"


class PermalinkTarget(NamedTuple):
    """A permalink of any form; *token* is what was given, right or wrong."""

    key: RecordKey
    name: str
    token: str | None


@dataclass(frozen=True, slots=True)
class SignedTarget:
    """`/medias/{token}`."""

    token: str


def parse(url: str | None, origin: str) -> PermalinkTarget | SignedTarget:
    """What *url* points at: absolute on this server (same scheme, host and port) or beginning with one slash.

    Raises ForeignAddress for a missing or foreign address, NotFound for anything local that is no document.
    """
    if not url:
        raise ForeignAddress("Say with url= which document to show.", field="url")
    try:
        parts = urlsplit(url if url.isprintable() else "http://[")
    except ValueError:
        raise ForeignAddress("This is not an address of this server.", field="url") from None
    local = url.startswith("/") and not url.startswith(("//", "/\\"))
    try:
        here = urlsplit(origin)
        same = (parts.scheme, parts.hostname, parts.port) == (here.scheme, here.hostname, here.port)
    except ValueError:
        same = False
    if not local and (not same or parts.username is not None):
        raise ForeignAddress("This is not an address of this server.", field="url")
    return _of_path(parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)))


def _of_path(path: str, query: dict[str, str]) -> PermalinkTarget | SignedTarget:
    signed = _MEDIAS.fullmatch(path)
    if signed:
        return SignedTarget(signed[1])
    current = _CURRENT.fullmatch(path)
    if current:
        return PermalinkTarget(_key(current[1], current[2]), unquote(current[3]).lower(), query.get("token"))
    old = _OLD.fullmatch(path)
    if old:
        return PermalinkTarget(_key(old[2], old[3]), unquote(old[5]).lower(), old[4])
    raise NotFound("There is no document at this address.")


def _key(databox: str, number: str) -> RecordKey:
    return RecordKey(DataboxId(int(databox)), int(number))
