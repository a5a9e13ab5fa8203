"""Addresses of documents as people paste them: permalinks of all forms, pages, signed ones (04 sections 2, 4, 6)."""

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, unquote_plus, urlsplit

from vitrine.errors import Invalid, NotFound
from vitrine.library.model import DataboxId, RecordKey

_CURRENT = re.compile(r"/permalink/v1/(\d{1,18})/(\d{1,18})/([^/]+)/([^/]*)")
_OLD = re.compile(r"/permalink/v1/([^/]+)/(\d{1,18})/(\d{1,18})/([^/]+)/([^/]+)/(view/?)?")
_DATAFILE = re.compile(r"/datafiles/(\d{1,18})/(\d{1,18})/([^/]+)/?")
_MEDIAS = re.compile(r"/medias/([^/]+)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_GIVEN = re.compile(r"(?:^|&)url=(.*)$", re.DOTALL)
# An address at the beginning of a raw text whose label has an `&` in it; what comes after it must be a boundary.
_RAW = re.compile(
    r"(?:https?://[^/?#&]+)?/permalink/v1/(?:\d{1,18}/\d{1,18}/[^/?&]+/[^/?]*|"
    r"[^/?]+/\d{1,18}/\d{1,18}/[^/?&]+/[^/?&]+/(?:view/?)?)(?=[?&]|$)",
    re.IGNORECASE,
)


def asked(query: str) -> str | None:
    """The address in the `url` parameter of a raw query, encoded or pasted as it stands (04 section 6, 08).

    Real clients concatenate: `url=https://h/permalink/v1/1/2/preview/a.mp4?token=x`, and pym.js or the caller append
    their own parameters. What follows cannot be told from the address's own query by name (a permalink may carry `t`
    or `autoplay` itself), and need not be: of its query an address needs the first `token` alone, see `parse`. So:

    * a `?` before the first `&` makes it a pasted address, and all that follows belongs to it;
    * else the value ends at the first `&` and is decoded, as in any query;
    * but an address without a `?` up to there may have an `&` in its label: then it goes on to where its form ends.
    """
    found = _GIVEN.search(query)
    if found is None:
        return None
    text = found[1]
    first = text.partition("&")[0]
    if "?" in first:
        return text
    plain = unquote_plus(first)
    raw = _RAW.match(text)
    if "?" in plain or raw is None or raw.end() <= len(first):
        return plain
    return text if text[raw.end() :].startswith("?") else raw[0]


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


@dataclass(frozen=True, slots=True)
class DatafileTarget:
    """`/datafiles/…`: for the person who is signed in in this browser."""

    key: RecordKey
    name: str


Wanted = PermalinkTarget | SignedTarget | DatafileTarget


def parse(url: str | None, origin: str) -> Wanted:
    """What *url* points at: absolute on this server (same scheme, host and port) or beginning with one slash.

    Raises ForeignAddress for a missing or foreign address, NotFound for anything local that is no document.
    """
    if not url:
        raise ForeignAddress("Say with url= which document to show.", field="url")
    try:
        parts = urlsplit(url if not _CONTROL.search(url) else "http://[")
    except ValueError:
        raise ForeignAddress("This is not an address of this server.", field="url") from None
    local = url.startswith("/") and not url.startswith(("//", "/\\"))
    try:
        here = urlsplit(origin)
        same = _place(parts) == _place(here)
    except ValueError:
        same = False
    if not local and (not same or parts.username is not None):
        raise ForeignAddress("This is not an address of this server.", field="url")
    # The first of a name counts: after a pasted address come parameters that are not its own.
    return _of_path(parts.path, dict(reversed(parse_qsl(parts.query, keep_blank_values=True))))


def _place(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """Scheme, host and port, the usual port written or not. Raises ValueError for a port that is none."""
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _of_path(path: str, query: dict[str, str]) -> Wanted:
    signed = _MEDIAS.fullmatch(path)
    if signed:
        return SignedTarget(signed[1])
    datafile = _DATAFILE.fullmatch(path)
    if datafile:
        return DatafileTarget(_key(datafile[1], datafile[2]), unquote(datafile[3]).lower())
    current = _CURRENT.fullmatch(path)
    if current:
        return PermalinkTarget(_key(current[1], current[2]), unquote(current[3]).lower(), query.get("token"))
    old = _OLD.fullmatch(path)
    if old:
        return PermalinkTarget(_key(old[2], old[3]), unquote(old[5]).lower(), old[4])
    raise NotFound("There is no document at this address.")


def _key(databox: str, number: str) -> RecordKey:
    return RecordKey(DataboxId(int(databox)), int(number))
