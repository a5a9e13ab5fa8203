"""All SQL of recipient lists."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from vitrine.accounts.model import User, UserId
from vitrine.accounts.recipient_lists.model import ListMember, ListRole, RecipientList, Role
from vitrine.accounts.recipient_lists.tables import recipient_list_members, recipient_list_roles, recipient_lists
from vitrine.accounts.tables import users
from vitrine.platform.database import UnitOfWork, inserted_id

_lists, _roles, _members = recipient_lists.c, recipient_list_roles.c, recipient_list_members.c
_LIST = (_lists.id, _lists.name, _lists.version, _lists.created, _lists.updated, _roles.role)
_USER = tuple(users.c[name] for name in User.__dataclass_fields__)


def _list(row: Any) -> RecipientList:
    return RecipientList(row.id, row.name, row.version, row.created, row.updated, Role(row.role))


def get(work: UnitOfWork, list_id: int, user_id: int) -> RecipientList | None:
    """The list, if the person works with it."""
    own = (
        sa.select(*_LIST)
        .join(recipient_list_roles, _roles.list_id == _lists.id)
        .where(_lists.id == list_id, _roles.user_id == user_id)
    )
    row = work.db.execute(own).first()
    return _list(row) if row else None


def page(work: UnitOfWork, user_id: int, after: int, limit: int) -> list[RecipientList]:
    """Those with which the person works, after the number *after*."""
    own = (
        sa.select(*_LIST)
        .join(recipient_list_roles, _roles.list_id == _lists.id)
        .where(_roles.user_id == user_id, _lists.id > after)
        .order_by(_lists.id)
        .limit(limit)
    )
    return [_list(row) for row in work.db.execute(own)]


def count_lists(work: UnitOfWork, user_id: int) -> int:
    return _count(work, recipient_list_roles, _roles.user_id == user_id)


def count_members(work: UnitOfWork, list_id: int) -> int:
    return _count(work, recipient_list_members, _members.list_id == list_id)


def _count(work: UnitOfWork, table: sa.Table, condition: sa.ColumnElement[bool]) -> int:
    return int(work.db.scalar(sa.select(sa.func.count()).select_from(table).where(condition)) or 0)


def add(work: UnitOfWork, name: str, user_id: int) -> int:
    """A list of which the person is the administrator."""
    row = recipient_lists.insert().values(name=name, created=work.now, updated=work.now)
    list_id = inserted_id(work.db.execute(row))
    set_role(work, list_id, user_id, Role.ADMINISTRATOR)
    return list_id


def update(work: UnitOfWork, list_id: int, values: Mapping[str, Any] | None = None) -> None:
    """Write *values* and count the version on."""
    changed = {**(values or {}), "updated": work.now, "version": _lists.version + 1}
    work.db.execute(recipient_lists.update().where(_lists.id == list_id).values(**changed))


def delete(work: UnitOfWork, list_id: int) -> None:
    work.db.execute(recipient_lists.delete().where(_lists.id == list_id))


# -- members ---------------------------------------------------------------------------------------------------------


def members(work: UnitOfWork, list_id: int) -> list[ListMember]:
    """All of them, in the order of their numbers: a list is short."""
    wanted = (
        sa.select(_members.added_by, _members.added, *_USER)
        .join(users, users.c.id == _members.user_id)
        .where(_members.list_id == list_id, users.c.deleted_at.is_(None))
        .order_by(_members.user_id)
    )
    return [ListMember(User(*row[2:]), row[0], row[1]) for row in work.db.execute(wanted)]


def add_member(work: UnitOfWork, list_id: int, user_id: UserId, added_by: int) -> bool:
    """False if the person is in it already."""
    own = (_members.list_id == list_id, _members.user_id == user_id)
    if work.db.execute(sa.select(_members.user_id).where(*own)).first() is not None:
        return False
    row = {"list_id": list_id, "user_id": user_id, "added_by": added_by, "added": work.now}
    work.db.execute(recipient_list_members.insert().values(**row))
    return True


def remove_member(work: UnitOfWork, list_id: int, user_id: int) -> bool:
    own = recipient_list_members.delete().where(_members.list_id == list_id, _members.user_id == user_id)
    return work.db.execute(own).rowcount > 0


# -- who works with it -----------------------------------------------------------------------------------------------


def roles(work: UnitOfWork, list_id: int) -> list[ListRole]:
    wanted = (
        sa.select(_roles.role, *_USER)
        .join(users, users.c.id == _roles.user_id)
        .where(_roles.list_id == list_id)
        .order_by(_roles.user_id)
    )
    return [ListRole(User(*row[1:]), Role(row[0])) for row in work.db.execute(wanted)]


def set_role(work: UnitOfWork, list_id: int, user_id: int, role: Role | None) -> None:
    """None: the person no longer works with the list."""
    own = sa.and_(_roles.list_id == list_id, _roles.user_id == user_id)
    work.db.execute(recipient_list_roles.delete().where(own))
    if role is not None:
        row = {"list_id": list_id, "user_id": user_id, "role": int(role)}
        work.db.execute(recipient_list_roles.insert().values(**row))


def forget_person(work: UnitOfWork, user_id: int) -> None:
    """End the person's part in all lists. One that has lost its only administrator goes to its first editor, else to
    its first user, and without any of them it is deleted."""
    work.db.execute(recipient_list_members.delete().where(_members.user_id == user_id))
    work.db.execute(recipient_list_members.update().where(_members.added_by == user_id).values(added_by=None))
    worked_with = list(work.db.scalars(sa.select(_roles.list_id).where(_roles.user_id == user_id)))
    work.db.execute(recipient_list_roles.delete().where(_roles.user_id == user_id))
    for list_id in worked_with:
        left = roles(work, list_id)
        if not left:
            delete(work, list_id)
        elif all(each.role is not Role.ADMINISTRATOR for each in left):
            heir = max(left, key=lambda each: (each.role, -each.user.id))
            set_role(work, list_id, heir.user.id, Role.ADMINISTRATOR)
