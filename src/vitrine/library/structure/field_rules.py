"""The rules of fields (contract 06 section 6) as pure functions: what people give becomes the columns of a field."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from vitrine.errors import Invalid
from vitrine.library.model import LANGUAGES, Field
from vitrine.library.structure.checks import boolean, known_only, labels_of, one_of, whole_number

TYPES = ("string", "number", "date")
FORMER_TYPES = {"text": "string"}
DCES = (
    "Contributor", "Coverage", "Creator", "Date", "Description", "Format", "Identifier", "Language", "Publisher",
    "Relation", "Rights", "Source", "Subject", "Title", "Type",
)  # fmt: skip
COMPUTED = (
    "pdf-text", "tf-archivedate", "tf-atime", "tf-basename", "tf-bits", "tf-channels", "tf-ctime", "tf-dirname",
    "tf-duration", "tf-editdate", "tf-extension", "tf-filename", "tf-filepath", "tf-height", "tf-mimetype", "tf-mtime",
    "tf-quarantine", "tf-recordid", "tf-size", "tf-width", "no-source",
)  # fmt: skip
VOCABULARIES = ("users",)
LONGEST_NAME, LONGEST_SOURCE, LONGEST_BRANCH, MOST_FALLBACKS = 64, 80, 10_000, 20
MOST_BUCKETS = 1_000
SPLITS_ALWAYS = ";"
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*:[A-Za-z0-9][A-Za-z0-9_-]*")
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9]")
# Letters that Unicode does not decompose, as people write them without.
_FOLDED = str.maketrans({
    "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
    "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ı": "i",
})  # fmt: skip


def generated_name(text: str) -> str:
    """The name of a field in queries, from what a person typed: ASCII letters and digits, no digit first. Accents are
    folded, everything else is dropped. Empty if nothing is left."""
    plain = unicodedata.normalize("NFKD", text.translate(_FOLDED))
    return _NOT_IN_NAME.sub("", plain).lstrip("0123456789")[:LONGEST_NAME]


def columns_of(given: Mapping[str, Any], before: Field | None) -> dict[str, Any]:
    """The columns that *given* sets on *before* (None: a new field), whole and consistent. Raises Invalid, naming the
    attribute."""
    known_only(given, ATTRIBUTES)
    columns: dict[str, Any] = {}
    for name, value in given.items():
        columns[name] = ATTRIBUTES[name](value, name)
    if "name" in given:
        columns["name"] = _name(given["name"])
    elif before is None:
        raise Invalid("A field needs a name.", field="name")
    if "labels" in given or before is None:
        columns["labels"] = labels_of(given.get("labels"), before.labels if before else None)
    if before is None:
        columns.setdefault("fallbacks", [])
    return {**columns, **_consistent(columns, before)}


def _consistent(columns: Mapping[str, Any], before: Field | None) -> dict[str, Any]:
    """What follows from the given columns for others."""

    def now(name: str, usual: Any) -> Any:
        return columns.get(name, getattr(before, name) if before else usual)

    changed: dict[str, Any] = {}
    if columns.get("business") and columns.get("thumbtitle"):
        raise Invalid("A business field cannot be part of titles, which everybody sees.", field="thumbtitle")
    if columns.get("business"):
        changed["thumbtitle"] = False
    elif columns.get("thumbtitle"):
        changed["business"] = False
    if not changed.get("thumbtitle", now("thumbtitle", False)):
        if columns.get("title_language"):
            raise Invalid("A field needs thumbtitle to be part of titles in one language.", field="title_language")
        changed["title_language"] = None
    separator = str(now("separator", ""))
    if now("multi", False):
        changed["separator"] = separator if SPLITS_ALWAYS in separator else (separator + SPLITS_ALWAYS)[-8:]
    elif columns.get("separator"):
        raise Invalid("Only a field with several values has separators.", field="separator")
    else:
        changed["separator"] = ""
    if now("vocabulary_restricted", False) and not now("vocabulary_type", None):
        attribute = "vocabulary_restricted" if "vocabulary_restricted" in columns else "vocabulary_type"
        raise Invalid("Name the vocabulary to which the values are restricted.", field=attribute)
    return changed


def _name(value: object) -> str:
    name = generated_name(value) if isinstance(value, str) else ""
    if not name:
        raise Invalid("A field needs a name with at least one letter from A to Z.", field="name")
    return name


def _text(longest: int) -> Callable[[object, str], str]:
    def checked(value: object, name: str) -> str:
        if not isinstance(value, str) or len(value) > longest or "\x00" in value:
            raise Invalid(f"{name} is a text of at most {longest} characters.", field=name)
        return value.strip()

    return checked


def _separator(value: object, name: str) -> str:
    if not isinstance(value, str) or len(value) > 7 or any(character.isalnum() for character in value):
        raise Invalid("separator holds at most 7 characters, none of them a letter or digit.", field=name)
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise Invalid("separator holds no control characters.", field=name)
    return "".join(dict.fromkeys(value))


def _source(value: object, name: str) -> str:
    """`Group:Tag`; empty for no source."""
    if value is None or value == "":
        return ""
    text = value.strip() if isinstance(value, str) else ""
    if len(text) > LONGEST_SOURCE or not _TAG.fullmatch(text):
        raise Invalid("A source is a group and a tag, as in XMP-dc:Title.", field=name)
    group, _, tag = text.partition(":")
    if group == "Phraseanet":
        if tag not in COMPUTED:
            raise Invalid(f"There is no computed source {text}: choose one of {', '.join(COMPUTED)}.", field=name)
        return "" if tag == "no-source" else text
    return text


def _sources(value: object, name: str) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > MOST_FALLBACKS:
        raise Invalid(f"{name} is a list of at most {MOST_FALLBACKS} sources.", field=name)
    return [source for source in (_source(entry, name) for entry in value) if source]


def _type(value: object, name: str) -> str:
    return one_of(FORMER_TYPES.get(value, value) if isinstance(value, str) else value, TYPES, field=name)


def _choice(choices: tuple[str, ...]) -> Callable[[object, str], str | None]:
    def checked(value: object, name: str) -> str | None:
        return None if value is None or value == "" else one_of(value, choices, field=name)

    return checked


def _flag(value: object, name: str) -> bool:
    return boolean(value, field=name)


def _given(value: object, _name: str) -> object:
    """Looked at apart, since more than the value itself is needed."""
    return value


ATTRIBUTES: Mapping[str, Callable[[object, str], Any]] = {
    "name": _given,
    "labels": _given,
    "type": _type,
    "multi": _flag,
    "separator": _separator,
    "source": _source,
    "fallbacks": _sources,
    "readonly": _flag,
    "required": _flag,
    "business": _flag,
    "indexable": _flag,
    "aggregable": lambda value, name: whole_number(value, -1, MOST_BUCKETS, field=name),
    "thumbtitle": _flag,
    "title_language": _choice(LANGUAGES),
    "dces_element": _choice(DCES),
    "thesaurus_branch": _text(LONGEST_BRANCH),
    "generate_cterms": _flag,
    "vocabulary_type": _choice(VOCABULARIES),
    "vocabulary_restricted": _flag,
    "report": _flag,
    "gui_editable": _flag,
    "gui_visible": _flag,
    "printable": _flag,
    "input_disable": _flag,
}
REINDEXED = frozenset({"name", "type", "indexable", "business"})  # what the index holds of a field
TITLED = frozenset({"thumbtitle", "title_language"})
