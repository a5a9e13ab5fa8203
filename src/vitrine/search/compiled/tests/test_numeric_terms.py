"""A range of numbers as a set of terms: exactly the numbers in it have one of its terms."""

from hypothesis import example, given
from hypothesis import strategies as st

from vitrine.search.compiled.numeric_terms import ordered_bits, range_terms, terms_of

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000).map(float)


@given(numbers, numbers)
def test_bits_have_the_order_of_the_numbers(first: float, second: float) -> None:
    assert (ordered_bits(first) < ordered_bits(second)) == (first < second)
    assert (ordered_bits(first) == ordered_bits(second)) == (first == second)


@given(numbers, numbers, numbers)
def test_a_number_has_one_term_of_a_range_if_it_is_in_it(value: float, low: float, high: float) -> None:
    shared = set(terms_of("x", value)) & set(range_terms("x", ordered_bits(low), ordered_bits(high)))
    assert len(shared) == (low <= value <= high)


@given(numbers, st.integers(-600, 600), st.integers(-600, 600))
@example(5.0, 1, 3)
def test_a_narrow_range_has_only_its_neighbours(value: float, below: int, above: int) -> None:
    bits = ordered_bits(value)
    low, high = max(0, bits + below), min(2**64 - 1, bits + above)
    assert bool(set(terms_of("x", value)) & set(range_terms("x", low, high))) == (low <= bits <= high)


@given(numbers, numbers)
def test_a_range_may_be_open_on_either_side(value: float, bound: float) -> None:
    bits = ordered_bits(bound)
    terms = set(terms_of("x", value))
    assert bool(terms & set(range_terms("x", bits, None))) == (value >= bound)
    assert bool(terms & set(range_terms("x", None, bits))) == (value <= bound)


@given(numbers, numbers)
def test_a_range_has_few_terms(low: float, high: float) -> None:
    assert len(list(range_terms("x", ordered_bits(low), ordered_bits(high)))) <= 2 * 255 * 8


def test_numbers_of_other_names_have_other_terms() -> None:
    assert not set(terms_of("x", 1)) & set(terms_of("y", 1))


def test_beyond_the_numbers_there_is_nothing() -> None:
    assert list(range_terms("x", None, -1)) == []
    assert list(range_terms("x", 2**64, None)) == []
