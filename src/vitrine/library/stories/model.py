"""Stories as values: what is asked for, and what one person sees of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vitrine.library.model import PREVIEW, THUMBNAIL, CollectionId, Record, RecordKey
from vitrine.library.records import FullRecord, RecordWithThumbnail

MOST_CHILDREN = 1_000  # of one story: as many as a page of search results can have (docs/decisions/0131)
MOST_STORIES = 100  # that hold the same record
MOST_AT_ONCE = 100  # stories of one call


@dataclass(frozen=True, slots=True)
class CoverSources:
    """The names of the cover's files that the story shows as `thumbnail` and `preview`."""

    thumbnail: str = THUMBNAIL
    preview: str = PREVIEW


@dataclass(frozen=True, slots=True)
class ChildDraft:
    """A record to be added. *place* names the item in the caller's words, for refusals."""

    key: RecordKey
    cover: CoverSources | None = None
    place: str = "records"


@dataclass(frozen=True, slots=True)
class StoryDraft:
    """A story to be made. *values* are by the id or the name of a field; the id counts first. *is_strict*: an unknown
    field is refused; otherwise it is ignored, as 4.1 does."""

    into: CollectionId
    title: str = ""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    children: Sequence[ChildDraft] = ()
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class StorySummary:
    """A story without its children. *cover* is the number of the cover, *count* that of the children; both as the
    actor sees them."""

    story: FullRecord
    cover: int | None
    count: int

    @property
    def record(self) -> Record:
        return self.story.shown.record


@dataclass(frozen=True, slots=True)
class StoryWithChildren:
    """A story with the children that the actor sees, in its order."""

    story: FullRecord
    cover: int | None
    children: list[RecordWithThumbnail]

    @property
    def record(self) -> Record:
        return self.story.shown.record
