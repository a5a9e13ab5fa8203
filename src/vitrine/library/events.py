"""Events of the archive for the layers above (index, webhooks)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.library.model import CollectionId, DataboxId, RecordId, RecordKey


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
class FileQuarantined:
    """A file failed the checks and waits for a decision. *user_id* sent it."""

    item_id: int
    collection_id: CollectionId
    user_id: int | None


@dataclass(frozen=True, slots=True)
class RenditionsReady:
    """The worker has processed the waiting renditions; *failed* names those that could not be made."""

    record_id: RecordId
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StructureChanged:
    """Something of a databox was added, changed or removed. *part* is databox, collection, field, status bit or recipe,
    *name* tells which one. *before* and *after* hold the attributes that changed; one is empty if the thing was added
    or removed."""

    databox_id: DataboxId
    part: str
    name: str
    actor_id: int | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CollectionEmptied:
    """All records that a collection had were deleted."""

    collection_id: CollectionId
    actor_id: int | None
    records: int


@dataclass(frozen=True, slots=True)
class RecordDiscarded:
    """A record was moved to the bin of its databox; *before* is the collection that it was in."""

    record_id: RecordId
    actor_id: int | None
    before: CollectionId
    after: CollectionId


@dataclass(frozen=True, slots=True)
class ReindexNeeded:
    """What the index holds of many records of a databox is out of date."""

    databox_id: DataboxId


@dataclass(frozen=True, slots=True)
class TermsPublished:
    """A databox has new terms of use; with *must_accept* everybody has to accept them anew."""

    databox_id: DataboxId
    number: int
    must_accept: bool
    actor_id: int | None


@dataclass(frozen=True, slots=True)
class TermsAccepted:
    databox_id: DataboxId
    number: int
    user_id: int


@dataclass(frozen=True, slots=True)
class StoryChildrenChanged:
    """*added* and *removed* are in the order of the story; both are empty when children changed places only.
    *actor_id* is None where a child was deleted, which RecordRemoved tells."""

    story_id: RecordId
    actor_id: int | None
    added: tuple[RecordId, ...] = ()
    removed: tuple[RecordId, ...] = ()


@dataclass(frozen=True, slots=True)
class StoryCoverChanged:
    """Another child, or none, gives the story its pictures."""

    story_id: RecordId
    actor_id: int | None
    before: RecordId | None
    after: RecordId | None


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
