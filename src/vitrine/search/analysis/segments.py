"""Segments: the words of a text, and its runs of scripts that are written without blanks."""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from vitrine.search.analysis.folding import fold

LONGEST_WORD = 80  # characters; longer ones are cut
_UNSPACED = (
    "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # kana
    "\u0e01-\u0e4e\u0e81-\u0ece\u0edc-\u0edf"  # Thai, Lao
    "\u1780-\u17d3\u17d7\u17dc\u17dd"  # Khmer
)


def _marks() -> str:
    """The vowel signs and other marks that are parts of words: what `\\w` leaves out in Indic and similar scripts."""
    blocks = (range(0x0900, 0x1D00), range(0xA800, 0xAC00), range(0x11000, 0x11A00))
    return "".join(chr(code) for block in blocks for code in block if unicodedata.category(chr(code)).startswith("M"))


_SEGMENT = re.compile(rf"(?P<unspaced>[{_UNSPACED}]+)|(?:(?![{_UNSPACED}_])[\w{_marks()}])+")
_UNSPACED_LETTER = re.compile(f"[{_UNSPACED}]")
_ASCII_WORD = re.compile(r"[a-z0-9]+")


class Segment(NamedTuple):
    """A word, folded; or a run of letters of a script without blanks, where no blank says which of them are words."""

    text: str
    is_unspaced: bool


def segments(text: str) -> Iterator[Segment]:
    """The segments of *text* in their order. Everything but letters, digits and their marks separates."""
    folded = fold(text)
    if folded.isascii():
        for word in _ASCII_WORD.findall(folded):
            yield Segment(word[:LONGEST_WORD], False)
        return
    for match in _SEGMENT.finditer(folded):
        is_unspaced = match.lastgroup is not None
        yield Segment(match.group() if is_unspaced else match.group()[:LONGEST_WORD], is_unspaced)


def is_unspaced(term: str) -> bool:
    """Whether a term comes from a run of a script without blanks."""
    return _UNSPACED_LETTER.match(term) is not None
