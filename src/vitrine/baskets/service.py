"""Baskets: made, found, read, renamed, archived and deleted."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vitrine.accounts import Accounts, Actor, UserId, record_grants
from vitrine.baskets import giving, participant_store, roles, store, vote_store
from vitrine.baskets.errors import BasketFull
from vitrine.baskets.events import BasketCreated, BasketDeleted, BasketUpdated
from vitrine.baskets.model import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    MOST_ARCHIVED,
    MOST_BASKETS,
    MOST_ELEMENTS,
    MOST_RECEIVED,
    Basket,
    BasketId,
    BasketView,
    Choice,
    Content,
    ElementId,
    Participant,
    ParticipantId,
    ShownElement,
    Vote,
)
from vitrine.errors import Invalid
from vitrine.library import access
from vitrine.library.model import RecordKey
from vitrine.library.records import Records
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import fault_of_name

_TAG = re.compile(r"<[^>]*>")


class LongBasket(Exception):
    """The basket has more elements than the caller asked for at most: it is read in a thread."""


def checked_name(name: str) -> str:
    """Kept as it is written, tags included (02 section 6.7). Raises Invalid."""
    if not _TAG.sub("", name).strip():
        raise Invalid("name is required: a basket needs a name.", field="name")
    if len(name) > LONGEST_NAME:
        raise Invalid(
            "The name of a basket has at most {most} characters.", field="name", values={"most": LONGEST_NAME}
        )
    if fault := fault_of_name(name):
        raise Invalid(fault, field="name")
    return name


def checked_description(description: str) -> str:
    if len(description) > LONGEST_DESCRIPTION:
        raise Invalid(
            "The description of a basket has at most {most} characters.",
            field="description",
            values={"most": LONGEST_DESCRIPTION},
        )
    if description.strip() and (fault := fault_of_name(description, has_lines=True)):
        raise Invalid(fault, field="description")
    return description


@dataclass(frozen=True, slots=True)
class BasketChanges:
    """What changes; None stays."""

    name: str | None = None
    description: str | None = None
    is_archived: bool | None = None


@dataclass(frozen=True, slots=True)
class Baskets:
    """Refusals: NoSuchBasket, BasketNotShared (somebody else's), MayNotChangeBasket, BasketChanged (another version
    than the caller expects), BasketFull, Invalid."""

    records: Records
    accounts: Accounts

    # -- reading -------------------------------------------------------------------------------------------------

    def listed(self, work: UnitOfWork, actor: Actor) -> list[BasketView]:
        """One's own that are not archived, then those of others that are open (02 section 6.7)."""
        person = actor.must_user_id
        return self._views(work, actor, [*store.own(work, person), *store.shared_with(work, person)])

    def page(
        self, work: UnitOfWork, actor: Actor, *, is_owner: bool, is_archived: bool, after: int, limit: int
    ) -> list[BasketView]:
        """At most *limit* of the actor's own baskets, or of others that are open, with an id above *after*."""
        person = actor.must_user_id
        baskets = store.page(work, person, is_owner=is_owner, is_archived=is_archived, after=after, limit=limit)
        return self._views(work, actor, baskets)

    def holding(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> list[BasketView]:
        """Of `listed` those in which the record is. Raises NoSuchRecord, or MayNotSee without sight of the record."""
        record = self.records.get(work, actor, key)
        return self._views(work, actor, store.holding(work, actor.must_user_id, record.id))

    def get(self, work: UnitOfWork, actor: Actor, basket_id: BasketId) -> BasketView:
        """One basket with all its participants."""
        basket, own = roles.opened(work, actor, basket_id)
        return self._view(work, actor, basket, own)

    def content(self, work: UnitOfWork, actor: Actor, basket_id: BasketId, *, most: int = MOST_ELEMENTS) -> Content:
        """The elements whose records the actor sees, in order; the others are counted. Raises LongBasket if there are
        more than *most*."""
        view = self.get(work, actor, basket_id)
        elements = store.elements(work, basket_id, most + 1)
        if len(elements) > most:
            raise LongBasket
        page = self.records.page(work, actor, [element.record_id for element in elements])
        by_record = {shown.record.id: shown for shown in page}
        choices = self._choices(work, view)
        visible = tuple(
            ShownElement(element, by_record[element.record_id], choices.get(element.id, {}))
            for element in elements
            if element.record_id in by_record
        )
        return Content(view, visible, len(elements) - len(visible))

    def elements_after(
        self, work: UnitOfWork, actor: Actor, basket_id: BasketId, after: tuple[int, int], limit: int
    ) -> Content:
        """At most *limit* elements that the actor sees, behind the place *after* (position, id); *hidden* counts those
        of the whole basket that they do not see."""
        view = self.get(work, actor, basket_id)
        elements = store.elements(work, basket_id, MOST_ELEMENTS)
        seen = access.visible_ids(work, actor, [element.stamp for element in elements])
        visible = [element for element in elements if element.record_id in seen]
        page = [element for element in visible if (element.position, element.id) > after][:limit]
        by_record = {
            shown.record.id: shown for shown in self.records.page(work, actor, [element.record_id for element in page])
        }
        choices = self._choices(work, view)
        shown_elements = tuple(
            ShownElement(element, by_record[element.record_id], choices.get(element.id, {}))
            for element in page
            if element.record_id in by_record
        )
        return Content(view, shown_elements, len(elements) - len(visible))

    def size(self, work: UnitOfWork, actor: Actor, basket_id: BasketId) -> tuple[int, int]:
        """How many elements a basket that the actor opens has, and how many of them they see."""
        elements = store.elements(work, basket_id, MOST_ELEMENTS)
        return len(elements), len(access.visible_ids(work, actor, [element.stamp for element in elements]))

    @staticmethod
    def _choices(work: UnitOfWork, view: BasketView) -> dict[ElementId, dict[ParticipantId, Choice]]:
        """The choices that the reader may see: everybody's, one's own, or none (06 section 12)."""
        if view.vote is None:
            return {}
        if view.sees_all_choices:
            return vote_store.choices(work, view.basket.id)
        if view.own is None or not view.own.is_voter:
            return {}
        own = vote_store.own_choices(work, view.own.id)
        return {element: {choice.participant_id: choice} for element, choice in own.items()}

    def _view(self, work: UnitOfWork, actor: Actor, basket: Basket, own: Participant | None) -> BasketView:
        vote = vote_store.of_basket(work, basket.id)
        people = participant_store.of_basket(work, basket.id)
        users = self.accounts.known_by_id(work, _people_of(basket, vote, people))
        return BasketView(basket, basket.owner_id == actor.user_id, own, vote, tuple(people), users)

    def _views(self, work: UnitOfWork, actor: Actor, baskets: Sequence[Basket]) -> list[BasketView]:
        """A page of baskets: the same few statements however many they are."""
        if not baskets:
            return []
        votes = vote_store.of_baskets(work, [basket.id for basket in baskets])
        people = participant_store.of_baskets(work, list(votes))
        own = {person.basket_id: person for person in participant_store.of_person(work, actor.must_user_id)}
        named: set[UserId] = set()
        for basket in baskets:
            named |= _people_of(basket, votes.get(basket.id), people.get(basket.id, ()))
        users = self.accounts.known_by_id(work, named)
        return [
            BasketView(
                basket,
                basket.owner_id == actor.user_id,
                own.get(basket.id),
                votes.get(basket.id),
                tuple(people.get(basket.id, ())),
                users,
            )
            for basket in baskets
        ]

    # -- writing -------------------------------------------------------------------------------------------------

    def create(self, work: UnitOfWork, actor: Actor, name: str, description: str = "") -> BasketView:
        """A new, empty basket. Raises Invalid, or BasketFull for more than MOST_BASKETS."""
        checked_name(name), checked_description(description)
        person = actor.must_user_id
        self._require_place(work, person, is_received=False)
        basket_id = store.add(work, person, name, description)
        work.emit(BasketCreated(basket_id, person))
        audit.write(work, actor, "basket.created", f"basket {basket_id}")
        return self.get(work, actor, basket_id)

    def update(
        self,
        work: UnitOfWork,
        actor: Actor,
        basket_id: BasketId,
        changes: BasketChanges,
        *,
        expected: int | None = None,
    ) -> BasketView:
        """Rename, describe, archive: for the owner."""
        basket = roles.owned(work, actor, basket_id, expected)
        wanted = {
            name: value
            for name in ("name", "description", "is_archived")
            if (value := getattr(changes, name)) is not None and value != getattr(basket, name)
        }
        if "name" in wanted:
            checked_name(wanted["name"])
        if "description" in wanted:
            checked_description(wanted["description"])
        if "is_archived" in wanted:
            self._require_place_for(work, basket, is_archived=wanted["is_archived"])
        if wanted:
            store.update(work, basket.id, wanted)
            before = {name: getattr(basket, name) for name in wanted}
            work.emit(BasketUpdated(basket.id, actor.user_id, before, wanted))
            audit.write(work, actor, "basket.updated", f"basket {basket.id}", {"fields": sorted(wanted)})
        return self.get(work, actor, basket_id)

    def _require_place_for(self, work: UnitOfWork, basket: Basket, *, is_archived: bool) -> None:
        if not is_archived:
            self._require_place(work, basket.owner_id, is_received=basket.pusher_id is not None)
        elif store.count(work, basket.owner_id, is_archived=True) >= MOST_ARCHIVED:
            raise BasketFull(
                "You have {most} archived baskets, which is the most. Delete some.", values={"most": MOST_ARCHIVED}
            )

    @staticmethod
    def _require_place(work: UnitOfWork, person: UserId, *, is_received: bool) -> None:
        most = MOST_RECEIVED if is_received else MOST_BASKETS
        if store.count(work, person, is_archived=False, is_received=is_received) >= most:
            raise BasketFull(
                "You have {most} baskets of this kind, which is the most. Archive or delete some.",
                values={"most": most},
            )

    def mark_read(self, work: UnitOfWork, actor: Actor, basket_id: BasketId, *, is_read: bool = True) -> BasketView:
        """For oneself: owner and participants have a mark each."""
        basket, own = roles.opened(work, actor, basket_id)
        if basket.owner_id == actor.must_user_id:
            store.set_read(work, basket.id, is_read=is_read)
        elif own is not None:
            participant_store.update(work, own.id, {"is_aware": is_read})
        return self.get(work, actor, basket_id)

    def delete(self, work: UnitOfWork, actor: Actor, basket_id: BasketId, *, expected: int | None = None) -> None:
        """For the owner. Grants that the basket gave end with it."""
        basket = roles.owned(work, actor, basket_id, expected)
        delete_basket(work, basket)
        audit.write(work, actor, "basket.deleted", f"basket {basket.id}")


def delete_basket(work: UnitOfWork, basket: Basket) -> None:
    for source in giving.sources(basket, vote_store.of_basket(work, basket.id)):
        record_grants.end(work, source)
    people = tuple(person.user_id for person in participant_store.of_basket(work, basket.id))
    store.delete(work, basket.id)
    work.emit(BasketDeleted(basket.id, basket.owner_id, people))


def _people_of(basket: Basket, vote: Vote | None, participants: Iterable[Participant]) -> set[UserId]:
    people = {basket.owner_id, *(person.user_id for person in participants)}
    if basket.pusher_id is not None:
        people.add(basket.pusher_id)
    if vote is not None:
        people.add(vote.initiator_id)
    return people
