"""The values of one record while they are changed: pure, in memory, written later by `changes_store.write_edits`
(06 section 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vitrine.errors import Invalid
from vitrine.library.mapping import LONGEST_VALUE, MOST_VALUES
from vitrine.library.model import Field, FieldId, Record, Value

NEW = 0  # the id of a value that has no row yet


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One change to a field. Without *value_id* a value is added (or the only value replaced); with it, that value is
    changed. An empty *value* deletes."""

    field_id: FieldId
    value_id: int | None
    value: str


def checked(target: Field, text: str) -> str:
    """A value as it is stored. Raises Invalid for one that is too long."""
    text = text.replace("\x00", "").strip()
    if len(text.encode()) > LONGEST_VALUE:
        raise Invalid(f"A value of {target.name} has at most {LONGEST_VALUE} bytes.", field="value")
    return text


@dataclass(slots=True)
class ValueEdit:
    """*stored* is what the record has by field, *values* what it will have; each change sees earlier ones."""

    record: Record
    stored: Mapping[FieldId, Sequence[Value]]
    values: dict[FieldId, list[Value]] = field(init=False)
    reordered: set[FieldId] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.values = {field_id: list(values) for field_id, values in self.stored.items()}

    @classmethod
    def of(cls, record: Record, values: Sequence[Value]) -> "ValueEdit":
        stored: dict[FieldId, list[Value]] = {}
        for value in values:
            stored.setdefault(value.field_id, []).append(value)
        return cls(record, stored)

    def texts(self, field_id: FieldId) -> list[str]:
        return [value.value for value in self.values.get(field_id, ())]

    def changes(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """(before, after) of the fields whose values are others now, as the history keeps them."""
        before, after = {}, {}
        for field_id in self.values:
            was, will = [value.value for value in self.stored.get(field_id, ())], self.texts(field_id)
            if was != will:
                before[str(field_id)], after[str(field_id)] = was, will
        return before, after

    def apply(self, target: Field, change: FieldChange) -> None:
        """06 section 7, as API v1 has it. An unknown *value_id* is ignored."""
        text, values = checked(target, change.value), self.values.setdefault(target.id, [])
        if change.value_id is not None:
            self._change(values, change.value_id, text)
        elif target.multi:
            self.add(target, [text])
        else:
            self.set(target, [text])

    def set(self, target: Field, texts: Sequence[str]) -> None:
        """Exactly these values, without empty ones and twins. Values that stay keep their ids."""
        wanted = list(dict.fromkeys(text for text in (checked(target, text) for text in texts) if text))
        if not target.multi and len(wanted) > 1:
            raise Invalid(f"{target.name} holds one value.", field="metadatas")
        self._require_room(target, len(wanted))
        values = self.values.setdefault(target.id, [])
        if not target.multi and wanted and values:
            self.values[target.id] = [replace(values[0], value=wanted[0])]
            return
        known = {value.value: value for value in reversed(values)}
        chosen = [known.get(text) or Value(NEW, target.id, text) for text in wanted]
        kept = [value for value in values if value in chosen]
        if [*kept, *(value for value in chosen if value.id == NEW)] != chosen:
            self.reordered.add(target.id)
        self.values[target.id] = chosen

    def add(self, target: Field, texts: Sequence[str]) -> None:
        """Further values; those that are there are not added again."""
        values = self.values.setdefault(target.id, [])
        for text in (checked(target, text) for text in texts):
            if text and all(value.value != text for value in values):
                if not target.multi and values:
                    raise Invalid(f"{target.name} holds one value.", field="metadatas")
                self._require_room(target, len(values) + 1)
                values.append(Value(NEW, target.id, text))

    def remove(self, target: Field, texts: Sequence[str]) -> None:
        gone = {checked(target, text) for text in texts}
        self.values[target.id] = [value for value in self.values.get(target.id, ()) if value.value not in gone]

    def _change(self, values: list[Value], value_id: int, text: str) -> None:
        target = next((value for value in values if value.id == value_id), None)
        if target is None:
            return
        twins = [value for value in values if value.value == text and value.id != value_id] if text else [target]
        for value in twins:
            values.remove(value)
        if text:
            values[values.index(target)] = replace(target, value=text)

    @staticmethod
    def _require_room(target: Field, count: int) -> None:
        if count > MOST_VALUES:
            raise Invalid(f"{target.name} holds at most {MOST_VALUES} values.", field="metadatas")
