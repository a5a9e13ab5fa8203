"""What happened in the archive, for those above who care (index, webhooks)."""

from dataclasses import dataclass

from vitrine.library.model import RecordId


@dataclass(frozen=True, slots=True)
class RecordAdded:
    record_id: RecordId


@dataclass(frozen=True, slots=True)
class RecordChanged:
    """Fields, status or collection changed: what is found and who may find it."""

    record_id: RecordId


@dataclass(frozen=True, slots=True)
class RecordRemoved:
    record_id: RecordId


@dataclass(frozen=True, slots=True)
class RenditionsReady:
    """The worker went through the waiting renditions; *failed* names those that could not be made."""

    record_id: RecordId
    failed: tuple[str, ...]
