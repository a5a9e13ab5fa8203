"""Parse document addresses as people paste them: all forms of permalinks, pages, signed addresses (04 sections 2, 4,
6)."""

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
_URL_PARAMETER = re.compile(r"(?:^|&)url=(.*)$", re.DOTALL)
# An address at the beginning of a raw text whose label contains an `&`. A boundary must follow it.
_RAW = re.compile(
    r"(?:https?://[^/?#&]+)?/permalink/v1/(?:\d{1,18}/\d{1,18}/[^/?&]+/[^/?]*|"
    r"[^/?]+/\d{1,18}/\d{1,18}/[^/?&]+/[^/?&]+/(?:view/?)?)(?=[?&]|$)",
    re.IGNORECASE,
)


def url_parameter(query: str) -> str | None:
    """The address in the `url` parameter of a raw query, either encoded or pasted as is (04 section 6, 08).

    Real clients concatenate: `url=https://h/permalink/v1/1/2/preview/a.mp4?token=x`, and pym.js or the caller append
    their own parameters. Their names do not distinguish them from the address's own query (a permalink may carry `t` or
    `autoplay` itself). They need not be distinguished: an address needs only the first `token` of its query, see
    `parse`. So:

    * if a `?` precedes the first `&`, it is a pasted address, and everything after it belongs to it;
    * otherwise the value ends at the first `&` and is decoded, as in any query;
    * but if an address without a `?` has an `&` in its label, it continues to the end of its form.
    """
    parameter = _URL_PARAMETER.search(query)
    if parameter is None:
        return None
    text = parameter[1]
    first_value = text.partition("&")[0]
    if "?" in first_value:
        return text
    decoded = unquote_plus(first_value)
    raw_address = _RAW.match(text)
    if "?" in decoded or raw_address is None or raw_address.end() <= len(first_value):
        return decoded
    return text if text[raw_address.end() :].startswith("?") else raw_address[0]


class ForeignAddress(Invalid):
    """Not an address of this server: 400 (04 section 6)."""

    code = "foreign_address"


class PermalinkTarget(NamedTuple):
    """A permalink of any form; *token* is not checked yet."""

    key: RecordKey
    name: str
    token: str | None


@dataclass(frozen=True, slots=True)
class SignedTarget:
    """`/medias/{token}`."""

    token: str


@dataclass(frozen=True, slots=True)
class DatafileTarget:
    """`/datafiles/…`: for the person signed in with this browser."""

    key: RecordKey
    name: str


AnyTarget = PermalinkTarget | SignedTarget | DatafileTarget


def parse(url: str | None, origin: str) -> AnyTarget:
    """Parse *url*: an absolute address of this server (same scheme, host and port), or a path that begins with one
    slash.

    Raises ForeignAddress for a missing or foreign address, NotFound for a local address that is not a document.
    """
    if not url:
        raise ForeignAddress("Say with url= which document to show.", field="url")
    try:
        parts = urlsplit(url if not _CONTROL.search(url) else "http://[")
    except ValueError:
        raise ForeignAddress("This is not an address of this server.", field="url") from None
    is_path = url.startswith("/") and not url.startswith(("//", "/\\"))
    try:
        own_parts = urlsplit(origin)
        is_same_origin = _endpoint(parts) == _endpoint(own_parts)
    except ValueError:
        is_same_origin = False
    if not is_path and (not is_same_origin or parts.username is not None):
        raise ForeignAddress("This is not an address of this server.", field="url")
    # The first parameter of a name counts: parameters after a pasted address are not its own.
    return _of_path(parts.path, dict(reversed(parse_qsl(parts.query, keep_blank_values=True))))


def _endpoint(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """Scheme, host and port; the default port may be omitted. Raises ValueError for an invalid port."""
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _of_path(path: str, query: dict[str, str]) -> AnyTarget:
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
