"""The values of a new story, and what its title is without any (02 section 6.9)."""

from collections.abc import Sequence

from vitrine.errors import Invalid
from vitrine.library import mapping
from vitrine.library.errors import NoSuchField
from vitrine.library.model import Field
from vitrine.library.stories.model import StoryDraft
from vitrine.library.value_rules import ValueRules
from vitrine.platform.database import UnitOfWork

FieldValues = list[tuple[Field, list[str]]]


def title_and_values(fields: tuple[Field, ...], draft: StoryDraft) -> tuple[str, FieldValues]:
    """The title given, cleaned, and the values. The title also fills the first title field. Read-only fields are
    skipped, as everywhere (06 section 6).

    Raises Invalid, or NoSuchField if the draft is strict."""
    if draft.is_strict:
        _refuse_unknown(fields, draft)
    title = _clean(draft.title)
    first = next((field for field in fields if field.thumbtitle and not field.readonly), None)
    values: FieldValues = []
    for field in fields:
        given = draft.values.get(str(field.id), draft.values.get(field.name, ()))
        texts = [*([title] if field is first else ()), *given]
        if field.readonly:
            continue
        if stored := _stored(field, texts):
            values.append((field, stored))
    return title, values


def require_values(work: UnitOfWork, fields: tuple[Field, ...], draft: StoryDraft, values: FieldValues) -> None:
    """What the attributes of the fields demand of the values that the draft names. Raises what `ValueRules` raises."""
    rules, stored = (
        ValueRules(work, lambda field: f"metadata.{field.name}"),
        {field.id: texts for field, texts in values},
    )
    for field in fields:
        is_named = str(field.id) in draft.values or field.name in draft.values
        if field.id in stored or (is_named and not field.readonly):
            rules.require_texts(field, stored.get(field.id, []))


def _refuse_unknown(fields: tuple[Field, ...], draft: StoryDraft) -> None:
    known = {str(field.id) for field in fields} | {field.name for field in fields}
    for name in draft.values:
        if name not in known:
            raise NoSuchField(f"This databox has no field {name[:80]}.", field="values")


def _stored(field: Field, texts: Sequence[str]) -> list[str]:
    """The values as the field keeps them: a field with one value takes the last, one with several each once."""
    cleaned = [_clean(text) for text in texts]
    for text in cleaned:
        if len(text.encode()) > mapping.LONGEST_VALUE:
            raise Invalid(f"A value of {field.name} has at most {mapping.LONGEST_VALUE} bytes.", field=field.name)
    values = list(dict.fromkeys(text for text in cleaned if text))
    if not field.multi:
        return values[-1:]
    if len(values) > mapping.MOST_VALUES:
        raise Invalid(f"{field.name} holds at most {mapping.MOST_VALUES} values.", field=field.name)
    return values


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()
