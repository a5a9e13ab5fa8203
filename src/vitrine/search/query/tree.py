"""The query as a tree of frozen values. Every engine compiles the same tree; nothing here knows of one.

`at` of a value is its place in the text, in characters; it takes no part in comparisons, so that a query written
another way is still the same query.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

UNSET, SET = "_unset_", "_set_"


def _place() -> int:
    return field(default=0, compare=False, repr=False)


class Operator(StrEnum):
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="
    EQUAL = "="


class Native(StrEnum):
    """The keys that every record has. `recordid` is also written `id`; the dates also end in `_at`."""

    DATABASE = "database"
    COLLECTION = "collection"
    SHA256 = "sha256"
    UUID = "uuid"
    TYPE = "type"
    RECORD_ID = "recordid"
    GEOLOCATION = "geolocation"
    CREATED_ON = "created_on"
    UPDATED_ON = "updated_on"


@dataclass(frozen=True, slots=True)
class NativeKey:
    name: Native
    at: int = _place()


@dataclass(frozen=True, slots=True)
class TechnicalKey:
    """`meta.NAME` or `exif.NAME`."""

    name: str
    at: int = _place()


@dataclass(frozen=True, slots=True)
class FieldKey:
    name: str
    at: int = _place()


Key: TypeAlias = NativeKey | TechnicalKey | FieldKey


@dataclass(frozen=True, slots=True)
class Everything:
    """The empty query: all that the person may see."""


@dataclass(frozen=True, slots=True)
class Text:
    """Plain words, separated by single blanks; all are required, in any of the searched fields. *context* narrows the
    thesaurus concepts of the text."""

    words: str
    context: str | None = None
    at: int = _place()


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow each other in one field: `"..."`."""

    words: str
    at: int = _place()


@dataclass(frozen=True, slots=True)
class Exact:
    """A whole stored value, case and accents included: `r"..."`."""

    value: str
    at: int = _place()


@dataclass(frozen=True, slots=True)
class Concept:
    """A thesaurus concept: `[text (context)]`."""

    text: str
    context: str | None = None
    at: int = _place()


@dataclass(frozen=True, slots=True)
class InField:
    """A term restricted to one field: `field:term`. The term is one of Text, Phrase, Exact and Concept, or an And of
    the first three."""

    key: FieldKey
    term: "Term"
    at: int = _place()


@dataclass(frozen=True, slots=True)
class Comparison:
    """`key=value`, `key<value` ...; `collection:value` means the same as `=`. The values `_set_` and `_unset_` ask
    whether there is a value at all."""

    key: Key
    operator: Operator
    value: str
    at: int = _place()


@dataclass(frozen=True, slots=True)
class Flag:
    """A status bit by the name of its "on" label: `flag.caption_filled:true`."""

    name: str
    is_on: bool
    at: int = _place()


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Except:
    """What *kept* finds, without what any of *removed* finds."""

    kept: "Node"
    removed: tuple["Node", ...]


String: TypeAlias = Text | Phrase | Exact
Term: TypeAlias = Text | Phrase | Exact | Concept | And
Node: TypeAlias = Everything | Text | Phrase | Exact | Concept | InField | Comparison | Flag | And | Or | Except


def all_of(nodes: tuple[Node, ...]) -> Node | None:
    """The nodes joined by AND; None for none."""
    return _joined(And, nodes)


def any_of(nodes: tuple[Node, ...]) -> Node | None:
    """The nodes joined by OR; None for none."""
    return _joined(Or, nodes)


def _joined(kind: type[And] | type[Or], nodes: tuple[Node, ...]) -> Node | None:
    if len(nodes) > 1:
        return kind(nodes)
    return nodes[0] if nodes else None
