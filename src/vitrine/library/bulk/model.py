"""What an operation on many records does, and how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from vitrine.errors import Invalid
from vitrine.library.model import CollectionId, FieldId

MOST_RECORDS = 50_000
MOST_FIELDS = 100
MOST_TEXTS = 100
MOST_BYTES = 65_536  # of all texts together


class FieldAction(StrEnum):
    SET = "set"  # exactly these values
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class FieldEdit:
    field_id: FieldId
    action: FieldAction
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BulkChange:
    """What is done to each record: fields and status, then the move; or the deletion alone. An undo has none of them:
    it takes back what the operation *undoes* did."""

    fields: tuple[FieldEdit, ...] = ()
    status: Mapping[int, bool] | None = None
    collection: CollectionId | None = None
    delete: bool = False

    def require_usable(self) -> None:
        """Raises Invalid for a change that does nothing, contradicts itself or is too long."""
        does_more = bool(self.fields or self.status or self.collection is not None)
        if self.delete == does_more:
            raise Invalid("Change fields, status and collection, or delete.", field="change")
        if len(self.fields) > MOST_FIELDS or any(len(edit.values) > MOST_TEXTS for edit in self.fields):
            raise Invalid(f"At most {MOST_FIELDS} fields with {MOST_TEXTS} values each.", field="fields")
        if sum(len(text.encode()) for edit in self.fields for text in edit.values) > MOST_BYTES:
            raise Invalid(f"All values together have at most {MOST_BYTES} bytes.", field="fields")

    def stored(self) -> dict[str, Any]:
        return {
            "fields": [[edit.field_id, edit.action.value, list(edit.values)] for edit in self.fields],
            "status": None if self.status is None else {str(bit): on for bit, on in self.status.items()},
            "collection": self.collection,
            "delete": self.delete,
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """The reverse of `stored`."""
        edits = (
            FieldEdit(FieldId(field), FieldAction(action), tuple(values)) for field, action, values in stored["fields"]
        )
        status, collection = stored["status"], stored["collection"]
        return cls(
            tuple(edits),
            None if status is None else {int(bit): on for bit, on in status.items()},
            None if collection is None else CollectionId(collection),
            stored["delete"],
        )


class State(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"  # by a person; what was done stays
    ENDED = "ended"  # the account or the permission behind it is gone; what was done stays

    @property
    def is_over(self) -> bool:
        return self not in (State.WAITING, State.RUNNING)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation and its progress: *processed* of *total* records, of which some were changed and some refused; the
    others had nothing to change."""

    id: int
    user_id: int | None
    delegation_id: int | None
    change: Mapping[str, Any]
    undoes_id: int | None
    state: State
    total: int
    processed: int
    changed: int
    refused: int
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """A record of an operation; *outcome* is None before its turn, else changed, unchanged, or the code of a
    refusal."""

    position: int
    databox_id: int
    number: int
    change_id: int | None
    outcome: str | None
