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
