"""Ranges, validators and file names of responses, as plain values for any HTTP adapter (contract 04 section 3)."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from urllib.parse import quote

from vitrine.platform.texts import of_one_line

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,40})\s*-\s*(\d{0,40})\s*$", re.IGNORECASE)
_ASCII = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes *start* to *end*, both included and inside the document."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start + 1


class RangeNotSatisfiable(Exception):
    """The range starts at or past the end of the document: 416."""


def parse_range(header: str, size: int) -> Span | None:
    """Read a one-part `Range` header (RFC 9110 section 14.1.2) for a document of *size* bytes.

    Returns the span, clamped to the document; None if the header is not understood or has several parts, which means
    "send everything". Raises RangeNotSatisfiable if the span starts at or past the end.
    """
    matched = _RANGE.match(header)
    if matched is None or (not matched[1] and not matched[2]):
        return None
    if not matched[1]:
        length = int(matched[2])
        if length == 0 or size == 0:
            raise RangeNotSatisfiable
        return Span(max(0, size - length), size - 1)
    start = int(matched[1])
    end = int(matched[2]) if matched[2] else size - 1
    if matched[2] and end < start:
        return None  # RFC 9110: an invalid range is ignored
    if start >= size:
        raise RangeNotSatisfiable
    return Span(start, min(end, size - 1))


def etag(sha256: str) -> str:
    """A strong validator: the same bytes have the same tag on every server of an installation."""
    return f'"{sha256[:40]}"'


@lru_cache(maxsize=4096)
def http_date(instant: datetime) -> str:
    return format_datetime(instant.astimezone(UTC), usegmt=True)


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditional headers of a request, "" where absent."""

    none_match: str = ""
    modified_since: str = ""
    if_range: str = ""
    range: str = ""


def is_unchanged(conditions: Conditions, tag: str, modified: datetime) -> bool:
    """True if the response is 304 (RFC 9110 section 13.2.2: If-None-Match, if present, decides alone)."""
    if conditions.none_match:
        tags = [value.strip().removeprefix("W/") for value in conditions.none_match.split(",")]
        return "*" in tags or tag in tags
    since = _date(conditions.modified_since)
    return since is not None and modified.replace(microsecond=0) <= since


def requested_span(conditions: Conditions, size: int, tag: str, modified: datetime) -> Span | None:
    """The span to send; None for the whole document. Raises RangeNotSatisfiable.

    `If-Range` must match these bytes, by tag or by exact date; otherwise the range is ignored (RFC 9110 13.1.5).
    """
    if not conditions.range:
        return None
    if conditions.if_range:
        is_current = conditions.if_range == tag or _date(conditions.if_range) == modified.replace(microsecond=0)
        if not is_current:
            return None
    return parse_range(conditions.range, size)


def _date(text: str) -> datetime | None:
    if not text:
        return None
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year of twelve digits fits into no C integer
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


@lru_cache(maxsize=4096)
def content_disposition(kind: str, filename: str) -> str:
    """`inline` or `attachment` with an ASCII name (letters, digits, `_ - .`) and the full name (RFC 6266, RFC 8187)."""
    name = of_one_line(filename).replace("/", "").replace("\\", "").strip() or "document"
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    ascii_name = _ASCII.sub("_", ascii_name).strip("_") or "document"
    value = f'{kind}; filename="{ascii_name}"'
    return value if ascii_name == name else f"{value}; filename*=utf-8''{quote(name, safe='')}"
