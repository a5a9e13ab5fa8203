"""The rules of fields (contract 06 section 6) hold whatever is asked for, in whatever order."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrine.errors import Invalid
from vitrine.library.model import LANGUAGES, DataboxId, Field, FieldId
from vitrine.library.structure.field_rules import ATTRIBUTES, DCES, TYPES, columns_of, generated_name

FLAGS = [
    "multi", "readonly", "required", "business", "indexable", "thumbtitle", "generate_cterms", "vocabulary_restricted",
    "report", "gui_editable", "gui_visible", "printable", "input_disable",
]  # fmt: skip
ANYTHING: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=3)
)
SENSIBLE: dict[str, st.SearchStrategy[Any]] = {
    **{flag: st.booleans() for flag in FLAGS},
    "name": st.text(min_size=1),
    "type": st.sampled_from([*TYPES, "text"]),
    "separator": st.text(alphabet=",;/| -", max_size=7),
    "source": st.sampled_from(["", "XMP-dc:Title", "IPTC:Keywords", "Phraseanet:tf-size", "Phraseanet:no-source"]),
    "aggregable": st.integers(-1, 1000),
    "title_language": st.none() | st.sampled_from(LANGUAGES),
    "dces_element": st.none() | st.sampled_from(DCES),
    "vocabulary_type": st.none() | st.just("users"),
    "labels": st.dictionaries(st.sampled_from(LANGUAGES), st.none() | st.text(max_size=20)),
}
STEP = st.fixed_dictionaries({}, optional=SENSIBLE)


def blank() -> Field:
    return Field(
        FieldId(1), DataboxId(1), "Place", {}, "string", False, "", "", (), False, False, False, True, 0, False, None,
        "", False, True, True, True, False, None,
    )  # fmt: skip


def changed(field: Field, columns: dict[str, Any]) -> Field:
    values = {name: columns.get(name, getattr(field, name)) for name in Field.__dataclass_fields__}
    return Field(**{**values, "fallbacks": tuple(values["fallbacks"])})


def require_rules(field: Field) -> None:
    assert generated_name(field.name) == field.name != ""
    assert field.name.isascii()
    assert field.name.isalnum()
    assert not field.name[0].isdigit()
    assert field.type in TYPES
    assert not (field.business and field.thumbtitle), "titles are for everybody"
    assert field.title_language is None or field.thumbtitle
    assert (";" in field.separator) is field.multi, "`;` always separates, and only several values are separated"
    assert field.vocabulary_type is not None or not field.vocabulary_restricted
    assert field.source != "Phraseanet:no-source", "no source is an empty one"
    assert len(field.separator) <= 8


@given(st.lists(STEP, max_size=6))
@settings(max_examples=300, deadline=None)
def test_no_series_of_changes_breaks_a_rule(steps: list[dict[str, Any]]) -> None:
    field = blank()
    for step in steps:
        try:
            columns = columns_of(step, field)
        except Invalid as refusal:
            assert refusal.field in step, "the refusal names what was given"
            continue
        field = changed(field, columns)
        require_rules(field)
        for name, value in step.items():
            if name in ("business", "thumbtitle") and value:
                assert getattr(field, name), "what was asked for was done"


@given(st.dictionaries(st.sampled_from(sorted(ATTRIBUTES)), ANYTHING))
@settings(max_examples=300, deadline=None)
def test_whatever_is_sent_is_taken_or_refused_in_words(step: dict[str, Any]) -> None:
    try:
        field = changed(blank(), columns_of(step, blank()))
    except Invalid as refusal:
        assert refusal.field.partition(".")[0] in step
        assert refusal.detail
    else:
        require_rules(field)


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_a_name_is_made_once(text: str) -> None:
    name = generated_name(text)
    assert generated_name(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [("Prise de vue", "Prisedevue"), ("Légende", "Legende"), ("2nd_Author", "ndAuthor"), ("Straße", "Strasse"),
     ("Œuvre", "OEuvre"), ("日付", ""), ("_", ""), ("a" * 99, "a" * 64)],
)  # fmt: skip
def test_names_as_people_type_them(text: str, name: str) -> None:
    assert generated_name(text) == name


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "name"),
        ({"name": "42"}, "name"),
        ({"name": 42}, "name"),
        ({"name": "Place", "typ": "date"}, "typ"),
        ({"name": "Place", "type": "colour"}, "type"),
        ({"name": "Place", "labels": {"es": "Lugar"}}, "labels"),
        ({"name": "Place", "labels": {"fr": "a" * 129}}, "labels"),
        ({"name": "Place", "business": True, "thumbtitle": True}, "thumbtitle"),
        ({"name": "Place", "title_language": "fr"}, "title_language"),
        ({"name": "Place", "separator": ","}, "separator"),
        ({"name": "Place", "multi": True, "separator": "ab"}, "separator"),
        ({"name": "Place", "dces_element": "Colour"}, "dces_element"),
        ({"name": "Place", "source": "no tag"}, "source"),
        ({"name": "Place", "source": "Phraseanet:tf-colour"}, "source"),
        ({"name": "Place", "aggregable": -2}, "aggregable"),
        ({"name": "Place", "aggregable": True}, "aggregable"),
        ({"name": "Place", "aggregable": 10**30}, "aggregable"),
        ({"name": "Place", "readonly": 1}, "readonly"),
        ({"name": "Place", "vocabulary_restricted": True}, "vocabulary_restricted"),
        ({"name": "Place", "vocabulary_type": "planets"}, "vocabulary_type"),
    ],
)
def test_what_cannot_be_is_refused_and_named(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        columns_of(given, None)
    assert refusal.value.field == field
