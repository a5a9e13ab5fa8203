"""Contract 05 section 3.1. Every period is also checked against the calendar."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrine.search.query.dates import Period, Span, period, span
from vitrine.search.query.tree import Operator


def at(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2015", at(2015, 1, 1), at(2016, 1, 1)),
        ("2015/01", at(2015, 1, 1), at(2015, 2, 1)),
        ("2015/1", at(2015, 1, 1), at(2015, 2, 1)),
        ("2015-12", at(2015, 12, 1), at(2016, 1, 1)),
        ("2016.02", at(2016, 2, 1), at(2016, 3, 1)),
        ("2015-01-02", at(2015, 1, 2), at(2015, 1, 3)),
        ("2015-01-02 12", at(2015, 1, 2, 12), at(2015, 1, 2, 13)),
        ("2015-01-02 12.34", at(2015, 1, 2, 12, 34), at(2015, 1, 2, 12, 35)),
        ("2015/1/2 1.3.5", at(2015, 1, 2, 1, 3, 5), at(2015, 1, 2, 1, 3, 6)),
        ("2015-01-02T12:34:56Z", at(2015, 1, 2, 12, 34, 56), at(2015, 1, 2, 12, 34, 57)),
        ("2015-01-02T12:34:56.789", at(2015, 1, 2, 12, 34, 56), at(2015, 1, 2, 12, 34, 57)),
        (" 2015 ", at(2015, 1, 1), at(2016, 1, 1)),
        ("9999", at(9999, 1, 1), None),
        ("9999-12", at(9999, 12, 1), None),
        ("9999-12-31", at(9999, 12, 31), None),
    ],
)
def test_a_date_means_the_whole_period_it_names(text: str, start: datetime, end: datetime | None) -> None:
    assert period(text) == Period(start, end)


@pytest.mark.parametrize(
    "text",
    ["", "abc", "15", "20150102", "0000", "2015/13", "2015/0", "2015-02-30", "2015-01-02 24", "2015-01-02 12.60",
     "2015/123", "2015/1/2/3/4/5/6/7", "２０１５", "2015" + "-1" * 100],
)  # fmt: skip
def test_what_is_no_date_names_no_period(text: str) -> None:
    assert period(text) is None


@pytest.mark.parametrize(
    ("operator", "text", "expected"),
    [
        (Operator.EQUAL, "2015", Span(at(2015, 1, 1), at(2016, 1, 1))),
        (Operator.ABOVE, "2015-01-02", Span(at(2015, 1, 3), None)),
        (Operator.AT_MOST, "2015-01-02", Span(None, at(2015, 1, 3))),
        (Operator.BELOW, "2015-01-02", Span(None, at(2015, 1, 2))),
        (Operator.AT_LEAST, "2015-01-02", Span(at(2015, 1, 2), None)),
        (Operator.ABOVE, "2015", Span(at(2016, 1, 1), None)),  # years and months alike
        (Operator.AT_MOST, "2015", Span(None, at(2016, 1, 1))),
        (Operator.BELOW, "2015/3", Span(None, at(2015, 3, 1))),
        (Operator.AT_LEAST, "2015/3", Span(at(2015, 3, 1), None)),
        (Operator.AT_MOST, "9999", Span(None, None)),
        (Operator.ABOVE, "9999", None),
        (Operator.EQUAL, "abc", None),
        (Operator.BELOW, "abc", Span()),
        (Operator.AT_LEAST, "abc", Span()),
    ],
)
def test_a_comparison_has_its_bounds(operator: Operator, text: str, expected: Span | None) -> None:
    assert span(operator, text) == expected


@given(st.datetimes(max_value=at(9998, 1, 1)), st.integers(1, 6), st.sampled_from("-/ .:T"))
def test_every_instant_lies_in_the_period_written_for_it(instant: datetime, parts: int, separator: str) -> None:
    numbers = [instant.year, instant.month, instant.day, instant.hour, instant.minute, instant.second][:parts]
    written = separator.join([f"{numbers[0]:04}", *map(str, numbers[1:])])
    named = period(written)
    assert named is not None
    assert named.end is not None
    assert named.start <= instant < named.end
    assert period(written) != period(f"{named.end.year:04}{separator}{named.end.month}{separator}{named.end.day}")
    assert named.end - named.start <= timedelta(days=366)


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading_of_dates(text: str) -> None:
    period(text)
