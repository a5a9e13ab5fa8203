"""How a record lies in the embedded index: the schema, and the terms of one document.

Fields of databoxes have no fields of their own in the schema: their names begin their terms (`Title:moon`), so adding
one needs no rebuild. The name of a business field ends with `!`. For each analysis there are three text fields: all
public words, all business words, and the words by field. Values with unspaced runs are there twice: by pairs of
letters, with a filler in the place of the last letter, and letter by letter with a `~` before each term.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import tantivy

from vitrine.search.analysis import LIGHT, Term, comparison_key, index_terms, indexed_part, is_unspaced
from vitrine.search.compiled.numeric_terms import terms_of
from vitrine.search.model import IndexDocument
from vitrine.search.query import dates
from vitrine.search.query.numbers import number

FILLER = ","  # no term, and never asked for
SINGLE = "~"
BUSINESS = "!"
DATE = "@"
TECHNICAL = "meta."
WORDS_TOKENIZER = "terms"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # naive, as the dates in fields are


def schema(languages: Iterable[str]) -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("rid", indexed=True, fast=True)
    for name in ("base", "databox", "number", "created", "updated"):
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in ("latitude", "longitude"):
        builder.add_float_field(name, indexed=True, fast=True)
    for name in ("kind", "status", "sha256", "uuid", "whole", "whole_business", "whole_field", "filled", "compared",
                 "numbers", "technical"):  # fmt: skip
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for analysis in (LIGHT, *languages):
        for kind in ("public", "business", "field"):
            builder.add_text_field(f"{kind}_{analysis}", tokenizer_name=WORDS_TOKENIZER)
    return builder.build()


def tokenizer() -> Any:
    """What splits the prepared terms again; register it as WORDS_TOKENIZER."""
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()


def document_of(
    source: IndexDocument,
    languages: Iterable[str],
    technical: Mapping[str, str | float | bool],
    location: tuple[float, float] | None,
) -> Any:
    document = tantivy.Document()
    document.add_integer("rid", source.rid)
    document.add_integer("base", source.base_id)
    document.add_integer("databox", source.databox_id)
    document.add_integer("number", source.number)
    document.add_integer("created", int(source.created.timestamp()))
    document.add_integer("updated", int(source.updated.timestamp()))
    for name in ("kind", "sha256", "uuid"):
        if value := getattr(source, name):
            document.add_text(name, value)
            document.add_text("filled", name)
    for bit in range(32):
        if source.status >> bit & 1:
            document.add_text("status", str(bit))
    if location is not None:
        document.add_float("latitude", location[0])
        document.add_float("longitude", location[1])
        document.add_text("filled", "geolocation")
    _add_technical(document, technical)
    analyses = (LIGHT, *languages)
    for text in (source.title, *source.extra):
        _add_words(document, "public", "", text, analyses)
        document.add_text("whole", indexed_part(text))
    for fields, kind, mark in ((source.fields, "public", ""), (source.business, "business", BUSINESS)):
        for name, values in fields.items():
            for value in filter(None, map(indexed_part, values)):
                _add_words(document, kind, "", value, analyses)
                _add_words(document, "field", f"{name}{mark}:", value, analyses)
                _add_value(document, "whole" if kind == "public" else "whole_business", f"{name}{mark}", value)
    return document


def _add_technical(document: Any, technical: Mapping[str, str | float | bool]) -> None:
    for name, value in technical.items():
        document.add_text("filled", f"{TECHNICAL}{name}")
        written = str(value)
        document.add_text("technical", f"{name}:{written.lower() if isinstance(value, bool) else written}")
        numeric = None if isinstance(value, bool) else number(written)
        for term in () if numeric is None else terms_of(f"{TECHNICAL}{name}", numeric):
            document.add_text("numbers", term)


def _add_value(document: Any, whole: str, name: str, value: str) -> None:
    document.add_text(whole, value)
    document.add_text("whole_field", f"{name}:{value}")
    document.add_text("filled", name)
    numeric = number(value)
    # Texts are compared with a number as texts only if they are none themselves.
    compared = comparison_key(value)
    document.add_text("compared", f"{name}:a{compared}")
    if numeric is None:
        document.add_text("compared", f"{name}:t{compared}")
    else:
        for term in terms_of(name, numeric):
            document.add_text("numbers", term)
    named = dates.period(value)
    if named is not None:
        for term in terms_of(f"{name}{DATE}", seconds_of(named.start)):
            document.add_text("numbers", term)


def seconds_of(instant: datetime) -> float:
    """A naive instant as a number."""
    return (instant - _EPOCH).total_seconds()


def _add_words(document: Any, kind: str, prefix: str, value: str, analyses: Iterable[str]) -> None:
    for analysis in analyses:
        terms = index_terms(value, analysis)
        if not terms:
            continue
        field = f"{kind}_{analysis}"
        length = terms[-1].position + 1
        document.add_text(field, _stream(prefix, [term for term in terms if not _is_letter(term)], length))
        singles = [term for term in terms if not (is_unspaced(term.text) and len(term.text) > 1)]
        if any(map(_is_letter, singles)):
            document.add_text(field, _stream(prefix + SINGLE, singles, length))


def _is_letter(term: Term) -> bool:
    return len(term.text) == 1 and is_unspaced(term.text)


def _stream(prefix: str, terms: Iterable[Term], length: int) -> str:
    places = [FILLER] * length
    for term in terms:
        places[term.position] = prefix + term.text
    return " ".join(places)
