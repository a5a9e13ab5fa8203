"""Logins and passwords as they are compared: the profiles UsernameCaseMapped and OpaqueString (RFC 8265).

Two people may write one name with other code points: composed or decomposed, in full width, in other letter case. The
forms here are equal for them. What a new login may contain is the IdentifierClass (RFC 8264 section 4.2) without the
characters that need context, and the Bidi Rule (RFC 5893 section 2).
"""

import re
import unicodedata

_IDENTIFIER_CATEGORIES = frozenset({"Ll", "Lu", "Lo", "Lm", "Mn", "Mc", "Nd"})
_WIDTHS = ("<wide>", "<narrow>")
_EXCEPTIONS = frozenset(
    "\u00df\u03c2\u06fd\u06fe\u0f0b\u3007"
)  # valid in spite of their category (RFC 5892 section 2.6)
_NOT_VALID = frozenset("\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b")  # in spite of it, there too
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_ALLOWED_THERE = _RIGHT_TO_LEFT | {"EN", "ES", "CS", "ET", "ON", "BN", "NSM"}
_LAST_THERE = _RIGHT_TO_LEFT | {"EN"}
# Marks and letters that are not drawn, and conjoining letters of old Korean (RFC 8264 sections 9.9 and 9.13).
_IGNORABLE = re.compile(
    "[\u034f\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
    "\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]"
)
# Normalization takes time in the square of a run of marks, so longer texts are cut or refused before it.
LONGEST_LOGIN = 254  # characters: more than any column holds
LONGEST_PASSWORD = 4096
_PASSES = 4  # the rules are applied until the form is stable (RFC 8264 section 7)


def mapped_login(login: str) -> str:
    """The form in which logins are compared (RFC 8265 section 3.3.1): widths and letter case mapped, NFC. Any text has
    one, empty for one that is too long: accounts of before these rules are looked up by it too."""
    form = login.strip() if len(login) <= LONGEST_LOGIN else ""
    for _ in range(_PASSES):
        before, form = form, unicodedata.normalize("NFC", _without_widths(form).lower())
        if form == before:
            break
    return form


def is_identifier(login: str) -> bool:
    """True if *login* may be the login of a new account (RFC 8265 section 3.3, RFC 8264 section 4.2)."""
    form = mapped_login(login)
    return bool(form) and all(_is_valid(character) for character in form) and _has_one_direction(form)


def mapped_password(password: str) -> str:
    """The form in which passwords are hashed (RFC 8265 section 4.2.2): blanks of any kind are spaces, NFC. Letter case
    and widths stay."""
    cut = password[:LONGEST_PASSWORD]
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in cut)
    return unicodedata.normalize("NFC", spaced)


def is_password(password: str) -> bool:
    """True if *password* may be a new password: without control characters. Other characters that section 4.2.1
    excludes are harmless in a hash, and emoji contain some of them."""
    return all(unicodedata.category(character) not in ("Cc", "Cs") for character in password)


def _without_widths(text: str) -> str:
    return "".join(
        unicodedata.normalize("NFKC", character)
        if unicodedata.decomposition(character).startswith(_WIDTHS)
        else character
        for character in text
    )


def _is_valid(character: str) -> bool:
    if "\x21" <= character <= "\x7e" or character in _EXCEPTIONS:
        return True
    if character in _NOT_VALID or _IGNORABLE.match(character) or unicodedata.normalize("NFKC", character) != character:
        return False
    return unicodedata.category(character) in _IDENTIFIER_CATEGORIES


def _has_one_direction(text: str) -> bool:
    directions = [unicodedata.bidirectional(character) for character in text]
    if _RIGHT_TO_LEFT.isdisjoint(directions):
        return True
    ends = [direction for direction in directions if direction != "NSM"]
    return (
        directions[0] in ("R", "AL")
        and ends[-1] in _LAST_THERE
        and _ALLOWED_THERE.issuperset(directions)
        and not {"EN", "AN"} <= set(directions)
    )
