"""Where the values of records come from: the rules of a mapping file (`mapping_file` reads it).

What they name is checked before the first file, against the header of the CSV and the fields of the databoxes. Of one
field, columns come before XMP properties, those before parts of the path, and a constant is last: the first that says
something counts. A field that the mapping gives nothing keeps what the file itself says of it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from vitrine.errors import Invalid
from vitrine.library.mapping import LONGEST_VALUE, MOST_VALUES, normalise
from vitrine.library.model import Collection, CollectionId, Field, FieldId, Structure
from vitrine.operations.file_import.dates import iso_date
from vitrine.platform.texts import folded

FILE_COLUMNS = ("file", "filename", "file name", "path")
YES = ("1", "true", "yes", "on", "x")
NO = ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one file: its row by column, the parts of its path by name, and its tags, those of the sidecar
    before those that are embedded."""

    row: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[Mapping[str, list[str]]] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from: columns, XMP properties, parts of the path, constants."""

    columns: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()

    def texts(self, evidence: Evidence) -> list[str]:
        """The values of the first of them that has any."""
        for candidates in (
            [evidence.row.get(column, "") for column in self.columns],
            next((tags[name] for tags in evidence.tags for name in self.tags if tags.get(name)), []),
            [evidence.parts.get(part, "") for part in self.parts],
            self.constants,
        ):
            texts = [text.strip() for text in candidates if text.strip()]
            if texts:
                return texts
        return []


@dataclass(frozen=True, slots=True)
class FieldRule:
    name: str
    origin: Origin
    separator: str = ""
    formats: tuple[str, ...] = ()

    def texts(self, target: Field, evidence: Evidence) -> list[str]:
        """The values for a field. Raises Invalid for a date in none of the formats, and for several values of a field
        that holds one."""
        texts = self.origin.texts(evidence)
        if self.separator:
            texts = [part.strip() for text in texts for part in text.split(self.separator) if part.strip()]
        if self.formats:
            texts = [iso_date(text, self.formats, self.name) for text in texts]
        texts = list(dict.fromkeys(texts))
        if len(texts) > 1 and not target.multi:
            raise Invalid(f"{self.name} holds one value, and there are {len(texts)} for it.", field=self.name)
        if len(texts) > MOST_VALUES or any(len(text.encode()) > LONGEST_VALUE for text in texts):
            bounds = f"at most {MOST_VALUES} values of {LONGEST_VALUE} bytes"
            raise Invalid(f"{self.name} holds {bounds}; there is more for it.", field=self.name)
        return normalise(target, texts)


@dataclass(frozen=True, slots=True)
class StatusRule:
    bit: int
    origin: Origin
    on_words: tuple[str, ...] = YES
    off_words: tuple[str, ...] = NO

    def value(self, evidence: Evidence) -> bool | None:
        """None where nothing is said. Raises Invalid for a word that is neither on nor off."""
        for text in self.origin.texts(evidence)[:1]:
            if text.casefold() in self.on_words:
                return True
            if text.casefold() in self.off_words:
                return False
            known = ", ".join((*self.on_words, *self.off_words))
            raise Invalid(f"Status bit {self.bit} cannot be {text[:80]}; the words are {known}.", field="status")
        return None


@dataclass(frozen=True, slots=True)
class CollectionRule:
    """*values* gives base_ids to the texts that are found; else they are base_ids or names of collections."""

    origin: Origin
    values: Mapping[str, int] = field(default_factory=dict)

    def base_id(self, structure: Structure, evidence: Evidence) -> CollectionId | None:
        """None where nothing is said. Raises Invalid for a text that is no collection."""
        for text in self.origin.texts(evidence)[:1]:
            if self.values:
                if text not in self.values:
                    raise Invalid(f"No collection is given to {text[:80]}. {nearest(text, self.values)}")
                return CollectionId(self.values[text])
            return _collection_called(structure, text)
        return None


@dataclass(frozen=True, slots=True)
class CsvOptions:
    file: str = ""  # column; empty: the first of FILE_COLUMNS
    delimiter: str | None = None
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportMapping:
    fields: tuple[FieldRule, ...] = ()
    statuses: tuple[StatusRule, ...] = ()
    collection: CollectionRule | None = None
    path: re.Pattern[str] | None = None
    csv: CsvOptions = field(default_factory=CsvOptions)

    def parts(self, relative: str) -> dict[str, str]:
        """The parts of a path below the folder."""
        matched = self.path.fullmatch(relative) if self.path else None
        return {name: text or "" for name, text in matched.groupdict().items()} if matched else {}

    def file_column(self, columns: Sequence[str]) -> str:
        """The column that names the files. Raises Invalid."""
        if self.csv.file:
            return self.csv.file if self.csv.file in columns else _no_column(self.csv.file, columns)
        by_name = {folded(column): column for column in reversed(columns)}
        column = next((by_name[name] for name in FILE_COLUMNS if name in by_name), None)
        return column or _no_column(FILE_COLUMNS[0], columns)

    def with_columns(self, columns: Sequence[str], fields: Iterable[Field]) -> "ImportMapping":
        """Checked against the header: each column goes somewhere or is ignored. Columns called like a field that no
        rule is about go to that field. Raises Invalid, naming the nearest names."""
        by_name = {folded(target.name): target.name for target in fields}
        origins = [*(rule.origin for rule in self.fields), *(rule.origin for rule in self.statuses)]
        origins += [self.collection.origin] if self.collection else []
        used = {name for origin in origins for name in origin.columns}
        for name in (*used, *self.csv.ignore):
            if name not in columns:
                _no_column(name, columns)
        ruled = {rule.name for rule in self.fields}
        more = []
        for column in columns:
            if column in used or column in self.csv.ignore or column == self.file_column(columns):
                continue
            own = by_name.get(folded(column))
            if own is None or own in ruled:
                raise Invalid(
                    f"Nothing says where column {column[:80]} goes: there is no field of this name left. "
                    f"{nearest(column, by_name.values())} Map it, or name it in ignore of [csv].",
                    field="csv",
                )
            ruled.add(own)
            more.append(FieldRule(own, Origin(columns=(column,))))
        return ImportMapping((*self.fields, *more), self.statuses, self.collection, self.path, self.csv)

    def check(self, structure: Structure, collection: Collection) -> None:
        """Raises Invalid for a field or status bit that the databox of a collection does not have, or that is
        read-only."""
        self._rules(structure, collection)
        defined = {bit.bit for bit in structure.status_bits[collection.databox_id]}
        for rule in self.statuses:
            if rule.bit not in defined:
                names = ", ".join(map(str, sorted(defined))) or "none"
                raise Invalid(f"There is no status bit {rule.bit}; those of the databox are: {names}.", field="mapping")

    def values(self, structure: Structure, collection: Collection, evidence: Evidence) -> dict[FieldId, list[str]]:
        """The values that the mapping gives to a file, without fields that get none. Raises Invalid."""
        rules = self._rules(structure, collection)
        texts = {target.id: rule.texts(target, evidence) for target, rule in rules}
        return {field_id: values for field_id, values in texts.items() if values}

    def bits(self, evidence: Evidence) -> dict[int, bool]:
        """The status bits that something is said of. Raises Invalid."""
        values = {rule.bit: rule.value(evidence) for rule in self.statuses}
        return {bit: value for bit, value in values.items() if value is not None}

    def _rules(self, structure: Structure, collection: Collection) -> list[tuple[Field, FieldRule]]:
        fields = {target.name: target for target in structure.fields[collection.databox_id]}
        for rule in self.fields:
            if rule.name not in fields:
                box = structure.databoxes[collection.databox_id].view_name
                raise Invalid(f"{box} has no field {rule.name[:80]}. {nearest(rule.name, fields)}", field="mapping")
            if fields[rule.name].readonly:
                raise Invalid(f"The field {rule.name} is read-only.", field="mapping")
        return [(fields[rule.name], rule) for rule in self.fields]


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence with the names most like *name*, or all of them if there are few."""
    names = list(known)
    close = get_close_matches(name, names, n=3, cutoff=0.5) or names[:10]
    return f"Did you mean {', '.join(close)}?" if close else "There are none."


def _no_column(name: str, columns: Sequence[str]) -> str:
    raise Invalid(f"The CSV has no column {name[:80]}. {nearest(name, columns)}", field="csv")


def _collection_called(structure: Structure, text: str) -> CollectionId:
    if text.isascii() and text.isdecimal() and len(text) <= 18:
        return CollectionId(int(text))
    named = [base for base in structure.collections.values() if folded(base.name) == folded(text)]
    if len(named) > 1:
        numbers = ", ".join(str(base.id) for base in named)
        raise Invalid(f"Several collections are called {text[:80]}: give the base_id ({numbers}).", field="collection")
    if not named:
        names = [base.name for base in structure.collections.values()]
        raise Invalid(f"There is no collection {text[:80]}. {nearest(text, names)}", field="collection")
    return named[0].id
