"""Numbers of the query language: values of number fields, technical data and record ids."""

import re
from math import isfinite

_NUMBER = re.compile(r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?\s*", re.ASCII)
_LONGEST = 64


def number(text: str) -> float | None:
    """The number that *text* is; None if it is none, which matches nothing (contract 05 section 10)."""
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if isfinite(value) else None


def whole_number(text: str) -> int | None:
    """The whole number that *text* is: a record id."""
    text = text.strip()
    return int(text) if len(text) <= 18 and text.isascii() and text.isdigit() else None
