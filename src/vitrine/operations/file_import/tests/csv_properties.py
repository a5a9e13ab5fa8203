"""What a program writes as CSV arrives as it was, and what a mapping says of it goes where it says."""

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from vitrine.errors import Invalid
from vitrine.library.model import DataboxId, Field, FieldId
from vitrine.operations.file_import.csv_rows import CsvFile
from vitrine.operations.file_import.field_mapping import Evidence
from vitrine.operations.file_import.mapping_file import parse_mapping

# A lone carriage return is a line break to CSV, which only quoted cells keep: Python's writer quotes them.
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
KEYWORDS = Field(
    FieldId(1), DataboxId(1), "Keywords", {}, "string", multi=True, separator=";", source="", fallbacks=(),
    readonly=False, required=False, business=False, indexable=True, aggregable=0, thumbtitle=False, dces_element=None,
    thesaurus_branch="", generate_cterms=False, gui_editable=True, gui_visible=True, printable=True,
    input_disable=False, sort_slot=None,
)  # fmt: skip
NAMES = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)


@given(
    names=st.lists(NAMES, min_size=2, max_size=5, unique=True),
    cells=st.data(),
    delimiter=st.sampled_from([";", ",", "\t"]),
    mark=st.booleans(),
)
def test_a_table_comes_back_as_it_was_written(
    names: list[str], cells: st.DataObject, delimiter: str, mark: bool
) -> None:
    written = cells.draw(st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), max_size=6))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        with path.open("w", encoding="utf-8-sig" if mark else "utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
            writer.writerow(names)
            writer.writerows(written)
        table = CsvFile(path)
        try:
            results = [list(row.values.values()) for row in table.rows()]
        finally:
            table.close()
    stripped = [[cell.strip() for cell in row] for row in written]
    assert results == [row for row in stripped if any(row)]


@given(st.binary(max_size=400))
def test_any_bytes_are_rows_or_a_refusal(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(content)
        try:
            table = CsvFile(path)
        except Invalid:
            return
        try:
            for row in table.rows():
                assert bool(row.values) is not bool(row.fault)
        except Invalid as refusal:
            assert "line" in refusal.detail.lower()
        finally:
            table.close()


LEAF = st.none() | st.booleans() | st.integers(-1, 40) | st.text(max_size=8) | st.lists(st.text(max_size=4), max_size=2)
RULE = st.dictionaries(
    st.sampled_from(["column", "xmp", "path", "value", "separator", "formats", "on"]), LEAF, max_size=3
)
PARTS = {
    "fields": st.dictionaries(st.sampled_from(["Title", "Date"]), RULE | LEAF, max_size=2),
    "status": st.dictionaries(st.sampled_from(["4", "31", "32", "x"]), RULE | LEAF, max_size=2),
    "collection": RULE | LEAF,
    "path": st.dictionaries(st.sampled_from(["pattern", "folders", "x"]), LEAF, max_size=2),
    "csv": st.dictionaries(st.sampled_from(["file", "delimiter", "ignore"]), LEAF, max_size=2),
}


@given(st.fixed_dictionaries({}, optional=PARTS))
def test_any_table_is_a_mapping_or_a_refusal(table: dict[str, object]) -> None:
    try:
        mapping = parse_mapping(table)
    except Invalid as refusal:
        assert refusal.detail
        return
    mapping.parts("2020/a.jpg")


@given(texts=st.lists(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=9), max_size=9))
def test_values_that_were_joined_are_separated_again(texts: list[str]) -> None:
    (rule,) = parse_mapping({"fields": {"Keywords": {"column": "words", "separator": "|"}}}).fields
    assert rule.texts(KEYWORDS, Evidence({"words": " | ".join(texts)})) == list(dict.fromkeys(texts))
