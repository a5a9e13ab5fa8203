"""Remove characters that are unsafe in a text.

`str.isprintable` is too strict: it also rejects the spaces that French puts before a colon, and the joiners inside an
emoji or a Persian word.
"""

import re
import unicodedata
from codecs import BOM_UTF8

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROLS = frozenset({"Cc", "Cs"})
_LINE_SEPARATORS = frozenset({"Zl", "Zp"})
# Bidirectional controls: `photo\u202egpj.exe` must not look like a picture (Unicode TR 36).
_DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


# Letters, symbols and marks that no font draws (Unicode, Default_Ignorable_Code_Point and the blank of Braille).
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_VISIBLE = frozenset("LNPS")  # first letters of the general categories that are drawn; a mark alone is not
HAS_CONTROLS = (
    "There are control characters or line breaks in this text, which may be invisible. Remove them, or type it anew."
)
TURNS_DIRECTION = (
    "There are hidden characters in this text that turn the direction of writing. Remove them, or type it anew."
)
IS_INVISIBLE = "This needs at least one character that can be seen."


def fault_of_name(text: str, *, has_lines: bool = False) -> str:
    """What is wrong with a name that people read, as a sentence; "" if it can be used. With *has_lines*, for texts of
    several lines, line breaks and tabs are part of it.

    Joiners, direction marks and blanks of any width may be part of a name (Unicode TR 36, section 2.5)."""
    allowed = "\r\n\t" if has_lines else ""
    categories = {character: unicodedata.category(character) for character in set(text)}
    unwanted = _CONTROLS if has_lines else _CONTROLS | _LINE_SEPARATORS
    if any(category in unwanted for character, category in categories.items() if character not in allowed):
        return HAS_CONTROLS
    if not _DIRECTION_MARKS.isdisjoint(categories):
        return TURNS_DIRECTION
    if all(category[0] not in _VISIBLE or character in _BLANK for character, category in categories.items()):
        return IS_INVISIBLE
    return ""


def without_controls(text: str) -> str:
    """*text* without control characters and lone surrogates; line breaks and tabs are kept."""
    return "".join(
        character for character in text if character in "\n\t" or unicodedata.category(character) not in _CONTROLS
    )


def folded(text: str) -> str:
    """The form in which two texts are equal whatever their case, and whether an accent is a character of its own (NFD,
    as macOS writes file names) or part of its letter (Unicode 15 section 3.13, D145, composed again).

    The one way to compare without case: SQLite's `lower` knows ASCII only, and PostgreSQL's depends on the collation.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def xml_text(text: str) -> str:
    """*text* with the characters alone that XML 1.0 can hold (section 2.2, Char), not even as a reference."""
    return _NOT_IN_XML.sub("", text)


def without_bom(raw: bytes) -> bytes:
    """*raw* without the byte order mark that some editors put before UTF-8 (RFC 8259 section 8.1 lets us ignore it)."""
    return raw.removeprefix(BOM_UTF8)


def of_one_line(text: str) -> str:
    """*text* without line breaks, control characters and bidirectional controls."""
    return "".join(
        character
        for character in text
        if character not in _DIRECTION_MARKS and unicodedata.category(character) not in _CONTROLS | _LINE_SEPARATORS
    )


def without_direction_marks(text: str) -> str:
    """*text* without bidirectional controls; its lines stay."""
    return "".join(character for character in text if character not in _DIRECTION_MARKS)


def readable_name(raw: bytes, charset: str = "utf-8") -> tuple[str, bool]:
    """The name of a file as text, and whether it had to be guessed. What is not in *charset* is read as windows-1252,
    the charset of most old names. A name decides nothing, and a file is worth more than its name."""
    try:
        return raw.decode(charset), False
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace"), True


def spreadsheet_text(text: str) -> str:
    """*text* for a cell of a CSV file: spreadsheets calculate what begins like a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
