"""Votes on baskets (06 section 12, docs/decisions/0129)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vitrine.accounts import COMMAND, User
from vitrine.baskets.errors import (
    BasketChanged,
    BasketFull,
    BasketNotShared,
    MayNotVote,
    NoSuchElement,
    NoSuchVote,
    VoteClosed,
    VoteOpen,
)
from vitrine.baskets.events import VoteConfirmed, VoteEnded, VoteReminderDue, VoteRequested
from vitrine.baskets.model import BasketId, ChoiceChange, ElementId, Voter
from vitrine.errors import Invalid
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def world(server: Server) -> BasketWorld:
    return BasketWorld(server)


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def bob(server: Server) -> User:
    return server.user("bob", {})


def emitted(world: BasketWorld, kind: type[Any]) -> list[Any]:
    events: list[Any] = []
    world.server.services.database.listen(kind, lambda _work, event: events.append(event))
    return events


def cast(
    world: BasketWorld, user: User, basket: BasketId, element: ElementId, agreement: bool | None = True, **more: Any
) -> int:
    expected = more.pop("expected", None)
    change = ChoiceChange(element, has_agreement=True, agreement=agreement, **more)
    return world.act(
        user, lambda work, actor: world.services.votes.cast(work, actor, basket, [change], expected=expected)
    )


def note(world: BasketWorld, user: User, basket: BasketId, element: ElementId, text: str) -> int:
    change = ChoiceChange(element, note=text)
    return world.act(user, lambda work, actor: world.services.votes.cast(work, actor, basket, [change]))


def confirm(world: BasketWorld, user: User, basket: BasketId) -> None:
    world.act(user, lambda work, actor: world.services.votes.confirm(work, actor, basket))


def choices(world: BasketWorld, user: User, basket: BasketId) -> list[list[tuple[bool | None, str]]]:
    return [
        [(choice.agreement, choice.note) for choice in element.choices.values()]
        for element in world.content(user, basket).elements
    ]


class TestCasting:
    def test_yes_then_no_but_never_back_to_undecided(self, world: BasketWorld, ada: User, bob: User) -> None:
        basket = world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob)
        (element,) = world.element_ids(bob, basket)
        cast(world, bob, basket, element, None)
        cast(world, bob, basket, element)
        cast(world, bob, basket, element, False)
        with pytest.raises(Invalid):
            cast(world, bob, basket, element, None)
        note(world, bob, basket, element, "Dark\nand blurred")
        assert choices(world, bob, basket) == [[(False, "Dark\nand blurred")]]
        assert choices(world, ada, basket) == [[(False, "Dark\nand blurred")]]

    def test_a_note_needs_participation_alone(self, world: BasketWorld, ada: User, bob: User) -> None:
        basket = world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob, can_agree=False)
        (element,) = world.element_ids(bob, basket)
        note(world, bob, basket, element, "Nice")
        for refused in (lambda: cast(world, bob, basket, element), lambda: confirm(world, bob, basket)):
            with pytest.raises(MayNotVote):
                refused()
        assert choices(world, ada, basket) == [[(None, "Nice")]]

    def test_all_or_none(self, world: BasketWorld, ada: User, bob: User) -> None:
        basket, other = world.create(ada, world.records(1)), world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob)
        (element,), (foreign,) = world.element_ids(ada, basket), world.element_ids(ada, other)
        changes = [ChoiceChange(place, has_agreement=True, agreement=True) for place in (element, foreign)]
        with pytest.raises(NoSuchElement):
            world.act(bob, lambda work, actor: world.services.votes.cast(work, actor, basket, changes))
        assert choices(world, ada, basket) == [[]]

    @pytest.mark.parametrize("text", ["x" * 2_001, "a\x00b", "turn \u202e it"])
    def test_notes_that_cannot_be_kept(self, world: BasketWorld, ada: User, bob: User, text: str) -> None:
        basket = world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob)
        (element,) = world.element_ids(bob, basket)
        with pytest.raises(Invalid):
            note(world, bob, basket, element, text)

    def test_only_voters_vote(self, world: BasketWorld, ada: User, bob: User) -> None:
        eve, carl = world.server.user("eve", {}), world.server.user("carl")
        basket = world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob)
        world.share(ada, basket, eve)
        (element,) = world.element_ids(ada, basket)
        for person in (ada, eve):
            with pytest.raises(MayNotVote):
                cast(world, person, basket, element)
        with pytest.raises(BasketNotShared):
            cast(world, carl, basket, element)
        world.act(ada, lambda work, actor: world.services.votes.ask(work, actor, basket, [Voter(ada.id)]))
        cast(world, ada, basket, element)

    def test_two_windows_of_one_voter(self, world: BasketWorld, ada: User, bob: User) -> None:
        """No choice is lost without notice; another voter disturbs nobody."""
        eve = world.server.user("eve", {})
        basket = world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob, eve)
        (element,) = world.element_ids(ada, basket)
        version = cast(world, bob, basket, element, expected=0)
        cast(world, eve, basket, element, expected=0)
        with pytest.raises(BasketChanged):
            cast(world, bob, basket, element, False, expected=0)
        cast(world, bob, basket, element, False, expected=version)

    def test_an_element_that_is_taken_out_takes_its_choices(self, world: BasketWorld, ada: User, bob: User) -> None:
        key, _ = keys = world.records(2)
        basket = world.create(ada, keys)
        world.start_vote(ada, basket, bob)
        first, second = world.element_ids(bob, basket)
        for element in (first, second):
            cast(world, bob, basket, element)
        world.act(ada, lambda work, actor: world.services.elements.remove(work, actor, basket, [first]))
        world.add(ada, basket, key)
        assert choices(world, ada, basket) == [[(True, "")], []]
        with pytest.raises(NoSuchElement):
            cast(world, bob, basket, first)


class TestTime:
    def test_each_choice_tests_the_end(self, world: BasketWorld, ada: User, bob: User) -> None:
        """06 section 12: the original tested no date."""
        keys = world.records(1)
        basket = world.create(ada, keys)
        world.start_vote(ada, basket, bob, expires=NOW + DAY)
        (element,) = world.element_ids(bob, basket)
        cast(world, bob, basket, element)
        world.moment = NOW + DAY
        for late in (lambda: cast(world, bob, basket, element, False), lambda: confirm(world, bob, basket)):
            with pytest.raises(VoteClosed):
                late()
        assert world.seen(bob, basket) == [], "the grants ended"
        assert choices(world, ada, basket) == [[(True, "")]]

    def test_the_length_is_a_setting(self, world: BasketWorld, ada: User, bob: User) -> None:
        basket = world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob)
        vote = world.view(ada, basket).vote
        assert vote is not None
        assert vote.expires - vote.created == timedelta(days=10)
        assert vote.remind_at == vote.created + timedelta(days=8)

    @pytest.mark.parametrize("end", [NOW - DAY, NOW + timedelta(days=20_000)])
    def test_ends_that_are_refused(self, world: BasketWorld, ada: User, bob: User, end: datetime) -> None:
        with pytest.raises(Invalid):
            world.start_vote(ada, world.create(ada, world.records(1)), bob, expires=end)

    def test_reminders_go_out_once_to_those_who_have_not_handed_in(
        self, world: BasketWorld, ada: User, bob: User
    ) -> None:
        events = emitted(world, VoteReminderDue)
        eve, ann = world.server.user("eve", {}), world.server.user("ann", {})
        basket = world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob, eve, expires=NOW + 10 * DAY)
        world.act(ada, lambda work, actor: world.services.votes.ask(
            work, actor, basket, [Voter(ann.id, can_agree=False)]
        ))  # fmt: skip
        (element,) = world.element_ids(bob, basket)
        cast(world, bob, basket, element)
        confirm(world, bob, basket)
        world.moment = NOW + 7 * DAY
        world.maintain()
        assert events == []
        world.moment = NOW + 8 * DAY + timedelta(minutes=5)
        world.maintain()
        world.maintain()
        assert [event.user_id for event in events] == [eve.id]
        world.moment = NOW + 9 * DAY
        world.act(ada, lambda work, actor: world.services.votes.change_end(work, actor, basket, NOW + 30 * DAY))
        world.moment = NOW + 29 * DAY
        world.maintain()
        assert [event.user_id for event in events] == [eve.id, eve.id], "a new end, a new reminder"

    def test_the_worker_closes_what_is_over(self, world: BasketWorld, ada: User, bob: User) -> None:
        events = emitted(world, VoteEnded)
        basket = world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob, expires=NOW + DAY)
        world.moment = NOW + 2 * DAY
        world.maintain()
        world.maintain()
        assert [(event.initiator_id, event.actor_id) for event in events] == [(ada.id, None)]
        vote = world.view(bob, basket).vote
        assert vote is not None
        assert vote.closed_at == world.moment

    def test_another_end_is_given_by_what_the_owner_may_push_now(
        self, world: BasketWorld, ada: User, bob: User
    ) -> None:
        basket = world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob, expires=NOW + DAY)
        world.act(ada, lambda work, actor: world.services.votes.change_end(work, actor, basket, NOW + 3 * DAY))
        world.moment = NOW + 2 * DAY
        assert len(world.seen(bob, basket)) == 1


class TestHandingIn:
    def test_the_initiator_gets_a_report_once(self, world: BasketWorld, ada: User, bob: User) -> None:
        events = emitted(world, VoteConfirmed)
        basket = world.create(ada, world.records(3))
        world.start_vote(ada, basket, bob)
        first, second, third = world.element_ids(bob, basket)
        note(world, bob, basket, third, "?")
        with pytest.raises(Invalid):
            confirm(world, bob, basket)
        cast(world, bob, basket, first)
        cast(world, bob, basket, second, False)
        confirm(world, bob, basket)
        assert events == [VoteConfirmed(basket, ada.id, bob.id, agreed=1, disagreed=1, undecided=1)]
        for again in (lambda: confirm(world, bob, basket), lambda: cast(world, bob, basket, third)):
            with pytest.raises(VoteClosed):
                again()
        assert len(events) == 1


class TestStarting:
    def test_each_voter_is_told(self, world: BasketWorld, ada: User, bob: User) -> None:
        events = emitted(world, VoteRequested)
        basket = world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob, ada, expires=NOW + DAY)
        assert [(event.initiator_id, event.user_id, event.expires) for event in events] == [(ada.id, bob.id, NOW + DAY)]

    def test_one_vote_at_a_time(self, world: BasketWorld, ada: User, bob: User) -> None:
        eve = world.server.user("eve", {})
        basket = world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob)
        with pytest.raises(VoteOpen):
            world.start_vote(ada, basket, eve)
        (element,) = world.element_ids(bob, basket)
        cast(world, bob, basket, element)
        world.act(ada, lambda work, actor: world.services.votes.close(work, actor, basket))
        assert choices(world, bob, basket) == [], "without the grant bob sees no element"
        world.start_vote(ada, basket, eve)
        assert choices(world, ada, basket) == [[]], "the last vote is forgotten"
        with pytest.raises(BasketNotShared):
            world.view(bob, basket)

    def test_a_share_outlives_the_vote(self, world: BasketWorld, ada: User, bob: User) -> None:
        keys = world.records(1)
        basket = world.create(ada, keys)
        world.share(ada, basket, bob, can_modify=True)
        world.start_vote(ada, basket, bob)
        world.act(ada, lambda work, actor: world.services.votes.delete(work, actor, basket))
        view = world.view(bob, basket)
        assert (view.vote, view.own.can_modify if view.own else None) == (None, True)
        assert world.seen(bob, basket) == [keys[0].number]
        with pytest.raises(NoSuchVote):
            cast(world, bob, basket, world.element_ids(bob, basket)[0])

    def test_a_vote_outlives_the_share(self, world: BasketWorld, ada: User, bob: User) -> None:
        keys = world.records(1)
        basket = world.create(ada, keys)
        world.share(ada, basket, bob, expires=NOW + DAY, can_modify=True)
        world.start_vote(ada, basket, bob, expires=NOW + 3 * DAY)
        world.moment = NOW + 2 * DAY
        world.maintain()
        cast(world, bob, basket, world.element_ids(bob, basket)[0])
        own = world.view(bob, basket).own
        assert own is not None
        assert not own.may_modify(world.moment)

    def test_bounds(self, world: BasketWorld, ada: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("vitrine.baskets.elements.MOST_CHOICES", 3)
        eve = world.server.user("eve", {})
        basket = world.create(ada, world.records(2))
        with pytest.raises(BasketFull):
            world.start_vote(ada, basket, bob, eve)
        world.start_vote(ada, basket, bob)
        with pytest.raises(BasketFull):
            world.add(ada, basket, *world.records(2))
        monkeypatch.setattr("vitrine.baskets.sharing.MOST_PARTICIPANTS", 1)
        with pytest.raises(BasketFull):
            world.share(ada, basket, eve)

    def test_without_voters_there_is_no_vote(self, world: BasketWorld, ada: User, bob: User) -> None:
        basket = world.create(ada, world.records(1))
        for voters in ((), (bob, bob)):
            with pytest.raises(Invalid):
                world.start_vote(ada, basket, *voters)
        assert world.view(ada, basket).vote is None

    def test_who_leaves_takes_their_choices(self, world: BasketWorld, ada: User, bob: User) -> None:
        basket = world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob)
        cast(world, bob, basket, world.element_ids(bob, basket)[0])
        with world.server.services.database.write() as work:
            world.server.services.accounts.administration.close(work, COMMAND, "bob")
        assert choices(world, ada, basket) == [[]]
