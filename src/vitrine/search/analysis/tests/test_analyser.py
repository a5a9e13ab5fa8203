"""Contract 05 section 5, and the scripts that are written without blanks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrine.search.analysis import (
    DEFAULT_LANGUAGES,
    GAP,
    LANGUAGES,
    LIGHT,
    Term,
    can_begin,
    index_terms,
    indexed_part,
    phrase,
    required,
)

ANALYSES = (LIGHT, *LANGUAGES)


def words(text: str, analysis: str = LIGHT) -> list[str]:
    return [term.text for term in index_terms(text, analysis) if term.text != GAP]


def has_all(query: str, value: str, analysis: str = LIGHT) -> bool:
    """Whether *value* has every word of *query*."""
    wanted = required(query, analysis)
    return bool(wanted) and all(follows(terms, value, analysis) for terms in wanted)


def has_phrase(query: str, value: str, analysis: str = LIGHT) -> bool:
    terms = phrase(query, analysis)
    return bool(terms) and follows(terms, value, analysis)


def follows(terms: tuple[Term, ...], value: str, analysis: str) -> bool:
    stored = set(index_terms(value, analysis))
    return any(
        all((text, start + position) in stored for text, position in terms) for start in {at for _, at in stored}
    )


def test_light_knows_words_and_nothing_of_languages() -> None:
    assert words("The Cats' house: l'été, 3.14 & R2-D2!") == [
        "the", "cats", "house", "l", "ete", "3", "14", "r2", "d2",
    ]  # fmt: skip


def test_underscores_and_dots_separate_the_parts_of_a_file_name() -> None:
    assert words("DSC_0042.JPG") == ["dsc", "0042", "jpg"]


@pytest.mark.parametrize(
    ("language", "spellings"),
    [
        ("fr", ("photographie", "photographies", "Photographié")),
        ("fr", ("cheval", "chevaux")),
        ("fr", ("liberté", "libertés", "LIBERTE")),
        ("en", ("cat", "cats", "Cat's")),
        ("en", ("run", "running", "runs")),
        ("de", ("Haus", "Häuser", "Hauses")),
        ("de", ("Straße", "strassen")),
        ("nl", ("boek", "boeken")),
        ("nl", ("kind", "kinder", "kinderen")),
        ("nl", ("ei", "eier", "eieren")),
        ("es", ("nación", "naciones")),
        ("it", ("fotografia", "fotografie")),
        ("pt", ("fotografia", "fotografias")),
        ("ru", ("книга", "книги", "книгой")),
        ("ar", ("كتاب", "الكتاب")),
    ],
)
def test_forms_of_a_word_have_one_stem(language: str, spellings: tuple[str, ...]) -> None:
    assert len({words(spelling, language)[0] for spelling in spellings}) == 1


@pytest.mark.parametrize("word", ["fiets", "bromfiets"])
def test_dutch_keeps_these_words(word: str) -> None:
    assert words(word, "nl") == [word]


@pytest.mark.parametrize(
    ("language", "stop_words"),
    [
        ("fr", "l m t qu n s j d"),
        ("en", "the and of with"),
        ("de", "der die und für über"),
        ("nl", "de het een"),
        ("es", "el los más también"),
        ("it", "il della perché più"),
        ("pt", "os não até também"),
        ("ru", "и не что"),
        ("ar", "من في على"),
    ],
)
def test_stop_words_are_not_searched_in_their_language(language: str, stop_words: str) -> None:
    assert words(stop_words, language) == []
    assert required(stop_words, language) == []
    assert len(words(stop_words)) == len(stop_words.split())


def test_elided_articles_do_not_hide_a_word() -> None:
    assert has_all("image", "l'image", "fr")
    assert has_all("l'image", "une image", "fr")


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("man on the moon", True),
        ("man on a moon", True),
        ("man moon", False),
        ("the moon", True),
        ("moon man", False),
        ("man seen the moon", False),
    ],
)
def test_a_removed_word_keeps_its_place_in_a_phrase(query: str, is_there: bool) -> None:
    assert has_phrase(query, "The man on the moon", "en") is is_there


def test_a_phrase_is_contiguous() -> None:
    assert has_phrase("été à Paris", "Un Ete a PARIS.")
    assert not has_phrase("un Paris", "Un été à Paris")


@pytest.mark.parametrize(
    "query", ["東京", "タワー", "京タ", "東京タワーの夜景", "夜景", "東", "景", "の夜", "ｔｏｗｅｒ　東京"]
)
def test_a_part_of_a_japanese_text_finds_it(query: str) -> None:
    assert has_all(query, "東京タワーの夜景 Tower")


@pytest.mark.parametrize("query", ["京都", "東タ", "東京夜景", "夜東", "タワ京"])
def test_what_a_japanese_text_does_not_have_does_not_find_it(query: str) -> None:
    assert not has_all(query, "東京タワーの夜景")


@pytest.mark.parametrize(
    ("query", "value"),
    [("北京", "我在北京大学"), ("ภาษา", "เรียนภาษาไทย"), ("ລາວ", "ພາສາລາວ"), ("ខ្មែរ", "ភាសាខ្មែរ")],
)
def test_scripts_without_blanks_are_searched_by_their_parts(query: str, value: str) -> None:
    assert has_all(query, value)
    assert has_phrase(query, value)
    assert not has_all(query[::-1], value)


@pytest.mark.parametrize("query", ["NASA 東京", "東京タワー launch", "タワー launch", "NASA 東", "ー launch"])
def test_phrases_cross_from_one_script_to_another(query: str) -> None:
    assert has_phrase(query, "NASA 東京タワー launch")


@pytest.mark.parametrize("query", ["NASA タワー", "東京 launch", "launch NASA"])
def test_phrases_across_scripts_are_contiguous_as_well(query: str) -> None:
    assert not has_phrase(query, "NASA 東京タワー launch")


def test_hangul_and_devanagari_have_words() -> None:
    assert words("한국어 단어 हिन्दी भाषा") == ["한국어", "단어", "हिन्दी", "भाषा"]


def test_punctuation_alone_requires_nothing() -> None:
    assert required("!? -- ・ …") == []
    assert phrase("!? -- ・ …") == ()


def test_a_word_that_comes_twice_is_required_once() -> None:
    assert required("cat CAT dog") == [(Term("cat", 0),), (Term("dog", 0),)]


def test_only_words_of_two_letters_and_more_are_beginnings() -> None:
    assert [can_begin(terms) for terms in required("a ab 東京タ 東京")] == [False, True, False, True]


def test_a_value_is_indexed_up_to_its_first_32766_bytes() -> None:
    value = "é" * 20_000
    assert len(indexed_part(value).encode()) == 32_766
    assert indexed_part("x" * 32_766) == "x" * 32_766
    assert len(indexed_part("x" * 40_000)) == 32_766
    assert words("a" + " b" * 20_000 + " late")[-1] == "b"


def test_overlong_words_are_cut_alike_in_index_and_query() -> None:
    assert has_all("x" * 100, "x" * 90)
    assert len(words("x" * 100)[0]) == 80


def test_the_languages_in_use_are_known() -> None:
    assert set(DEFAULT_LANGUAGES) < set(LANGUAGES)
    assert set(LANGUAGES) == {"fr", "en", "de", "nl", "es", "it", "pt", "ar", "ru"}


texts = st.text(alphabet=st.one_of(st.sampled_from("ab eé_'-東京タ。กิ่"), st.characters()), max_size=50)


@given(texts, st.sampled_from(ANALYSES))
def test_a_text_is_found_by_all_its_words_and_as_a_phrase(text: str, analysis: str) -> None:
    has_words = bool(words(text, analysis))
    assert has_words == bool(required(text, analysis)) == bool(phrase(text, analysis))
    if has_words:
        assert has_all(text, text, analysis)
        assert has_phrase(text, text, analysis)


@given(texts, texts, st.sampled_from(ANALYSES))
def test_text_around_it_does_not_hide_a_phrase(text: str, other: str, analysis: str) -> None:
    if phrase(text, analysis):
        assert has_phrase(text, f"{other} {text} {other}", analysis)


@given(texts, st.sampled_from(ANALYSES))
def test_positions_never_go_back_and_terms_have_no_blanks(text: str, analysis: str) -> None:
    terms = index_terms(text, analysis)
    positions = [term.position for term in terms]
    assert positions == sorted(positions)
    assert all(term.text and not any(letter.isspace() for letter in term.text) for term in terms)
