"""Header lines that are checked and written down once, and used again for every answer that has the same ones.

A server checks each header of each answer, lest a value with a line end in it become a header of its own. Most of ours
are the same for thousands of answers, so the check is made the first time that a name and a value are seen together.
See docs/decisions/0074.
"""

import re
from collections.abc import Callable, Iterable

# A message of this type is `http.response.start` and the only `http.response.body` in one: status, headers, body.
ANSWER = "vitrine.answer"
# The ASGI extension that sends such a message in one piece, where the server has it (edge/protocol.py).
WHOLE = "vitrine.whole"
Pair = tuple[bytes, bytes]
Whole = Callable[[int, Iterable[Pair], bytes, bytes], bool]
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.1
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")  # section 5.5: no control characters but the tab
_MOST, _LONGEST = 4096, 1024
_CHANGING = frozenset({b"ratelimit", b"retry-after", b"x-request-id", b"content-length"})  # not worth remembering


class _Lines(dict[Pair, bytes]):
    """Lines by name and value. Forgets everything when it is full, since values may be anybody's."""

    def __missing__(self, pair: Pair) -> bytes:
        name, value = pair
        if not _NAME.fullmatch(name) or _FORBIDDEN.search(value):
            raise ValueError("not a header")
        made = b"%b: %b\r\n" % (name.lower(), value)
        if len(made) <= _LONGEST and made[: len(name)] not in _CHANGING:
            if len(self) >= _MOST:
                self.clear()
            self[pair] = made
        return made


_lines = _Lines()
line = _lines.__getitem__


def block_of(headers: Iterable[Pair]) -> bytes:
    """Headers as they go over the wire, each with its line end. Raises ValueError for what no header may be."""
    return b"".join([line(pair) for pair in headers])


class Sealed(tuple[Pair, ...]):
    """Headers that were checked and written down once, for answers that are the same again and again; *length* is
    their body's, which they name. As a sequence they are what they were."""

    block: bytes
    length: int

    def __new__(cls, headers: Iterable[Pair], length: int) -> "Sealed":
        """Raises ValueError for what no header may be."""
        made = super().__new__(cls, headers)
        made.block, made.length = block_of(made), length
        return made
