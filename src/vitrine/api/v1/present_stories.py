"""Stories in the form of API v1 (contract 02 section 5.8)."""

from typing import Any

from msgspec import Raw

from vitrine.api.v1 import present
from vitrine.api.v1.present import Frame
from vitrine.library.records import FullRecord
from vitrine.library.stories.model import StorySummary, StoryWithChildren

STORY = "http://api.phraseanet.com/api/objects/story"
METADATA_BAG = "http://api.phraseanet.com/api/objects/story-metadata-bag"
DUBLIN_CORE = (
    "contributor", "coverage", "creator", "date", "description", "format", "identifier", "language", "publisher",
    "relation", "rights", "source", "subject", "title", "type",
)  # fmt: skip


def with_children(frame: Frame, story: StoryWithChildren, children: list[Raw]) -> dict[str, Any]:
    """*children* are the records of the story as JSON."""
    return {**_story(frame, story.story, story.cover), "records": children}


def summary(frame: Frame, story: StorySummary, *, caption: bool = False) -> dict[str, Any]:
    """The variant of search results, without the children: `record_count`; with *caption* the fields too."""
    fields = {"caption": present.caption(story.story.values)} if caption else {}
    return {**_story(frame, story.story, story.cover), "record_count": story.count, **fields}


def _story(frame: Frame, described: FullRecord, cover: int | None) -> dict[str, Any]:
    record, thumbnail = described.shown.record, described.shown.thumbnail
    return {
        "@entity@": STORY,
        "databox_id": record.databox_id,
        "story_id": record.number,
        "resource_id": f"{frame.instance_id}_{record.databox_id}_{record.number}",
        "cover_record_id": cover,
        "updated_on": frame.date(record.updated),
        "created_on": frame.date(record.created),
        "collection_id": frame.structure.collections[record.collection_id].number,
        "base_id": record.collection_id,
        "thumbnail": None if thumbnail is None else present.subdef(frame, record, thumbnail),
        "uuid": record.uuid,
        "metadatas": _metadata_bag(described),
    }


def _metadata_bag(described: FullRecord) -> dict[str, str | None]:
    """The values of the fields that are Dublin Core elements, joined as in a caption; at most one field an element."""
    joined: dict[str, str] = {}
    for field, value in described.values:
        element = (field.dces_element or "").lower()
        joined[element] = f"{joined[element]} ; {value.value}" if element in joined else value.value
    return {"@entity@": METADATA_BAG, **{f"dc:{element}": joined.get(element) for element in DUBLIN_CORE}}
