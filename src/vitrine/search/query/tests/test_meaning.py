"""Contract 05 sections 3, 3.1, 5 and 6 on a small corpus, by the reference in plain Python."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vitrine.search.analysis import sort_key
from vitrine.search.model import BaseClause, IndexDocument
from vitrine.search.query import SearchedField, SearchNames, ValueType, parse, resolve
from vitrine.search.query.tree import FieldKey, Native, NativeKey, TechnicalKey
from vitrine.testing.search_reference import Reference, ReferenceRecord, facet, ordered

NAMES = SearchNames(
    fields={
        name: SearchedField(name, value_type, is_business=name in {"Price", "Note"})
        for name, value_type in {
            "Title": ValueType.TEXT,
            "City": ValueType.TEXT,
            "Keywords": ValueType.TEXT,
            "Note": ValueType.TEXT,
            "Price": ValueType.NUMBER,
            "Rank": ValueType.NUMBER,
            "Shot": ValueType.DATE,
        }.items()
    },
    flags={"caption_filled": ((1, 4), (2, 5))},
)
EDITOR = (BaseClause(1, business=True), BaseClause(2, business=True))
READER = (BaseClause(1), BaseClause(2))


def record(rid: int, title: str, *, base: int = 1, status: int = 0, **given: Any) -> ReferenceRecord:
    options = {name: given.pop(name) for name in ("technical", "location") if name in given}
    business: dict[str, list[str]] = {name: given.pop(name) for name in ("Price", "Note") if name in given}
    kind, extra = given.pop("kind", "image"), given.pop("extra", ())
    created = given.pop("created", datetime(2026, 1, rid, 12, tzinfo=UTC))
    return ReferenceRecord(
        IndexDocument(
            rid=rid, databox_id=base, number=100 + rid, base_id=base, kind=kind, is_story=False, created=created,
            updated=created, status=status, title="", sha256=f"sha{rid}", uuid=f"uuid-{rid}",
            fields={"Title": [title], **given}, business=business, extra=extra,
        ),
        database="Demo" if base == 1 else "Archive",
        collection="press" if base == 1 else "Old Prints",
        **options,
    )  # fmt: skip


CORPUS = (
    record(1, "Chats de Paris", City=["Paris"], Keywords=["cat", "night"], Rank=["3"], Shot=["2015-01-02"],
           location=(48.8606, 2.3376), technical={"ISO": 400, "CameraModel": "EOS 5D", "FlashFired": True}, status=16),
    record(2, "Two cats at night", City=["Lyon"], Keywords=["cat", "moon"], Rank=["10"], Shot=["2015-06"],
           location=(45.764, 4.8357), technical={"ISO": 100, "FlashFired": False}, Price=["4.50"]),
    record(3, "Moon over the harbour", City=["Brest"], Keywords=["Harbour master"], Rank=["2.0"], Shot=["2016"],
           Note=["secret price"], kind="video"),
    record(4, "東京タワーの夜景", City=["東京"], Keywords=["夜景"], base=2, status=32, extra=("DSC_0042.JPG",)),
    record(5, "Apollo 11 (NASA)", base=2, Keywords=['say "moon"'], Shot=["2015-01-02 10:30", "1969-07-20"]),
    record(6, "été à Étretat", City=["étretat"], Keywords=["Moon", "moon"], Rank=["abc"],
           created=datetime(2025, 12, 31, 23, 30, tzinfo=UTC)),
)  # fmt: skip
REFERENCE = Reference(CORPUS)


def find(query: str, bases: Sequence[BaseClause] = EDITOR, reference: Reference = REFERENCE) -> list[int]:
    return [hit.document.rid for hit in reference.search(resolve(parse(query).tree, NAMES), bases)]


@pytest.mark.parametrize(
    ("query", "rids"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        # texts: every word, in any fields taken together, under one analysis
        ("cats", [1, 2]),
        ("CHATS paris", [1]),
        ("cat night lyon", [2]),
        ("cats night brest", []),
        ("chat", [1]),
        ("etretat", [6]),
        ("ÉTÉ", [6]),
        ("dsc 0042", [4]),
        ("dsc_0042", [4]),
        ("moo", []),
        ("!?", []),
        ("東京", [4]),
        ("夜景", [4]),
        ("京都", []),
        ("NASA OR lyon", [2, 5]),
        ("nasa ou lyon", [2, 5]),
        # phrases: contiguous, in one value
        ('"moon over the harbour"', [3]),
        ('"harbour moon"', []),
        ('"harbour master"', [3]),
        ('"night cat"', []),
        ('"cat moon"', []),
        # whole values
        ('r"cat"', [1, 2]),
        ('r"Cat"', []),
        ('r"étretat"', [6]),
        ('r"etretat"', []),
        (r'r"say \"moon\""', [5]),
        # no thesaurus, no concepts
        ("[moon]", []),
        ("[moon (sky)] OR lyon", [2]),
        ("moon (sky)", [2, 3, 5, 6]),
        # operators
        ("moon AND cat", [2]),
        ("moon EXCEPT cat", [3, 5, 6]),
        ("moon SAUF cat SAUF étretat", [3, 5]),
        ("cat AND paris OR nasa", [1, 5]),
        ("nasa OR cat AND paris", [1, 5]),
        ("moon EXCEPT cat OR nasa", [3, 6]),
        ('" " EXCEPT moon', [1, 4]),
        # fields
        ("Title:moon", [3]),
        ("Keywords:moon", [2, 5, 6]),
        ('Keywords:"harbour master"', [3]),
        ('Keywords:r"moon"', [2, 6]),
        ("Keywords:[moon]", []),
        ("cat Keywords:moon night", []),
        ("cat Keywords:cat night", [1]),
        ("City=Paris", [1]),
        ("City=paris", []),
        ("Keywords=moon", [2, 6]),
        ("Keywords=Moon", [6]),
        ('Keywords="say \\"moon\\""', [5]),
        ("City<lyon", [3, 6]),
        ("City>=PARIS", [1, 4]),
        ("Rank=3", [1]),
        ("Rank=3.0", [1]),
        ("Rank>2", [1, 2]),
        ("Rank<=2", [3]),
        ("Rank=abc", []),
        ("City=_unset_", [5]),
        ("City=_set_", [1, 2, 3, 4, 6]),
        ("Price=_set_", [2]),
        ("meta.ISO=_set_", [1, 2]),
        ("geolocation=_unset_", [3, 4, 5, 6]),
        ("created_on=_unset_", []),
        # native keys
        ("database:Demo", [1, 2, 3, 6]),
        ("database:demo", []),
        ("collection=press", [1, 2, 3, 6]),
        ('collection:"Old Prints"', [4, 5]),
        ("type:video", [3]),
        ("type=image cat", [1, 2]),
        ("type:nothing", []),
        ("id:103", [3]),
        ("recordid>=105", [5, 6]),
        ("id<102", [1]),
        ("id:abc", []),
        ("uuid:uuid-4", [4]),
        ("sha256=sha5", [5]),
        # technical data
        ("meta.ISO:400", [1]),
        ("meta.ISO<400", [2]),
        ("exif.ISO>=100", [1, 2]),
        ('meta.CameraModel="EOS 5D"', [1]),
        ('meta.CameraModel="eos 5d"', []),
        ("meta.FlashFired:true", [1]),
        ("meta.FlashFired=false", [2]),
        # flags: bit 4 of the first databox, bit 5 of the second
        ("flag.caption_filled:true", [1, 4]),
        ("flag.Caption-Filled:0", [2, 3, 5, 6]),
        # places
        ('geolocation="48.8584 2.2945 5km"', [1]),
        ('geolocation="48.8584 2.2945 500km"', [1, 2]),
        ('geolocation="48.8584 2.2945 1m"', []),
        # dates
        ("Shot=2015", [1, 2, 5]),
        ("Shot=2015/1", [1, 5]),
        ('Shot="2015-01-02"', [1, 5]),
        ('Shot="2015-01-02 10"', [5]),
        ("Shot=1969", [5]),
        ("Shot<2015", [5]),
        ("Shot<=2015", [1, 2, 5]),
        ("Shot>2015", [3]),
        ("Shot>=2015-06", [2, 3]),
        ("Shot>2015-01-02", [2, 3]),
        ("Shot=someday", []),
        ("Shot>someday", [1, 2, 3, 5]),
        ("created_on=2025", [6]),
        ("created_on>2026-01-04", [5]),
        ("updated_on<=2026-01-02", [1, 2, 6]),
    ],
)
def test_a_query_finds_its_records(query: str, rids: list[int]) -> None:
    assert find(query) == rids


def test_a_date_of_a_record_is_that_of_the_servers_zone() -> None:
    paris = replace(REFERENCE, zone=ZoneInfo("Europe/Paris"))
    assert find("created_on=2025", reference=paris) == []
    assert find('created_on="2026-01-01"', reference=paris) == [1, 6]


def test_with_truncation_words_are_also_beginnings() -> None:
    truncated = replace(REFERENCE, truncation=True)
    assert find("moo", reference=truncated) == [2, 3, 5, 6]
    assert find("harb moo", reference=truncated) == [3]
    assert find("m", reference=truncated) == []
    assert find('"moo"', reference=truncated) == []


def test_texts_are_searched_in_the_given_fields_only() -> None:
    assert find("moon", reference=replace(REFERENCE, fields=("Title",))) == [3]
    assert find("moon", reference=replace(REFERENCE, fields=())) == []


@pytest.mark.parametrize(
    "query",
    ["secret", '"secret price"', 'r"secret price"', "Note:secret", 'Note="secret price"', "Price=4.5", "Note=_set_"],
)
def test_business_fields_are_searched_only_where_the_person_may_edit(query: str) -> None:
    assert find(query) != []
    assert find(query, READER) == []
    assert find(query, (BaseClause(1), BaseClause(2, business=True))) == []


def test_to_a_reader_a_business_field_is_empty() -> None:
    assert find("Price=_unset_", READER) == [1, 2, 3, 4, 5, 6]
    assert find("Price=_unset_", EDITOR) == [1, 3, 4, 5, 6]


def test_masks_hide_records_from_every_query() -> None:
    unflagged = (BaseClause(1, mask_and=16, mask_xor=0), BaseClause(2))
    assert find("cats", unflagged) == [2]
    assert find('" " EXCEPT moon', unflagged) == [4]
    assert find("", ()) == []


def test_records_are_ordered_with_ties_by_record_and_empty_last() -> None:
    def city(entry: ReferenceRecord) -> str | None:
        return next((sort_key(value) for value in entry.document.fields.get("City", [])), None)

    assert [entry.document.rid for entry in ordered(CORPUS, city, descending=False)] == [3, 6, 2, 1, 4, 5]
    assert [entry.document.rid for entry in ordered(CORPUS, city, descending=True)] == [4, 1, 2, 6, 3, 5]
    same = [entry.document.rid for entry in ordered(CORPUS, lambda _entry: 0, descending=True)]
    assert same == [6, 5, 4, 3, 2, 1]


def test_facets_count_records_and_respect_rights() -> None:
    assert facet(CORPUS, FieldKey("Keywords"), EDITOR)["moon"] == 2
    assert facet(CORPUS, NativeKey(Native.TYPE), EDITOR) == {"image": 5, "video": 1}
    assert facet(CORPUS, TechnicalKey("ISO"), EDITOR) == {"400": 1, "100": 1}
    assert facet(CORPUS, FieldKey("Note"), EDITOR) == {"secret price": 1}
    assert facet(CORPUS, FieldKey("Note"), READER) == {}
