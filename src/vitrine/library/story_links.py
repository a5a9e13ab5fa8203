"""The stories that a record is in, or gives its pictures to, and what becomes of them when it is deleted.

Everything else about stories is in the package `stories`, which builds on records; a deletion comes before that."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from vitrine.library.events import RecordChanged, StoryChildrenChanged, StoryCoverChanged
from vitrine.library.model import PREVIEW, THUMBNAIL, CollectionId, RecordId
from vitrine.library.tables import records, renditions, story_children
from vitrine.platform.database import UnitOfWork
from vitrine.platform.prepared import Prepared

_links = story_children.c
COPIED = (THUMBNAIL, PREVIEW)  # the renditions that a story may have from its cover


def leave(work: UnitOfWork, record_id: RecordId) -> None:
    """Tell the stories that hold a record, just before its row is deleted and their links with it. A story whose cover
    it was loses the pictures that it took from it: they must not outlive the record."""
    stories = parents(work, record_id)
    if not stories:
        return
    covered = covered_by(work, record_id)
    if covered:
        take_cover_away(work, covered)
    _touch(work, stories)
    for story_id in stories:
        work.emit(RecordChanged(story_id))
        work.emit(StoryChildrenChanged(story_id, actor_id=None, removed=(record_id,)))
    for story_id in covered:
        work.emit(StoryCoverChanged(story_id, actor_id=None, before=record_id, after=None))


_PARENTS = Prepared(
    sa.select(_links.story_id).where(_links.child_id == sa.bindparam("child")).order_by(_links.story_id)
)


def parents(work: UnitOfWork, child_id: RecordId) -> list[RecordId]:
    """The stories that hold a record, the oldest first."""
    return [RecordId(row[0]) for row in _PARENTS.all_raw(work, (child_id,))]


_COVERED_BY = Prepared(sa.select(records.c.id).where(records.c.cover_record_id == sa.bindparam("cover")))


def covered_by(work: UnitOfWork, record_id: RecordId) -> list[RecordId]:
    """The stories whose cover is this record."""
    return [RecordId(row[0]) for row in _COVERED_BY.all_raw(work, (record_id,))]


_COVERS_WITH = Prepared(
    sa.select(records.c.id, records.c.cover_record_id).where(
        sa.or_(
            records.c.cover_record_id == sa.bindparam("cover"),
            sa.and_(records.c.id == sa.bindparam("story"), records.c.cover_record_id.is_not(None)),
        )
    )
)


def covers_with(work: UnitOfWork, record_id: RecordId) -> dict[RecordId, RecordId]:
    """The stories whose cover is this record, or this story itself, each with its cover."""
    rows = _COVERS_WITH.all_raw(work, (record_id, record_id))
    return {RecordId(story): RecordId(cover) for story, cover in rows}


_IS_COPY = sa.and_(renditions.c.name.in_(COPIED), renditions.c.substituted.is_(False))


def _delete_copies(work: UnitOfWork, story_ids: Sequence[RecordId]) -> None:
    """The pictures that stories have from their covers; those put in by hand stay."""
    work.db.execute(renditions.delete().where(renditions.c.record_id.in_(list(story_ids)), _IS_COPY))


_COVER = records.alias("cover")
_STORY = records.alias("story")


def _is_across(base: CollectionId) -> sa.ColumnElement[bool]:
    """The story or its cover is in this collection, and the other one is not."""
    bases = (_STORY.c.collection_id, _COVER.c.collection_id)
    return sa.and_(bases[0] != bases[1], sa.or_(*(column == base for column in bases)))


def hide_pictures_across(work: UnitOfWork, base: CollectionId) -> None:
    """Stories lose the pictures that they have from covers in another collection, where one of the two is this. Which
    files they were is kept."""
    affected = (
        sa.select(_STORY.c.id)
        .join(_COVER, _COVER.c.id == _STORY.c.cover_record_id)
        .where(_STORY.c.cover_record_id.is_not(None), _is_across(base))
    )
    work.db.execute(renditions.delete().where(renditions.c.record_id.in_(affected), _IS_COPY))


def covers_across(work: UnitOfWork, ids: Sequence[RecordId], base: CollectionId) -> list[RecordId]:
    """Those of these records that are covers of such stories."""
    query = (
        sa.select(_COVER.c.id)
        .join(_STORY, _STORY.c.cover_record_id == _COVER.c.id)
        .where(_COVER.c.id.in_(list(ids)), _is_across(base))
        .distinct()
    )
    return [RecordId(record_id) for record_id in work.db.scalars(query)]


def take_cover_away(work: UnitOfWork, story_ids: Sequence[RecordId]) -> None:
    """These stories have no cover any more."""
    _delete_copies(work, story_ids)
    some = records.c.id.in_(list(story_ids))
    work.db.execute(records.update().where(some).values(cover_record_id=None, updated=work.now))


def _touch(work: UnitOfWork, story_ids: Sequence[RecordId]) -> None:
    """Their children are others than before."""
    work.db.execute(records.update().where(records.c.id.in_(list(story_ids))).values(updated=work.now))


# -- removed stories ---------------------------------------------------------------------------------------------------

_LINK = ("position", "thumbnail_source", "preview_source")


def kept_children(work: UnitOfWork, story_id: RecordId) -> list[dict[str, Any]]:
    """The children of a story that is about to be deleted, as JSON: by their numbers, which never change."""
    columns = [records.c.number, records.c.id == _cover_of(story_id), *(_links[name] for name in _LINK)]
    query = sa.select(*columns).join(records, records.c.id == _links.child_id).where(_links.story_id == story_id)
    names = ("number", "is_cover", *_LINK)
    return [dict(zip(names, row, strict=True)) for row in work.db.execute(query.order_by(_links.position))]


def _cover_of(story_id: RecordId) -> sa.ScalarSelect[Any]:
    story = records.alias("story")
    return sa.select(story.c.cover_record_id).where(story.c.id == story_id).scalar_subquery()


def restore_children(work: UnitOfWork, story_id: RecordId, databox: int, children: Sequence[Mapping[str, Any]]) -> None:
    """Give a restored story those of its children that are still there, and its cover; without the cover it loses the
    pictures that it had from it."""
    kept = {child["number"]: child for child in children}
    known = sa.select(records.c.number, records.c.id).where(
        records.c.databox_id == databox, records.c.number.in_(list(kept)), ~records.c.is_story
    )
    rows: list[dict[str, Any]] = []
    cover = None
    for number, child_id in work.db.execute(known):
        child = kept[number]
        rows.append({"story_id": story_id, "child_id": child_id, **{name: child[name] for name in _LINK}})
        cover = child_id if child["is_cover"] else cover
    if rows:
        work.db.execute(story_children.insert(), rows)
    if cover is None:
        _delete_copies(work, [story_id])
    else:
        work.db.execute(records.update().where(records.c.id == story_id).values(cover_record_id=cover))
