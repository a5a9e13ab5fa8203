"""The tokens of the query language (contract 05 section 1): at each place the first matching rule wins."""

import re
from enum import Enum, auto
from typing import NamedTuple

from vitrine.search.query.errors import QuerySyntaxError


class TokenKind(Enum):
    BLANK = auto()
    OPEN = auto()
    CLOSE = auto()
    OPEN_BRACKET = auto()
    CLOSE_BRACKET = auto()
    COLON = auto()
    COMPARISON = auto()
    QUOTED = auto()
    RAW = auto()
    AND = auto()
    OR = auto()
    EXCEPT = auto()
    KEY = auto()
    PREFIX = auto()
    BOOLEAN = auto()
    WORD = auto()
    END = auto()


class Token(NamedTuple):
    """*text* is as written; *value* is what it says: without quotes and escapes, `≤` as `<=`, `exif.` as `meta.`."""

    kind: TokenKind
    text: str
    value: str
    at: int


OPERATORS = frozenset({TokenKind.AND, TokenKind.OR, TokenKind.EXCEPT})
WORDS = OPERATORS | {TokenKind.KEY, TokenKind.PREFIX, TokenKind.BOOLEAN, TokenKind.WORD}
"""Tokens that are read as (parts of) words wherever they have no meaning of their own."""

_RULES = r"""
    (?P<BLANK>\s+)
  | (?P<OPEN>\() | (?P<CLOSE>\)) | (?P<OPEN_BRACKET>\[) | (?P<CLOSE_BRACKET>\]) | (?P<COLON>:)
  | (?P<COMPARISON> <= | ≤ | >= | ≥ | < | > | = )
  | (?P<QUOTED>%s)
  | (?P<RAW>r"(?:[^"\\]|\\.)+")
  | (?P<AND>(?ai:AND|ET)) | (?P<OR>(?ai:OR|OU)) | (?P<EXCEPT>(?ai:EXCEPT|SAUF))
  | (?P<KEY>database|collection|sha256|geolocation|uuid|type|id|recordid|created_on|created_at|updated_on|updated_at)
  | (?P<PREFIX>field\.|flag\.|meta\.|exif\.)
  | (?P<BOOLEAN>true|1|false|0)
  | (?P<OPENED>r?")
  | (?P<WORD>[^\s()\[\]:<>≤≥=]+)
"""
_PLAIN = re.compile(_RULES % r'"[^"]+"', re.VERBOSE | re.DOTALL)
_ESCAPED = re.compile(_RULES % r'"(?:[^"\\]|\\.)+"', re.VERBOSE | re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')
_SPELLINGS = {
    "≤": "<=",
    "≥": ">=",
    "id": "recordid",
    "created_at": "created_on",
    "updated_at": "updated_on",
    "exif.": "meta.",
    "1": "true",
    "0": "false",
}


def tokens_of(text: str, *, escapes: bool = False) -> list[Token]:
    r"""The tokens of *text*, END last. With *escapes*, `\"` and `\\` inside quotes stand for `"` and `\`, as clients
    write them who quote a facet's value (05 section 8). Raises QuerySyntaxError for quotes that are empty or do not
    end."""
    tokens = []
    for match in (_ESCAPED if escapes else _PLAIN).finditer(text):
        name = match.lastgroup or ""
        if name == "OPENED":
            raise _bad_quote(text, match.start(), match.end())
        written = match.group()
        tokens.append(Token(TokenKind[name], written, _value(name, written, escapes), match.start()))
    tokens.append(Token(TokenKind.END, "", "", len(text)))
    return tokens


def _value(name: str, written: str, escapes: bool) -> str:
    if name == "QUOTED":
        return _unescape(written[1:-1]) if escapes else written[1:-1]
    if name == "RAW":
        return _unescape(written[2:-1])
    if name in {"COMPARISON", "KEY", "PREFIX", "BOOLEAN"}:
        return _SPELLINGS.get(written, written)
    return written


def _unescape(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def _bad_quote(text: str, start: int, end: int) -> QuerySyntaxError:
    if text.startswith('"', end):
        return QuerySyntaxError(
            start, "There is nothing between the quotes.", "Write words between them, or remove them."
        )
    return QuerySyntaxError(start, "The quote that opens here does not end.", 'Add a " where it ends, or remove this.')
