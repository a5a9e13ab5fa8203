"""Votes on the elements of a basket (06 section 12): asked for by its owner, cast by participants, handed in once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vitrine.accounts import Accounts, Actor, User, UserId, record_grants
from vitrine.baskets import giving, participant_store, roles, store, vote_store
from vitrine.baskets.elements import require_choices
from vitrine.baskets.errors import BasketChanged, MayNotVote, NoSuchElement, NoSuchVote, VoteClosed, VoteOpen
from vitrine.baskets.events import VoteConfirmed, VoteEnded, VoteRequested
from vitrine.baskets.giving import Recipient
from vitrine.baskets.model import (
    LONGEST_NOTE,
    MOST_ELEMENTS,
    MOST_PARTICIPANTS,
    Basket,
    BasketId,
    Choice,
    ChoiceChange,
    Element,
    Participant,
    Vote,
    Voter,
)
from vitrine.baskets.sharing import admit, person_of, require_future
from vitrine.errors import Invalid
from vitrine.library import access
from vitrine.library.reports import UseKind, uses
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import fault_of_name

LONGEST_VOTE = timedelta(days=3_650)


@dataclass(frozen=True, slots=True)
class BasketVotes:
    """*length* is a vote's time if its owner names no end; *reminder_percent* of it is left when voters are reminded.

    Refusals: those of `baskets.roles`, NoSuchVote, VoteClosed, MayNotVote, Invalid."""

    accounts: Accounts
    length: timedelta = timedelta(days=10)
    reminder_percent: int = 20

    # -- the initiator -------------------------------------------------------------------------------------------

    def start(
        self,
        work: UnitOfWork,
        actor: Actor,
        basket_id: BasketId,
        voters: Sequence[Voter],
        *,
        expires: datetime | None = None,
        expected: int | None = None,
    ) -> int:
        """Ask for votes: for the owner, who must have `canpush` somewhere. Forgets the last vote of the basket, which
        must be closed. Returns on how many elements the voters get no grant. Raises VoteOpen, MayNotShareBasket and
        BasketFull, too."""
        basket = giving.shareable(work, actor, basket_id, expected)
        last = vote_store.of_basket(work, basket.id)
        if last is not None and last.is_open(work.now):
            raise VoteOpen("A vote on this basket is under way. Close it first.", why=f"basket {basket.id}")
        if last is not None:
            self._forget(work, last)
        end = self._checked_end(work, work.now, expires)
        vote_id = vote_store.add(work, basket.id, actor.must_user_id, end, self._reminder(work.now, end))
        without = self._ask(work, actor, basket, _vote(work, basket.id), voters)
        audit.write(work, actor, "vote.started", f"basket {basket.id}", {"vote": vote_id, "voters": len(voters)})
        return without

    def ask(
        self,
        work: UnitOfWork,
        actor: Actor,
        basket_id: BasketId,
        voters: Sequence[Voter],
        *,
        expected: int | None = None,
    ) -> int:
        """Ask more people, or change what those asked may do. As `start`."""
        basket = giving.shareable(work, actor, basket_id, expected)
        without = self._ask(work, actor, basket, self._open_vote(work, basket), voters)
        audit.write(work, actor, "vote.asked", f"basket {basket.id}", {"voters": len(voters)})
        return without

    def change_end(
        self, work: UnitOfWork, actor: Actor, basket_id: BasketId, expires: datetime, *, expected: int | None = None
    ) -> None:
        """Another end of an open vote: for the owner. Grants are given anew, by what the owner may push now."""
        basket = giving.shareable(work, actor, basket_id, expected)
        vote = self._open_vote(work, basket)
        end = self._checked_end(work, vote.created, expires)
        vote_store.update(work, vote.id, {"expires": end, "remind_at": self._reminder(vote.created, end)})
        changed = _vote(work, basket.id)
        people = participant_store.of_basket(work, basket.id)
        _give(work, self.accounts, actor, basket, changed, [person for person in people if person.is_voter])
        for person in people:
            if person.reminded_at is not None:
                participant_store.update(work, person.id, {"reminded_at": None})
        store.update(work, basket.id)
        audit.write(work, actor, "vote.end_changed", f"basket {basket.id}")

    def close(self, work: UnitOfWork, actor: Actor, basket_id: BasketId, *, expected: int | None = None) -> None:
        """End the vote: for the owner. Its grants end; the choices stay to be read."""
        basket = roles.owned(work, actor, basket_id, expected)
        close_vote(work, self._open_vote(work, basket), actor.user_id)
        store.update(work, basket.id)
        audit.write(work, actor, "vote.closed", f"basket {basket.id}")

    def delete(self, work: UnitOfWork, actor: Actor, basket_id: BasketId, *, expected: int | None = None) -> None:
        """Forget the vote with its choices; people who were only asked to vote take part no more. For the owner."""
        basket = roles.owned(work, actor, basket_id, expected)
        self._forget(work, _vote(work, basket.id))
        store.update(work, basket.id)
        audit.write(work, actor, "vote.deleted", f"basket {basket.id}")

    @staticmethod
    def _forget(work: UnitOfWork, vote: Vote) -> None:
        record_grants.end(work, giving.vote_source(vote))
        participant_store.end_vote(work, vote.basket_id)
        vote_store.delete(work, vote.id)

    def _ask(self, work: UnitOfWork, actor: Actor, basket: Basket, vote: Vote, voters: Sequence[Voter]) -> int:
        people = [person_of(self.accounts, work, voter.named) for voter in voters]
        named = {person.id for person in people}
        if not voters or len(named) != len(voters) or len(voters) > MOST_PARTICIPANTS:
            raise Invalid("Name 1 to {most} voters, each once.", field="voters", values={"most": MOST_PARTICIPANTS})
        earlier_voters = {known.user_id for known in participant_store.of_basket(work, basket.id) if known.is_voter}
        for voter, person in zip(voters, people, strict=True):
            self._admit_voter(work, basket, person, voter)
        participants = participant_store.of_basket(work, basket.id)
        voters_now = [participant for participant in participants if participant.user_id in named]
        elements = store.elements(work, basket.id, MOST_ELEMENTS)
        require_choices(
            len(elements),
            sum(participant.is_voter for participant in participants),
        )
        without = _give(work, self.accounts, actor, basket, vote, voters_now)
        if named - earlier_voters:
            uses.write(work, actor, UseKind.VOTE, [element.record_id for element in elements])
        store.update(work, basket.id)
        for participant in voters_now:
            if participant.user_id != actor.user_id and participant.user_id not in earlier_voters:
                work.emit(VoteRequested(basket.id, vote.initiator_id, participant.user_id, vote.expires))
        return without

    @staticmethod
    def _admit_voter(work: UnitOfWork, basket: Basket, person: User, voter: Voter) -> None:
        """The owner may vote, too."""
        values = {"is_voter": True, "can_agree": voter.can_agree, "can_see_others": voter.can_see_others}
        known = participant_store.participation(work, basket.id, person.id)
        if known is None or not known.is_shared:  # else it is a term of the share
            values["with_originals"] = voter.with_originals
        admit(work, basket, person, values)

    def _checked_end(self, work: UnitOfWork, begin: datetime, expires: datetime | None) -> datetime:
        require_future(work, expires, "expires")
        end = expires or begin + self.length
        if end > begin + LONGEST_VOTE:
            raise Invalid("A vote takes at most {days} days.", field="expires", values={"days": LONGEST_VOTE.days})
        return end

    def _reminder(self, begin: datetime, end: datetime) -> datetime | None:
        if self.reminder_percent == 0:
            return None
        return end - (end - begin) * self.reminder_percent / 100

    @staticmethod
    def _open_vote(work: UnitOfWork, basket: Basket) -> Vote:
        vote = _vote(work, basket.id)
        if not vote.is_open(work.now):
            raise VoteClosed("This vote is over.", why=f"basket {basket.id}")
        return vote

    # -- voters --------------------------------------------------------------------------------------------------

    @staticmethod
    def permit(work: UnitOfWork, actor: Actor, basket_id: BasketId) -> tuple[Basket, Participant]:
        """The basket, for who votes in its vote, which may be over. Raises NoSuchVote or MayNotVote."""
        basket, own = roles.opened(work, actor, basket_id)
        vote = _vote(work, basket.id)
        if own is None or not own.is_voter:
            raise MayNotVote("Your vote is not asked for.", why=f"vote {vote.id}")
        return basket, own

    def cast(
        self,
        work: UnitOfWork,
        actor: Actor,
        basket_id: BasketId,
        changes: Sequence[ChoiceChange],
        *,
        expected: int | None = None,
    ) -> int:
        """Vote yes or no, and write notes, all or none, until the vote ends or one's choices are handed in. Yes and no
        need `can_agree`; a note only needs participation; nobody goes back to undecided (06 section 12). *expected* is
        the version of one's own choices; returns the new one. Raises NoSuchElement for what the voter does not see, and
        BasketChanged."""
        basket, own = self._voter(work, actor, basket_id)
        if expected is not None and expected != own.choices_version:
            raise BasketChanged("You voted elsewhere since you read your choices. Read them again.")
        if own.confirmed_at is not None:
            raise VoteClosed("You handed in your choices.", why=f"basket {basket.id}")
        present = self._visible(work, actor, basket)
        known = vote_store.own_choices(work, own.id)
        choices: dict[int, Choice] = {}
        for change in changes:
            if change.element_id not in present:
                raise NoSuchElement(f"This basket has no element {change.element_id}.", field="choices")
            before = choices.get(change.element_id) or known.get(change.element_id)
            choices[change.element_id] = _changed(work, own, change, before)
        vote_store.cast(work, list(choices.values()))
        version = own.choices_version + 1
        participant_store.update(work, own.id, {"choices_version": version, "is_aware": True})
        return version

    def own_choices(self, work: UnitOfWork, actor: Actor, basket_id: BasketId) -> list[Choice]:
        """The actor's own, on elements that they see. Empty for people who have none."""
        basket, own = roles.opened(work, actor, basket_id)
        if own is None:
            return []
        present = self._visible(work, actor, basket)
        choices = vote_store.own_choices(work, own.id)
        return [choices[element_id] for element_id in choices if element_id in present]

    @staticmethod
    def _visible(work: UnitOfWork, actor: Actor, basket: Basket) -> Mapping[int, Element]:
        elements = store.elements(work, basket.id, MOST_ELEMENTS)
        seen = access.visible_ids(work, actor, [element.stamp for element in elements])
        return {element.id: element for element in elements if element.record_id in seen}

    def confirm(self, work: UnitOfWork, actor: Actor, basket_id: BasketId) -> None:
        """Hand in: once, with `can_agree` and at least one yes or no. The initiator gets a report (`VoteConfirmed`)."""
        basket, own = self._voter(work, actor, basket_id)
        if not own.can_agree:
            raise MayNotVote("You may write notes in this vote and not decide.", why=f"basket {basket.id}")
        if own.confirmed_at is not None:
            raise VoteClosed("You handed in your choices.", why=f"basket {basket.id}")
        agreements = [choice.agreement for choice in vote_store.own_choices(work, own.id).values()]
        decided = [agreement for agreement in agreements if agreement is not None]
        if not decided:
            raise Invalid("Vote on at least one document before you hand in.", field="choices")
        participant_store.update(work, own.id, {"confirmed_at": work.now, "is_aware": True})
        total = len(store.elements(work, basket.id, MOST_ELEMENTS))
        agreed = sum(decided)
        work.emit(
            VoteConfirmed(basket.id, basket.owner_id, own.user_id, agreed, len(decided) - agreed, total - len(decided))
        )
        audit.write(work, actor, "vote.confirmed", f"basket {basket.id}")

    def _voter(self, work: UnitOfWork, actor: Actor, basket_id: BasketId) -> tuple[Basket, Participant]:
        """The basket with an open vote in which the actor votes."""
        basket, own = self.permit(work, actor, basket_id)
        self._open_vote(work, basket)
        return basket, own


def _vote(work: UnitOfWork, basket_id: BasketId) -> Vote:
    vote = vote_store.of_basket(work, basket_id)
    if vote is None:
        raise NoSuchVote("This basket has no vote.", why=f"basket {basket_id}")
    return vote


def _give(
    work: UnitOfWork,
    accounts: Accounts,
    actor: Actor,
    basket: Basket,
    vote: Vote,
    people: Sequence[Participant],
) -> int:
    """Give the vote's grants to *people* anew; on how many elements they get none. What other participants gave stays,
    within the new terms."""
    stamps = [element.stamp for element in store.elements(work, basket.id, MOST_ELEMENTS)]
    source = giving.vote_source(vote)
    given = [
        Recipient(person.user_id, source, person.with_originals, vote.expires)
        for person in people
        if person.user_id != basket.owner_id
    ]
    return len(stamps) - len(giving.give_anew(work, accounts, actor, stamps, given))


def _changed(work: UnitOfWork, own: Participant, change: ChoiceChange, before: Choice | None) -> Choice:
    agreement, note = (before.agreement, before.note) if before else (None, "")
    if change.has_agreement:
        if change.agreement != agreement and not own.can_agree:
            raise MayNotVote("You may write notes in this vote and not decide.", why=f"participant {own.id}")
        if change.agreement is None and agreement is not None:
            raise Invalid("A vote can be changed and not taken back: say yes or no.", field="agreement")
        agreement = change.agreement
    if change.note is not None:
        note = _checked_note(change.note)
    return Choice(own.id, change.element_id, agreement, note, work.now)


def _checked_note(note: str) -> str:
    if len(note) > LONGEST_NOTE:
        raise Invalid("A note has at most {most} characters.", field="note", values={"most": LONGEST_NOTE})
    if note.strip() and (fault := fault_of_name(note, has_lines=True)):
        raise Invalid(fault, field="note")
    return note


def close_vote(work: UnitOfWork, vote: Vote, actor_id: UserId | None) -> None:
    """The vote is over: its grants end, its choices stay to be read."""
    record_grants.end(work, giving.vote_source(vote))
    vote_store.update(work, vote.id, {"closed_at": work.now, "remind_at": None})
    work.emit(VoteEnded(vote.basket_id, vote.initiator_id, actor_id))
