"""Reading the mapping file, TOML, as docs/guides/operators.md describes it. What it means is in `field_mapping`."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vitrine.errors import Invalid
from vitrine.operations.file_import.dates import YEARS
from vitrine.operations.file_import.field_mapping import (
    NO,
    YES,
    CollectionRule,
    CsvOptions,
    FieldRule,
    ImportMapping,
    Origin,
    StatusRule,
    nearest,
)

_TAG = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9_-]+$")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def read_mapping(path: Path) -> ImportMapping:
    """Read a mapping file. Raises Invalid, naming what is wrong and where."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        raise Invalid(f"{path.name} cannot be read: {failure}.", field="mapping") from failure
    return parse_mapping(given)


def parse_mapping(given: Mapping[str, Any]) -> ImportMapping:
    _known(given, "the mapping", ("fields", "status", "collection", "path", "csv"))
    pattern = _pattern(_table(given, "path"))
    rules = tuple(_field_rule(name, value) for name, value in _table(given, "fields").items())
    statuses = tuple(_status_rule(name, value) for name, value in _table(given, "status").items())
    collection = _collection_rule(given["collection"]) if "collection" in given else None
    origins = [*(rule.origin for rule in rules), *(rule.origin for rule in statuses)]
    origins += [collection.origin] if collection else []
    parts = pattern.groupindex if pattern else {}
    for name in (name for origin in origins for name in origin.parts):
        if name not in parts:
            raise Invalid(f"[path] has no part called {name[:80]}. {nearest(name, parts)}", field="mapping")
    return ImportMapping(rules, statuses, collection, pattern, _csv_options(_table(given, "csv")))


_ORIGIN = ("column", "xmp", "path", "value")


def _origin(given: Mapping[str, Any], place: str) -> Origin:
    if not any(name in given for name in _ORIGIN):
        raise Invalid(f"{place} says nothing of where its value comes from: {', '.join(_ORIGIN)}.", field="mapping")
    columns, tags, parts, constants = (_texts(given.get(name, ()), f"{name} of {place}") for name in _ORIGIN)
    for tag in tags:
        if not _TAG.match(tag):
            raise Invalid(f"{tag[:80]} in {place} is no property: they are written like XMP-dc:Title.", field="mapping")
    return Origin(columns, tags, parts, constants)


def _field_rule(name: str, given: Any) -> FieldRule:
    place = f"[fields.{name[:80]}]"
    table = _as_table(given, place)
    _known(table, place, (*_ORIGIN, "separator", "formats"))
    separator, formats = table.get("separator", ""), _texts(table.get("formats", ()), f"formats of {place}")
    if not isinstance(separator, str):
        raise Invalid(f"separator of {place} must be a text.", field="mapping")
    for form in formats:
        if not any(year in form for year in YEARS):
            raise Invalid(f"{form[:80]} in {place} has no year: %Y, as in %d/%m/%Y.", field="mapping")
    return FieldRule(name, _origin(table, place), separator, formats)


def _status_rule(name: str, given: Any) -> StatusRule:
    if not (name.isascii() and name.isdecimal() and 4 <= int(name[:4]) <= 31):
        raise Invalid(f"{name[:80]} in [status] is no status bit: they are 4 to 31.", field="mapping")
    if isinstance(given, bool):
        return StatusRule(int(name), Origin(constants=(YES[0] if given else NO[0],)))
    place = f"[status.{name}]"
    table = _as_table(given, place)
    _known(table, place, (*_ORIGIN, "on", "off"))
    words_on, words_off = (
        tuple(text.casefold() for text in _texts(table.get(word, usual), f"{word} of {place}"))
        for word, usual in (("on", YES), ("off", NO))
    )
    return StatusRule(int(name), _origin(table, place), words_on, words_off)


def _collection_rule(given: Any) -> CollectionRule:
    if type(given) is int:
        return CollectionRule(Origin(constants=(str(given),)))
    table = _as_table(given, "[collection]")
    _known(table, "[collection]", (*_ORIGIN, "values"))
    values = _as_table(table.get("values", {}), "[collection.values]")
    for name, base_id in values.items():
        if type(base_id) is not int:
            raise Invalid(f"[collection.values] must give {name[:80]} a base_id, a number.", field="mapping")
    return CollectionRule(_origin(table, "[collection]"), values)


def _pattern(given: Mapping[str, Any]) -> re.Pattern[str] | None:
    _known(given, "[path]", ("pattern", "folders"))
    if len(given) > 1:
        raise Invalid("[path] has either pattern or folders.", field="mapping")
    for name, value in given.items():
        if not isinstance(value, str):
            raise Invalid(f"{name} of [path] must be a text.", field="mapping")
        try:
            return re.compile(value if name == "pattern" else _of_folders(value))
        except re.error as failure:
            raise Invalid(f"{name} of [path] cannot be used: {failure}.", field="mapping") from failure
    return None


def _of_folders(text: str) -> str:
    """`{year}/{event}` as a regular expression: each name stands for (a part of) one folder; what lies deeper does
    not matter."""
    pieces = _PLACEHOLDER.split(text.strip("/"))
    parts = [f"(?P<{piece}>[^/]+)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces)]
    return "".join(parts) + "/.+"


def _csv_options(given: Mapping[str, Any]) -> CsvOptions:
    _known(given, "[csv]", ("file", "delimiter", "ignore"))
    column, delimiter = given.get("file", ""), given.get("delimiter")
    if not isinstance(column, str):
        raise Invalid("file of [csv] must be the name of a column.", field="mapping")
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n'):
        raise Invalid("delimiter of [csv] must be one character.", field="mapping")
    return CsvOptions(column, delimiter, _texts(given.get("ignore", ()), "ignore of [csv]"))


def _table(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _as_table(given.get(name, {}), f"[{name}]")


def _as_table(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"{place} must be a table.", field="mapping")
    return value


def _texts(value: Any, place: str) -> tuple[str, ...]:
    is_text: Callable[[Any], bool] = lambda text: isinstance(text, str) and bool(text.strip())  # noqa: E731
    texts = (value,) if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(is_text(text) for text in texts):
        raise Invalid(f"{place} must be a text or a list of texts.", field="mapping")
    return tuple(texts)


def _known(given: Mapping[str, Any], place: str, names: Sequence[str]) -> None:
    for name in given:
        if name not in names:
            raise Invalid(f"{name[:80]} in {place} means nothing. {nearest(name, names)}", field="mapping")
