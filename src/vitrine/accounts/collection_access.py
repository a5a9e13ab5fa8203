"""The rights of people on collections and databoxes, seen from the collection: for those who administer it."""

import sqlalchemy as sa

from vitrine.accounts import store
from vitrine.accounts.model import UserId
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, ALL_RIGHTS, CollectionGrant
from vitrine.accounts.tables import (
    collection_rights,
    group_collection_rights,
    group_members,
    record_grants,
    template_collection_rights,
    users,
)
from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import metadata


def give_founder_databox(work: UnitOfWork, user_id: UserId, databox_id: int) -> None:
    """Whoever makes a databox has every right on it, else nobody could give any."""
    store.set_databox_rights(work, user_id, databox_id, ALL_DATABOX_RIGHTS)


def give_founder(work: UnitOfWork, user_id: UserId, base_id: int, databox_id: int) -> None:
    """Whoever makes a collection has every right on it, which is empty."""
    store.set_collection_rights(work, user_id, CollectionGrant(base_id, databox_id, ALL_RIGHTS))


def masks_with_bit(work: UnitOfWork, databox_id: int, bit: int) -> int:
    """How many masks of people, groups and templates look at *bit* on some collection of a databox (06 section 17.4).
    Those of groups without members and of templates count too, since somebody may get them later."""
    collections = metadata.tables["collections"]
    masks = 0
    for table in (collection_rights, group_collection_rights, template_collection_rights):
        query = (
            sa.select(sa.func.count())
            .select_from(table)
            .join(collections, collections.c.id == table.c.collection_id)
            .where(collections.c.databox_id == databox_id, table.c.mask_and.op("&")(1 << bit) != 0)
        )
        masks += int(work.db.scalar(query) or 0)
    return masks


def rights_changed_on(work: UnitOfWork, base_id: int) -> None:
    """Make every process read the rights again of everybody who has some on a collection, of their own or through a
    group, or on single records."""
    linked = sa.select(collection_rights.c.user_id).where(collection_rights.c.collection_id == base_id)
    members = (
        sa.select(group_members.c.user_id)
        .join(group_collection_rights, group_collection_rights.c.group_id == group_members.c.group_id)
        .where(group_collection_rights.c.collection_id == base_id)
    )
    granted = sa.exists().where(record_grants.c.user_id == users.c.id)
    concerned = sa.or_(users.c.id.in_(linked), users.c.id.in_(members), granted)
    work.db.execute(users.update().where(concerned).values(rights_version=users.c.rights_version + 1))
