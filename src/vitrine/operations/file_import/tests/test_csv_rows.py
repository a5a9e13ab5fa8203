"""CSV files as people save them, and what is said of those that cannot be read."""

import tracemalloc
from pathlib import Path

import pytest

from vitrine.errors import Invalid
from vitrine.operations.file_import.csv_rows import CsvFile, Row


def rows(path: Path, content: bytes, delimiter: str | None = None) -> list[Row]:
    path.write_bytes(content)
    table = CsvFile(path, delimiter)
    try:
        return list(table.rows())
    finally:
        table.close()


def values(path: Path, content: bytes, delimiter: str | None = None) -> list[dict[str, str]]:
    return [row.values for row in rows(path, content, delimiter)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "list.csv"


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_the_usual_forms_are_read(file: Path, delimiter: str, mark: bytes, end: str) -> None:
    text = end.join([delimiter.join(("file", "Titre")), delimiter.join(("a.jpg", "Été")), ""])
    assert values(file, mark + text.encode()) == [{"file": "a.jpg", "Titre": "Été"}]


def test_line_breaks_in_quotation_marks_belong_to_the_value_and_lines_are_counted(file: Path) -> None:
    results = rows(file, b'file,Title\na.jpg,"one\ntwo, ""three"""\n\nb.jpg,four\n')
    assert [(row.line, row.values["Title"]) for row in results] == [(2, 'one\ntwo, "three"'), (5, "four")]


def test_delimiters_in_quotation_marks_do_not_decide(file: Path) -> None:
    assert values(file, b'"a,b,c,d";file\n1;x.jpg\n') == [{"a,b,c,d": "1", "file": "x.jpg"}]


def test_a_delimiter_can_be_said(file: Path) -> None:
    assert values(file, b"file|a;b\nx.jpg|1\n", "|") == [{"file": "x.jpg", "a;b": "1"}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "must name the columns"),
        (b"\n\n", "must name the columns"),
        (b"file,,Title\n", "column 2 has no name"),
        (b"file,Title,Title\n", "two columns are called Title"),
        (b"file;a,b\n", "--delimiter"),
        (b"fi\x00le,b\n", "NUL"),
        (b"file,\xe9t\xe9\n", "UTF-8"),
        ("file,b\n".encode("utf-16"), "UTF-16"),
        (b"a" + b"," * 1_000 + b"\n", "more than 1000 columns"),
    ],
)
def test_a_header_that_cannot_be_used_is_explained(file: Path, content: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        rows(file, content)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"a.jpg,x\x00y", "Line 3 cannot be used: cell 2 holds a NUL byte"),
        (b"a.jpg,\xe9t\xe9", "Line 3 cannot be used: cell 2 holds bytes that are not UTF-8"),
        (b"a.jpg", "Line 3 cannot be used: it has 1 cells and the header has 2"),
        (b"a.jpg,b,c", "Line 3 cannot be used: it has 3 cells and the header has 2"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_are_read(file: Path, line: bytes, said: str) -> None:
    first, bad, last = rows(file, b"file,Title\nx.jpg,1\n" + line + b"\ny.jpg,2\n")
    assert bad.fault.startswith(said)
    assert not bad.values
    assert [first.values["Title"], last.values["Title"]] == ["1", "2"]


@pytest.mark.parametrize(
    "rest", [b'"never closed\nb.jpg,2\n', b'"closed" too early,2\n', b'"' + b"x" * 200_000 + b'",2\n'],
    ids=["open", "early", "long"],
)  # fmt: skip
def test_what_cannot_be_divided_into_rows_ends_the_reading_with_its_line(file: Path, rest: bytes) -> None:
    with pytest.raises(Invalid, match="from line 3 on"):
        rows(file, b"file,Title\nx.jpg,1\na.jpg," + rest)


def test_a_line_without_end_is_refused(file: Path) -> None:
    with pytest.raises(Invalid, match="Line 2 has more than 4 MiB"):
        rows(file, b"file,Title\n" + b"x" * (5 * 2**20))


def test_memory_does_not_grow_with_the_rows(file: Path) -> None:
    def peak(count: int) -> int:
        with file.open("w") as writer:
            writer.write("file,Title\n")
            writer.writelines(f"{number:07}.jpg,Title {number:07}\n" for number in range(count))
        table = CsvFile(file)
        tracemalloc.start()
        try:
            assert sum(1 for _ in table.rows()) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            table.close()

    assert peak(20_000) < peak(1_000) + 20_000
