"""The reference of search: contract 05 in plain Python, slow and obviously right. Engines are compared with it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from operator import eq, ge, gt, le, lt
from typing import Any

from vitrine.search.analysis import (
    DEFAULT_LANGUAGES,
    LIGHT,
    Term,
    can_begin,
    comparison_key,
    index_terms,
    indexed_part,
    phrase,
    required,
)
from vitrine.search.model import BaseClause, IndexDocument
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
from vitrine.search.query.numbers import number
from vitrine.search.query.tree import Concept, Exact, Key, Native, NativeKey, Operator, Phrase, TechnicalKey, Text

_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.BELOW: lt,
    Operator.AT_MOST: le,
    Operator.ABOVE: gt,
    Operator.AT_LEAST: ge,
    Operator.EQUAL: eq,
}


@dataclass(frozen=True, slots=True)
class ReferenceRecord:
    """A record with what a search may ask of it. *database* is the view name, *collection* the internal name."""

    document: IndexDocument
    database: str = ""
    collection: str = ""
    technical: Mapping[str, str | float | bool] = field(default_factory=dict)
    location: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """*fields* restricts the searched fields; without, title, file name and contents are searched too. The words of a
    text are looked for under each of the *languages* and under none."""

    records: Sequence[ReferenceRecord]
    zone: tzinfo = UTC
    languages: tuple[str, ...] = DEFAULT_LANGUAGES
    fields: tuple[str, ...] | None = None
    truncation: bool = False

    def search(self, condition: Condition, bases: Sequence[BaseClause]) -> list[ReferenceRecord]:
        """The records that *condition* finds among those that *bases* let see, in the order of the corpus."""
        return [
            record
            for record in self.records
            if (clauses := _visible_by(record, bases))
            and self._holds(condition, record, any(clause.business for clause in clauses))
        ]

    def _holds(self, condition: Condition, record: ReferenceRecord, business: bool) -> bool:
        def holds(part: Condition) -> bool:
            return self._holds(part, record, business)

        match condition:
            case Anything():
                return True
            case Nothing():
                return False
            case AllOf(parts):
                return all(map(holds, parts))
            case AnyOf(parts):
                return any(map(holds, parts))
            case Without(kept, removed):
                return holds(kept) and not any(map(holds, removed))
            case Holds(term, name):
                return self._has_term(term, self._texts(record, name, business))
            case StatusIs(bits, is_on):
                document = record.document
                return any(
                    databox == document.databox_id and bool(document.status >> bit & 1) is is_on
                    for databox, bit in bits
                )
            case Within(circle):
                return record.location is not None and circle.contains(*record.location)
            case _:
                return self._compares(condition, _values(record, condition.key, business))

    def _compares(self, condition: Condition, values: Sequence[str | float | bool]) -> bool:
        match condition:
            case HasValue(_, is_set):
                return bool(values) is is_set
            case ValueIs(_, wanted):
                return wanted in map(str, values)
            case TextCompared(_, operator, wanted):
                return any(_text_compares(operator, str(value), wanted) for value in values)
            case NumberCompared(_, operator, wanted_number):
                numbers = (number(str(value)) for value in values)
                return any(value is not None and _COMPARE[operator](value, wanted_number) for value in numbers)
            case TruthIs(_, truth):
                return truth in values
            case DateIn(_, span):
                starts = (self._start(str(value)) for value in values)
                return any(start is not None and _is_in(start, span) for start in starts)
        raise AssertionError(condition)

    def _start(self, value: str) -> datetime | None:
        """The naive local instant at which a date begins."""
        if value.endswith("+00:00"):  # created or updated
            return datetime.fromisoformat(value).astimezone(self.zone).replace(tzinfo=None)
        named = dates.period(value)
        return None if named is None else named.start

    def _texts(self, record: ReferenceRecord, name: str | None, business: bool) -> list[str]:
        """The searched values, one by one."""
        document = record.document
        sources = [document.fields, document.business] if business else [document.fields]
        searched = (
            None if name is None and self.fields is None else {name} if name is not None else set(self.fields or ())
        )
        texts = [
            value
            for source in sources
            for field_name, values in source.items()
            if searched is None or field_name in searched
            for value in values
        ]
        return texts if searched is not None else [*texts, document.title, *document.extra]

    def _has_term(self, term: Text | Phrase | Exact | Concept, texts: Sequence[str]) -> bool:
        analyses = (LIGHT, *self.languages)
        match term:
            case Concept():
                return False  # no thesaurus
            case Exact(value):
                return value in map(indexed_part, texts)
            case Phrase(words):
                return any(
                    _is_there(phrase(words, analysis), text, analysis) for analysis in analyses for text in texts
                )
            case Text(words):
                return any(self._has_words(words, analysis, texts) for analysis in analyses) or (
                    self.truncation and self._has_beginnings(words, texts)
                )

    def _has_words(self, words: str, analysis: str, texts: Sequence[str]) -> bool:
        wanted = required(words, analysis)
        return bool(wanted) and all(any(_is_there(terms, text, analysis) for text in texts) for terms in wanted)

    def _has_beginnings(self, words: str, texts: Sequence[str]) -> bool:
        wanted = required(words)
        return bool(wanted) and all(
            any(_is_there(terms, text, LIGHT) or (can_begin(terms) and _begins(terms[0], text)) for text in texts)
            for terms in wanted
        )


def _visible_by(record: ReferenceRecord, bases: Sequence[BaseClause]) -> list[BaseClause]:
    """The clauses that let the record be seen: ((status XOR mask_xor) AND mask_and) = 0 (contract 04 section 5)."""
    document = record.document
    return [
        base
        for base in bases
        if base.base_id == document.base_id and (document.status ^ base.mask_xor) & base.mask_and == 0
    ]


def _is_there(terms: tuple[Term, ...], value: str, analysis: str) -> bool:
    """Whether the terms follow each other in one value, at their distances."""
    stored = set(index_terms(value, analysis))
    return bool(terms) and any(
        all((text, start + position) in stored for text, position in terms) for _, start in stored
    )


def _begins(term: Term, value: str) -> bool:
    return any(stored.text.startswith(term.text) for stored in index_terms(value))


def _text_compares(operator: Operator, value: str, wanted: str) -> bool:
    numbers = number(value), number(wanted)
    if None not in numbers:
        return _COMPARE[operator](*numbers)
    return _COMPARE[operator](comparison_key(value), comparison_key(wanted))


def _is_in(instant: datetime, span: dates.Span) -> bool:
    return (span.start is None or instant >= span.start) and (span.end is None or instant < span.end)


def _values(record: ReferenceRecord, key: Key, business: bool) -> list[str | float | bool]:
    document = record.document
    match key:
        case NativeKey(name):
            native = {
                Native.DATABASE: record.database,
                Native.COLLECTION: record.collection,
                Native.SHA256: document.sha256,
                Native.UUID: document.uuid,
                Native.TYPE: document.kind,
                Native.RECORD_ID: str(document.number),
                Native.GEOLOCATION: "" if record.location is None else str(record.location),
                Native.CREATED_ON: document.created.astimezone(UTC).isoformat(),
                Native.UPDATED_ON: document.updated.astimezone(UTC).isoformat(),
            }[name]
            return [native] if native else []
        case TechnicalKey(name):
            return [record.technical[name]] if name in record.technical else []
        case _:
            private = document.business.get(key.name, []) if business else []
            return [indexed_part(value) for value in [*document.fields.get(key.name, []), *private] if value]


def ordered(
    records: Iterable[ReferenceRecord], key: Callable[[ReferenceRecord], Any], *, descending: bool
) -> list[ReferenceRecord]:
    """*records* by *key*, ties by record in the same direction; those without a key last in both (05 section 9)."""

    def place(record: ReferenceRecord) -> tuple[Any, int]:
        return key(record), record.document.rid

    every = list(records)
    keyed = sorted((record for record in every if key(record) is not None), key=place, reverse=descending)
    unkeyed = [record for record in every if key(record) is None]
    return keyed + sorted(unkeyed, key=lambda record: record.document.rid, reverse=descending)


def facet(records: Iterable[ReferenceRecord], key: Key, bases: Sequence[BaseClause]) -> Counter[str]:
    """How many of *records* have each value of *key*; business values count only where the person may edit."""
    counts: Counter[str] = Counter()
    for record in records:
        business = any(clause.business for clause in _visible_by(record, bases))
        counts.update(set(map(str, _values(record, key, business))))
    return counts
