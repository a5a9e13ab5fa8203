"""Groups: what a group may do, its members may do too, besides their own rights.

Administrators make groups. Who manages the users of a collection sets the rights of groups there, and lets people join
or leave groups whose rights they could give one by one: a group is no way to give more than one has.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vitrine.accounts import giving
from vitrine.accounts import store as people
from vitrine.accounts.groups import store
from vitrine.accounts.groups.events import GroupChanged, MembershipChanged
from vitrine.accounts.groups.model import Group, GroupId, GroupRights, Member
from vitrine.accounts.model import Actor, User
from vitrine.accounts.rights import CollectionGrant, DataboxRight
from vitrine.errors import Conflict, Forbidden, Invalid, NotFound
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import fault_of_name

MOST_GROUPS, PAGE = 100, 100  # groups of one person; rows of a page
LONGEST_NAME, LONGEST_DESCRIPTION = 128, 500


@dataclass(frozen=True, slots=True)
class Groups:
    # -- reading -------------------------------------------------------------------------------------------------

    def page(self, work: UnitOfWork, actor: Actor, after: int = 0, limit: int = PAGE) -> list[Group]:
        """Groups with rights on a collection whose users the actor manages; administrators see all."""
        managed = giving.managed(work, actor)
        if managed is None:
            return store.page(work, after, min(limit, PAGE + 1))
        return store.page_with_rights_on(work, managed, after, min(limit, PAGE + 1)) if managed else []

    def get(self, work: UnitOfWork, actor: Actor, group_id: int) -> Group:
        """Raises NotFound for a group that the actor does not see in `page`."""
        group = store.get(work, group_id)
        managed = giving.managed(work, actor)
        if group is None or (managed is not None and managed.isdisjoint(store.rights_of(work, group_id).collections)):
            raise NotFound("There is no such group.")
        return group

    def by_name(self, work: UnitOfWork, actor: Actor, name: str) -> Group | None:
        """The group of this name, if the actor sees it."""
        known = store.by_name(work, name)
        return None if known is None else self.get(work, actor, known.id)

    def rights(self, work: UnitOfWork, actor: Actor, group_id: int) -> GroupRights:
        """Those on collections whose users the actor manages, and on their databoxes. Raises NotFound."""
        self.get(work, actor, group_id)
        rights, managed = store.rights_of(work, group_id), giving.managed(work, actor)
        if managed is None:
            return rights
        seen = {base: grant for base, grant in rights.collections.items() if base in managed}
        boxes = {grant.databox_id for grant in seen.values()}
        return GroupRights(seen, {box: each for box, each in rights.databoxes.items() if box in boxes})

    def members(self, work: UnitOfWork, actor: Actor, group_id: int, after: int = 0, limit: int = PAGE) -> list[Member]:
        """Administrators see them, and who manages the users of every collection of the group. Raises NotFound or
        Forbidden."""
        self.get(work, actor, group_id)
        managed = giving.managed(work, actor)
        if managed is not None and not managed.issuperset(store.rights_of(work, group_id).collections):
            raise Forbidden("You see the members of groups on whose collections you manage all users.")
        return store.members(work, group_id, after, min(limit, PAGE + 1))

    # -- groups --------------------------------------------------------------------------------------------------

    def add(self, work: UnitOfWork, actor: Actor, name: str, description: str = "") -> Group:
        """Raises Forbidden, Invalid or Conflict."""
        require_administrator(actor)
        name, description = _checked(name, description)
        if store.by_name(work, name) is not None:
            raise Conflict("There is a group of this name.", field="name")
        group_id = store.add(work, name, description)
        audit.write(work, actor, "group.created", f"group {group_id}", {"name": name})
        work.emit(GroupChanged(group_id, actor.user_id))
        return self.get(work, actor, group_id)

    def rename(
        self,
        work: UnitOfWork,
        actor: Actor,
        group_id: int,
        *,
        name: str | None = None,
        description: str | None = None,
        version: int | None = None,
    ) -> Group:
        """*version*: the one that the change was made for, else Conflict."""
        require_administrator(actor)
        group = self._current(work, actor, group_id, version)
        new_name, text = _checked(
            group.name if name is None else name, group.description if description is None else description
        )
        other = store.by_name(work, new_name)
        if other is not None and other.id != group.id:
            raise Conflict("There is a group of this name.", field="name")
        values = {"name": new_name, "name_folded": store.fold(new_name), "description": text}
        store.update(work, group.id, values)
        audit.write(work, actor, "group.changed", f"group {group.id}", {"name": new_name})
        work.emit(GroupChanged(group.id, actor.user_id))
        return self.get(work, actor, group_id)

    def delete(self, work: UnitOfWork, actor: Actor, group_id: int, *, version: int | None = None) -> None:
        """Its members lose what it gave them."""
        require_administrator(actor)
        group = self._current(work, actor, group_id, version)
        store.delete(work, group.id)
        audit.write(work, actor, "group.deleted", f"group {group.id}", {"name": group.name})
        work.emit(GroupChanged(group.id, actor.user_id))

    def _current(self, work: UnitOfWork, actor: Actor, group_id: int, version: int | None) -> Group:
        group = self.get(work, actor, group_id)
        if version is not None and version != group.version:
            raise Conflict("Somebody else has changed this group. Load it again.", field="version")
        return group

    # -- rights --------------------------------------------------------------------------------------------------

    def set_rights(
        self,
        work: UnitOfWork,
        actor: Actor,
        group_id: int,
        grant: CollectionGrant,
        *,
        matches: Callable[[Group], None] | None = None,
    ) -> None:
        """Replace what the group may do on a collection; no right at all removes it. The actor must be able to give
        what is there and what is to be there. *matches* refuses a group that was changed since. Raises Forbidden or
        NotFound."""
        giving.require_given(work, actor, grant)
        group = store.get(work, group_id)
        if group is None:
            raise NotFound("There is no such group.")
        if matches is not None:
            matches(group)
        held = store.rights_of(work, group_id).collections
        if not giving.gives_everything(actor):
            self._require_settable(work, group, held)
        before = held.get(grant.base_id)
        if before is not None:
            giving.require_given(work, actor, before)
        store.set_collection_rights(work, group_id, grant if grant.rights else None, grant.base_id)
        details = {"base_id": grant.base_id, "rights": int(grant.rights)}
        audit.write(work, actor, "rights.granted", f"group {group_id}", details)
        work.emit(GroupChanged(group.id, actor.user_id))

    @staticmethod
    def _require_settable(work: UnitOfWork, group: Group, held: Mapping[int, CollectionGrant]) -> None:
        """For managers of users. Where a group has members, its first rights are an administrator's to give, since they
        decide who sees the members."""
        if not held and store.members(work, group.id, 0, 1):
            raise Forbidden("Only administrators give the first rights to a group that has members.")
        if store.has_guest(work, group.id):
            raise Forbidden("Only administrators decide about groups of the guest.")

    def set_databox_rights(
        self, work: UnitOfWork, actor: Actor, group_id: int, databox_id: int, rights: DataboxRight
    ) -> None:
        require_administrator(actor)
        group = self.get(work, actor, group_id)
        store.set_databox_rights(work, group.id, databox_id, rights)
        details = {"databox_id": databox_id, "rights": int(rights)}
        audit.write(work, actor, "rights.granted", f"group {group.id}", details)
        work.emit(GroupChanged(group.id, actor.user_id))

    # -- members -------------------------------------------------------------------------------------------------

    def join(self, work: UnitOfWork, actor: Actor, group_id: int, user: User) -> None:
        """Raises NotFound, Forbidden if the group may do more than the actor can give, or Conflict past MOST_GROUPS
        groups of one person."""
        group = self._givable(work, actor, group_id)
        giving.require_not_guest(actor, user)
        if len(store.groups_of(work, user.id)) >= MOST_GROUPS:
            raise Conflict("Nobody can be in more than {count} groups.", values={"count": MOST_GROUPS})
        if store.join(work, group.id, user.id):
            self._note(work, actor, group.id, user, joined=True)

    def leave(self, work: UnitOfWork, actor: Actor, group_id: int, user: User) -> None:
        """Raises NotFound, also for somebody who is no member, or Forbidden."""
        group = self._givable(work, actor, group_id)
        giving.require_not_guest(actor, user)
        if not store.leave(work, group.id, user.id):
            raise NotFound("This person is not in the group.")
        self._note(work, actor, group.id, user, joined=False)

    def _givable(self, work: UnitOfWork, actor: Actor, group_id: int) -> Group:
        """The group, if the actor could give each of its rights."""
        group = self.get(work, actor, group_id)
        if giving.gives_everything(actor):
            return group
        rights = store.rights_of(work, group_id)
        for grant in rights.collections.values():
            giving.require_given(work, actor, grant)
        if rights.databoxes:
            raise Forbidden("Only administrators may give rights on a databox.")
        return group

    @staticmethod
    def _note(work: UnitOfWork, actor: Actor, group_id: GroupId, user: User, *, joined: bool) -> None:
        audit.write(work, actor, "group.joined" if joined else "group.left", f"user {user.id}", {"group": group_id})
        work.emit(MembershipChanged(group_id, user.id, joined, actor.user_id))

    def of(self, work: UnitOfWork, actor: Actor, user: User) -> list[Group]:
        """The groups of a person, as far as the actor sees them; people see all of their own."""
        groups = store.groups_of(work, user.id)
        managed = giving.managed(work, actor)
        if managed is None or actor.user_id == user.id:
            return groups
        return [group for group in groups if not managed.isdisjoint(store.rights_of(work, group.id).collections)]


def forget_person(work: UnitOfWork, user: User) -> None:
    """What ends with an account: memberships, and templates that nobody else sees."""
    store.leave_all(work, user.id)
    store.forget_templates(work, user.id)
    people.bump_rights(work, user.id)


def require_administrator(actor: Actor) -> None:
    if not giving.gives_everything(actor):
        raise Forbidden("Only administrators make and change groups.")


def _checked(name: str, description: str) -> tuple[str, str]:
    name, description = name.strip(), description.strip()
    if not name or len(name) > LONGEST_NAME:
        raise Invalid("A name has 1 to {count} characters.", field="name", values={"count": LONGEST_NAME})
    if len(description) > LONGEST_DESCRIPTION:
        raise Invalid("At most {count} characters.", field="description", values={"count": LONGEST_DESCRIPTION})
    for field, text in (("name", name), ("description", description)):
        fault = fault_of_name(text, has_lines=field == "description") if text else ""
        if fault:
            raise Invalid(fault, field=field)
    return name, description
