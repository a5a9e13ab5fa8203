"""Dates in the formats that a mapping names."""

from collections.abc import Sequence
from datetime import datetime

from vitrine.errors import Invalid

YEARS = ("%Y", "%y", "%c", "%x", "%D", "%F")
_DAY, _MONTH, _TIME = ("%d", "%j", "%x", "%c", "%D", "%F"), ("%m", "%b", "%B"), ("%H", "%I", "%T", "%X", "%c")


def iso_date(text: str, formats: Sequence[str], name: str) -> str:
    """*text* in ISO order, as exact as the first format that it fits: `2009`, `2009-07`, `2009-07-14` or `2009-07-14
    10:00:00`. Raises Invalid for a text that fits none; *name* is that of the field."""
    for form in formats:
        try:
            moment = datetime.strptime(text, form)  # noqa: DTZ007 - a date of a caption has no zone
        except ValueError:
            continue
        return _written(moment, form)
    raise Invalid(f"{name} cannot be {text[:80]}: it fits none of {', '.join(formats)}.", field=name)


def _written(moment: datetime, form: str) -> str:
    year = f"{moment.year:04}"
    has_day = any(part in form for part in _DAY)
    if not has_day and not any(part in form for part in _MONTH):
        return year
    if not has_day:
        return f"{year}-{moment.month:02}"
    day = f"{year}-{moment.month:02}-{moment.day:02}"
    return f"{day} {moment:%H:%M:%S}" if any(part in form for part in _TIME) else day
