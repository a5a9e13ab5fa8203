"""Titles by the rule of the databox: computed once, when values or the rule change, and stored with the record."""

from collections.abc import Iterable, Mapping, Sequence

from vitrine.library.model import LANGUAGES, Field, FieldId, Value


def title_of(fields: Sequence[Field], values: Sequence[tuple[Field, Sequence[str]]], name: str) -> str:
    """The values of the fields that are part of titles in every language; without any, those of the first language
    that has some; else the file name (06 section 4)."""
    by_id = {field.id: field_values for field, field_values in values}
    for language in (None, *LANGUAGES):
        title = " ".join(_parts(fields, by_id, language, alone=True)).strip()
        if title:
            return title
    return name


def titles_of(
    fields: Sequence[Field], values: Sequence[tuple[Field, Sequence[str]]], title: str
) -> dict[str, str] | None:
    """The titles by language that differ from *title*; None where there are none, as in most databoxes."""
    languages = {field.title_language for field in fields if field.thumbtitle and field.title_language}
    if not languages:
        return None
    by_id = {field.id: field_values for field, field_values in values}
    titles = {language: " ".join(_parts(fields, by_id, language)).strip() for language in sorted(languages)}
    return {language: text for language, text in titles.items() if text and text != title} or None


def held_by_field(fields: Sequence[Field], values: Iterable[Value]) -> list[tuple[Field, list[str]]]:
    """The values of a record, in their order, by field."""
    by_id: dict[FieldId, list[str]] = {}
    for value in values:
        by_id.setdefault(value.field_id, []).append(value.value)
    return [(field, by_id[field.id]) for field in fields if field.id in by_id]


def _parts(
    fields: Sequence[Field], by_id: Mapping[FieldId, Sequence[str]], language: str | None, *, alone: bool = False
) -> list[str]:
    """The values that make the title in *language*: those of its own fields, and unless *alone* those of all."""
    allowed = {language} if alone else {None, language}
    return [
        value
        for field in fields
        if field.thumbtitle and field.title_language in allowed
        for value in by_id.get(field.id, ())
    ]
