"""From conditions to queries of tantivy, on the layout of this package. Rights on business fields are part of each
condition: they are searched only in the collections where the person may edit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from math import acos, asin, cos, degrees, pi, radians, sin
from typing import Any

import tantivy

from vitrine.search.analysis import LIGHT, Term, can_begin, comparison_key, is_unspaced, phrase, required
from vitrine.search.compiled import layout
from vitrine.search.compiled.layout import BUSINESS, DATE, SINGLE, TECHNICAL
from vitrine.search.compiled.numeric_terms import ordered_bits, range_terms
from vitrine.search.model import BaseClause
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
from vitrine.search.query.dates import Span
from vitrine.search.query.geolocation import EARTH_RADIUS_M, Circle
from vitrine.search.query.numbers import number
from vitrine.search.query.tree import Exact, Key, Native, NativeKey, Operator, Phrase, TechnicalKey, Text

Must, Should, MustNot = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot
LIGHT_WEIGHT, LANGUAGE_WEIGHT = 10.0, 5.0
MOST_SINGLE_TERMS = 32
BANDS = 24  # of latitude, by which a circle is covered
_NATIVE_TEXTS = {Native.SHA256: "sha256", Native.UUID: "uuid", Native.TYPE: "kind"}
_ALWAYS = frozenset({
    Native.DATABASE, Native.COLLECTION, Native.RECORD_ID, Native.CREATED_ON, Native.UPDATED_ON,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stream:
    """A text field of the index, and what its terms begin with."""

    field: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Compiler:
    """*language* is that of the query. *databases* and *collections* are ids by view name and by internal name.
    *business_bases* are the collections where business fields are searched; *fields* restricts the searched fields."""

    schema: Any
    languages: tuple[str, ...]
    language: str = ""
    databases: Mapping[str, Sequence[int]] = field(default_factory=dict)
    collections: Mapping[str, Sequence[int]] = field(default_factory=dict)
    business_bases: Sequence[int] = ()
    fields: tuple[str, ...] | None = None
    truncation: bool = False
    zone: tzinfo = UTC

    def compile(self, condition: Condition) -> Any:
        match condition:
            case Anything():
                return tantivy.Query.all_query()
            case Nothing():
                return tantivy.Query.empty_query()
            case AllOf(parts):
                return all_of(self.compile(part) for part in parts)
            case AnyOf(parts):
                return any_of(self.compile(part) for part in parts)
            case Without(kept, removed):
                return without(self.compile(kept), [self.compile(part) for part in removed])
            case Holds(term, name):
                return self._holds(term, name)
            case StatusIs(bits, is_on):
                return any_of(self._status(databox, bit, is_on) for databox, bit in bits)
            case Within(circle):
                return self._within(circle)
            case _:
                return self._of_values(condition)

    def visible(self, bases: Iterable[BaseClause]) -> Any:
        """The records that the clauses let see: ((status XOR mask_xor) AND mask_and) = 0 (contract 04 section 5)."""
        bases = list(bases)
        unmasked = [base.base_id for base in bases if not base.mask_and]
        masked = [self._masked(base) for base in bases if base.mask_and]
        return any_of([*([self._any_term("base", unmasked)] if unmasked else []), *masked])

    def _masked(self, base: BaseClause) -> Any:
        bits = [bit for bit in range(32) if base.mask_and >> bit & 1]
        needed = [self._term("status", str(bit)) for bit in bits if base.mask_xor >> bit & 1]
        refused = [self._term("status", str(bit)) for bit in bits if not base.mask_xor >> bit & 1]
        return without(all_of([self._term("base", base.base_id), *needed]), refused)

    def _of_values(self, condition: Condition) -> Any:
        match condition:
            case HasValue(key, is_set):
                filled = self._filled(key)
                return filled if is_set else without(tantivy.Query.all_query(), [filled])
            case ValueIs(key, value):
                return self._value_is(key, value)
            case TextCompared(key, operator, value):
                return self._of_key(key, lambda name: self._text_compared(name, operator, value))
            case NumberCompared(key, operator, number_value):
                return self._number_compared(key, operator, number_value)
            case DateIn(key, span):
                return self._date_in(key, span)
            case TruthIs(key, truth):
                assert isinstance(key, TechnicalKey)
                return self._term("technical", f"{key.name}:{'true' if truth else 'false'}")
        raise AssertionError(condition)

    # -- words ---------------------------------------------------------------------------------------------------

    def _holds(self, term: Any, name: str | None) -> Any:
        def among(kinds: Sequence[str]) -> Any:
            match term:
                case Exact(value):
                    return any_of(self._exact(value, name, kind) for kind in kinds)
                case Phrase(words):
                    return self._any_analysis(lambda a: self._phrase(words, a, self._streams(name, kinds, a)))
                case Text(words):
                    return self._any_analysis(lambda a: self._words(words, a, self._streams(name, kinds, a)))
                case _:
                    return tantivy.Query.empty_query()  # a concept, without a thesaurus

        return self._also_business(lambda business: among(("public", "business") if business else ("public",)))

    def _streams(self, name: str | None, kinds: Sequence[str], analysis: str) -> list[Stream]:
        names = self.fields if name is None else (name,)
        if names is None:
            return [Stream(f"{kind}_{analysis}") for kind in kinds]
        marks = ["" if kind == "public" else BUSINESS for kind in kinds]
        return [Stream(f"field_{analysis}", f"{each}{mark}:") for each in names for mark in marks]

    def _exact(self, value: str, name: str | None, kind: str) -> Any:
        names = self.fields if name is None else (name,)
        if names is None:
            return self._term("whole" if kind == "public" else "whole_business", value)
        mark = "" if kind == "public" else BUSINESS
        return any_of(self._term("whole_field", f"{each}{mark}:{value}") for each in names)

    def _any_analysis(self, make: Callable[[str], Any]) -> Any:
        weights = {LIGHT: LIGHT_WEIGHT, self.language: LANGUAGE_WEIGHT}
        queries = ((make(analysis), weights.get(analysis, 1.0)) for analysis in (LIGHT, *self.languages))
        return any_of(tantivy.Query.boost_query(query, weight) for query, weight in queries)

    def _words(self, words: str, analysis: str, streams: Sequence[Stream]) -> Any:
        """Every word, in any of the streams."""
        return all_of(
            any_of(self._word(stream, terms, analysis) for stream in streams) for terms in required(words, analysis)
        )

    def _word(self, stream: Stream, terms: tuple[Term, ...], analysis: str) -> Any:
        query = self._sequence(stream, terms)
        if not (self.truncation and analysis == LIGHT and can_begin(terms)):
            return query
        pattern = f"{_pattern(stream.prefix + terms[0].text)}.*"
        return any_of([query, tantivy.Query.regex_query(self.schema, stream.field, pattern)])

    def _phrase(self, words: str, analysis: str, streams: Sequence[Stream]) -> Any:
        terms = phrase(words, analysis)
        return any_of(self._sequence(stream, terms) for stream in streams) if terms else any_of([])

    def _sequence(self, stream: Stream, terms: tuple[Term, ...]) -> Any:
        """The terms, at the distances of their positions. If one is a single letter of an unspaced script, all of them
        are looked for letter by letter."""
        prefix, tokens = stream.prefix, [(term.position, term.text) for term in terms]
        if any(len(text) == 1 and is_unspaced(text) for _, text in tokens):
            prefix += SINGLE
            tokens = sorted({token for term in terms for token in _by_character(term)})
        if len(tokens) == 1:
            return self._term(stream.field, prefix + tokens[0][1])
        placed: list[str | tuple[int, str]] = [(position, prefix + text) for position, text in tokens]
        return tantivy.Query.phrase_query(self.schema, stream.field, placed)

    # -- values --------------------------------------------------------------------------------------------------

    def _of_key(self, key: Key, make: Callable[[str], Any]) -> Any:
        """*make* gets the name under which the key's values are indexed."""
        if isinstance(key, TechnicalKey):
            return make(f"{TECHNICAL}{key.name}")
        name = key.name
        return self._also_business(lambda business: any_of([make(name), *([make(f"{name}{BUSINESS}")] * business)]))

    def _also_business(self, make: Callable[[bool], Any]) -> Any:
        public = make(False)
        if not self.business_bases:
            return public
        where = tantivy.Query.const_score_query(self._any_term("base", list(self.business_bases)), 0.0)
        return any_of([public, all_of([where, make(True)])])

    def _filled(self, key: Key) -> Any:
        if isinstance(key, NativeKey):
            if key.name in _ALWAYS:
                return tantivy.Query.all_query()
            return self._term("filled", _NATIVE_TEXTS.get(key.name, "geolocation"))
        return self._of_key(key, lambda name: self._term("filled", name))

    def _value_is(self, key: Key, value: str) -> Any:
        match key:
            case NativeKey(Native.DATABASE):
                return self._any_term("databox", list(self.databases.get(value, ())))
            case NativeKey(Native.COLLECTION):
                return self._any_term("base", list(self.collections.get(value, ())))
            case NativeKey(name):
                return self._term(_NATIVE_TEXTS[name], value)
            case TechnicalKey(name):
                return self._term("technical", f"{name}:{value}")
            case _:
                return self._of_key(key, lambda name: self._term("whole_field", f"{name}:{value}"))

    def _number_compared(self, key: Key, operator: Operator, value: float) -> Any:
        if isinstance(key, NativeKey):
            low, high = _bounds(int(value), operator)
            return self._integer_range("number", low, high)
        return self._of_key(key, lambda name: self._numeric(name, *_bounds(ordered_bits(value), operator)))

    def _numeric(self, name: str, low: int | None, high: int | None) -> Any:
        return self._any_term("numbers", list(range_terms(name, low, high)))

    def _date_in(self, key: Key, span: Span) -> Any:
        if isinstance(key, NativeKey):
            name = "created" if key.name is Native.CREATED_ON else "updated"
            start, end = (None if at is None else self._timestamp(at) for at in (span.start, span.end))
            return self._integer_range(name, start, None if end is None else end - 1)
        low = None if span.start is None else ordered_bits(layout.seconds_of(span.start))
        high = None if span.end is None else ordered_bits(layout.seconds_of(span.end)) - 1
        return self._of_key(key, lambda name: self._numeric(f"{name}{DATE}", low, high))

    def _timestamp(self, local: datetime) -> int:
        return int(local.replace(tzinfo=self.zone).timestamp())

    def _integer_range(self, name: str, low: int | None, high: int | None) -> Any:
        if low is None and high is None:
            return tantivy.Query.all_query()
        if low is not None and high is not None and low > high:
            return tantivy.Query.empty_query()
        return tantivy.Query.range_query(self.schema, name, tantivy.FieldType.Integer, low, high)

    def _text_compared(self, name: str, operator: Operator, value: str) -> Any:
        numeric = number(value)
        pattern = _compared_pattern(operator, comparison_key(value))
        if numeric is None:
            return self._matching(f"{name}:a", pattern)
        return any_of([
            self._numeric(name, *_bounds(ordered_bits(numeric), operator)), self._matching(f"{name}:t", pattern)
        ])  # fmt: skip

    def _matching(self, prefix: str, pattern: str | None) -> Any:
        if pattern is None:
            return tantivy.Query.empty_query()
        return tantivy.Query.regex_query(self.schema, "compared", f"{_pattern(prefix)}({pattern})")

    def _status(self, databox: int, bit: int, is_on: bool) -> Any:
        flag = self._term("status", str(bit))
        where = self._term("databox", databox)
        return all_of([where, flag]) if is_on else without(where, [flag])

    def _within(self, circle: Circle) -> Any:
        """The circle as bands of latitude, each as wide as the circle is at its widest there: a little more than the
        circle, by less than a band."""
        reach = degrees(circle.radius_m / EARTH_RADIUS_M)
        step = 2 * reach / BANDS
        bands = []
        for band in range(BANDS):
            south = circle.latitude - reach + band * step
            width = _half_width(circle, south, south + step)
            latitudes = self._float_range("latitude", south, south + step)
            west, east = circle.longitude - width, circle.longitude + width
            spans = [(west, east), (west + 360, 180.0), (-180.0, east - 360)] if width < 180 else [(-180.0, 180.0)]
            longitudes = [self._float_range("longitude", low, high) for low, high in spans if low <= high]
            bands.append(all_of([latitudes, any_of(longitudes)]))
        return any_of(bands)

    def _float_range(self, name: str, low: float, high: float) -> Any:
        return tantivy.Query.range_query(self.schema, name, tantivy.FieldType.Float, low, high)

    # -- terms ---------------------------------------------------------------------------------------------------

    def _term(self, name: str, value: str | int) -> Any:
        return tantivy.Query.term_query(self.schema, name, value)

    def _any_term(self, name: str, values: Sequence[str | int]) -> Any:
        if len(values) > MOST_SINGLE_TERMS:
            return tantivy.Query.term_set_query(self.schema, name, values)
        return any_of(self._term(name, value) for value in values)


def all_of(queries: Iterable[Any]) -> Any:
    """All of *queries*; none for none."""
    clauses = [(Must, query) for query in queries]
    return tantivy.Query.boolean_query(clauses) if clauses else tantivy.Query.empty_query()


def any_of(queries: Iterable[Any]) -> Any:
    """Any of *queries*; none for none."""
    clauses = [(Should, query) for query in queries]
    return tantivy.Query.boolean_query(clauses) if clauses else tantivy.Query.empty_query()


def without(kept: Any, removed: Iterable[Any]) -> Any:
    return tantivy.Query.boolean_query([(Must, kept), *((MustNot, query) for query in removed)])


def _by_character(term: Term) -> list[tuple[int, str]]:
    if not is_unspaced(term.text):
        return [(term.position, term.text)]
    return [(term.position + offset, letter) for offset, letter in enumerate(term.text)]


def _bounds(bits: int, operator: Operator) -> tuple[int | None, int | None]:
    """Both ends included; None is no bound."""
    match operator:
        case Operator.EQUAL:
            return bits, bits
        case Operator.BELOW:
            return None, bits - 1
        case Operator.AT_MOST:
            return None, bits
        case Operator.ABOVE:
            return bits + 1, None
        case Operator.AT_LEAST:
            return bits, None


def _character(code: int) -> str:
    return f"\\x{{{code:x}}}"


def _pattern(text: str) -> str:
    return "".join(_character(ord(character)) for character in text)


def _compared_pattern(operator: Operator, value: str) -> str | None:
    """A pattern for the texts that come before (or after) *value* in the order of their characters; None for none."""
    alternatives = []
    if operator in {Operator.AT_LEAST, Operator.AT_MOST}:
        alternatives.append(_pattern(value))
    for length, character in enumerate(value):
        same = _pattern(value[:length])
        if operator in {Operator.BELOW, Operator.AT_MOST}:
            alternatives.append(same)  # a beginning comes before the whole
            low, high = 0, ord(character) - 1
        else:
            low, high = ord(character) + 1, 0x10FFFF
        low, high = (0xE000 if low == 0xD800 else low), (0xD7FF if high == 0xDFFF else high)  # no text has surrogates
        if low <= high:
            alternatives.append(f"{same}[{_character(low)}-{_character(high)}](?s:.)*")
    if operator in {Operator.ABOVE, Operator.AT_LEAST}:
        alternatives.append(f"{_pattern(value)}(?s:.)+")
    return "|".join(alternatives) or None


def _half_width(circle: Circle, south: float, north: float) -> float:
    """Half the width, in degrees of longitude, that the circle has at most between two latitudes."""
    reach, centre = circle.radius_m / EARTH_RADIUS_M, radians(circle.latitude)
    if reach >= pi / 2 or abs(circle.latitude) > 89.99:
        return 180.0
    latitudes = [radians(max(-90.0, min(90.0, latitude))) for latitude in (south, north)]
    widest = sin(centre) / cos(reach)
    if abs(widest) <= 1 and latitudes[0] <= asin(widest) <= latitudes[1]:
        latitudes.append(asin(widest))
    return max(_half_width_at(latitude, centre, reach) for latitude in latitudes) + 1e-6


def _half_width_at(latitude: float, centre: float, reach: float) -> float:
    """By the spherical law of cosines, in degrees. Angles are in radians."""
    if cos(latitude) < 1e-9:
        return 180.0
    cosine = (cos(reach) - sin(centre) * sin(latitude)) / (cos(centre) * cos(latitude))
    return degrees(acos(max(-1.0, min(1.0, cosine))))
