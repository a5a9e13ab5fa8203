"""Languages: the stems and stop words of each. See docs/decisions/0165 for what differs from the original.

The stemmers are Snowball's, in the form that the engine's package ships; words are folded before. A word is stemmed
once and remembered, since texts repeat their words.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import tantivy

MOST_REMEMBERED = 20_000  # words a language: about 3 MB
# The engine's lists have these with their accents.
_GERMAN = "fur uber wahrend wurde wurden konnen konnte dass"
_SPANISH = "mas tambien el mi tu si que como esta estas estan habia tenia seria"
_ITALIAN = "piu perche sara e"
_PORTUGUESE = "nao ate ha ja so tambem voce esta sao a as e"
_FRENCH = "l m t qu n s j d"
_ARABIC = "من في على الى عن مع هذا هذه ذلك تلك التي الذي الذين ما لا ان كان كانت هو هي هم او ثم قد لم لن كل بعد قبل بين"


@dataclass(frozen=True, slots=True)
class Language:
    """*name* is the engine's word for it. *own_stop_words* come beside the engine's list, if *has_stop_words*."""

    code: str
    name: str
    own_stop_words: frozenset[str] = frozenset()
    has_stop_words: bool = True
    overrides: dict[str, str] = field(default_factory=dict)


def _stop_words(words: str) -> frozenset[str]:
    return frozenset(words.split())


LANGUAGES = {
    language.code: language
    for language in (
        Language("fr", "french", _stop_words(_FRENCH), has_stop_words=False),
        Language("en", "english"),
        Language("de", "german", _stop_words(_GERMAN)),
        Language(
            "nl",
            "dutch",
            overrides={"fiets": "fiets", "bromfiets": "bromfiets", "ei": "eier", "kind": "kinder"},
        ),
        Language("es", "spanish", _stop_words(_SPANISH)),
        Language("it", "italian", _stop_words(_ITALIAN)),
        Language("pt", "portuguese", _stop_words(_PORTUGUESE)),
        Language("ar", "arabic", _stop_words(_ARABIC), has_stop_words=False),
        Language("ru", "russian"),
    )
}
DEFAULT_LANGUAGES = ("de", "en", "fr", "nl")


def _analyzer(name_filter: Any) -> Any:
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).filter(name_filter).build()


class Stemmer:
    """The stems of one language. Thread-safe."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._stem = _analyzer(tantivy.Filter.stemmer(language.name))
        self._stop = _analyzer(tantivy.Filter.stopword(language.name)) if language.has_stop_words else None
        self._stems: dict[str, str] = {}
        self._guard = threading.Lock()  # the analyzers may not be used by two threads at once

    def stems(self, words: Iterable[str]) -> list[str]:
        """The stem of each of *words*, which are folded; "" for a stop word."""
        words = list(words)
        stems = self._stems
        missing = {word: None for word in words if word not in stems}
        if missing:
            learnt = self._learn(list(missing))
            return [learnt[word] if word in learnt else stems[word] for word in words]
        return [stems[word] for word in words]

    def _learn(self, words: list[str]) -> dict[str, str]:
        with self._guard:
            stop_words = set(words) & self._language.own_stop_words
            if self._stop is not None:
                stop_words |= set(words) - set(self._stop.analyze(" ".join(words)))
            learnt = {word: "" if word in stop_words else self._stem_of(word) for word in words}
            if len(self._stems) + len(learnt) > MOST_REMEMBERED:
                self._stems = {}  # a new one: readers may hold the old
            if len(learnt) <= MOST_REMEMBERED:
                self._stems.update(learnt)
        return learnt

    def _stem_of(self, word: str) -> str:
        override = self._language.overrides.get(word)
        if override is not None:
            return override
        # A word of which nothing is left, or that the engine cuts in two, stays as it is.
        stems = self._stem.analyze(word)
        return stems[0] if len(stems) == 1 and stems[0] else word


_stemmers: dict[str, Stemmer] = {}
_stemmers_guard = threading.Lock()


def stemmer(code: str) -> Stemmer:
    """The stemmer of a language of LANGUAGES, one for the whole process."""
    known = _stemmers.get(code)
    if known is None:
        with _stemmers_guard:
            known = _stemmers.setdefault(code, Stemmer(LANGUAGES[code]))
    return known
