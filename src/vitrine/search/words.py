"""Text analysis: the same function at index time and at query time, in every engine."""

import re
import unicodedata

LONGEST_TOKEN = 80
LONGEST_QUERY = 10_000  # characters: normalization takes time in the square of a run of marks
MOST_TERMS = 64
_WORD = re.compile(r"[^\W_]+")
_PHRASE = re.compile(r'"([^"]+)"')
_UNDECOMPOSED = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ı": "i"})


def fold(text: str) -> str:
    """Remove case, accents and width: `Été` and `ete` are the same word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character)).translate(
        _UNDECOMPOSED
    )


def tokens(text: str) -> list[str]:
    """The folded words of *text*. Punctuation separates words and is dropped."""
    return [word[:LONGEST_TOKEN] for word in _WORD.findall(fold(text))]


def terms(query: str) -> list[list[str]]:
    """Split a query into terms: one word each, or several consecutive words (a quoted phrase).

    Anything is accepted: punctuation is dropped (contract 05 section 2, fallback), an unclosed quote counts as a space.
    """
    query = query[:LONGEST_QUERY]
    phrases = [tokens(phrase) for phrase in _PHRASE.findall(query)]
    unquoted = _PHRASE.sub(" ", query)
    phrases += [[word] for word in tokens(unquoted)]
    unique = {tuple(term): None for term in phrases if term}
    return [list(term) for term in list(unique)[:MOST_TERMS]]
