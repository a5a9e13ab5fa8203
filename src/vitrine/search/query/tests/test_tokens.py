"""Contract 05 section 1: at each place the first matching rule wins."""

import pytest

from vitrine.search.query import QuerySyntaxError
from vitrine.search.query.tokens import TokenKind, tokens_of


def kinds(text: str) -> list[str]:
    return [token.kind.name for token in tokens_of(text)[:-1]]


def values(text: str) -> list[str]:
    return [token.value for token in tokens_of(text)[:-1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("( ) [ ] :", "OPEN BLANK CLOSE BLANK OPEN_BRACKET BLANK CLOSE_BRACKET BLANK COLON"),
        ("AND ET and Et", "AND BLANK AND BLANK AND BLANK AND"),
        ("OR OU ou", "OR BLANK OR BLANK OR"),
        ("EXCEPT SAUF sauf", "EXCEPT BLANK EXCEPT BLANK EXCEPT"),
        ("database collection sha256 geolocation uuid type", "KEY BLANK KEY BLANK KEY BLANK KEY BLANK KEY BLANK KEY"),
        ("id recordid created_on created_at updated_on updated_at", "KEY" + " BLANK KEY" * 5),
        ("field. flag. meta. exif.", "PREFIX BLANK PREFIX BLANK PREFIX BLANK PREFIX"),
        ("true 1 false 0", "BOOLEAN BLANK BOOLEAN BLANK BOOLEAN BLANK BOOLEAN"),
        ("Database TYPE", "WORD BLANK WORD"),  # these are case-sensitive
        ("android", "AND WORD"),  # keywords also begin longer words
        ("10km", "BOOLEAN BOOLEAN WORD"),
        ('foo"bar"', "WORD"),  # a quote inside a word is a character
        ('"a b"c', "QUOTED WORD"),
        ("* ? + - ! & | ~ NOT", "WORD" + " BLANK WORD" * 8),
        ("foo!=3", "WORD COMPARISON WORD"),
        ("a\u00a0b\tc\nd", "WORD BLANK WORD BLANK WORD BLANK WORD"),
        ("ſauf", "WORD"),  # an operator is spelled with ASCII letters
    ],
)
def test_a_text_is_cut_into_tokens(text: str, expected: str) -> None:
    assert kinds(text) == expected.split()


def test_comparison_signs_have_two_spellings() -> None:
    assert values("<=≤>=≥<>=") == ["<=", "<=", ">=", ">=", "<", ">="]


def test_a_quoted_string_knows_no_escapes() -> None:
    assert values(r'"C:\x"') == [r"C:\x"]


def test_a_raw_string_escapes_quotes_and_backslashes_only() -> None:
    assert values(r'r"a \"b\" \\ \n"') == [r'a "b" \ \n']


def test_with_escapes_quotes_may_stand_inside_quotes() -> None:
    assert [token.value for token in tokens_of(r'"a \"b\" \\ \n"', escapes=True)[:-1]] == [r'a "b" \ \n']


@pytest.mark.parametrize(("text", "at"), [('foo "bar', 4), ('x:""', 2), ('r"foo', 0), ('r""', 0), ('AND"foo', 3)])
def test_quotes_without_end_or_content_are_refused_at_their_place(text: str, at: int) -> None:
    with pytest.raises(QuerySyntaxError) as refused:
        tokens_of(text)
    assert refused.value.at == at
    assert refused.value.remedy


def test_every_character_belongs_to_one_token() -> None:
    text = 'a (b)[c]:"d e"≤r"f" AND\u2003g<h'
    assert "".join(token.text for token in tokens_of(text)) == text
    assert tokens_of(text)[-1].kind is TokenKind.END
