"""All SQL of hot folders."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from vitrine.jobs.tables import workers
from vitrine.library.hot_folders.model import HotFolder, HotFolderId
from vitrine.library.tables import hot_folders
from vitrine.platform.database import UnitOfWork, inserted_id

SEEN_WITHIN = timedelta(seconds=30)  # a worker that did not show itself for longer is none
_ROW = [hot_folders.c[name] for name in HotFolder.__dataclass_fields__]


def page(work: UnitOfWork, after: int, limit: int) -> list[HotFolder]:
    query = sa.select(*_ROW).where(hot_folders.c.id > after).order_by(hot_folders.c.id).limit(limit)
    return [HotFolder(*row) for row in work.db.execute(query)]


def get(work: UnitOfWork, folder_id: HotFolderId) -> HotFolder | None:
    row = work.db.execute(sa.select(*_ROW).where(hot_folders.c.id == folder_id)).first()
    return None if row is None else HotFolder(*row)


def add(work: UnitOfWork, values: Mapping[str, Any]) -> HotFolderId:
    added = {**values, "created": work.now, "updated": work.now}
    return HotFolderId(inserted_id(work.db.execute(hot_folders.insert().values(added))))


def change(work: UnitOfWork, folder_id: HotFolderId, values: Mapping[str, Any]) -> None:
    """A change by an administrator: the worker that looks after the folder begins anew."""
    more = {"revision": hot_folders.c.revision + 1, "updated": work.now, "holder": None}
    work.db.execute(hot_folders.update().where(hot_folders.c.id == folder_id).values({**values, **more}))


def delete(work: UnitOfWork, folder_id: HotFolderId) -> None:
    work.db.execute(hot_folders.delete().where(hot_folders.c.id == folder_id))


# -- of workers ----------------------------------------------------------------------------------------------------


def free_for(work: UnitOfWork, owner: str) -> list[HotFolder]:
    """The enabled folders that this worker may look after: its own, and those that no living worker holds."""
    query = sa.select(*_ROW).where(hot_folders.c.is_enabled, _is_free_for(work, owner)).order_by(hot_folders.c.id)
    return [HotFolder(*row) for row in work.db.execute(query)]


def hold(work: UnitOfWork, folder_id: HotFolderId, owner: str) -> bool:
    """Look after a folder from now on; False if another worker does."""
    free = sa.and_(hot_folders.c.id == folder_id, hot_folders.c.is_enabled, _is_free_for(work, owner))
    return work.db.execute(hot_folders.update().where(free).values(holder=owner)).rowcount == 1


def is_held(work: UnitOfWork, folder: HotFolder, owner: str) -> bool:
    """Does this worker look after the folder still, as it was when it began? Asked in the write that adds a file."""
    row = work.db.execute(
        sa.select(hot_folders.c.holder, hot_folders.c.revision, hot_folders.c.is_enabled).where(
            hot_folders.c.id == folder.id
        )
    ).first()
    return row is not None and (row.holder, row.revision, row.is_enabled) == (owner, folder.revision, True)


def release(work: UnitOfWork, folder: HotFolder, owner: str, fault: str) -> None:
    """Let others look after a folder, and say why it cannot be used here."""
    own = sa.and_(hot_folders.c.id == folder.id, hot_folders.c.holder == owner)
    work.db.execute(hot_folders.update().where(own).values(holder=None, fault=fault))


def clear_fault(work: UnitOfWork, folder: HotFolder, owner: str) -> None:
    own = sa.and_(hot_folders.c.id == folder.id, hot_folders.c.holder == owner)
    work.db.execute(hot_folders.update().where(own).values(fault=""))


def count(work: UnitOfWork, folder: HotFolder, *, failed: bool) -> None:
    """Count a file."""
    column = hot_folders.c.failed if failed else hot_folders.c.taken
    last = {} if failed else {"last_taken": work.now}
    counted = hot_folders.update().where(hot_folders.c.id == folder.id)
    work.db.execute(counted.values({column.name: column + 1, **last}))


def _is_free_for(work: UnitOfWork, owner: str) -> sa.ColumnElement[bool]:
    alive = sa.select(workers.c.owner).where(workers.c.seen > work.now - SEEN_WITHIN)
    holder = hot_folders.c.holder
    return sa.or_(holder.is_(None), holder == owner, holder.not_in(alive))
