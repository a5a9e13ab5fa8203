"""Stories as one person sees them: with their children, as summaries in a list, and as the parents of a record."""

from collections.abc import Sequence
from dataclasses import dataclass

from vitrine.accounts import Actor
from vitrine.library import access, story_links
from vitrine.library.model import Record, RecordId, RecordKey
from vitrine.library.records import Records, RecordWithThumbnail
from vitrine.library.stories import store as story_store
from vitrine.library.stories.model import MOST_CHILDREN, StorySummary, StoryWithChildren
from vitrine.library.stories.service import Stories
from vitrine.library.stories.store import Parent
from vitrine.platform.database import UnitOfWork

CHUNK = 20  # stories whose children are looked at together: MOST_CHILDREN each


@dataclass(frozen=True, slots=True)
class StoryViews:
    records: Records
    stories: Stories

    def shown(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> StoryWithChildren:
        """Raises what `Stories.get` raises."""
        self.stories.get(work, actor, key)
        return self._whole(work, actor, self.records.shown(work, actor, key))

    def _whole(self, work: UnitOfWork, actor: Actor, shown: RecordWithThumbnail) -> StoryWithChildren:
        (described,) = self.records.described(work, actor, [shown])
        children = self.stories.children(work, actor, shown.record)
        cover = next((child.record for child in children if child.record.id == shown.record.cover_record_id), None)
        return StoryWithChildren(described, None if cover is None else cover.number, children)

    def children_after(
        self, work: UnitOfWork, actor: Actor, story: Record, after: int, limit: int
    ) -> list[tuple[int, RecordWithThumbnail]]:
        """At most *limit* children that the actor sees, each with its position, behind the position *after*."""
        stamps = [stamp for stamp in story_store.child_stamps(work, [story.id]) if stamp.position > after]
        seen = access.visible_ids(work, actor, ((stamp.id, stamp.collection_id, stamp.status) for stamp in stamps))
        visible = [stamp for stamp in stamps if stamp.id in seen][:limit]
        positions = {stamp.id: stamp.position for stamp in visible}
        page = self.records.page(work, actor, [stamp.id for stamp in visible])
        return [(positions[shown.record.id], shown) for shown in page]

    def summaries(self, work: UnitOfWork, actor: Actor, page: Sequence[RecordWithThumbnail]) -> list[StorySummary]:
        """A page of stories, which the actor sees: two statements for all their children."""
        summaries: list[StorySummary] = []
        for start in range(0, len(page), CHUNK):
            some = page[start : start + CHUNK]
            stamps = story_store.child_stamps(work, [shown.record.id for shown in some])
            seen = access.visible_ids(work, actor, ((stamp.id, stamp.collection_id, stamp.status) for stamp in stamps))
            numbers: dict[RecordId, dict[RecordId, int]] = {shown.record.id: {} for shown in some}
            for stamp in stamps:
                if stamp.id in seen:
                    numbers[stamp.story_id][stamp.id] = stamp.number
            for described in self.records.described(work, actor, some):
                record = described.shown.record
                own = numbers[record.id]
                cover = None if record.cover_record_id is None else own.get(record.cover_record_id)
                summaries.append(StorySummary(described, cover, len(own)))
        return summaries

    def with_children(
        self, work: UnitOfWork, actor: Actor, page: Sequence[RecordWithThumbnail]
    ) -> list[tuple[StorySummary, list[RecordWithThumbnail]]]:
        """A page of stories, each with the children that the actor sees, in its order: MOST_CHILDREN in all. A story
        that no longer fits comes with none. The number of statements does not depend on that of the stories."""
        summaries, room = self.summaries(work, actor, page), MOST_CHILDREN
        fitting: list[RecordId] = []
        for summary in summaries:
            if summary.count <= room:
                room -= summary.count
                fitting.append(summary.record.id)
        stamps = story_store.child_stamps(work, fitting) if fitting else []
        records = self.records.page(work, actor, list(dict.fromkeys(stamp.id for stamp in stamps)))
        shown = {child.record.id: child for child in records}
        children: dict[RecordId, list[RecordWithThumbnail]] = {}
        for stamp in stamps:
            if stamp.id in shown:
                children.setdefault(stamp.story_id, []).append(shown[stamp.id])
        return [(summary, children.get(summary.record.id, [])) for summary in summaries]

    def names_of_parents(self, work: UnitOfWork, actor: Actor, record: Record) -> list[Parent]:
        """The stories that hold *record* and that the actor sees."""
        parents = story_store.parents(work, record.id)
        seen = access.visible_ids(work, actor, ((parent.id, parent.collection_id, parent.status) for parent in parents))
        return [parent for parent in parents if parent.id in seen]

    def of_record(self, work: UnitOfWork, actor: Actor, record: Record) -> list[StoryWithChildren | StorySummary]:
        """The stories that hold *record* and that the actor sees, with their children: MOST_CHILDREN in all. A story
        that no longer fits comes as a summary."""
        parents = self.records.page(work, actor, story_links.parents(work, record.id))
        room = MOST_CHILDREN
        stories: list[StoryWithChildren | StorySummary] = []
        for summary in self.summaries(work, actor, parents):
            if summary.count <= room:
                room -= summary.count
                stories.append(self._whole(work, actor, summary.story.shown))
            else:
                stories.append(summary)
        return stories
