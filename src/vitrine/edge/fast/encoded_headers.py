"""Header lines that are checked and encoded once, and used again for every answer that has the same ones.

A server checks each header of each answer, lest a value with a line end in it become a header of its own. Most of ours
are the same for thousands of answers, so the check is made the first time that a name and a value are seen together.
See docs/decisions/0074.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

Pair = tuple[bytes, bytes]
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.1
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")  # section 5.5: no control characters but the tab
_CHANGING = frozenset({b"ratelimit", b"retry-after", b"x-request-id", b"content-length"})
_LONGEST = 1024  # so that 4096 lines take four megabytes at most


def encoded(name: bytes, value: bytes) -> bytes:
    """One header as it goes over the wire, with its line end. Raises ValueError for what no header may be."""
    if not _NAME.fullmatch(name) or _FORBIDDEN.search(value):
        raise ValueError("not a header")
    return b"%b: %b\r\n" % (name.lower(), value)


encoded_before = lru_cache(maxsize=4096)(encoded)


def block_of(headers: Iterable[Pair]) -> bytes:
    """All *headers* in a row. Raises ValueError as `encoded` does."""
    return b"".join(
        [
            encoded(name, value) if name in _CHANGING or len(value) > _LONGEST else encoded_before(name, value)
            for name, value in headers
        ]
    )


class EncodedHeaders(tuple[Pair, ...]):
    """Headers that were checked and encoded once, for answers that are the same again and again; *length* is their
    body's, which they name. As a sequence they are what they were."""

    block: bytes
    length: int

    def __new__(cls, headers: Iterable[Pair], length: int) -> "EncodedHeaders":
        """Raises ValueError for what no header may be."""
        encoded = super().__new__(cls, headers)
        encoded.block, encoded.length = block_of(encoded), length
        return encoded
