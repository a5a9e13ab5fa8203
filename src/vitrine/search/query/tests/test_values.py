"""Numbers and places of the query language (contract 05 sections 3 and 10)."""

import pytest

from vitrine.search.query import BadKeyValue
from vitrine.search.query.geolocation import Circle, circle
from vitrine.search.query.numbers import number, whole_number


@pytest.mark.parametrize(
    ("text", "value"), [("42", 42.0), (" 4.50 ", 4.5), ("-3", -3.0), ("+.5", 0.5), ("1e3", 1000.0), ("7.", 7.0)]
)
def test_a_number_is_read(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "abc", "4,5", "nan", "inf", "1e999", "0x10", "1_000", "٣", "9" * 100])
def test_what_is_no_number_matches_nothing(text: str) -> None:
    assert number(text) is None


def test_record_ids_are_whole_numbers() -> None:
    assert whole_number(" 90 ") == 90
    assert [whole_number(text) for text in ("", "-1", "1.5", "٣", "9" * 19)] == [None] * 5


@pytest.mark.parametrize(
    ("unit", "metres"),
    [("mi", 1609.344), ("miles", 1609.344), ("yd", 0.9144), ("yards", 0.9144), ("ft", 0.3048), ("feet", 0.3048),
     ("in", 0.0254), ("inch", 0.0254), ("km", 1000), ("kilometers", 1000), ("m", 1), ("meters", 1), ("cm", 0.01),
     ("centimeters", 0.01), ("mm", 0.001), ("millimeters", 0.001), ("NM", 1852), ("nmi", 1852),
     ("nauticalmiles", 1852)],
)  # fmt: skip
def test_a_distance_has_one_of_the_known_units(unit: str, metres: float) -> None:
    assert circle(f"48.85 2.35 10{unit}", 0) == Circle(48.85, 2.35, 10 * metres)


@pytest.mark.parametrize("text", ["48.85, 2.35, 10 km", " 48.85  2.35\t10.0km "])
def test_commas_and_blanks_separate(text: str) -> None:
    assert circle(text, 0) == Circle(48.85, 2.35, 10_000)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Paris", "Write latitude"),
        ("48.85 2.35", "Write latitude"),
        ("48.85 2.35 -1km", "Write latitude"),
        ("91 0 1km", "Latitudes go"),
        ("0 181 1km", "Latitudes go"),
        ("48.85 2.35 10", "The units"),
        ("48.85 2.35 10parsec", "The units"),
        ("48.85 2.35 10KM", "The units"),
    ],
)
def test_a_bad_place_is_refused_and_says_what_would_be_right(text: str, hint: str) -> None:
    with pytest.raises(BadKeyValue) as refused:
        circle(text, 12)
    assert refused.value.detail == f'Value "{text}" for key "geolocation" is not valid.'
    assert refused.value.at == 12
    assert hint in refused.value.remedy


def test_a_circle_contains_what_is_no_farther_than_its_radius() -> None:
    louvre = (48.8606, 2.3376)
    assert Circle(48.8584, 2.2945, 3_500).contains(*louvre)  # the Eiffel Tower is 3.2 km away
    assert not Circle(48.8584, 2.2945, 3_000).contains(*louvre)


def test_a_circle_may_cross_the_date_line_and_hold_a_pole() -> None:
    assert Circle(0, 179.99, 5_000).contains(0, -179.99)
    assert Circle(89.99, 0, 5_000).contains(89.99, 180)
    assert Circle(0, 0, 21_000_000).contains(0, 180)
