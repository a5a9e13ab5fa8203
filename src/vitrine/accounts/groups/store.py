"""All SQL of groups and templates."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from vitrine.accounts import store as people
from vitrine.accounts.groups.model import Group, GroupId, GroupRights, Member, Template, TemplateId
from vitrine.accounts.model import UserId
from vitrine.accounts.rights import CollectionGrant, DataboxRight
from vitrine.accounts.tables import (
    group_collection_rights,
    group_databox_rights,
    group_members,
    groups,
    rights_templates,
    template_collection_rights,
    users,
)
from vitrine.platform.database import UnitOfWork, inserted_id

_GROUP = [groups.c[name] for name in Group.__dataclass_fields__]
_TEMPLATE = [rights_templates.c[name] for name in Template.__dataclass_fields__]


def fold(name: str) -> str:
    return people.fold(name)


def get(work: UnitOfWork, group_id: int) -> Group | None:
    row = work.db.execute(sa.select(*_GROUP).where(groups.c.id == group_id)).first()
    return Group(*row) if row else None


def by_name(work: UnitOfWork, name: str) -> Group | None:
    row = work.db.execute(sa.select(*_GROUP).where(groups.c.name_folded == fold(name))).first()
    return Group(*row) if row else None


def page(work: UnitOfWork, after: int, limit: int) -> list[Group]:
    """The groups after the number *after*, in the order of their numbers."""
    rows = work.db.execute(sa.select(*_GROUP).where(groups.c.id > after).order_by(groups.c.id).limit(limit))
    return [Group(*row) for row in rows]


def page_with_rights_on(work: UnitOfWork, base_ids: Iterable[int], after: int, limit: int) -> list[Group]:
    """The same, of those that have rights on one of these collections."""
    of_groups = group_collection_rights.c
    concerned = sa.select(of_groups.group_id).where(of_groups.collection_id.in_(sorted(base_ids)))
    rows = work.db.execute(
        sa.select(*_GROUP).where(groups.c.id > after, groups.c.id.in_(concerned)).order_by(groups.c.id).limit(limit)
    )
    return [Group(*row) for row in rows]


def add(work: UnitOfWork, name: str, description: str) -> GroupId:
    values = {"name": name, "name_folded": fold(name), "description": description}
    return GroupId(inserted_id(work.db.execute(groups.insert().values(created=work.now, updated=work.now, **values))))


def update(work: UnitOfWork, group_id: int, values: Mapping[str, Any]) -> None:
    """Write *values* and count the version on."""
    changed = {**values, "updated": work.now, "version": groups.c.version + 1}
    work.db.execute(groups.update().where(groups.c.id == group_id).values(**changed))


def delete(work: UnitOfWork, group_id: int) -> None:
    bump_members(work, group_id)
    work.db.execute(groups.delete().where(groups.c.id == group_id))


def bump_members(work: UnitOfWork, group_id: int) -> None:
    """Make every process reload the rights of the members."""
    members = sa.select(group_members.c.user_id).where(group_members.c.group_id == group_id)
    changed = users.update().where(users.c.id.in_(members)).values(rights_version=users.c.rights_version + 1)
    work.db.execute(changed)


def rights_of(work: UnitOfWork, group_id: int) -> GroupRights:
    """Those on disabled collections too."""
    own = group_collection_rights.c.group_id == group_id
    grants = people.grants_in(work, group_collection_rights, own, also_disabled=True)
    boxes = group_databox_rights.c
    rows = work.db.execute(sa.select(boxes.databox_id, boxes.rights).where(boxes.group_id == group_id))
    return GroupRights({grant.base_id: grant for grant in grants}, {row[0]: DataboxRight(row[1]) for row in rows})


def set_collection_rights(work: UnitOfWork, group_id: int, grant: CollectionGrant | None, base_id: int) -> None:
    """Replace the group's grant on a collection; None removes it."""
    table = group_collection_rights
    work.db.execute(table.delete().where(table.c.group_id == group_id, table.c.collection_id == base_id))
    if grant is not None:
        values = people.grant_values(grant)
        work.db.execute(table.insert().values(group_id=group_id, collection_id=base_id, **values))
    _changed(work, group_id)


def set_databox_rights(work: UnitOfWork, group_id: int, databox_id: int, rights: DataboxRight) -> None:
    """No rights remove the row."""
    table = group_databox_rights
    work.db.execute(table.delete().where(table.c.group_id == group_id, table.c.databox_id == databox_id))
    if rights:
        work.db.execute(table.insert().values(group_id=group_id, databox_id=databox_id, rights=int(rights)))
    _changed(work, group_id)


def _changed(work: UnitOfWork, group_id: int) -> None:
    update(work, group_id, {})
    bump_members(work, group_id)


# -- members -----------------------------------------------------------------------------------------------------------

_JOIN = sa.text(
    "INSERT INTO group_members (group_id, user_id, added) VALUES (:group_id, :user_id, :added)"
    " ON CONFLICT (group_id, user_id) DO NOTHING"
).bindparams(sa.bindparam("added", type_=group_members.c.added.type))


def join(work: UnitOfWork, group_id: int, user_id: UserId) -> bool:
    """False if the person is a member already."""
    row = {"group_id": group_id, "user_id": user_id, "added": work.now}
    if work.db.execute(_JOIN, row).rowcount == 0:
        return False
    people.bump_rights(work, user_id)
    return True


def leave(work: UnitOfWork, group_id: int, user_id: UserId) -> bool:
    """False if the person was no member."""
    own = sa.and_(group_members.c.group_id == group_id, group_members.c.user_id == user_id)
    if work.db.execute(group_members.delete().where(own)).rowcount == 0:
        return False
    people.bump_rights(work, user_id)
    return True


def has_guest(work: UnitOfWork, group_id: int) -> bool:
    """The guest is a member."""
    own = sa.and_(group_members.c.group_id == group_id, users.c.is_guest)
    guests = sa.select(users.c.id).join(group_members, group_members.c.user_id == users.c.id).where(own).limit(1)
    return work.db.execute(guests).first() is not None


def leave_all(work: UnitOfWork, user_id: UserId) -> None:
    work.db.execute(group_members.delete().where(group_members.c.user_id == user_id))


def groups_of(work: UnitOfWork, user_id: UserId) -> list[Group]:
    """As many as MOST_GROUPS."""
    rows = work.db.execute(
        sa.select(*_GROUP)
        .join(group_members, group_members.c.group_id == groups.c.id)
        .where(group_members.c.user_id == user_id)
        .order_by(groups.c.id)
    )
    return [Group(*row) for row in rows]


def is_in_group_within(work: UnitOfWork, user_id: UserId, base_ids: Iterable[int]) -> bool:
    """The person is in a group that has rights on some of these collections and on no other."""
    return bool(members_within(work, (user_id,), base_ids))


def members_within(work: UnitOfWork, user_ids: Iterable[UserId], base_ids: Iterable[int]) -> set[UserId]:
    """Those of *user_ids* who are in a group that has rights on some of these collections and on no other."""
    inside, other = group_collection_rights.alias(), group_collection_rights.alias()
    bases = sorted(base_ids)
    elsewhere = sa.exists().where(other.c.group_id == inside.c.group_id, other.c.collection_id.not_in(bases))
    within = (
        sa.select(group_members.c.user_id)
        .join(inside, group_members.c.group_id == inside.c.group_id)
        .where(group_members.c.user_id.in_(sorted(user_ids)), inside.c.collection_id.in_(bases), ~elsewhere)
        .distinct()
    )
    return {UserId(user_id) for user_id in work.db.scalars(within)}


def members(work: UnitOfWork, group_id: int, after: int, limit: int) -> list[Member]:
    """The members after the person *after*, in the order of their numbers."""
    rows = work.db.execute(
        sa.select(
            users.c.id, users.c.login, users.c.first_name, users.c.last_name, users.c.email, group_members.c.added
        )
        .join(users, users.c.id == group_members.c.user_id)
        .where(group_members.c.group_id == group_id, group_members.c.user_id > after)
        .order_by(group_members.c.user_id)
        .limit(limit)
    )
    return [Member(row[0], row[1], f"{row[2]} {row[3]}".strip() or row[4] or row[1], row[5]) for row in rows]


# -- templates ---------------------------------------------------------------------------------------------------------


def template(work: UnitOfWork, owner_id: int, template_id: int) -> Template | None:
    own = sa.and_(rights_templates.c.id == template_id, rights_templates.c.owner_id == owner_id)
    row = work.db.execute(sa.select(*_TEMPLATE).where(own)).first()
    return Template(*row) if row else None


def templates(work: UnitOfWork, owner_id: int) -> list[Template]:
    """As many as MOST_TEMPLATES."""
    own = rights_templates.c.owner_id == owner_id
    rows = work.db.execute(sa.select(*_TEMPLATE).where(own).order_by(rights_templates.c.name))
    return [Template(*row) for row in rows]


def add_template(work: UnitOfWork, owner_id: int, name: str) -> TemplateId:
    values = {"owner_id": owner_id, "name": name, "created": work.now, "updated": work.now}
    return TemplateId(inserted_id(work.db.execute(rights_templates.insert().values(**values))))


def delete_template(work: UnitOfWork, template_id: int) -> None:
    work.db.execute(rights_templates.delete().where(rights_templates.c.id == template_id))


def forget_templates(work: UnitOfWork, owner_id: int) -> None:
    work.db.execute(rights_templates.delete().where(rights_templates.c.owner_id == owner_id))


def template_grants(work: UnitOfWork, template_id: int) -> list[CollectionGrant]:
    own = template_collection_rights.c.template_id == template_id
    return people.grants_in(work, template_collection_rights, own, also_disabled=True)


def set_template_grant(work: UnitOfWork, template_id: int, grant: CollectionGrant) -> None:
    table = template_collection_rights
    own = sa.and_(table.c.template_id == template_id, table.c.collection_id == grant.base_id)
    work.db.execute(table.delete().where(own))
    if grant.rights:
        row = {"template_id": template_id, "collection_id": grant.base_id, **people.grant_values(grant)}
        work.db.execute(table.insert().values(**row))
    changed = rights_templates.update().where(rights_templates.c.id == template_id)
    work.db.execute(changed.values(updated=work.now))
