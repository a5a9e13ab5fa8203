"""Recipient lists: people to whom somebody sends documents again and again.

A list is a tool, not a directory: who works with it sees those members whom they added or whose accounts they manage,
and how many others there are. Sending to the list reaches all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vitrine.accounts import reach
from vitrine.accounts.model import Actor, User, UserId, Via
from vitrine.accounts.recipient_lists import store
from vitrine.accounts.recipient_lists.errors import LastAdministrator, ListFull, MayNotChangeList, NoSuchList
from vitrine.accounts.recipient_lists.events import RecipientListChanged, RecipientListShared
from vitrine.accounts.recipient_lists.model import (
    LONGEST_NAME,
    MOST_LISTS,
    MOST_MEMBERS,
    MOST_ROLES,
    ListRole,
    Members,
    RecipientList,
    Role,
)
from vitrine.accounts.rights import Right
from vitrine.accounts.service import Accounts
from vitrine.errors import Forbidden, Invalid, NotFound
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import fault_of_name


@dataclass(frozen=True, slots=True)
class RecipientLists:
    """Refusals: NoSuchList for a list with which the actor does not work, MayNotChangeList, ListFull, Invalid."""

    people: Accounts

    # -- reading -------------------------------------------------------------------------------------------------

    def page(self, work: UnitOfWork, actor: Actor, after: int, limit: int) -> list[RecipientList]:
        """Those with which the actor works."""
        return store.page(work, actor.must_user_id, after, limit)

    def get(self, work: UnitOfWork, actor: Actor, list_id: int, needs: Role = Role.USER) -> RecipientList:
        """Raises MayNotChangeList for a role below *needs*."""
        known = store.get(work, list_id, actor.must_user_id)
        if known is None:
            raise NoSuchList("There is no such list.", field="recipient_list_id")
        if known.role < needs:
            raise MayNotChangeList("Your role in this list does not allow that.", why=f"list {list_id}")
        return known

    def members(self, work: UnitOfWork, actor: Actor, list_id: int) -> Members:
        """Those whom the actor added, or may know as who manages users, and the number of the others."""
        self.get(work, actor, list_id)
        everybody = store.members(work, list_id)
        others = [member.user.id for member in everybody if member.added_by != actor.user_id]
        known = reach.known_among(work, actor, others) if others else set()
        shown = [each for each in everybody if each.added_by == actor.user_id or each.user.id in known]
        return Members(tuple(shown), len(everybody) - len(shown))

    def recipients(self, work: UnitOfWork, actor: Actor, list_ids: Sequence[int]) -> list[UserId]:
        """To whom something goes that the actor sends to these lists: every member with an account that is open, each
        once, the actor left out. The guest and those who have not confirmed their account get nothing."""
        people: dict[UserId, None] = {}
        for list_id in dict.fromkeys(list_ids):
            self.get(work, actor, list_id)
            for member in store.members(work, list_id):
                is_open = not member.user.is_guest and not member.user.mail_locked
                if is_open and member.user.id != actor.user_id:
                    people.setdefault(member.user.id)
        return list(people)

    def roles(self, work: UnitOfWork, actor: Actor, list_id: int) -> list[ListRole]:
        """Who works with the list; they all know each other."""
        self.get(work, actor, list_id)
        return store.roles(work, list_id)

    # -- changing ------------------------------------------------------------------------------------------------

    def create(self, work: UnitOfWork, actor: Actor, name: str) -> RecipientList:
        """For who may send something to somebody. Raises Forbidden."""
        require_sender(work, actor)
        if store.count_lists(work, actor.must_user_id) >= MOST_LISTS:
            raise ListFull("You work with {most} lists. Delete or leave one first.", values={"most": MOST_LISTS})
        list_id = store.add(work, _checked(name), actor.must_user_id)
        audit.write(work, actor, "recipient_list.created", f"recipient list {list_id}")
        work.emit(RecipientListChanged(list_id, actor.user_id))
        return self.get(work, actor, list_id)

    def rename(self, work: UnitOfWork, actor: Actor, list_id: int, name: str) -> RecipientList:
        """For editors."""
        self.get(work, actor, list_id, Role.EDITOR)
        store.update(work, list_id, {"name": _checked(name)})
        work.emit(RecipientListChanged(list_id, actor.user_id))
        return self.get(work, actor, list_id)

    def delete(self, work: UnitOfWork, actor: Actor, list_id: int) -> None:
        """For administrators."""
        self.get(work, actor, list_id, Role.ADMINISTRATOR)
        store.delete(work, list_id)
        audit.write(work, actor, "recipient_list.deleted", f"recipient list {list_id}")
        work.emit(RecipientListChanged(list_id, actor.user_id, is_deleted=True))

    def add_members(self, work: UnitOfWork, actor: Actor, list_id: int, named: Sequence[UserId | str]) -> int:
        """Add people by id or login, all of them or nobody; returns how many were named: who was in it already is not
        told. For editors. Raises Invalid for somebody who is not there."""
        self.get(work, actor, list_id, Role.EDITOR)
        if not 0 < len(named) <= MOST_MEMBERS:
            raise Invalid("Name 1 to {most} people.", field="people", values={"most": MOST_MEMBERS})
        people = [self._person(work, each) for each in named]
        added = [person.id for person in people if store.add_member(work, list_id, person.id, actor.must_user_id)]
        if store.count_members(work, list_id) > MOST_MEMBERS:
            raise ListFull("A list has at most {most} people.", values={"most": MOST_MEMBERS})
        if added:
            self._changed(work, actor, list_id, {"added": added})
        return len({person.id for person in people})

    def remove_member(self, work: UnitOfWork, actor: Actor, list_id: int, user_id: int) -> None:
        """For editors. Raises NoSuchList, also for somebody who is not in it, or whom the actor may not know: nobody
        tries numbers."""
        self.get(work, actor, list_id, Role.EDITOR)
        known = {member.user.id for member in self.members(work, actor, list_id).shown}
        if user_id not in known or not store.remove_member(work, list_id, user_id):
            raise NoSuchList("This person is not in the list.", field="user_id")
        self._changed(work, actor, list_id, {"removed": [user_id]})

    def set_role(self, work: UnitOfWork, actor: Actor, list_id: int, named: UserId | str, role: Role) -> ListRole:
        """Let somebody work with the list, or change what they may do. For administrators. Raises LastAdministrator."""
        self.get(work, actor, list_id, Role.ADMINISTRATOR)
        person, known = self._person(work, named), store.roles(work, list_id)
        before = next((each.role for each in known if each.user.id == person.id), None)
        if before is None and len(known) >= MOST_ROLES:
            raise ListFull("At most {most} people work with a list.", values={"most": MOST_ROLES})
        if before is None and store.count_lists(work, person.id) >= MOST_LISTS:
            raise ListFull("{name} works with too many lists.", values={"name": person.public_name})
        if role is not Role.ADMINISTRATOR:
            _require_another(known, person.id)
        store.set_role(work, list_id, person.id, role)
        self._shared(work, actor, list_id, person.id, role)
        return ListRole(person, role)

    def end_role(self, work: UnitOfWork, actor: Actor, list_id: int, user_id: int) -> None:
        """For administrators; for oneself in any role. Raises LastAdministrator, or NoSuchList for somebody who does
        not work with the list."""
        self.get(work, actor, list_id, Role.USER if user_id == actor.user_id else Role.ADMINISTRATOR)
        known = store.roles(work, list_id)
        if all(each.user.id != user_id for each in known):
            raise NoSuchList("This person does not work with the list.", field="user_id")
        _require_another(known, user_id)
        store.set_role(work, list_id, user_id, None)
        self._shared(work, actor, list_id, user_id, None)

    def _person(self, work: UnitOfWork, named: UserId | str) -> User:
        """By id or login. Raises Invalid for nobody, a closed or unconfirmed account and the guest."""
        field = "login" if isinstance(named, str) else "user_id"
        try:
            person = self.people.find(work, named) if isinstance(named, str) else self.people.get(work, named)
        except NotFound as nobody:
            raise Invalid(f"There is no person {named}.", field=field) from nobody
        if person.is_guest or self.people.is_unconfirmed(work, person):
            raise Invalid(f"There is no person {named}.", field=field)
        return person

    @staticmethod
    def _changed(work: UnitOfWork, actor: Actor, list_id: int, details: dict[str, object]) -> None:
        store.update(work, list_id)
        audit.write(work, actor, "recipient_list.changed", f"recipient list {list_id}", details)
        work.emit(RecipientListChanged(list_id, actor.user_id))

    @staticmethod
    def _shared(work: UnitOfWork, actor: Actor, list_id: int, user_id: int, role: Role | None) -> None:
        store.update(work, list_id)
        details = {"user": user_id, "role": int(role or 0)}
        audit.write(work, actor, "recipient_list.shared", f"recipient list {list_id}", details)
        work.emit(RecipientListShared(list_id, actor.user_id, user_id, int(role or 0)))


def require_sender(work: UnitOfWork, actor: Actor) -> None:
    """Raises Forbidden for people who may send nothing to nobody."""
    if actor.via is not Via.COMMAND and not actor.rights.anywhere(Right.canpush, work.now):
        raise Forbidden("You may not send documents to other people.", why=f"user {actor.user_id}")


def _require_another(known: Sequence[ListRole], user_id: int) -> None:
    if all(each.user.id == user_id for each in known if each.role is Role.ADMINISTRATOR):
        raise LastAdministrator("A list has an administrator. Name another one first, or delete the list.")


def _checked(name: str) -> str:
    stripped = name.strip()
    if not 0 < len(stripped) <= LONGEST_NAME:
        raise Invalid("A name has 1 to {count} characters.", field="name", values={"count": LONGEST_NAME})
    fault = fault_of_name(stripped)
    if fault:
        raise Invalid(fault, field="name")
    return stripped
