"""Folding: one form for what is the same to a person who searches. Case, accents, width and ligatures go."""

import re
import unicodedata

_UNDECOMPOSED = {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ŋ": "n"}
_TATWEEL, _ZERO_WIDTH_SPACE = "\u0640", "\u200b"
_BREVE, _VOICED, _HALF_VOICED = "\u0306", "\u3099", "\u309a"
# The marks that are accents. Vowel signs and tone marks of Indic scripts, Thai and others are letters, and stay.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
)
# A separator of words when it is pointed text; never an accent.
_HEBREW_MAQAF = "\u05be"
LONGEST_COMPARED = 64  # letters
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


# Kana with its voicing mark, and the parts of a syllable of Hangul, as some systems write names of files.
_COMPOSABLE = re.compile(f"[\u3041-\u30fe][{_VOICED}{_HALF_VOICED}]|[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?")


class _Table(dict[int, str]):
    """What each character becomes: computed when first met. It never holds more than there are characters."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_character(chr(code))
        return folded


def _fold_character(character: str) -> str:
    if character == "й" or _is_voiced_kana(character):
        return character  # letters of their own, not accented ones
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character in {_ZERO_WIDTH_SPACE, _HEBREW_MAQAF}:
        return " "
    if character == _TATWEEL or unicodedata.category(character) in {"Cf", "Cs"}:
        return ""
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    return "".join(_UNDECOMPOSED.get(part, part) for part in _ACCENTS.sub("", decomposed))


def _is_voiced_kana(character: str) -> bool:
    return "\u3041" <= character <= "\u30fe" and unicodedata.normalize("NFD", character)[-1] in _VOICED + _HALF_VOICED


_TABLE = _Table()


def _composed(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", match.group())


def fold(text: str) -> str:
    """*text* without case, accents, width and ligatures: `Été`, `ÉTÉ` and `ete` are the same, as are `ｶﾞ` and `ガ`.

    Characters are folded one by one and marks that are accents vanish at once, so that a long run of marks costs no
    more than as many letters.
    """
    text = text.casefold()
    if text.isascii():
        return text
    return _COMPOSABLE.sub(_composed, text.replace(f"и{_BREVE}", "й").translate(_TABLE))


def sort_key(value: str) -> str:
    """The whole value, folded: what records are ordered by."""
    return " ".join(fold(value).split())


def comparison_key(value: str) -> str:
    """The part of the folded value that takes part in `<` and `>` between texts."""
    return sort_key(value)[:LONGEST_COMPARED]


def slug(label: str) -> str:
    """The name of a status bit in queries: `Caption filled` is `caption_filled` (contract 05 section 3)."""
    return _NOT_ALPHANUMERIC.sub("_", fold(label)).strip("_")
