"""From tree to conditions: every name is looked up and every value read by the type of its key (contract 05 sections 3
and 10)."""

from collections.abc import Iterable
from difflib import get_close_matches

from vitrine.search.analysis import slug
from vitrine.search.query import dates
from vitrine.search.query.conditions import (
    AllOf,
    AnyOf,
    Anything,
    Condition,
    DateIn,
    HasValue,
    Holds,
    Nothing,
    NumberCompared,
    StatusIs,
    TextCompared,
    TruthIs,
    ValueIs,
    Within,
    Without,
)
from vitrine.search.query.errors import BadKeyValue, UnavailableField, UnknownName
from vitrine.search.query.geolocation import circle
from vitrine.search.query.names import SearchNames, ValueType
from vitrine.search.query.numbers import number, whole_number
from vitrine.search.query.tree import (
    SET,
    UNSET,
    And,
    Comparison,
    Everything,
    Except,
    FieldKey,
    Flag,
    InField,
    Key,
    Native,
    NativeKey,
    Node,
    Operator,
    Or,
    TechnicalKey,
    Text,
)

_LONGEST_NAME = 64  # of those for which similar names are looked for: the comparison takes time in its square
_NATIVE_NAMES = frozenset(key.value for key in Native)
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def resolve(tree: Node, names: SearchNames) -> Condition:
    """What *tree* asks for. Raises UnavailableField, UnknownName or BadKeyValue, with the place in the query."""
    match tree:
        case Everything():
            return Anything()
        case And(parts):
            return AllOf(tuple(resolve(part, names) for part in parts))
        case Or(parts):
            return AnyOf(tuple(resolve(part, names) for part in parts))
        case Except(kept, removed):
            return Without(resolve(kept, names), tuple(resolve(part, names) for part in removed))
        case InField():
            return _in_field(tree, names)
        case Comparison():
            return _comparison(tree, names)
        case Flag():
            return _flag(tree, names)
        case _:
            return Holds(tree)


def _in_field(node: InField, names: SearchNames) -> Condition:
    name, term = node.key.name, node.term
    if name not in names.fields:
        if isinstance(term, Text) and term.words.startswith("//"):  # an address: http://...
            return Holds(Text(f"{name}:{term.words}", term.context, at=node.at))
        raise UnavailableField(node.at, name, _field_remedy(name, names))
    if isinstance(term, And):
        return AllOf(tuple(_holds(part, name) for part in term.parts))
    return Holds(term, name)


def _holds(part: Node, name: str) -> Holds:
    assert not isinstance(part, Everything | InField | Comparison | Flag | And | Or | Except)
    return Holds(part, name)


def _flag(node: Flag, names: SearchNames) -> Condition:
    bits = names.flags.get(slug(node.name))
    if bits is None:
        raise UnknownName("Flag", node.at, node.name, _similar(node.name, names.flags))
    return StatusIs(bits, node.is_on)


def _comparison(node: Comparison, names: SearchNames) -> Condition:
    key = node.key
    value_type = _type_of(key, names)
    if node.operator is Operator.EQUAL and node.value in {SET, UNSET}:
        return HasValue(key, node.value == SET)
    if isinstance(key, NativeKey) and key.name is not Native.RECORD_ID and value_type is not ValueType.DATE:
        return _native(key.name, node)
    match value_type:
        case ValueType.DATE:
            span = dates.span(node.operator, node.value)
            return Nothing() if span is None else DateIn(key, span)
        case ValueType.NUMBER:
            is_id = isinstance(key, NativeKey)
            value = whole_number(node.value) if is_id else number(node.value)
            return Nothing() if value is None else NumberCompared(key, node.operator, value)
        case ValueType.TRUTH:
            truth = _TRUTHS.get(node.value) if node.operator is Operator.EQUAL else None
            return Nothing() if truth is None else TruthIs(key, truth)
        case ValueType.TEXT if node.operator is Operator.EQUAL:
            return ValueIs(key, node.value)
        case ValueType.TEXT:
            return TextCompared(key, node.operator, node.value)


def _native(name: Native, node: Comparison) -> Condition:
    if node.operator is not Operator.EQUAL:
        raise BadKeyValue(name, node.at, node.value, f"Only = is possible: {name}={node.value}")
    return Within(circle(node.value, node.at)) if name is Native.GEOLOCATION else ValueIs(node.key, node.value)


def _type_of(key: Key, names: SearchNames) -> ValueType:
    match key:
        case NativeKey(Native.CREATED_ON | Native.UPDATED_ON):
            return ValueType.DATE
        case NativeKey(Native.RECORD_ID):
            return ValueType.NUMBER
        case NativeKey():
            return ValueType.TEXT
        case TechnicalKey(name):
            if name not in names.technical:
                raise UnknownName("Metadata tag", key.at, name, _similar(name, names.technical))
            return names.technical[name]
        case FieldKey(name):
            if name not in names.fields:
                raise UnknownName("Field", key.at, name, _field_remedy(name, names))
            return names.fields[name].type


def _field_remedy(name: str, names: SearchNames) -> str:
    if name in _NATIVE_NAMES:
        return f"Write {name}= for the property of that name, or field.{name} for a field."
    return _similar(name, names.fields)


def _similar(name: str, known: Iterable[str]) -> str:
    """Which name may have been meant. Only names that the person may use are told."""
    known = list(known)
    same = [other for other in known if other.casefold() == name.casefold()]
    similar = same or (get_close_matches(name, known, n=3) if len(name) <= _LONGEST_NAME else [])
    if not similar:
        return "Check the name; upper and lower case matter. Put the text in quotes to search for it as words."
    return f"Did you mean {' or '.join(similar)}? Upper and lower case matter."
