"""Baskets shared with people, and baskets sent to them (06 section 12)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vitrine.accounts import Accounts, Actor, Right, User, UserId, record_grants
from vitrine.baskets import giving, participant_store, roles, store, vote_store
from vitrine.baskets.errors import BasketFull, MayNotChangeBasket, MayNotShareBasket, NoSuchParticipant
from vitrine.baskets.events import BasketPushed, BasketShared, ParticipationEnded
from vitrine.baskets.giving import Recipient
from vitrine.baskets.model import (
    LONGEST_NOTE,
    MOST_ELEMENTS,
    MOST_PARTICIPANTS,
    MOST_RECEIVED,
    MOST_RECIPIENTS,
    MOST_SHARED,
    Basket,
    BasketId,
    Participant,
)
from vitrine.baskets.service import checked_description, checked_name
from vitrine.errors import Invalid, NotFound
from vitrine.library import access
from vitrine.library.model import RecordKey
from vitrine.library.records import Records
from vitrine.library.reports import UseKind, uses
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import fault_of_name


@dataclass(frozen=True, slots=True)
class ShareTerms:
    """What a participant may do, and until when; None: no end."""

    can_modify: bool = False
    expires: datetime | None = None
    with_originals: bool = False


@dataclass(frozen=True, slots=True)
class Shared:
    """With whom, and on how many elements they got no grant."""

    user_id: UserId
    not_granted: int


@dataclass(frozen=True, slots=True)
class Pushed:
    """The new basket of each person, and the records that the sender may not push, which nobody got."""

    baskets: Mapping[UserId, BasketId]
    left_out: tuple[RecordKey, ...]


@dataclass(frozen=True, slots=True)
class BasketSharing:
    """Refusals: those of `baskets.roles`, MayNotShareBasket, BasketFull, Invalid."""

    records: Records
    accounts: Accounts

    def share(
        self,
        work: UnitOfWork,
        actor: Actor,
        basket_id: BasketId,
        person_named: UserId | str,
        terms: ShareTerms,
        *,
        expected: int | None = None,
    ) -> Shared:
        """Share with a person, named by id or login, or change the terms of their share: for the owner, who must have
        `canpush` somewhere. The person gets a grant on each record that the owner may push. What other
        participants gave them stays, within the new terms."""
        basket = giving.shareable(work, actor, basket_id, expected)
        require_future(work, terms.expires, "expires")
        person = recipient(self.accounts, work, person_named, basket.owner_id)
        values = {
            "is_shared": True, "can_modify": terms.can_modify, "share_expires": terms.expires,
            "with_originals": terms.with_originals,
        }  # fmt: skip
        known = participant_store.participation(work, basket.id, person.id)
        is_new = known is None or not known.has_share(work.now)
        admit(work, basket, person, values)
        stamps = [element.stamp for element in store.elements(work, basket.id, MOST_ELEMENTS)]
        source = Recipient(person.id, giving.share_source(basket), terms.with_originals, terms.expires)
        granted = giving.give_anew(work, self.accounts, actor, stamps, [source])
        store.update(work, basket.id)
        work.emit(BasketShared(basket.id, actor.user_id, person.id, terms.can_modify, terms.expires, is_new))
        details = {"user": person.id, "can_modify": terms.can_modify, "originals": terms.with_originals}
        audit.write(work, actor, "basket.shared", f"basket {basket.id}", details)
        return Shared(person.id, len(stamps) - len(granted))

    def remove(
        self,
        work: UnitOfWork,
        actor: Actor,
        basket_id: BasketId,
        user_id: UserId,
        *,
        expected: int | None = None,
    ) -> None:
        """End a person's part in the basket and its vote: for the owner. Raises NoSuchParticipant."""
        basket = roles.owned(work, actor, basket_id, expected)
        participant = participant_store.participation(work, basket.id, user_id)
        if participant is None:
            raise NoSuchParticipant("This person takes no part in this basket.", field="user_id")
        end_participation(work, basket, participant, actor.user_id)
        audit.write(work, actor, "basket.unshared", f"basket {basket.id}", {"user": user_id})

    def leave(self, work: UnitOfWork, actor: Actor, basket_id: BasketId) -> None:
        """End one's own part: grants and choices go too. The owner deletes the basket instead."""
        basket, own = roles.opened(work, actor, basket_id)
        if basket.owner_id == actor.must_user_id or own is None:
            raise MayNotChangeBasket("This basket is your own: archive or delete it.", why=f"basket {basket.id}")
        end_participation(work, basket, own, actor.user_id)
        audit.write(work, actor, "basket.left", f"basket {basket.id}")

    def push(
        self,
        work: UnitOfWork,
        actor: Actor,
        keys: Sequence[RecordKey],
        people_named: Sequence[UserId | str],
        *,
        name: str,
        description: str = "",
        message: str = "",
        terms: ShareTerms | None = None,
    ) -> Pushed:
        """Send records to people: each owns a new basket with those that the actor may push. All get it or none.

        Raises NoSuchRecord for a record that the actor does not see, MayNotShareBasket if none may be pushed."""
        checked_name(name), checked_description(description)
        terms = terms or ShareTerms()
        require_future(work, terms.expires, "expires")
        _check_push(keys, people_named, message)
        places = self.records.places(work, actor, keys)
        pushable = access.with_right(work, actor, Right.canpush, places.values())
        sent = [key for key in dict.fromkeys(keys) if places[key][0] in pushable]
        if not sent:
            raise MayNotShareBasket("You may not send these documents to other people.", why=f"user {actor.user_id}")
        people = [recipient(self.accounts, work, named, actor.must_user_id) for named in people_named]
        stamps = [places[key] for key in sent]
        baskets: dict[UserId, BasketId] = {}
        for person in {person.id: person for person in people}.values():
            if store.count(work, person.id, is_archived=False, is_received=True) >= MOST_RECEIVED:
                raise BasketFull(
                    "{name} has too many received baskets to get another.", values={"name": person_name(person)}
                )
            basket_id = store.add(work, person.id, name, description, pusher=actor.must_user_id)
            store.add_elements(work, basket_id, [stamp[0] for stamp in stamps], 1)
            baskets[person.id] = basket_id
            work.emit(BasketPushed(basket_id, actor.must_user_id, person.id, message))
        given = [
            Recipient(user_id, giving.push_source(basket_id), terms.with_originals, terms.expires)
            for user_id, basket_id in baskets.items()
        ]
        giving.give(work, actor, stamps, given)
        uses.write(work, actor, UseKind.PUSH, [stamp[0] for stamp in stamps])
        details = {"users": sorted(baskets), "records": len(sent), "originals": terms.with_originals}
        audit.write(work, actor, "basket.pushed", f"user {actor.user_id}", details)
        return Pushed(baskets, tuple(key for key in dict.fromkeys(keys) if key not in set(sent)))


def _check_push(keys: Sequence[RecordKey], people: Sequence[UserId | str], message: str) -> None:
    if not keys or len(keys) > MOST_ELEMENTS:
        raise Invalid("Send 1 to {most} documents.", field="records", values={"most": MOST_ELEMENTS})
    if not people or len(people) > MOST_RECIPIENTS:
        raise Invalid("Send to 1 to {most} people.", field="people", values={"most": MOST_RECIPIENTS})
    if len(message) > LONGEST_NOTE:
        raise Invalid("The message has at most {most} characters.", field="message", values={"most": LONGEST_NOTE})
    if message.strip() and (fault := fault_of_name(message, has_lines=True)):
        raise Invalid(fault, field="message")


def require_future(work: UnitOfWork, instant: datetime | None, field: str) -> None:
    if instant is not None and instant <= work.now:
        raise Invalid("{field} must be in the future.", field=field, values={"field": field})


def recipient(accounts: Accounts, work: UnitOfWork, named: UserId | str, giver_id: UserId) -> User:
    """Somebody else with an account of their own, by id or login. Raises Invalid."""
    person = person_of(accounts, work, named)
    if person.id == giver_id:
        raise Invalid("This is you. Name other people.", field="user_id")
    return person


def person_of(accounts: Accounts, work: UnitOfWork, named: UserId | str) -> User:
    """By id or login. Raises Invalid for nobody, a closed or unconfirmed account and the guest."""
    try:
        person = accounts.find(work, named) if isinstance(named, str) else accounts.get(work, named)
    except NotFound as nobody:
        raise Invalid(
            f"There is no person {named}.", field="login" if isinstance(named, str) else "user_id"
        ) from nobody
    if person.is_guest or accounts.is_unconfirmed(work, person):
        raise Invalid(f"There is no person {named}.", field="user_id")
    return person


def person_name(person: User) -> str:
    """For other people: never the e-mail address."""
    return f"{person.first_name} {person.last_name}".strip() or person.login


def admit(work: UnitOfWork, basket: Basket, person: User, values: Mapping[str, object]) -> None:
    """Make *person* a participant with these *values*, or change them. Raises BasketFull."""
    known = participant_store.participation(work, basket.id, person.id)
    if known is not None:
        participant_store.update(work, known.id, values)
        return
    if len(participant_store.of_basket(work, basket.id)) >= MOST_PARTICIPANTS:
        raise BasketFull("A basket has at most {most} participants.", values={"most": MOST_PARTICIPANTS})
    if person.id != basket.owner_id and participant_store.count_shared(work, person.id) >= MOST_SHARED:
        raise BasketFull("{name} takes part in too many baskets to get another.", values={"name": person_name(person)})
    participant_store.add(work, basket.id, person.id, values)


def end_participation(work: UnitOfWork, basket: Basket, participant: Participant, actor_id: UserId | None) -> None:
    """Remove a participant with everything that the basket and its vote gave them, what they gave others through it,
    and their choices."""
    vote = vote_store.of_basket(work, basket.id)
    giving.end_given_by(work, basket, vote, participant.user_id)
    for source in giving.sources(basket, vote):
        if source != giving.push_source(basket.id):  # that is the owner's
            record_grants.end(work, source, user_id=participant.user_id)
    participant_store.remove(work, participant.id)
    store.update(work, basket.id)
    work.emit(ParticipationEnded(basket.id, actor_id, participant.user_id))
