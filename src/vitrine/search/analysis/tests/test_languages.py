"""Stemmers are shared, bounded and safe for threads."""

from concurrent.futures import ThreadPoolExecutor

from vitrine.search.analysis import languages
from vitrine.search.analysis.languages import LANGUAGES, Stemmer, stemmer


def test_a_language_has_one_stemmer() -> None:
    assert stemmer("en") is stemmer("en")


def test_every_language_has_a_stemmer_that_the_engine_knows() -> None:
    for code in LANGUAGES:
        assert stemmer(code).stems(["x"]) == ["x"]


def test_no_more_words_are_remembered_than_the_bound() -> None:
    fresh = Stemmer(LANGUAGES["en"])
    for start in range(0, 3 * languages.MOST_REMEMBERED, 5_000):
        fresh.stems(f"word{number}" for number in range(start, start + 5_000))
        assert len(fresh._stems) <= languages.MOST_REMEMBERED
    assert len(fresh.stems(f"w{number}" for number in range(languages.MOST_REMEMBERED + 1))) == 20_001


def test_threads_share_a_stemmer() -> None:
    fresh = Stemmer(LANGUAGES["fr"])
    texts = [[f"photographies{number % 50}", "chevaux", "l"] for number in range(2_000)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(fresh.stems, texts))
    assert {tuple(result[1:]) for result in results} == {("cheval", "")}
