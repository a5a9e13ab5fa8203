"""The names that a person may use in a query (contract 05 sections 5 to 7)."""

from collections.abc import Collection as Names
from typing import Any

from vitrine.library.model import Collection, CollectionId, Databox, DataboxId, Field, FieldId, StatusBit, Structure
from vitrine.search import query
from vitrine.search.model import BaseClause
from vitrine.search.query import SearchedField, SearchNames, ValueType

PLAIN: dict[str, Any] = {
    "labels": {}, "type": "string", "multi": False, "separator": ";", "source": "", "fallbacks": (), "readonly": False,
    "required": False, "business": False, "indexable": True, "aggregable": 0, "thumbtitle": False,
    "dces_element": None, "thesaurus_branch": "", "generate_cterms": False, "gui_editable": True, "gui_visible": True,
    "printable": True, "input_disable": False, "sort_slot": None,
}  # fmt: skip


def field(number: int, databox: int, name: str, **given: Any) -> Field:
    return Field(id=FieldId(number), databox_id=DataboxId(databox), name=name, **(PLAIN | given))


def collection(number: int, databox: int) -> Collection:
    return Collection(CollectionId(number), DataboxId(databox), number, f"c{number}", {}, True, "", 0)


def bit(databox: int, number: int, label: str) -> StatusBit:
    return StatusBit(DataboxId(databox), number, label, "", {}, {}, True, True)


STRUCTURE = Structure(
    version=1,
    databoxes={DataboxId(n): Databox(DataboxId(n), f"box{n}", f"Box {n}", {}, "1") for n in (1, 2)},
    collections={CollectionId(n): collection(n, databox) for n, databox in ((1, 1), (2, 1), (3, 2))},
    fields={
        DataboxId(1): (
            field(1, 1, "Title"),
            field(2, 1, "Price", type="number", business=True),
            field(3, 1, "Hidden", indexable=False),
            field(4, 1, "Facet", indexable=False, aggregable=10),
            field(5, 1, "Shot", type="date"),
        ),
        DataboxId(2): (field(6, 2, "Title"), field(7, 2, "Place")),
    },
    status_bits={
        DataboxId(1): (bit(1, 4, "Caption filled"), bit(1, 5, "Sold")),
        DataboxId(2): (bit(2, 9, "caption FILLED"),),
    },
    recipes={},
)


def names(*bases: BaseClause, only: Names[str] | None = None) -> SearchNames:
    return query.names_of(STRUCTURE, bases, only)


def test_fields_are_those_of_the_searched_databoxes() -> None:
    assert set(names(BaseClause(1)).fields) == {"Title", "Facet", "Shot"}
    assert set(names(BaseClause(3)).fields) == {"Title", "Place"}
    assert set(names(BaseClause(1), BaseClause(3)).fields) == {"Title", "Facet", "Shot", "Place"}


def test_business_fields_are_known_only_to_who_may_edit_somewhere_in_the_databox() -> None:
    assert "Price" not in names(BaseClause(1), BaseClause(3, business=True)).fields
    assert names(BaseClause(1), BaseClause(2, business=True)).fields["Price"] == SearchedField(
        "Price", ValueType.NUMBER, is_business=True
    )


def test_fields_that_are_neither_indexed_nor_counted_are_not_searched() -> None:
    assert "Hidden" not in names(BaseClause(1, business=True)).fields


def test_fields_may_be_restricted_and_unknown_names_are_ignored() -> None:
    assert set(names(BaseClause(1), only=["Title", "Place", "Nope"]).fields) == {"Title"}
    assert names(BaseClause(1), only=["Nope"]).fields == {}


def test_types_are_those_of_the_structure() -> None:
    assert names(BaseClause(1)).fields["Shot"].type is ValueType.DATE


def test_a_flag_has_the_bits_of_every_searched_databox_with_its_label() -> None:
    assert names(BaseClause(1), BaseClause(3)).flags == {"caption_filled": ((1, 4), (2, 9)), "sold": ((1, 5),)}
    assert names(BaseClause(3)).flags == {"caption_filled": ((2, 9),)}


def test_technical_names_have_their_types() -> None:
    technical = names().technical
    assert (technical["ISO"], technical["CameraModel"], technical["FlashFired"]) == (
        ValueType.NUMBER, ValueType.TEXT, ValueType.TRUTH,
    )  # fmt: skip


def test_without_a_collection_there_are_no_fields() -> None:
    assert names().fields == {}
    assert names(BaseClause(99)).fields == {}  # removed meanwhile
