"""Events of the archive for the layers above (index, webhooks)."""

from dataclasses import dataclass

from vitrine.library.model import RecordId


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
