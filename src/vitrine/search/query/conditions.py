"""What a query asks for once its names are known: plain values that an engine can compile one by one.

Instants in spans are naive local times of the server's zone. Rights are not part of it: they are clauses of their own,
and a condition on a business field holds only for records in whose collection the person may edit.
"""

from dataclasses import dataclass
from typing import TypeAlias

from vitrine.search.query.dates import Span
from vitrine.search.query.geolocation import Circle
from vitrine.search.query.tree import Concept, Exact, Key, Operator, Phrase, Text


@dataclass(frozen=True, slots=True)
class Anything:
    """Every record."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """No record: a value that cannot be, such as a number that is none."""


@dataclass(frozen=True, slots=True)
class Holds:
    """The term is in the record: in one field, or in any of the searched fields taken together."""

    term: Text | Phrase | Exact | Concept
    field: str | None = None


@dataclass(frozen=True, slots=True)
class HasValue:
    key: Key
    is_set: bool


@dataclass(frozen=True, slots=True)
class ValueIs:
    """One of the values is *value*, case and accents included."""

    key: Key
    value: str


@dataclass(frozen=True, slots=True)
class TextCompared:
    """One of the values compares so with *value*: as numbers if both are, else as folded texts. Never with EQUAL."""

    key: Key
    operator: Operator
    value: str


@dataclass(frozen=True, slots=True)
class NumberCompared:
    key: Key
    operator: Operator
    value: float


@dataclass(frozen=True, slots=True)
class DateIn:
    """One of the dates begins in the span."""

    key: Key
    span: Span


@dataclass(frozen=True, slots=True)
class TruthIs:
    key: Key
    value: bool


@dataclass(frozen=True, slots=True)
class StatusIs:
    """The status bit is on (or off). *bits* are the pairs of databox id and bit that have the flag's name; records of
    other databoxes do not match."""

    bits: tuple[tuple[int, int], ...]
    is_on: bool


@dataclass(frozen=True, slots=True)
class Within:
    circle: Circle


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Without:
    kept: "Condition"
    removed: tuple["Condition", ...]


Condition: TypeAlias = (
    Anything | Nothing | Holds | HasValue | ValueIs | TextCompared | NumberCompared | DateIn | TruthIs | StatusIs
    | Within | AllOf | AnyOf | Without
)  # fmt: skip
