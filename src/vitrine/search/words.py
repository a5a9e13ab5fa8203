"""The one analysis of text: the same function at index time and at query time, in every engine."""

import re
import unicodedata

LONGEST_TOKEN = 80
MOST_TERMS = 64
_WORD = re.compile(r"[^\W_]+")
_PHRASE = re.compile(r'"([^"]+)"')
_UNDECOMPOSED = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ı": "i"})


def fold(text: str) -> str:
    """Case, accents and width away: `Été` and `ete` are the same word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in decomposed if not unicodedata.combining(one)).translate(_UNDECOMPOSED)


def tokens(text: str) -> list[str]:
    """The words of *text*, folded; punctuation separates and is dropped."""
    return [word[:LONGEST_TOKEN] for word in _WORD.findall(fold(text))]


def terms(query: str) -> list[list[str]]:
    """A plain query as terms: one word each, or several words that must follow each other (a quoted phrase).

    Anything is accepted: punctuation is dropped (contract 05 section 2, fallback), an unclosed quote counts as a blank.
    """
    found = [tokens(phrase) for phrase in _PHRASE.findall(query)]
    rest = _PHRASE.sub(" ", query)
    found += [[word] for word in tokens(rest)]
    unique = {tuple(term): None for term in found if term}
    return [list(term) for term in list(unique)[:MOST_TERMS]]
