"""The analyser: which terms a text has, in the index and in a query alike (contract 05 section 5).

There is one of it for every engine and for the reference in tests, so what is searched and what is found always agree.
LIGHT knows no language; the others also stem, and have a GAP in the place of each stop word. Inside a phrase any stop
word stands for any other; around it, and in a text, none is asked for.

A run of Chinese, Japanese, Thai, Lao or Khmer has no blanks between its words. It is indexed by its overlapping pairs
of letters, each at the place of its first letter, and by its single letters at the same places. 東京タワー has the
pairs 東京, 京タ, タワ and ワー. A query for 東京 looks for its pair, one for タワー for two pairs in a row, one for 東
for the letter.
"""

from collections.abc import Iterator
from typing import NamedTuple

from vitrine.search.analysis.languages import stemmer
from vitrine.search.analysis.segments import Segment, segments

LIGHT = "light"
GAP = "."  # no word has a dot
MOST_BYTES = 32_766  # of a value (contract 05 section 5)
SHORTEST_BEGINNING = 2  # letters


class Term(NamedTuple):
    text: str
    position: int


def indexed_part(value: str) -> str:
    """*value* as far as it is indexed: its first 32,766 bytes, cut between two characters."""
    if len(value) * 4 <= MOST_BYTES:
        return value
    return value.encode("utf-8", "surrogatepass")[:MOST_BYTES].decode("utf-8", "ignore")


def index_terms(value: str, analysis: str = LIGHT) -> list[Term]:
    """The terms of one stored value, by position. *analysis* is LIGHT or the code of a language."""
    terms: list[Term] = []
    for segment, stem, position in _analysed(indexed_part(value), analysis):
        if not segment.is_unspaced:
            terms.append(Term(stem, position))
            continue
        for offset, letter in enumerate(segment.text):
            terms.append(Term(letter, position + offset))
            if offset + 1 < len(segment.text):
                terms.append(Term(segment.text[offset : offset + 2], position + offset))
    return terms


def required(text: str, analysis: str = LIGHT) -> list[tuple[Term, ...]]:
    """What a value or record must have to hold every word of *text*: for each word its term, for each unspaced run its
    terms, which must follow each other at the distances of their positions. Empty if no word is left."""
    words = (tuple(_query_terms(segment, stem, 0)) for segment, stem, _ in _analysed(text, analysis) if stem != GAP)
    return list(dict.fromkeys(words))


def phrase(text: str, analysis: str = LIGHT) -> tuple[Term, ...]:
    """The terms that must follow each other, at the distances of their positions; the first position is 0."""
    terms = [term for segment, stem, at in _analysed(text, analysis) for term in _query_terms(segment, stem, at)]
    words = [index for index, term in enumerate(terms) if term.text != GAP]
    if not words:
        return ()
    inner = terms[words[0] : words[-1] + 1]
    return tuple(Term(term.text, term.position - inner[0].position) for term in inner)


def can_begin(terms: tuple[Term, ...]) -> bool:
    """Whether the only one of *terms* may be the beginning of a longer one, when truncation is asked for."""
    return len(terms) == 1 and len(terms[0].text) >= SHORTEST_BEGINNING


def _query_terms(segment: Segment, stem: str, position: int) -> Iterator[Term]:
    if not segment.is_unspaced or len(segment.text) == 1:
        yield Term(stem, position)
        return
    for offset in range(len(segment.text) - 1):
        yield Term(segment.text[offset : offset + 2], position + offset)


def _analysed(text: str, analysis: str) -> Iterator[tuple[Segment, str, int]]:
    """The segments with their stems, or GAP for stop words (unspaced ones have themselves), and their positions."""
    parts = list(segments(text))
    words = [part.text for part in parts if not part.is_unspaced]
    stems = iter(words if analysis == LIGHT else stemmer(analysis).stems(words))
    position = 0
    for part in parts:
        if part.is_unspaced:
            yield part, part.text, position
            position += len(part.text)
        else:
            yield part, next(stems) or GAP, position
            position += 1
