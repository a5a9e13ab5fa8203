"""People who may be told of something in the library: open accounts, in the order of their ids."""

from collections.abc import Sequence

import sqlalchemy as sa

from vitrine.accounts import store
from vitrine.accounts.model import User
from vitrine.accounts.rights import Right
from vitrine.accounts.tables import collection_rights, group_collection_rights, group_members, users
from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import metadata

_COLUMNS = [users.c[name] for name in User.__dataclass_fields__]


def after(
    work: UnitOfWork,
    last_id: int,
    limit: int,
    collection_id: int | None = None,
    right: Right = Right.actif,
    *,
    with_address: bool = True,
) -> Sequence[User]:
    """The next people after *last_id*; with a collection, those whose access to it is live and has *right*, of their
    own or through a group, and which is enabled. Only those who can be mailed, unless *with_address* is off."""
    reachable = sa.and_(
        users.c.id > last_id,
        users.c.deleted_at.is_(None),
        *((users.c.email.is_not(None), users.c.email != "") if with_address else ()),
        sa.not_(users.c.is_guest),
        sa.not_(users.c.mail_locked),
    )
    query = sa.select(*_COLUMNS).where(reachable)
    if collection_id is not None:
        query = query.where(users.c.id.in_(_with_right(work, collection_id, last_id, right)))
    return [User(*row) for row in work.db.execute(query.order_by(users.c.id).limit(limit))]


def _with_right(work: UnitOfWork, collection_id: int, last_id: int, right: Right) -> sa.CompoundSelect[tuple[int]]:
    """The people after *last_id* with *right* and live access to an enabled collection, of their own or through a
    group."""
    wanted = int(Right.actif | right)
    collections = metadata.tables["collections"]

    def is_live(table: sa.Table) -> sa.ColumnElement[bool]:
        return sa.and_(
            table.c.collection_id == collection_id,
            sa.exists().where(collections.c.id == collection_id, collections.c.enabled),
            table.c.rights.bitwise_and(wanted) == wanted,
            sa.or_(table.c.valid_from.is_(None), table.c.valid_from <= work.now),
            sa.or_(table.c.valid_until.is_(None), table.c.valid_until >= work.now),
        )

    own, members = collection_rights.c.user_id, group_members.c.user_id
    through_groups = sa.select(members).join(
        group_collection_rights, group_collection_rights.c.group_id == group_members.c.group_id
    )
    return sa.union(
        sa.select(own).where(own > last_id, is_live(collection_rights)),
        through_groups.where(
            members > last_id, is_live(group_collection_rights), store.not_suspended(members, collection_id)
        ),
    )
