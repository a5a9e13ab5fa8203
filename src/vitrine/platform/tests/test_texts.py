"""Ordinary text is unchanged; characters that could harm a header, a terminal or a reader are removed."""

import pytest

from vitrine.platform.texts import of_one_line, spreadsheet_text, without_controls

FRENCH = "Le port\u00a0: «\u202fNadar\u202f»"
FAMILY = "\U0001f469\u200d\U0001f467"
PERSIAN = "می\u200cخواهم"


@pytest.mark.parametrize("text", [FRENCH, FAMILY, PERSIAN, "日本\u3000語"])
def test_blanks_and_joiners_are_letters_of_a_text(text: str) -> None:
    assert without_controls(text) == text
    assert of_one_line(text) == text


def test_controls_go() -> None:
    assert without_controls("a\x00b\x1bc\nd\te\x7f\x85\ud800") == "abc\nd\te"
    assert of_one_line("a\r\nb\x00\u2028c\td") == "abcd"


def test_a_name_cannot_turn_the_direction_of_its_ending() -> None:
    assert of_one_line("photo\u202egpj.exe\u2066") == "photogpj.exe"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\r=x"])
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert spreadsheet_text(text) == f"'{text}"
    assert spreadsheet_text(f"a{text}") == f"a{text}"
