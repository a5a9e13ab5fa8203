"""What is taken out of a text before it is handed on.

`str.isprintable` is too strict for words of people: it also says no to the blanks that French puts before a colon, and
to the joiners inside an emoji or a Persian word.
"""

import unicodedata

_CONTROLS = frozenset({"Cc", "Cs"})
_BREAKS = frozenset({"Zl", "Zp"})
# Marks that turn the direction of what follows: `photo\u202egpj.exe` must not look like a picture (Unicode TR 36).
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def without_controls(text: str) -> str:
    """*text* with its lines and tabs, without other control characters and halves of surrogates."""
    return "".join(one for one in text if one in "\n\t" or unicodedata.category(one) not in _CONTROLS)


def of_one_line(text: str) -> str:
    """*text* without anything that ends a line, controls a terminal or turns the direction of writing."""
    return "".join(one for one in text if one not in _TURNS and unicodedata.category(one) not in _CONTROLS | _BREAKS)


def readable_name(raw: bytes, charset: str = "utf-8") -> tuple[str, bool]:
    """A name of a file as text, and whether it had to be guessed: what is not in *charset* is read as windows-1252, the
    charset of most old names. Names decide nothing, and a file is worth more than its name."""
    try:
        return raw.decode(charset), False
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
        return text, True
