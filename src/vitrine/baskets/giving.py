"""Grants that baskets give: on each record that the giver sees and may push, the original only where the giver has it
(06 sections 12 and 17.7). They end with what gave them (`accounts.record_grants`)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vitrine.accounts import Accounts, Actor, Right, UserId, Via, record_grants
from vitrine.accounts.record_grants import GrantSource, SourceKind
from vitrine.baskets import roles
from vitrine.baskets.errors import MayNotShareBasket
from vitrine.baskets.model import MOST_GRANTS, Basket, BasketId, Participant, Vote
from vitrine.errors import Invalid
from vitrine.library import access
from vitrine.library.model import CollectionId, RecordId
from vitrine.platform.database import UnitOfWork

Stamp = tuple[RecordId, CollectionId, int]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets grants of which source, with originals or without, until when."""

    user_id: UserId
    source: GrantSource
    with_originals: bool = False
    expires: datetime | None = None


def share_source(basket: Basket) -> GrantSource:
    return GrantSource(SourceKind.BASKET, basket.id)


def push_source(basket_id: int) -> GrantSource:
    return GrantSource(SourceKind.PUSH, basket_id)


def vote_source(vote: Vote) -> GrantSource:
    return GrantSource(SourceKind.VOTE, vote.id)


def sources(basket: Basket, vote: Vote | None) -> list[GrantSource]:
    """Everything through which a basket gives."""
    return [share_source(basket), push_source(basket.id), *([vote_source(vote)] if vote else [])]


def recipients(
    work: UnitOfWork, basket: Basket, participants: Iterable[Participant], vote: Vote | None
) -> list[Recipient]:
    """Everybody to whom the basket is open: its owner too, for what others put in."""
    people = [Recipient(basket.owner_id, share_source(basket))]
    for person in participants:
        if person.user_id == basket.owner_id:
            continue
        if person.has_share(work.now):
            people.append(Recipient(person.user_id, share_source(basket), person.with_originals, person.share_expires))
        if person.is_voter and vote is not None and vote.is_open(work.now):
            people.append(Recipient(person.user_id, vote_source(vote), person.with_originals, vote.expires))
    return people


def require_push_somewhere(work: UnitOfWork, actor: Actor) -> None:
    """Raises MayNotShareBasket for people who may push nothing at all."""
    if actor.via is not Via.COMMAND and not actor.rights.anywhere(Right.canpush, work.now):
        raise MayNotShareBasket("You may not share documents with other people.", why=f"user {actor.user_id}")


def shareable(work: UnitOfWork, actor: Actor, basket_id: BasketId, expected: int | None = None) -> Basket:
    """The basket, for its owner who may push something. Raises as `roles.owned`, or MayNotShareBasket."""
    basket = roles.owned(work, actor, basket_id, expected)
    require_push_somewhere(work, actor)
    return basket


def give(work: UnitOfWork, actor: Actor, stamps: Sequence[Stamp], people: Sequence[Recipient]) -> set[RecordId]:
    """Give grants on those of the records *stamps* that *actor* may push; return these. Each ends with the actor's own
    right, if that ends before the recipient's time is over. Nobody gives to themselves: a grant would outlive the
    rights that it comes from.

    Raises Invalid if they are more than MOST_GRANTS together."""
    people = [person for person in people if person.user_id != actor.user_id]
    pushable = access.with_right(work, actor, Right.canpush, stamps)
    if len(pushable) * len(people) > MOST_GRANTS:
        raise Invalid(
            "These are {count} documents for {people} people; at most {most} are shared at once. Take fewer.",
            values={"count": len(pushable), "people": len(people), "most": MOST_GRANTS},
        )
    originals: set[RecordId] = set()
    if any(person.with_originals for person in people):
        originals = access.with_original(work, actor, [stamp for stamp in stamps if stamp[0] in pushable])
    given = [stamp for stamp in stamps if stamp[0] in pushable]
    with_original = [stamp for stamp in given if stamp[0] in originals]
    ends = access.ends_of_giving(work, actor, given, originals=False) if people else {}
    ends_with_original = access.ends_of_giving(work, actor, with_original, originals=True) if with_original else {}
    for person in people:
        by_end: dict[tuple[bool, datetime | None], list[RecordId]] = {}
        for record in pushable:
            has_document = person.with_originals and record in originals
            end = ends_with_original[record] if has_document else ends[record]
            by_end.setdefault((has_document, record_grants.earlier(person.expires, end)), []).append(record)
        for (has_document, expires), records in by_end.items():
            record_grants.give(
                work, person.user_id, records, person.source,
                giver_id=actor.user_id, document=has_document, expires=expires,
            )  # fmt: skip
    return pushable


def give_anew(
    work: UnitOfWork, accounts: Accounts, actor: Actor, stamps: Sequence[Stamp], people: Sequence[Recipient]
) -> set[RecordId]:
    """`give` under new terms: what *actor* gave before through these sources ends; what others gave stays, within the
    new terms and as long as its giver may give it now."""
    for person in people:
        record_grants.end(work, person.source, user_id=person.user_id, giver_id=actor.user_id)
        record_grants.narrow(
            work, person.source, person.user_id, document=person.with_originals, expires=person.expires
        )
    pushable = give(work, actor, stamps, people)
    for person in people:
        _prolong(work, accounts, actor, stamps, person)
    return pushable


def _prolong(work: UnitOfWork, accounts: Accounts, actor: Actor, stamps: Sequence[Stamp], person: Recipient) -> None:
    """What others than *actor* gave lasts as long as the new terms, where its giver may still push it."""
    by_giver: dict[int, dict[int, bool]] = {}
    for given in record_grants.given_by_others(work, person.source, person.user_id, actor):
        by_giver.setdefault(given.giver_id, {})[given.record_id] = given.document
    for giver_id, records in by_giver.items():
        user = accounts.known(work, UserId(giver_id))
        if user is None:
            continue  # a closed account gives nothing
        giver = accounts.actor_of(work, user, Via.TOKEN)
        pushable = access.with_right(work, giver, Right.canpush, [stamp for stamp in stamps if stamp[0] in records])
        for has_document in (False, True):
            some = [stamp for stamp in stamps if stamp[0] in pushable and records[stamp[0]] is has_document]
            if has_document:
                originals = access.with_original(work, giver, some)
                some = [stamp for stamp in some if stamp[0] in originals]
            by_end: dict[datetime | None, list[RecordId]] = {}
            for record, end in access.ends_of_giving(work, giver, some, originals=has_document).items():
                by_end.setdefault(record_grants.earlier(person.expires, end), []).append(record)
            for expires, ids in by_end.items():
                record_grants.give(
                    work, person.user_id, ids, person.source,
                    giver_id=giver_id, document=has_document, expires=expires,
                )  # fmt: skip


def end_given_by(work: UnitOfWork, basket: Basket, vote: Vote | None, giver_id: UserId) -> None:
    """What a person gave others through a basket ends with their part in it. What they once pushed stays."""
    for source in sources(basket, vote):
        if source != push_source(basket.id):
            record_grants.end(work, source, giver_id=giver_id)
