"""The elements of a basket: put in, taken out, reordered."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from vitrine.accounts import Actor, Right, record_grants
from vitrine.baskets import giving, participant_store, roles, store, vote_store
from vitrine.baskets.errors import BasketFull, MayNotPutInBasket, NoSuchElement
from vitrine.baskets.events import BasketElementsChanged, BasketUpdated
from vitrine.baskets.model import MOST_CHOICES, MOST_ELEMENTS, Basket, BasketId, Element, ElementId
from vitrine.errors import Invalid
from vitrine.library import access
from vitrine.library.model import RecordId, RecordKey
from vitrine.library.records import Records
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class Added:
    """How many records were put in, how many were in already, and how many of the new ones other people get no grant
    for, since the actor may not push them: they see these only by rights of their own."""

    added: int
    already: int
    not_granted: int


@dataclass(frozen=True, slots=True)
class BasketElements:
    """Refusals: those of `baskets.roles`, BasketFull, and NoSuchRecord for a record that the actor does not see."""

    records: Records

    def add(
        self,
        work: UnitOfWork,
        actor: Actor,
        basket_id: BasketId,
        keys: Sequence[RecordKey],
        *,
        expected: int | None = None,
    ) -> Added:
        """Append records, all or none. For the owner and participants with `can_modify`; needs sight and
        `canputinalbum` on each record (06 section 17.7). Everybody with whom the basket is shared gets a grant on those
        that the actor may push.

        Raises MayNotPutInBasket, too."""
        basket = roles.modifiable(work, actor, basket_id, expected)
        if len(keys) > MOST_ELEMENTS:
            raise Invalid("A basket has at most {most} elements.", field="records", values={"most": MOST_ELEMENTS})
        places = self.records.places(work, actor, keys)
        allowed = access.with_right(work, actor, Right.canputinalbum, places.values())
        for key in keys:
            if places[key][0] not in allowed:
                raise MayNotPutInBasket(f"You may not put the record {key} in a basket.", field="records")
        present = store.elements(work, basket.id, MOST_ELEMENTS)
        known = {element.record_id for element in present}
        stamps = [place for place in dict.fromkeys(places[key] for key in keys) if place[0] not in known]
        self._require_room(work, basket, len(present) + len(stamps))
        if not stamps:
            return Added(0, len(set(keys)), 0)
        new = [stamp[0] for stamp in stamps]
        position = max((element.position for element in present), default=0) + 1
        store.add_elements(work, basket.id, new, position)
        vote, people = vote_store.of_basket(work, basket.id), participant_store.of_basket(work, basket.id)
        others = [person for person in giving.recipients(work, basket, people, vote) if person.user_id != actor.user_id]
        granted = giving.give(work, actor, stamps, others) if others else set(new)
        self._changed(work, actor, basket, added=new)
        return Added(len(new), len(set(keys)) - len(new), len(new) - len(granted))

    @staticmethod
    def _require_room(work: UnitOfWork, basket: Basket, count: int) -> None:
        if count > MOST_ELEMENTS:
            raise BasketFull(
                "A basket has at most {most} elements. Take some out, or make another basket.",
                values={"most": MOST_ELEMENTS},
            )
        vote = vote_store.of_basket(work, basket.id)
        if vote is not None and vote.is_open(work.now):
            require_choices(count, sum(person.is_voter for person in participant_store.of_basket(work, basket.id)))

    def remove(
        self,
        work: UnitOfWork,
        actor: Actor,
        basket_id: BasketId,
        element_ids: Sequence[ElementId],
        *,
        expected: int | None = None,
    ) -> int:
        """Take elements out, all or none; return how many. For the owner, and for participants with `can_modify` where
        they see the record. The basket's grants on these records end. Raises NoSuchElement."""
        basket = roles.modifiable(work, actor, basket_id, expected)
        present = {element.id: element for element in store.elements(work, basket.id, MOST_ELEMENTS)}
        wanted = [_element(present, element_id) for element_id in dict.fromkeys(element_ids)]
        if basket.owner_id != actor.must_user_id:
            seen = access.visible_ids(work, actor, [element.stamp for element in wanted])
            _require_all({element.id for element in wanted if element.record_id in seen}, element_ids)
        if not wanted:
            return 0
        gone = [element.record_id for element in wanted]
        store.remove_elements(work, [element.id for element in wanted])
        for source in giving.sources(basket, vote_store.of_basket(work, basket.id)):
            record_grants.end(work, source, record_ids=gone)
        self._changed(work, actor, basket, removed=gone)
        return len(gone)

    def reorder(
        self,
        work: UnitOfWork,
        actor: Actor,
        basket_id: BasketId,
        element_ids: Sequence[ElementId],
        *,
        expected: int | None = None,
    ) -> None:
        """Put the named elements in this order, on the places that they have now; the others stay where they are. For
        the owner. Raises NoSuchElement, or Invalid for an element that is named twice."""
        basket = roles.owned(work, actor, basket_id, expected)
        if len(set(element_ids)) != len(element_ids):
            raise Invalid("An element is named twice.", field="elements")
        elements = store.elements(work, basket.id, MOST_ELEMENTS)
        present = {element.id: element for element in elements}
        wanted = [_element(present, element_id) for element_id in element_ids]
        named = set(element_ids)
        queue = iter(wanted)
        ordered = [next(queue) if element.id in named else element for element in elements]
        positions = {element.id: place for place, element in enumerate(ordered, start=1) if element.position != place}
        if [element.id for element in ordered] == [element.id for element in elements]:
            return
        store.move_elements(work, positions)
        store.update(work, basket.id)
        order: dict[str, object] = {"elements": [element.id for element in ordered]}
        before: dict[str, object] = {"elements": [element.id for element in elements]}
        work.emit(BasketUpdated(basket.id, actor.user_id, before, order))

    @staticmethod
    def _changed(
        work: UnitOfWork, actor: Actor, basket: Basket, added: Sequence[RecordId] = (), removed: Sequence[RecordId] = ()
    ) -> None:
        store.update(work, basket.id)
        work.emit(BasketElementsChanged(basket.id, actor.user_id, tuple(added), tuple(removed)))
        details = {"added": len(added), "removed": len(removed)}
        audit.write(work, actor, "basket.elements", f"basket {basket.id}", details)


def require_choices(elements: int, voters: int) -> None:
    """Raises BasketFull if a vote would have more than MOST_CHOICES."""
    if elements * voters > MOST_CHOICES:
        raise BasketFull(
            "A vote has at most {most} choices: elements times voters. Take fewer elements or fewer voters.",
            values={"most": MOST_CHOICES},
        )


def _element(present: dict[ElementId, Element], element_id: ElementId) -> Element:
    _require_all(present, [element_id])
    return present[element_id]


def _require_all(present: Container[ElementId], wanted: Sequence[ElementId]) -> None:
    for element_id in wanted:
        if element_id not in present:
            raise NoSuchElement(f"This basket has no element {element_id}.", field="elements")
