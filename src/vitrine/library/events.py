"""Events of the archive for the layers above (index, webhooks)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.library.model import RecordId, RecordKey


@dataclass(frozen=True, slots=True)
class RecordAdded:
    record_id: RecordId


@dataclass(frozen=True, slots=True)
class RecordChanged:
    """Fields, status or collection changed: search results and who may see them are affected."""

    record_id: RecordId


@dataclass(frozen=True, slots=True)
class RecordRemoved:
    record_id: RecordId


@dataclass(frozen=True, slots=True)
class RenditionsReady:
    """The worker has processed the waiting renditions; *failed* names those that could not be made."""

    record_id: RecordId
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeRecorded:
    """A change of a record that its history keeps. *before* and *after* are those of `journal.ChangeKind`; the ids are
    those of who did it, through which application, in which operation on many records."""

    key: RecordKey
    kind: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    user_id: int | None
    application_id: int | None
    operation_id: int | None


@dataclass(frozen=True, slots=True)
class BulkOperationEnded:
    """An operation on many records is done, or ended with the permission behind it. *user_id* began it."""

    operation_id: int
    user_id: int | None
    state: str
