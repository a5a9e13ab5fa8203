"""People to whom a mail about the library may go: open accounts with an address, in the order of their ids."""

from collections.abc import Sequence

import sqlalchemy as sa

from vitrine.accounts.model import User
from vitrine.accounts.rights import Right
from vitrine.accounts.tables import collection_rights, users
from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import metadata

_COLUMNS = [users.c[name] for name in User.__dataclass_fields__]


def after(work: UnitOfWork, last_id: int, limit: int, collection_id: int | None = None) -> Sequence[User]:
    """The next people after *last_id*; with a collection, those whose access to it is live and which is enabled."""
    reachable = sa.and_(
        users.c.id > last_id,
        users.c.deleted_at.is_(None),
        users.c.email.is_not(None),
        users.c.email != "",
        sa.not_(users.c.is_guest),
        sa.not_(users.c.mail_locked),
    )
    query = sa.select(*_COLUMNS).where(reachable)
    if collection_id is not None:
        collections = metadata.tables["collections"]
        linked = collection_rights.c
        query = query.join(collection_rights, linked.user_id == users.c.id).join(
            collections, collections.c.id == linked.collection_id
        )
        query = query.where(
            linked.collection_id == collection_id,
            collections.c.enabled,
            linked.rights.bitwise_and(int(Right.actif)) != 0,
            sa.or_(linked.valid_from.is_(None), linked.valid_from <= work.now),
            sa.or_(linked.valid_until.is_(None), linked.valid_until >= work.now),
        )
    return [User(*row) for row in work.db.execute(query.order_by(users.c.id).limit(limit))]
