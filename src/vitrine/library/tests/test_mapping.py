"""From embedded metadata to field values (contract 06 sections 4 and 6)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_type_hints

import pytest

from vitrine.library import mapping
from vitrine.library.arrivals import Arrival, clean_name, extension_of
from vitrine.library.model import CollectionId, DataboxId, Field, FieldId, RecordKey
from vitrine.library.structure.titles import title_of
from vitrine.media.probe import Probe


def field_named(name: str, source: str, **values: Any) -> Field:
    defaults = {bool: False, int: 0, str: ""}
    blank = {key: defaults.get(hint) for key, hint in get_type_hints(Field).items()}
    known = {"id": FieldId(len(name)), "name": name, "type": "string", "source": source, "fallbacks": ()}
    return Field(**{**blank, **known, **values})


def test_a_field_takes_the_first_of_its_tags_that_has_a_value() -> None:
    title = field_named("Title", "IPTC:ObjectName", fallbacks=("XMP-dc:Title", "PDF:Title"))
    size = field_named("Size", "Phraseanet:tf-size")
    empty = field_named("Nothing", "IPTC:City")
    metadata = {"XMP-dc:Title": ["Quay"], "PDF:Title": ["Harbour"], "Phraseanet:tf-size": ["forged"]}
    values = mapping.mapped_values((title, size, empty), metadata, {"Phraseanet:tf-size": ["12"]})
    assert values == [(title, ["Quay"]), (size, ["12"])]


def test_values_are_trimmed_split_and_kept_once() -> None:
    keywords = field_named("Keywords", "IPTC:Keywords", multi=True, separator=",")
    assert mapping.normalise(keywords, [" sea, quay;sea ", "\x00", "gull"]) == ["sea", "quay", "gull"]
    assert mapping.normalise(replace(keywords, multi=False), ["sea, quay", "gull"]) == ["sea, quay"]
    assert len(mapping.normalise(keywords, [str(number) for number in range(600)])) == mapping.MOST_VALUES


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2009:07:14 10:00:00", "2009-07-14 10:00:00"),
        ("2009:07:14", "2009-07-14"),
        ("2009-07-14T10:00:00", "2009-07-14 10:00:00"),
        ("around 1900", "around 1900"),
    ],
)
def test_dates_are_stored_in_iso_order(text: str, stored: str) -> None:
    assert mapping.normalise(field_named("Date", "", type="date"), [text]) == [stored]


def test_a_long_value_is_cut_between_characters() -> None:
    cut = mapping.truncate("é" * mapping.LONGEST_VALUE)
    assert len(cut.encode()) <= mapping.LONGEST_VALUE
    assert set(cut) == {"é"}


def test_the_title_is_of_the_flagged_fields_or_the_file_name() -> None:
    title = field_named("Title", "", thumbtitle=True)
    assert title_of((title,), [(title, ["Quay"])], "a.jpg") == "Quay"
    assert title_of((title,), [], "a.jpg") == "a.jpg"


def test_the_first_valid_uuid_counts() -> None:
    uuid = "6F9619FF-8B86-D011-B42D-00CF4FC964FF"
    metadata = {"IPTC:UniqueDocumentID": ["none"], "XMP-xmpMM:DocumentID": [f"xmp.did:{uuid}"]}
    assert mapping.embedded_uuid(metadata) == uuid.lower()
    assert mapping.embedded_uuid({"IPTC:UniqueDocumentID": ["none"]}) is None


def test_computed_sources_leave_out_what_the_file_lacks() -> None:
    probe = Probe("image", "image/png", display_width=4, display_height=3, technical=[("Channels", 3)])
    arrival = Arrival("a.b.PNG", "0" * 64, 12, probe)
    added = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
    sources = mapping.computed_sources(arrival, RecordKey(DataboxId(1), 7), added)
    assert sources["Phraseanet:tf-basename"] == ["a.b"]
    assert sources["Phraseanet:tf-extension"] == ["png"]
    assert sources["Phraseanet:tf-channels"] == ["3"]
    assert sources["Phraseanet:tf-archivedate"] == ["2026-11-28 09:00:00"]
    assert "Phraseanet:tf-duration" not in sources
    assert "Phraseanet:pdf-text" not in sources


@pytest.mark.parametrize(
    ("name", "clean"),
    [("C:\\scans\\a.tif", "a.tif"), ("../../etc/passwd", "passwd"), ("a\r\nb.jpg", "ab.jpg"), ("/", "untitled")],
)
def test_a_name_is_its_last_part_on_one_line(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_an_extension_is_short_and_plain() -> None:
    assert [extension_of(name) for name in ("a.JPG", "a", "a.b c", "a.thirteenchars", ".")] == ["jpg", "", "", "", ""]


def test_the_audit_log_says_that_a_name_was_guessed() -> None:
    arrival = Arrival("a.jpg", "0" * 64, 1, Probe("image", "image/jpeg"))
    assert arrival.audit_details(CollectionId(2)) == {"base_id": 2}
    assert replace(arrival, is_name_guessed=True).audit_details(CollectionId(2)) == {"base_id": 2, "name": "guessed"}
