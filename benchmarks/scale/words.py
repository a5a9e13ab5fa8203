"""Made-up words with the frequencies of a language: a few are in many texts, most are rare (Zipf)."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

WORDS = 50_000
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvz", "aeiou"
# Ranks of the words that measurements search for.
RANKS = {"top": 0, "second": 1, "frequent": 40, "middle": 300, "rare": 20_000}


def zipf(count: int, exponent: float = 1.0) -> list[float]:
    """Cumulative weights of *count* ranks, for `random.choices`."""
    return list(itertools.accumulate(1 / (rank + 1) ** exponent for rank in range(count)))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words, the most frequent first, and the choices that texts draw from."""

    words: Sequence[str]
    weights: Sequence[float]
    authors: Sequence[str]
    cities: Sequence[str]
    countries: Sequence[str]

    @classmethod
    def of(cls, seed: int) -> "Vocabulary":
        draw = random.Random(seed)
        syllables = [consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS]
        lengths = (2, 3, 3, 4)
        drawn = ("".join(draw.choices(syllables, k=draw.choice(lengths))) for _ in range(WORDS * 4))
        words = list(dict.fromkeys(drawn))[:WORDS]
        authors = [
            f"{first.title()} {last.title()}" for first, last in zip(words[100:2100], words[4000:6000], strict=True)
        ]
        titles = [word.title() for word in words[6000:6460]]
        return cls(words, zipf(len(words)), authors, titles[:400], titles[400:])

    def ranked(self) -> dict[str, str]:
        return {name: self.words[rank] for name, rank in RANKS.items()}
