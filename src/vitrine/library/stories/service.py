"""Makes stories, changes their children, and shows them (contract 06 section 11; rights: section 17.7).

To make a story asks R(canaddrecord) on its collection; to change its children asks V' and R(canmodifrecord) on the
story, and V' on each child that is named. What a person sees of a story are the children that they see.
"""

import uuid as uuids
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vitrine.accounts import Actor, Right
from vitrine.errors import DomainError
from vitrine.library import access, bins, store
from vitrine.library.errors import ChangedMeanwhile, MayNotChange, NoSuchRecord
from vitrine.library.events import RecordAdded, RecordChanged, StoryChildrenChanged, StoryCoverChanged
from vitrine.library.ingest import Ingest
from vitrine.library.model import Collection, CollectionId, DataboxId, Record, RecordId, RecordKey
from vitrine.library.records import Records, RecordWithThumbnail
from vitrine.library.removal import Removal
from vitrine.library.stories import store as story_store
from vitrine.library.stories.covers import Covers
from vitrine.library.stories.errors import (
    ChildHidden,
    MayNotChangeStory,
    NoSuchChild,
    NoSuchStory,
    NotAChild,
    StoryFull,
)
from vitrine.library.stories.model import (
    MOST_CHILDREN,
    MOST_STORIES,
    ChildDraft,
    CoverSources,
    StoryDraft,
)
from vitrine.library.stories.store import Candidate
from vitrine.library.stories.values import require_values, title_and_values
from vitrine.library.structure.titles import title_of, titles_of
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

KIND = "unknown"  # a story has no file, hence no type of its own
LONGEST_NAME = 255  # characters, the width of the column


@dataclass(frozen=True, slots=True)
class CreatedStories:
    """What came of several drafts: the stories made, in order, and what stopped the next one, if anything did."""

    keys: list[RecordKey]
    refusal: DomainError | None = None


@dataclass(frozen=True, slots=True)
class Stories:
    records: Records
    ingest: Ingest
    removal: Removal
    covers: Covers

    # -- making ------------------------------------------------------------------------------------------------------

    def permit_any(self, work: UnitOfWork, actor: Actor) -> None:
        """Raises MayNotAdd where there is no collection in which *actor* may make a story."""
        self.ingest.permit_any(work, actor)

    def create(self, work: UnitOfWork, actor: Actor, draft: StoryDraft) -> RecordKey:
        """One story with its children and cover, whole or not at all: everything is checked before the first row.

        Raises NoSuchCollection, MayNotAdd, and what `add` raises; NoSuchField if the draft is strict.
        """
        collection = self.ingest.permit(work, actor, draft.into)
        known = self._candidates(work, actor, collection.databox_id, draft.children)
        fresh = self._fresh(work, [], known)
        cover = self._cover_of(work, draft.children)
        fields = self.records.structure(work).fields[collection.databox_id]
        name, values = title_and_values(fields, draft)
        if draft.is_strict:
            require_values(work, fields, draft, values)
        title = title_of(fields, values, name)
        titles = titles_of(fields, values, title)
        story = self._add_record(work, actor, collection, {"title": title, "titles": titles}, draft.title)
        store.add_values(work, story.id, [(field.id, text) for field, texts in values for text in texts])
        story_store.add(work, story.id, fresh, 0)
        details = {"base_id": collection.id, "children": len(fresh)}
        audit.write(work, actor, "story.created", f"record {story.key}", details)
        work.emit(RecordAdded(story.id))
        if fresh:
            work.emit(StoryChildrenChanged(story.id, actor.user_id, added=tuple(fresh)))
        if cover is not None:
            self._take_cover(work, actor, story, *cover)
        return story.key

    def create_several(self, work: UnitOfWork, actor: Actor, drafts: Sequence[StoryDraft]) -> CreatedStories:
        """In order, up to the first that is refused; those before it stay (02 section 6.9)."""
        keys: list[RecordKey] = []
        for draft in drafts:
            try:
                keys.append(self.create(work, actor, draft))
            except DomainError as refusal:
                return CreatedStories(keys, refusal)
        return CreatedStories(keys)

    def _add_record(
        self, work: UnitOfWork, actor: Actor, collection: Collection, titles: Mapping[str, Any], given_title: str
    ) -> Record:
        columns = {
            "databox_id": collection.databox_id,
            "number": store.next_number(work, collection.databox_id),
            "collection_id": collection.id,
            "is_story": True,
            "kind": KIND,
            "mime": None,
            "original_name": given_title[:LONGEST_NAME] or None,  # the title where no field holds one, as in 4.1
            **titles,
            "uuid": str(uuids.uuid4()),
            "status": collection.default_status,
            "technical": "[]",
            "creator_id": actor.user_id,
            **bins.switch_on_arrival(collection),
            "created": work.now,
            "updated": work.now,
        }
        record = store.by_id(work, store.add_record(work, columns))
        assert record is not None
        return record

    # -- changing ----------------------------------------------------------------------------------------------------

    def add(
        self,
        work: UnitOfWork,
        actor: Actor,
        key: RecordKey,
        drafts: Sequence[ChildDraft],
        *,
        unchanged_since: datetime | None = None,
    ) -> list[RecordKey]:
        """Append records; those already in the story keep their places. The first draft with a cover becomes the cover.
        Returns the keys of the records that were added.

        Raises NoSuchStory, MayNotChangeStory, ChangedMeanwhile; for a draft NotAChild, NoSuchRecord, ChildHidden;
        StoryFull. Nothing is changed then.
        """
        story = self.editable(work, actor, key, unchanged_since=unchanged_since)
        known = self._candidates(work, actor, key.databox, drafts)
        cover = self._cover_of(work, drafts)
        places = story_store.places(work, story.id)
        fresh = self._fresh(work, list(places), known)
        if fresh:
            story_store.add(work, story.id, fresh, max(places.values(), default=-1) + 1)
            self._changed(work, actor, story, StoryChildrenChanged(story.id, actor.user_id, added=tuple(fresh)))
        if cover is not None:
            self._take_cover(work, actor, story, *cover)
        added = set(fresh)
        return [RecordKey(key.databox, child.number) for child in known if child.id in added]

    def remove(
        self,
        work: UnitOfWork,
        actor: Actor,
        key: RecordKey,
        drafts: Sequence[ChildDraft],
        *,
        unchanged_since: datetime | None = None,
    ) -> None:
        """Take records out of the story; those that are not in it are ignored. Without its cover the story has none.

        Raises what `add` raises for the story and for a record."""
        story = self.editable(work, actor, key, unchanged_since=unchanged_since)
        known = self._candidates(work, actor, key.databox, drafts, stories_too=True)
        wanted = {child.id for child in known}
        gone = [child_id for child_id in story_store.children(work, story.id) if child_id in wanted]
        if not gone:
            return
        if story.cover_record_id in wanted:
            self.covers.take_away(work, story.id)
            work.emit(StoryCoverChanged(story.id, actor.user_id, story.cover_record_id, None))
        story_store.remove(work, story.id, gone)
        self._changed(work, actor, story, StoryChildrenChanged(story.id, actor.user_id, removed=tuple(gone)))

    def reorder(
        self,
        work: UnitOfWork,
        actor: Actor,
        key: RecordKey,
        numbers: Sequence[int],
        *,
        unchanged_since: datetime | None = None,
    ) -> None:
        """Put the children that the actor sees into the order of *numbers*; the others keep their places.

        Raises NotAChild unless *numbers* names each of them exactly once, and what `add` raises for the story."""
        story = self.editable(work, actor, key, unchanged_since=unchanged_since)
        stamps = story_store.child_stamps(work, [story.id])
        seen = access.visible_ids(work, actor, ((stamp.id, stamp.collection_id, stamp.status) for stamp in stamps))
        by_number = {stamp.number: stamp.id for stamp in stamps if stamp.id in seen}
        if len(numbers) != len(by_number) or set(numbers) != by_number.keys():
            raise NotAChild(
                "Name each of the {count} records of this story that you see exactly once.",
                field="records",
                values={"count": len(by_number)},
            )
        wanted = iter([by_number[number] for number in numbers])
        order = [next(wanted) if stamp.id in seen else stamp.id for stamp in stamps]
        positions = {stamp.id: stamp.position for stamp in stamps}
        moved = {child: place for place, child in enumerate(order) if positions[child] != place}
        if order != [stamp.id for stamp in stamps]:
            story_store.place(work, story.id, moved)
            self._changed(work, actor, story, StoryChildrenChanged(story.id, actor.user_id))

    def set_cover(
        self,
        work: UnitOfWork,
        actor: Actor,
        key: RecordKey,
        number: int | None,
        sources: CoverSources | None = None,
        *,
        unchanged_since: datetime | None = None,
    ) -> dict[str, str]:
        """Make a child the cover, or none with *number* None. Returns what `Covers.take` returns.

        Raises NoSuchChild, ChildHidden, SourceTooGood, and what `add` raises for the story."""
        story = self.editable(work, actor, key, unchanged_since=unchanged_since)
        if number is None:
            if story.cover_record_id is not None:
                self.covers.take_away(work, story.id)
                self._cover_changed(work, actor, story, None)
            return {}
        candidate = story_store.candidates(work, key.databox, [number]).get(number)
        if candidate is None or candidate.id not in story_store.places(work, story.id):
            raise NoSuchChild(f"Record {number} is not in this story.", field="record_id")
        if candidate.id not in access.visible_ids(work, actor, [_stamp(candidate)]):
            raise ChildHidden("You have no access to this record.", field="record_id", why=f"record {number}")
        child, chosen = store.by_id(work, candidate.id), sources or CoverSources()
        assert child is not None
        self.covers.check(work, child, chosen)
        return self._take_cover(work, actor, story, child, chosen)

    def delete(self, work: UnitOfWork, actor: Actor, key: RecordKey, *, with_children: bool = False) -> list[RecordKey]:
        """Delete the story as people do (`Removal.discard`: into the bin first); its children stay, or *with_children*
        go too: those that the actor sees, each with the right to delete it. Returns the keys of what was deleted, the
        story last.

        Raises MayNotChange, and then nothing is deleted."""
        story = self.get(work, actor, key)
        gone: list[RecordKey] = []
        if with_children:
            if not access.may(work, actor, story, Right.candeleterecord):
                raise MayNotChange("You may not delete this story.", why=f"record {key}")
            for shown in self.children(work, actor, story):
                if not access.may(work, actor, shown.record, Right.candeleterecord):
                    number = shown.record.number
                    raise MayNotChange(f"You may not delete record {number} of this story.", why=f"record {number}")
                gone.append(shown.record.key)
        for record in (*gone, key):
            self.removal.discard(work, actor, record)
        return [*gone, key]

    # -- what the actor sees -------------------------------------------------------------------------------------------

    def get(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> Record:
        """Raises NoSuchDatabox, NoSuchRecord or MayNotSee as for any record, and NoSuchStory for one that is none."""
        story = self.records.get(work, actor, key)
        if not story.is_story:
            raise _no_story(key)
        return story

    def editable(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, *, unchanged_since: datetime | None = None
    ) -> Record:
        """The story whose children the actor may change. With *unchanged_since*, the version that they read.

        Raises NoSuchStory, MayNotChangeStory or ChangedMeanwhile."""
        story = store.by_key(work, key)
        if story is None or not story.is_story:
            raise _no_story(key)
        if not access.may_change_story(work, actor, story):
            raise MayNotChangeStory("You may not change this story.", why=f"record {key}")
        if unchanged_since is not None and story.updated != unchanged_since:
            raise ChangedMeanwhile("Somebody has changed this story since you read it. Read it again.")
        return story

    def children(self, work: UnitOfWork, actor: Actor, story: Record) -> list[RecordWithThumbnail]:
        """The children that the actor sees, in the order of the story, MOST_CHILDREN at most."""
        return self.records.page(work, actor, story_store.children(work, story.id))

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _candidates(
        self,
        work: UnitOfWork,
        actor: Actor,
        databox: DataboxId,
        drafts: Sequence[ChildDraft],
        *,
        stories_too: bool = False,
    ) -> list[Candidate]:
        """The records of *drafts*, each once, in order. The first draft that is wrong decides the refusal."""
        by_number = story_store.candidates(work, databox, (draft.key.number for draft in drafts))
        seen = access.visible_ids(work, actor, map(_stamp, by_number.values()))
        known: dict[RecordId, Candidate] = {}
        for draft in drafts:
            candidate = by_number.get(draft.key.number)
            if draft.key.databox != databox:
                raise NotAChild("A story holds records of its own databox only.", field=f"{draft.place}.databox_id")
            if candidate is None:
                detail = f"There is no record {draft.key.number} in databox {databox}."
                raise NoSuchRecord(detail, field=f"{draft.place}.record_id")
            if candidate.id not in seen:
                detail, why = f"You have no access to record {candidate.number}.", f"record {draft.key}"
                raise ChildHidden(detail, field=f"{draft.place}.record_id", why=why)
            if candidate.is_story and not stories_too:
                raise NotAChild("A story cannot hold another story.", field=f"{draft.place}.record_id")
            known.setdefault(candidate.id, candidate)
        return list(known.values())

    @staticmethod
    def _fresh(work: UnitOfWork, present: Sequence[RecordId], known: Sequence[Candidate]) -> list[RecordId]:
        """Those of *known* that are not in the story yet. Raises StoryFull."""
        inside = set(present)
        fresh = [child for child in known if child.id not in inside]
        if len(inside) + len(fresh) > MOST_CHILDREN:
            detail = "A story holds at most {most} records."
            raise StoryFull(detail, field="records", values={"most": MOST_CHILDREN})
        full = story_store.in_most_stories(work, [child.id for child in fresh], MOST_STORIES)
        for child in fresh:
            if child.id in full:
                raise StoryFull(
                    "Record {number} is in {most} stories already, the most there may be.",
                    field="records",
                    values={"number": child.number, "most": MOST_STORIES},
                )
        return [child.id for child in fresh]

    def _cover_of(self, work: UnitOfWork, drafts: Sequence[ChildDraft]) -> tuple[Record, CoverSources] | None:
        """The record of the first draft with a cover. Raises SourceTooGood."""
        for draft in drafts:
            if draft.cover is not None:
                child = store.by_key(work, draft.key)
                assert child is not None  # one of the candidates
                self.covers.check(work, child, draft.cover)
                return child, draft.cover
        return None

    def _take_cover(
        self, work: UnitOfWork, actor: Actor, story: Record, child: Record, sources: CoverSources
    ) -> dict[str, str]:
        taken = self.covers.take(work, actor, story, child, sources)
        self._cover_changed(work, actor, story, child)
        return taken

    @staticmethod
    def _cover_changed(work: UnitOfWork, actor: Actor, story: Record, child: Record | None) -> None:
        after = None if child is None else child.id
        store.update_record(work, story.id, {"cover_record_id": after})
        work.emit(StoryCoverChanged(story.id, actor.user_id, story.cover_record_id, after))
        work.emit(RecordChanged(story.id))
        details = {"cover": None if child is None else child.number}
        audit.write(work, actor, "story.cover", f"record {story.key}", details)

    @staticmethod
    def _changed(work: UnitOfWork, actor: Actor, story: Record, event: StoryChildrenChanged) -> None:
        store.update_record(work, story.id, {})
        work.emit(event)
        work.emit(RecordChanged(story.id))
        details = {"added": len(event.added), "removed": len(event.removed)}
        audit.write(work, actor, "story.children", f"record {story.key}", details)


def _stamp(candidate: Candidate) -> tuple[RecordId, CollectionId, int]:
    return candidate.id, candidate.collection_id, candidate.status


def _no_story(key: RecordKey) -> NoSuchStory:
    return NoSuchStory(f"There is no story {key.number} in databox {key.databox}.", field="record_id")
