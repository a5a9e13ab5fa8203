"""What a rule that somebody sends must be: of the right shape, about things that exist, within its maker's rights."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from vitrine.accounts import Actor, Via
from vitrine.errors import Invalid
from vitrine.library.bulk.service import scopes_of
from vitrine.library.changes import FIRST_BIT, LAST_BIT, Changes, require_bits_of
from vitrine.library.errors import MayNotChange
from vitrine.library.model import CollectionId, DataboxId, FieldId, Structure
from vitrine.library.rules.model import (
    LONGEST_TEXT,
    MOST_COLLECTIONS,
    MOST_CRITERIA,
    MOST_DAYS,
    Action,
    Criteria,
    DateTest,
)
from vitrine.library.rules.search import rights_of
from vitrine.platform.database import UnitOfWork

T = TypeVar("T", Criteria, Action)


def read(kind: type[T], value: object, field: str) -> T:
    """Criteria or action as they are sent. Raises Invalid, naming the place."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as failure:
        raise Invalid(f"{field} is not of the right shape: {failure}.", field=field) from failure


def require_usable(structure: Structure, databox: DataboxId, criteria: Criteria, action: Action) -> None:
    """Raises Invalid for a rule about what its databox does not have, or that would do nothing or everything."""
    if criteria.is_empty:
        raise Invalid("A rule needs at least one criterion, or it concerns every record.", field="criteria")
    _require_bounds(criteria)
    _require_bits(structure, databox, criteria.status, "criteria.status")
    _require_bits(structure, databox, action.status, "action.status")
    _require_fields(structure, databox, criteria)
    action.change().require_usable()
    collections = {base.id for base in structure.collections.values() if base.databox_id == databox}
    for place, field in _places(criteria, action):
        if place not in collections:
            raise _no_such_collection(place, field)


def _places(criteria: Criteria, action: Action) -> list[tuple[CollectionId, str]]:
    """The collections that a rule names, and where."""
    named = [(CollectionId(base), "criteria.base_ids") for base in criteria.base_ids]
    return named if action.base_id is None else [*named, (CollectionId(action.base_id), "action.base_id")]


def _no_such_collection(base: int, field: str) -> Invalid:
    return Invalid(f"This databox has no collection with base_id {base}.", field=field)


def _require_bits(structure: Structure, databox: DataboxId, bits: Mapping[str, bool], field: str) -> None:
    for bit in bits:
        if not (bit.isascii() and bit.isdecimal() and len(bit) <= 2):
            raise Invalid(f"Status bits are numbered {FIRST_BIT} to {LAST_BIT}.", field=field)
    require_bits_of(structure, databox, [int(bit) for bit in bits], field)


def _require_fields(structure: Structure, databox: DataboxId, criteria: Criteria) -> None:
    types = {field.id: field.type for field in structure.fields.get(databox, ())}
    for criterion in criteria.dates:
        if (criterion.of is None) == (criterion.field_id is None):
            raise Invalid("A date is that of created, updated or one field_id.", field="criteria.dates")
        if criterion.field_id is not None and types.get(FieldId(criterion.field_id)) != "date":
            raise Invalid(f"This databox has no date field {criterion.field_id}.", field="criteria.dates")
    for wanted in criteria.texts:
        if FieldId(wanted.field_id) not in types:
            raise Invalid(f"This databox has no field {wanted.field_id}.", field="criteria.texts")


def _require_bounds(criteria: Criteria) -> None:
    if len(criteria.base_ids) > MOST_COLLECTIONS:
        raise Invalid(f"A rule names at most {MOST_COLLECTIONS} collections.", field="criteria.base_ids")
    if len(criteria.dates) > MOST_CRITERIA or len(criteria.texts) > MOST_CRITERIA:
        raise Invalid(f"A rule has at most {MOST_CRITERIA} dates and as many texts.", field="criteria")
    for criterion in criteria.dates:
        least = 0 if criterion.test is DateTest.PASSED else 1
        most = 0 if criterion.test is DateTest.PASSED else MOST_DAYS
        if not least <= criterion.days <= most:
            detail = f"days is a whole number from 1 to {MOST_DAYS}; passed takes none."
            raise Invalid(detail, field="criteria.dates")
    for wanted in criteria.texts:
        if not wanted.text.strip() or len(wanted.text) > LONGEST_TEXT:
            raise Invalid(f"A text has 1 to {LONGEST_TEXT} characters.", field="criteria.texts")


def require_scopes(actor: Actor, action: Action) -> None:
    """A token that may change the structure alone changes no records by way of a rule. Raises MayNotChange."""
    missing = [] if actor.scope is None else [scope for scope in scopes_of(delete=action.delete)
                                              if scope not in actor.scope]  # fmt: skip
    if missing:
        raise MayNotChange(f"The token needs the scope {missing[0]} for this.", field="action", why="scope")


def require_rights(work: UnitOfWork, changes: Changes, actor: Actor, criteria: Criteria, action: Action) -> None:
    """What the action asks on each collection that is named, and the right to add to where records move. Raises
    MayNotChange or MayNotAdd. Records of collections that are not named are asked for one by one, in each run."""
    change = action.change()
    if actor.via is Via.COMMAND:
        return
    for place, field in _places(criteria, action):
        if place not in actor.rights.collections:
            raise _no_such_collection(place, field)  # nobody is told of one that they may not know
    for base in criteria.base_ids:
        for right in rights_of(change):
            if not actor.rights.on(CollectionId(base), right, work.now):
                detail = f"The rule needs the right {right.name} on the collection {base}, which you do not have."
                raise MayNotChange(detail, field="criteria.base_ids", why=right.name or "")
    require_target(work, changes, actor, action)


def require_target(work: UnitOfWork, changes: Changes, actor: Actor, action: Action) -> None:
    """Raises MayNotAdd where the actor may not add to the collection that records move to."""
    if action.base_id is not None:
        changes.target(work, actor, CollectionId(action.base_id))


def changed_only(given: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """What a merge patch changes: members that are not sent stay (RFC 7396)."""
    return {name: given.get(name, value) for name, value in kept.items()}
