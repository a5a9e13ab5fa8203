"""Dates of the query language (contract 05 section 3.1): written as parts, meant as whole periods.

The instants here are naive: they are local times of the server's zone, as the dates on the wire are. Whoever compiles a
query gives them the zone.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from vitrine.search.query.tree import Operator

_PARTS = re.compile(r"\s*(\d{4})(?!\d)((?:\D+\d{1,2}(?!\d)){0,5})(?:[.,]\d+)?\D*", re.ASCII)
_NUMBER = re.compile(r"\d+", re.ASCII)
_LONGEST = 64  # characters; no date is longer


@dataclass(frozen=True, slots=True)
class Period:
    """From *start* up to, but without, *end*; *end* is None where the calendar ends."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Span:
    """The instants that a comparison accepts: from *start* (included) up to *end* (excluded); None is no bound."""

    start: datetime | None = None
    end: datetime | None = None


def period(text: str) -> Period | None:
    """The year, month, day, hour, minute or second that *text* names; None if it names none. Parts are separated by
    anything but digits, zeros are optional, fractions of a second and a zone after it are ignored."""
    match = _PARTS.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    parts = [int(match.group(1)), *(int(part) for part in _NUMBER.findall(match.group(2)))]
    try:
        start = datetime(*(parts + [1, 1, 0, 0, 0][len(parts) - 1 :]))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None
    return Period(start, _end(start, len(parts)))


def _end(start: datetime, parts: int) -> datetime | None:
    lengths = {3: timedelta(days=1), 4: timedelta(hours=1), 5: timedelta(minutes=1), 6: timedelta(seconds=1)}
    try:
        if parts == 1:
            return start.replace(year=start.year + 1)
        if parts == 2:
            return (start + timedelta(days=31)).replace(day=1)
        return start + lengths[parts]
    except (ValueError, OverflowError):
        return None


def span(operator: Operator, text: str) -> Span | None:
    """The instants for which `date <operator> text` holds. `>` and `<=` mean the end of the period, `<` and `>=` its
    beginning. If *text* is no date, `=` holds for none (None) and the others have no bound."""
    named = period(text)
    if named is None:
        return None if operator is Operator.EQUAL else Span()
    match operator:
        case Operator.EQUAL:
            return Span(named.start, named.end)
        case Operator.BELOW:
            return Span(None, named.start)
        case Operator.AT_LEAST:
            return Span(named.start, None)
        case Operator.AT_MOST:
            return Span(None, named.end)
        case Operator.ABOVE:
            return None if named.end is None else Span(named.end, None)
