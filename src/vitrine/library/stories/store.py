"""SQL of the children of stories."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from vitrine.library.model import CollectionId, DataboxId, RecordId
from vitrine.library.story_links import COPIED
from vitrine.library.tables import records, story_children
from vitrine.platform.database import UnitOfWork
from vitrine.platform.prepared import Prepared

_links = story_children.c
_IN_ORDER = (_links.position, _links.child_id)
CHUNK = 500  # records a statement


@dataclass(frozen=True, slots=True)
class Candidate:
    """What decides whether a record may become a child."""

    id: RecordId
    number: int
    collection_id: CollectionId
    status: int
    is_story: bool


def candidates(work: UnitOfWork, databox: DataboxId, numbers: Iterable[int]) -> dict[int, Candidate]:
    """Records of a databox by their numbers; unknown numbers are left out."""
    wanted = sorted(set(numbers))
    columns = [records.c[name] for name in Candidate.__dataclass_fields__]
    by_number = {}
    for start in range(0, len(wanted), CHUNK):
        query = sa.select(*columns).where(
            records.c.databox_id == databox, records.c.number.in_(wanted[start : start + CHUNK])
        )
        by_number.update({row[1]: Candidate(*row) for row in work.db.execute(query)})
    return by_number


_CHILDREN = Prepared(sa.select(_links.child_id).where(_links.story_id == sa.bindparam("story")).order_by(*_IN_ORDER))


def children(work: UnitOfWork, story_id: RecordId) -> list[RecordId]:
    """The ids of all children in their order."""
    return [RecordId(row[0]) for row in _CHILDREN.all_raw(work, (story_id,))]


_PLACES = Prepared(
    sa.select(_links.child_id, _links.position).where(_links.story_id == sa.bindparam("story")).order_by(*_IN_ORDER)
)


def places(work: UnitOfWork, story_id: RecordId) -> dict[RecordId, int]:
    """The positions of all children, in their order."""
    return {RecordId(row[0]): row[1] for row in _PLACES.all_raw(work, (story_id,))}


@dataclass(frozen=True, slots=True)
class ChildStamp:
    """A child of one of several stories, with what decides who sees it."""

    story_id: RecordId
    id: RecordId
    number: int
    collection_id: CollectionId
    status: int
    position: int


def child_stamps(work: UnitOfWork, story_ids: Sequence[RecordId]) -> list[ChildStamp]:
    """All children of these stories, those of one story together and in order."""
    query = (
        sa.select(
            _links.story_id, records.c.id, records.c.number, records.c.collection_id, records.c.status, _links.position
        )
        .select_from(story_children.join(records, records.c.id == _links.child_id))
        .where(_links.story_id.in_(list(story_ids)))
        .order_by(_links.story_id, *_IN_ORDER)
    )
    return [ChildStamp(*row) for row in work.db.execute(query)] if story_ids else []


@dataclass(frozen=True, slots=True)
class Parent:
    """A story that holds a record: its name, and what decides who sees it."""

    id: RecordId
    databox_id: DataboxId
    number: int
    title: str
    titles: Mapping[str, str] | None
    collection_id: CollectionId
    status: int

    def title_in(self, language: str) -> str:
        """The title in one of the four languages."""
        return (self.titles or {}).get(language, self.title)


_PARENTS = Prepared(
    sa.select(*(records.c[name] for name in Parent.__dataclass_fields__))
    .select_from(story_children.join(records, records.c.id == _links.story_id))
    .where(_links.child_id == sa.bindparam("child"))
    .order_by(_links.story_id)
)


def parents(work: UnitOfWork, child_id: RecordId) -> list[Parent]:
    """The stories that hold a record, the oldest first."""
    return [Parent(*row) for row in _PARENTS.all(work, child=child_id)]


def in_most_stories(work: UnitOfWork, child_ids: Sequence[RecordId], most: int) -> set[RecordId]:
    """Those of these records that *most* stories or more hold."""
    full: set[RecordId] = set()
    for start in range(0, len(child_ids), CHUNK):
        some = _links.child_id.in_(list(child_ids[start : start + CHUNK]))
        counted = sa.select(_links.child_id).where(some).group_by(_links.child_id)
        full.update(RecordId(row[0]) for row in work.db.execute(counted.having(sa.func.count() >= most)))
    return full


def add(work: UnitOfWork, story_id: RecordId, child_ids: Sequence[RecordId], first: int) -> None:
    """Append children that the story does not hold yet; *first* is the position of the first."""
    rows = [
        {"story_id": story_id, "child_id": child_id, "position": first + place}
        for place, child_id in enumerate(child_ids)
    ]
    if rows:
        work.db.execute(story_children.insert(), rows)


def remove(work: UnitOfWork, story_id: RecordId, child_ids: Sequence[RecordId]) -> None:
    for start in range(0, len(child_ids), CHUNK):
        some = _links.child_id.in_(list(child_ids[start : start + CHUNK]))
        work.db.execute(story_children.delete().where(_links.story_id == story_id, some))


def place(work: UnitOfWork, story_id: RecordId, positions: Mapping[RecordId, int]) -> None:
    """Give children new positions."""
    rows = [{"child": child_id, "place": position} for child_id, position in positions.items()]
    if rows:
        moved = sa.and_(_links.story_id == story_id, _links.child_id == sa.bindparam("child"))
        work.db.execute(story_children.update().where(moved).values(position=sa.bindparam("place")), rows)


# -- covers ------------------------------------------------------------------------------------------------------------


def set_sources(
    work: UnitOfWork, story_id: RecordId, child_id: RecordId | None, sources: Mapping[str, str | None]
) -> None:
    """Keep which files of the cover the story shows, by the names of its own; earlier ones are forgotten."""
    nothing = {_links.thumbnail_source: None, _links.preview_source: None}
    has_any = sa.or_(_links.thumbnail_source.is_not(None), _links.preview_source.is_not(None))
    work.db.execute(story_children.update().where(_links.story_id == story_id, has_any).values(nothing))
    if child_id is not None:
        link = sa.and_(_links.story_id == story_id, _links.child_id == child_id)
        values = {_links[f"{name}_source"]: sources.get(name) for name in COPIED}
        work.db.execute(story_children.update().where(link).values(values))


def sources_of(
    work: UnitOfWork, story_ids: Sequence[RecordId], child_id: RecordId
) -> dict[RecordId, dict[str, str | None]]:
    """By story: which file of *child_id* it shows as its own `thumbnail` and `preview`."""
    query = sa.select(_links.story_id, _links.thumbnail_source, _links.preview_source).where(
        _links.child_id == child_id, _links.story_id.in_(list(story_ids))
    )
    return {RecordId(row[0]): dict(zip(COPIED, row[1:], strict=True)) for row in work.db.execute(query)}
