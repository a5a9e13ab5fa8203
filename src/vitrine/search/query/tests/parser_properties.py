"""Rules that hold for every text: printing keeps the meaning, nothing breaks the parser, work grows with length."""

import contextlib
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vitrine.search.query import Limits, QueryRefused, parse, plain_words, print_query, quoted
from vitrine.search.query.tree import Comparison, FieldKey, Operator

PIECES = (
    " ", " ", " ", "  ", "(", ")", "[", "]", ":", "=", "<", "<=", "≥", '"', 'r"', "\\", '\\"', "\\\\", "AND", "or",
    "SAUF", " AND ", " OR ", " EXCEPT ", "id", "type", "collection", "created_on", "geolocation", "field.",
    "flag.", "meta.", "exif.", "true", "0", "1", "foo", "été", "x", "x:", "y=", "x:1", "y<2", '"a b"', '"a" ',
    'r"q"', '"c\\"d"', '"e\\"', "東京", "-", "'", "\u00a0",
)  # fmt: skip
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
    st.text(max_size=80),
    st.text(alphabet='ab "\\():[]=', max_size=40),
)
LARGE = Limits(characters=1_000_000, clauses=1_000_000)
Trace = Callable[[FrameType, str, Any], Any]


@given(texts)
@settings(max_examples=600, deadline=None)
@example("AND x:1 bar")
@example("(a AND) OR b")
@example('foo AND"x" y')
@example('z x:foo AND"x"')
@example('X="a\\" AND Y=" b"')
@example('Title="a\\" b" AND Note="\\"q"')
def test_a_printed_query_is_the_same_query(text: str) -> None:
    try:
        tree = parse(text).tree
    except QueryRefused:
        return
    printed = print_query(tree)
    assert parse(printed).tree == tree
    assert print_query(parse(printed).tree) == printed


@given(st.text(max_size=4096))
@settings(max_examples=300, deadline=None)
@example("(" * 4096)
@example("[" * 4096)
@example("(a OR " * 682)
@example("((a) AND " * 400)
@example("x:" * 2048)
@example('"' * 4096)
@example('r"\\' * 1024)
@example("a EXCEPT " * 455)
@example("AND " * 1024)
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    with contextlib.suppress(QueryRefused):
        parse(text)
    plain_words(text)


@given(st.text(min_size=1))
@example('12" vinyl')
@example("ends with \\")
@example('\\"')
def test_a_quoted_value_is_read_back(value: str) -> None:
    expected = Comparison(FieldKey("Title"), Operator.EQUAL, value)
    assert parse(f"field.Title={quoted(value)}").tree == expected


FAMILIES = {
    "words": "cat ",
    "one long word": "a",
    "keywords glued": "ANDORid",
    "operators": "a AND b OR c EXCEPT ",
    "operators alone": "AND ",
    "pairs": "x:1 ",
    "words and pairs": "cat x:1 dog ",
    "comparisons": "x=1 AND ",
    "colons": "x:",
    "quotes": '"a" ',
    "open quotes": '" ',
    "escaped quotes": '"a\\" b" ',
    "raw strings": 'r"a" ',
    "open raw strings": 'r"\\',
    "brackets": "[a] OR ",
    "contexts": "a (b ",
    "contexts that close": "a (b) AND ",
    "parentheses that close": "(a) OR ",
    "closing": ")",
    "backslashes": '"\\\\',
}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_work_is_linear_in_the_length_of_the_text(family: str) -> None:
    """Counted in executed lines, not in time: twice the text is at most about twice the lines."""
    piece = FAMILIES[family]
    short, long = (lines_of(piece * (length // len(piece)) + "a") for length in (2_000, 4_000))
    assert long <= 2.2 * short + 200


def lines_of(text: str) -> int:
    """The lines of Python that one `parse` executes."""
    lines = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Trace:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with contextlib.suppress(QueryRefused):
            parse(text, LARGE)
    finally:
        sys.settrace(before)
    return lines
