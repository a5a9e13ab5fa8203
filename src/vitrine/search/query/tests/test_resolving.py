"""Contract 05 sections 3 and 10: what names and values mean, and what is refused."""

from datetime import datetime

import pytest

from vitrine.search.query import (
    BadKeyValue,
    QueryRefused,
    SearchedField,
    SearchNames,
    UnavailableField,
    UnknownName,
    ValueType,
    parse,
    resolve,
)
from vitrine.search.query.conditions import (
    AllOf,
    AnyOf,
    Anything,
    Condition,
    DateIn,
    HasValue,
    Holds,
    Nothing,
    NumberCompared,
    StatusIs,
    TextCompared,
    TruthIs,
    ValueIs,
    Within,
    Without,
)
from vitrine.search.query.dates import Span
from vitrine.search.query.geolocation import Circle
from vitrine.search.query.tree import (
    Concept,
    Exact,
    FieldKey,
    Native,
    NativeKey,
    Operator,
    Phrase,
    TechnicalKey,
    Text,
)

NAMES = SearchNames(
    fields={
        field.name: field
        for field in (
            SearchedField("Title", ValueType.TEXT),
            SearchedField("MotsCles", ValueType.TEXT),
            SearchedField("Price", ValueType.NUMBER, is_business=True),
            SearchedField("Shot", ValueType.DATE),
            SearchedField("type", ValueType.TEXT),
        )
    },
    flags={"caption_filled": ((1, 4), (2, 5))},
)
A, B = Holds(Text("a")), Holds(Text("b"))
YEAR = Span(datetime(2015, 1, 1), datetime(2016, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("", Anything()),
        ("a", A),
        ("a AND b", AllOf((A, B))),
        ("a OR b", AnyOf((A, B))),
        ("a EXCEPT b", Without(A, (B,))),
        ('"a b"', Holds(Phrase("a b"))),
        ('r"a"', Holds(Exact("a"))),
        ("[a]", Holds(Concept("a"))),
        ("Title:a", Holds(Text("a"), "Title")),
        ('Title:r"a"', Holds(Exact("a"), "Title")),
        ('a Title:"x" y', AllOf((A, AllOf((Holds(Phrase("x"), "Title"), Holds(Text("y"), "Title")))))),
        ("field.type:a", Holds(Text("a"), "type")),
        ("http://x.y/z", Holds(Text("http://x.y/z"))),
        ("Title=a", ValueIs(FieldKey("Title"), "a")),
        ("Title<a", TextCompared(FieldKey("Title"), Operator.BELOW, "a")),
        ("Price=4.50", NumberCompared(FieldKey("Price"), Operator.EQUAL, 4.5)),
        ("Price≥3", NumberCompared(FieldKey("Price"), Operator.AT_LEAST, 3)),
        ("Price=abc", Nothing()),
        ("Price<abc", Nothing()),
        ("Shot=2015", DateIn(FieldKey("Shot"), YEAR)),
        ("Shot=someday", Nothing()),
        ("Shot<someday", DateIn(FieldKey("Shot"), Span())),
        ("Title=_unset_", HasValue(FieldKey("Title"), False)),
        ('field.Title="_set_"', HasValue(FieldKey("Title"), True)),
        ("Price=_set_", HasValue(FieldKey("Price"), True)),
        ("created_on=_set_", HasValue(NativeKey(Native.CREATED_ON), True)),
        ("meta.ISO=_unset_", HasValue(TechnicalKey("ISO"), False)),
        ("created_on=2015", DateIn(NativeKey(Native.CREATED_ON), YEAR)),
        ("updated_at<2015", DateIn(NativeKey(Native.UPDATED_ON), Span(None, datetime(2015, 1, 1)))),  # noqa: DTZ001
        ("database:x", ValueIs(NativeKey(Native.DATABASE), "x")),
        ("collection=x", ValueIs(NativeKey(Native.COLLECTION), "x")),
        ("type:image", ValueIs(NativeKey(Native.TYPE), "image")),
        ("id>9", NumberCompared(NativeKey(Native.RECORD_ID), Operator.ABOVE, 9)),
        ("id:x", Nothing()),
        ("uuid:x", ValueIs(NativeKey(Native.UUID), "x")),
        ("sha256=x", ValueIs(NativeKey(Native.SHA256), "x")),
        ("meta.ISO<400", NumberCompared(TechnicalKey("ISO"), Operator.BELOW, 400)),
        ("exif.CameraModel:EOS", ValueIs(TechnicalKey("CameraModel"), "EOS")),
        ("meta.FlashFired:true", TruthIs(TechnicalKey("FlashFired"), True)),
        ("meta.FlashFired=0", TruthIs(TechnicalKey("FlashFired"), False)),
        ("meta.FlashFired=maybe", Nothing()),
        ("meta.FlashFired>0", Nothing()),
        ("flag.caption_filled:true", StatusIs(((1, 4), (2, 5)), True)),
        ("flag.Caption-FILLED:0", StatusIs(((1, 4), (2, 5)), False)),
        ('geolocation="48.85 2.35 10km"', Within(Circle(48.85, 2.35, 10_000))),
    ],
)
def test_a_query_asks_for_its_conditions(query: str, condition: Condition) -> None:
    assert resolve(parse(query).tree, NAMES) == condition


@pytest.mark.parametrize(
    ("query", "refusal", "detail", "at"),
    [
        ("a Nope:x", UnavailableField, "Query narrowed to non available fields", 2),
        ("title:x", UnavailableField, "Query narrowed to non available fields", 0),
        ("flag.foo:yes", UnavailableField, "Query narrowed to non available fields", 0),
        ("a AND Nope=x", UnknownName, 'Field "Nope" does not exist', 6),
        ("Nope<x", UnknownName, 'Field "Nope" does not exist', 0),
        ("Nope=_set_", UnknownName, 'Field "Nope" does not exist', 0),
        ("a meta.Heigh=1", UnknownName, 'Metadata tag "Heigh" does not exist', 2),
        ("a flag.nope:1", UnknownName, 'Flag "nope" does not exist', 2),
        ("a geolocation=Paris", BadKeyValue, 'Value "Paris" for key "geolocation" is not valid.', 2),
        ('geolocation<"1 1 1m"', BadKeyValue, 'Value "1 1 1m" for key "geolocation" is not valid.', 0),
        ("database<x", BadKeyValue, 'Value "x" for key "database" is not valid.', 0),
        ("collection>=x", BadKeyValue, 'Value "x" for key "collection" is not valid.', 0),
    ],
)
def test_a_name_or_value_that_cannot_be_is_refused(
    query: str, refusal: type[QueryRefused], detail: str, at: int
) -> None:
    with pytest.raises(refusal) as refused:
        resolve(parse(query).tree, NAMES)
    assert refused.value.detail == detail
    assert refused.value.at == at
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("query", "remedy"),
    [
        ("title:x", "Did you mean Title?"),
        ("Motcles=x", "Did you mean MotsCles?"),
        ("meta.Heigh=1", "Did you mean Height?"),
        ("flag.caption_fille:1", "Did you mean caption_filled?"),
        ("created_on:2015", "Write created_on="),
        ("Zzz:x", "Put the text in quotes"),
        (f"{'T' * 5_000}:x", "Put the text in quotes"),
    ],
)
def test_the_refusal_says_what_may_have_been_meant(query: str, remedy: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        resolve(parse(query).tree, NAMES)
    assert remedy in refused.value.remedy


def test_names_that_the_person_may_not_use_are_not_suggested() -> None:
    with pytest.raises(UnavailableField) as refused:
        resolve(parse("Pric:x").tree, SearchNames())
    assert "Price" not in refused.value.remedy
