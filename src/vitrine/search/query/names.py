"""The names that a query of one person may use: fields, flags and technical data."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from vitrine.library import technical
from vitrine.library.model import CollectionId, Structure
from vitrine.search.analysis import slug
from vitrine.search.model import BaseClause


class ValueType(StrEnum):
    TEXT = "string"
    NUMBER = "number"
    DATE = "date"
    TRUTH = "boolean"


@dataclass(frozen=True, slots=True)
class SearchedField:
    """*is_business*: its values count only for records in whose collection the person may edit."""

    name: str
    type: ValueType
    is_business: bool = False


_FIELD_TYPES = {"number": ValueType.NUMBER, "date": ValueType.DATE}
_TECHNICAL = {
    name: {"string": ValueType.TEXT, "boolean": ValueType.TRUTH}.get(wire, ValueType.NUMBER)
    for name, wire in technical.TYPES.items()
}


@dataclass(frozen=True, slots=True)
class SearchNames:
    """*flags* are pairs of databox id and bit, by the name of the flag."""

    fields: Mapping[str, SearchedField] = field(default_factory=dict)
    flags: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    technical: Mapping[str, ValueType] = field(default_factory=lambda: _TECHNICAL)


def names_of(structure: Structure, bases: Iterable[BaseClause], only: Collection[str] | None = None) -> SearchNames:
    """The names for somebody who searches *bases*: fields that are indexed or have a facet, business fields only of
    databoxes with a collection where the person may edit (contract 05 section 6). *only* restricts the fields; names
    in it that nobody has are ignored (05 section 7)."""
    searched: dict[int, bool] = {}
    for base in bases:
        collection = structure.collections.get(CollectionId(base.base_id))
        if collection is not None:
            searched[collection.databox_id] = searched.get(collection.databox_id, False) or base.business
    fields: dict[str, SearchedField] = {}
    flags: dict[str, list[tuple[int, int]]] = {}
    for databox, definitions in structure.fields.items():
        for definition in definitions:
            is_known = databox in searched and (searched[databox] or not definition.business)
            is_indexed = definition.indexable or definition.aggregable != 0
            if is_known and is_indexed and (only is None or definition.name in only):
                value_type = _FIELD_TYPES.get(definition.type, ValueType.TEXT)
                fields.setdefault(definition.name, SearchedField(definition.name, value_type, definition.business))
    for databox, bits in structure.status_bits.items():
        for status_bit in bits:
            if databox in searched:
                flags.setdefault(slug(status_bit.label_on), []).append((databox, status_bit.bit))
    return SearchNames(fields, {name: tuple(pairs) for name, pairs in flags.items()})
