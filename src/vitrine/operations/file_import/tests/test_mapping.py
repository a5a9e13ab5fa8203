"""What a mapping may say, and how it says what is wrong."""

from pathlib import Path
from typing import Any

import pytest

from vitrine.errors import Invalid
from vitrine.library.model import Structure
from vitrine.operations.file_import.dates import iso_date
from vitrine.operations.file_import.field_mapping import Evidence, ImportMapping
from vitrine.operations.file_import.mapping_file import parse_mapping, read_mapping
from vitrine.testing.server import Server


@pytest.fixture
def structure(server: Server) -> Structure:
    with server.services.database.read() as work:
        return server.services.library.records.structure(work)


def named(server: Server, structure: Structure, mapping: ImportMapping, evidence: Evidence) -> dict[str, list[str]]:
    values = mapping.values(structure, server.photographs, evidence)
    return {structure.field_by_id[field_id].name: texts for field_id, texts in values.items()}


def test_columns_come_before_properties_those_before_the_path_and_a_constant_is_last(
    server: Server, structure: Structure
) -> None:
    rule = {"column": "t", "xmp": ["XMP-dc:Title", "XMP-dc:Description"], "path": "event", "value": "constant"}
    mapping = parse_mapping({"fields": {"Title": rule}, "path": {"folders": "{event}"}})
    tags = [{"XMP-dc:Description": ["sidecar"]}, {"XMP-dc:Title": ["embedded"]}]
    parts = mapping.parts("Regatta/a.jpg")
    for evidence, expected in (
        (Evidence({"t": "column"}, parts, tags), "column"),
        (Evidence({"t": " "}, parts, tags), "sidecar"),
        (Evidence({}, parts, tags[1:]), "embedded"),
        (Evidence({}, parts), "Regatta"),
        (Evidence(), "constant"),
    ):
        assert named(server, structure, mapping, evidence) == {"Title": [expected]}


def test_several_values_are_separated_and_come_once(server: Server, structure: Structure) -> None:
    mapping = parse_mapping({"fields": {"Keywords": {"column": ["a", "b"], "separator": ","}}})
    results = named(server, structure, mapping, Evidence({"a": "sea, boat,", "b": "sea,wind;rain"}))
    assert results == {"Keywords": ["sea", "boat", "wind", "rain"]}, "the field's own separator counts as well"


def test_a_field_of_one_value_takes_no_more(server: Server, structure: Structure) -> None:
    mapping = parse_mapping({"fields": {"Title": {"column": ["a", "b"]}}})
    with pytest.raises(Invalid, match="Title holds one value, and there are 2"):
        named(server, structure, mapping, Evidence({"a": "x", "b": "y"}))
    assert named(server, structure, mapping, Evidence({"a": "x", "b": "x"})) == {"Title": ["x"]}


def test_a_value_that_is_too_long_is_refused_and_not_cut(server: Server, structure: Structure) -> None:
    mapping = parse_mapping({"fields": {"Title": {"column": "a"}}})
    with pytest.raises(Invalid, match="at most 500 values of 32766 bytes"):
        named(server, structure, mapping, Evidence({"a": "x" * 40_000}))


@pytest.mark.parametrize(
    ("text", "formats", "expected"),
    [
        ("14/07/2009", ("%d/%m/%Y",), "2009-07-14"),
        ("2009", ("%d/%m/%Y", "%Y"), "2009"),
        ("07.2009", ("%m.%Y",), "2009-07"),
        ("14.7.09 10:02", ("%d.%m.%y %H:%M",), "2009-07-14 10:02:00"),
    ],
)
def test_dates_are_as_exact_as_they_were_written(text: str, formats: tuple[str, ...], expected: str) -> None:
    assert iso_date(text, formats, "Date") == expected


def test_a_date_in_none_of_the_formats_is_refused() -> None:
    with pytest.raises(Invalid, match="Date cannot be 31/02/2009: it fits none of %d/%m/%Y"):
        iso_date("31/02/2009", ("%d/%m/%Y",), "Date")


def test_status_bits_are_words_of_a_column_or_constants() -> None:
    mapping = parse_mapping({"status": {"4": True, "5": {"column": "p", "on": ["Oui"], "off": ["Non"]}}})
    assert mapping.bits(Evidence({"p": "OUI"})) == {4: True, 5: True}
    assert mapping.bits(Evidence({"p": "non"})) == {4: True, 5: False}
    assert mapping.bits(Evidence({"p": ""})) == {4: True}, "an empty cell says nothing"
    with pytest.raises(Invalid, match="Status bit 5 cannot be perhaps; the words are oui, non"):
        mapping.bits(Evidence({"p": "perhaps"}))


def test_the_collection_is_a_number_a_name_or_what_a_table_says(server: Server, structure: Structure) -> None:
    plain = parse_mapping({"collection": {"column": "c"}}).collection
    table = parse_mapping({"collection": {"column": "c", "values": {"Fotos": int(server.archive.id)}}}).collection
    assert plain is not None
    assert table is not None
    assert plain.base_id(structure, Evidence({"c": str(server.archive.id)})) == server.archive.id
    assert plain.base_id(structure, Evidence({"c": "ARCHIVE"})) == server.archive.id
    assert plain.base_id(structure, Evidence({"c": ""})) is None
    assert table.base_id(structure, Evidence({"c": "Fotos"})) == server.archive.id
    with pytest.raises(Invalid, match=r"no collection Archives\. Did you mean Archive"):
        plain.base_id(structure, Evidence({"c": "Archives"}))
    with pytest.raises(Invalid, match=r"given to Photos\. Did you mean Fotos"):
        table.base_id(structure, Evidence({"c": "Photos"}))


def test_parts_of_the_path_are_folders_or_a_regular_expression() -> None:
    folders = parse_mapping({"path": {"folders": "{year} - {event}/{place}"}})
    assert folders.parts("2020 - Fair/Hall/x/a.jpg") == {"year": "2020", "event": "Fair", "place": "Hall"}
    assert folders.parts("a.jpg") == {}
    pattern = parse_mapping({"path": {"pattern": r"(?P<year>\d{4})(_(?P<name>\w+))?/.*"}})
    assert pattern.parts("2020/a.jpg") == {"year": "2020", "name": ""}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"felds": {}}, "felds in the mapping means nothing. Did you mean fields"),
        ({"fields": {"Title": {"colum": "a"}}}, "colum in .fields.Title. means nothing. Did you mean column"),
        ({"fields": {"Title": {}}}, "says nothing of where its value comes from"),
        ({"fields": {"Title": {"column": 3}}}, "column of .fields.Title. must be a text"),
        ({"fields": {"Title": {"xmp": "Title"}}}, "written like XMP-dc:Title"),
        (
            {"fields": {"Title": {"path": "yaer"}}, "path": {"folders": "{year}"}},
            "no part called yaer. Did you mean ye",
        ),
        ({"fields": {"Date": {"column": "d", "formats": "%d/%m"}}}, "has no year"),
        ({"status": {"3": True}}, "they are 4 to 31"),
        ({"status": {"32": True}}, "they are 4 to 31"),
        ({"collection": {"column": "c", "values": {"a": "b"}}}, "a base_id, a number"),
        ({"path": {"pattern": "("}}, "pattern of .path. cannot be used"),
        ({"path": {"pattern": "a", "folders": "b"}}, "either pattern or folders"),
        ({"path": {"folders": "{1}"}}, "cannot be used"),
        ({"csv": {"delimiter": ";;"}}, "one character"),
        ({"csv": 3}, ".csv. must be a table"),
    ],
)
def test_what_is_wrong_in_a_mapping_is_named_with_its_place(given: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        parse_mapping(given)


@pytest.mark.parametrize("content", [b"a = ", b"\xff", b"a = 1\na = 2"])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.toml").write_bytes(content)
    with pytest.raises(Invalid, match=r"m\.toml cannot be read"):
        read_mapping(tmp_path / "m.toml")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"fields": {"Titel": {"value": "a"}}}, "no field Titel. Did you mean Title"),
        ({"fields": {"Latitude": {"value": "1"}}}, "Latitude is read-only"),
        ({"status": {"9": True}}, "no status bit 9; those of the databox are"),
    ],
)
def test_fields_and_bits_that_the_databox_does_not_have_are_named(
    server: Server, structure: Structure, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        parse_mapping(given).check(structure, server.photographs)


def test_each_column_goes_somewhere(server: Server, structure: Structure) -> None:
    fields = structure.fields[server.databox.id]
    mapping = parse_mapping({"fields": {"Title": {"column": "Titre"}}, "csv": {"ignore": ["n"]}})
    complete = mapping.with_columns(("File", "Titre", "n", "KEYWORDS"), fields)
    assert [rule.name for rule in complete.fields] == ["Title", "Keywords"]
    assert complete.file_column(("File", "Titre")) == "File"
    for columns, said in (
        (("file", "n"), "no column Titre"),
        (("file", "Titre"), "no column n"),
        (("file", "Titre", "n", "Keyword"), "column Keyword goes: .* Did you mean Keywords"),
        (("file", "Titre", "n", "title"), "column title goes"),
        (("Titre", "n"), "column Titre goes|no column file"),
    ):
        with pytest.raises(Invalid, match=said):
            mapping.with_columns(columns, fields).file_column(columns)
