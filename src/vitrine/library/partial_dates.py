"""Dates as fields hold them: ISO, of which the day or the month too may be missing (contract 06 section 6)."""

import re
from calendar import monthrange
from datetime import date

_DATE = re.compile(r"(\d{4})(?:[-/:](\d{1,2})(?:[-/:](\d{1,2}))?)?(?!\d)")
_REST = re.compile(r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?")


def period(text: str) -> tuple[date, date] | None:
    """(first day, last day) of `2009`, `2009-07` or `2009-07-14`, whatever follows. None for what is no date."""
    matched = _DATE.match(text.strip())
    if matched is None:
        return None
    year, month, day = (int(part) if part else 0 for part in matched.groups())
    try:
        if not month:
            return date(year, 1, 1), date(year, 12, 31)
        if not day:
            return date(year, month, 1), date(year, month, monthrange(year, month)[1])
        return date(year, month, day), date(year, month, day)
    except ValueError:
        return None


def is_date(text: str) -> bool:
    """True for a date alone, with a time of day or without."""
    text = text.strip()
    matched = _DATE.match(text)
    return matched is not None and period(text) is not None and _REST.fullmatch(text[matched.end() :]) is not None
