"""Contract 05 section 5: folding makes search insensitive to case and accents."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrine.search.analysis import fold, slug, sort_key


@pytest.mark.parametrize(
    "spellings",
    [
        ("ete", "été", "ÉTÉ", "e\u0301te\u0301", "Ｅｔｅ"),
        ("strasse", "Straße", "STRASSE"),
        ("orsted", "Ørsted"),
        ("coeur", "cœur", "CŒUR"),
        ("fin", "ﬁn"),
        ("σοφοσ", "ΣΟΦΟΣ", "σοφός"),
        ("istanbul", "İstanbul", "ıstanbul"),
        ("елка", "Ёлка", "е\u0308лка"),
        ("йод", "ЙОД", "и\u0306од"),
        ("احمد", "أحمد", "أَحْمَد", "احمـد"),
        ("שלום", "שָׁלוֹם"),
        ("ガパ", "ｶﾞﾊﾟ", "カ\u3099ハ\u309a"),
        ("한국어", unicodedata.normalize("NFD", "한국어")),
        ("42", "４２", "٤٢", "४२"),
        ("softhyphen", "soft\u00adhyphen"),
        ("tm", "™"),
    ],
)
def test_spellings_of_one_word_are_the_same(spellings: tuple[str, ...]) -> None:
    assert {fold(spelling) for spelling in spellings} == {spellings[0]}


@pytest.mark.parametrize(("first", "second"), [("カ", "ガ"), ("и", "й"), ("ก่า", "กา"), ("हि", "ह"), ("a", "b")])
def test_letters_that_differ_stay_different(first: str, second: str) -> None:
    assert fold(first) != fold(second)


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=40))
def test_case_never_matters(text: str) -> None:
    assert fold(text.upper().lower()) == fold(text.upper())


def test_long_runs_of_marks_vanish() -> None:
    assert fold("a" + "\u0301\u0323" * 20_000) == "a"


def test_records_are_sorted_by_the_whole_folded_value() -> None:
    assert sorted(["Zoé", "eau", "Été  2", "été 1"], key=sort_key) == ["eau", "été 1", "Été  2", "Zoé"]


@pytest.mark.parametrize(
    ("label", "name"),
    [("Caption filled", "caption_filled"), ("Validé (oui)", "valide_oui"), ("1st", "1st"), ("--", ""), ("Да", "да")],
)
def test_a_flag_is_named_after_its_label(label: str, name: str) -> None:
    assert slug(label) == name
    assert slug(name) == name
