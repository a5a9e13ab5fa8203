"""Text is compared without case by one function of ours, the same on both databases."""

import re
from pathlib import Path

import pytest

import vitrine
from tests.database.rows import insert_minimal
from vitrine.applications import portal_store
from vitrine.library.store import LONGEST_FOLDED_NAME, folded_name
from vitrine.platform.database import Database
from vitrine.platform.texts import folded

SOURCES = Path(vitrine.__file__).parent
# What a database thinks is the same letter: ASCII only on SQLite, a matter of the collation on PostgreSQL. "C" has no
# opinion: it orders bytes.
OF_THE_DATABASE = re.compile(
    r"func\.(lower|upper)\b|\.(icontains|istartswith|iendswith|ilike)\(|\.collate\((?!.C.\))|NOCASE|CITEXT"
)


def test_no_statement_leaves_case_to_the_database() -> None:
    modules = [path for path in SOURCES.rglob("*.py") if path.parent.name != "versions"]
    assert len(modules) > 300
    assert [path.name for path in modules if OF_THE_DATABASE.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("ÉTÉ", "été"), ("e\u0301", "É"), ("STRASSE", "straße"), ("ΟΔΟΣ", "οδος"), ("Ångström", "ÅNGSTRÖM"),
        ("ᾳ\u0301", "Α\u0301Ι"), ("ﬁn", "FIN"),
    ],
)  # fmt: skip
def test_texts_that_people_take_for_the_same_are(left: str, right: str) -> None:
    assert folded(left) == folded(right)
    assert folded(folded(left)) == folded(left)


def test_texts_that_differ_in_more_than_case_are_not() -> None:
    assert len({folded(text) for text in ("été", "ete", "etes", "été ", "é té")}) == 5


def test_a_long_name_still_fits_its_column() -> None:
    assert len(folded("ΐ" * 255)) <= 3 * 255
    assert len(folded_name("ﬃ" * 255)) == LONGEST_FOLDED_NAME


@pytest.mark.both_databases
def test_applications_are_found_whatever_the_case_of_their_name(database: Database) -> None:
    values = {"type": "web", "profile": "strict", "kind": "server"}
    with database.write() as work:
        for name in ("Fête d'été", "Fete d'ete", "100% wool"):
            insert_minimal(work, "applications", name=name, **values)
        names = {words: [row.name for row in portal_store.every(work, 9, 0, words)] for words in ("FÊTE", "fete", "%")}
        assert len(portal_store.every(work, 9, 0)) == 3
    assert names == {"FÊTE": ["Fête d'été"], "fete": ["Fete d'ete"], "%": ["100% wool"]}
