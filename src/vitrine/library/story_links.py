"""The stories that a record is in, or gives its pictures to, and what becomes of them when it is deleted.

Everything else about stories is in the package `stories`, which builds on records; a deletion comes before that."""

from collections.abc import Sequence

import sqlalchemy as sa

from vitrine.library.events import RecordChanged, StoryChildrenChanged, StoryCoverChanged
from vitrine.library.model import PREVIEW, THUMBNAIL, RecordId
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


def _delete_copies(work: UnitOfWork, story_ids: Sequence[RecordId]) -> None:
    """The pictures that stories have from their covers; those put in by hand stay."""
    copies = sa.and_(renditions.c.name.in_(COPIED), renditions.c.substituted.is_(False))
    work.db.execute(renditions.delete().where(renditions.c.record_id.in_(list(story_ids)), copies))


def take_cover_away(work: UnitOfWork, story_ids: Sequence[RecordId]) -> None:
    """These stories have no cover any more."""
    _delete_copies(work, story_ids)
    some = records.c.id.in_(list(story_ids))
    work.db.execute(records.update().where(some).values(cover_record_id=None, updated=work.now))


def _touch(work: UnitOfWork, story_ids: Sequence[RecordId]) -> None:
    """Their children are others than before."""
    work.db.execute(records.update().where(records.c.id.in_(list(story_ids))).values(updated=work.now))
