"""What baskets give on records, and when it ends (06 sections 12 and 17.5)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import COMMAND, Right, User, Via, record_grants, tables
from vitrine.accounts.rights import ALL_RIGHTS
from vitrine.baskets.errors import (
    BasketFull,
    BasketNotShared,
    MayNotChangeBasket,
    MayNotPutInBasket,
    MayNotShareBasket,
    NoSuchElement,
)
from vitrine.baskets.events import BasketPushed, BasketShared, ParticipationEnded
from vitrine.baskets.model import BasketId
from vitrine.baskets.sharing import ShareTerms
from vitrine.errors import Invalid
from vitrine.library.errors import NoSuchRecord
from vitrine.library.model import RecordKey
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases
NOW = datetime.now(UTC)


@pytest.fixture
def world(server: Server) -> BasketWorld:
    return BasketWorld(server)


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def bob(server: Server) -> User:
    return server.user("bob", {})


def granted(world: BasketWorld, user: User, keys: list[RecordKey]) -> dict[int, bool]:
    """The record numbers on which *user* holds a live grant; true with the original."""
    records = world.server.services.library.records
    with world.server.services.database.read() as work:
        if world.moment is not None:
            work.now = world.moment
        accounts = world.server.services.accounts.users
        actor = accounts.actor_of(work, accounts.get(work, user.id), Via.TOKEN)
        places = records.places(work, COMMAND, keys)
        ids = {place[0]: key.number for key, place in places.items()}
        return {ids[number]: original for number, original in record_grants.on_records(work, actor, [*ids]).items()}  # type: ignore[index]  # ids of records


def emitted(server: Server, kind: type[Any]) -> list[Any]:
    events: list[Any] = []
    server.services.database.listen(kind, lambda _work, event: events.append(event))
    return events


def ends(world: BasketWorld, user: User) -> set[datetime | None]:
    """When the grants of *user* end."""
    with world.server.services.database.read() as work:
        own = tables.record_grants.c.user_id == user.id
        return set(work.db.scalars(sa.select(tables.record_grants.c.expires).where(own)))


def until(world: BasketWorld, user: User, end: datetime) -> None:
    """The rights of *user* on the photographs end then."""
    world.server.regrant(user, world.server.photographs, ALL_RIGHTS, valid_until=end)


class TestShares:
    def test_a_share_lets_see_and_its_end_takes_it_back(self, world: BasketWorld, ada: User, bob: User) -> None:
        events = emitted(world.server, ParticipationEnded)
        keys = world.records(2)
        basket = world.create(ada, keys)
        assert granted(world, bob, keys) == {}
        world.share(ada, basket, bob)
        assert granted(world, bob, keys) == {key.number: False for key in keys}
        world.leave(bob, basket)
        assert granted(world, bob, keys) == {}
        assert [(event.user_id, event.actor_id) for event in events] == [(bob.id, bob.id)]
        with pytest.raises(BasketNotShared):
            world.content(bob, basket)

    def test_an_original_only_if_the_giver_has_it(self, world: BasketWorld, ada: User, bob: User) -> None:
        with_original, without = world.record(), world.record(world.server.archive)
        world.server.regrant(ada, world.server.archive, ALL_RIGHTS & ~Right.candwnldhd)
        basket = world.create(ada, [with_original, without])
        world.share(ada, basket, bob)
        assert granted(world, bob, [with_original]) == {with_original.number: False}, "not asked for"
        world.share(ada, basket, bob, with_originals=True)
        assert granted(world, bob, [with_original, without]) == {with_original.number: True, without.number: False}

    def test_a_token_without_originals_gives_none(self, world: BasketWorld, ada: User, bob: User) -> None:
        """What is made with a token does not outrank it."""
        key = world.record()
        basket = world.create(ada, [key])
        terms = ShareTerms(with_originals=True)
        world.act(
            ada,
            lambda work, actor: world.services.sharing.share(work, actor, basket, bob.id, terms),
            scope=frozenset({"baskets"}),
        )
        assert granted(world, bob, [key]) == {key.number: False}

    def test_only_what_the_giver_may_push_is_given(self, world: BasketWorld, ada: User, bob: User) -> None:
        pushable, other = world.record(), world.record(world.server.archive)
        world.server.regrant(ada, world.server.archive, ALL_RIGHTS & ~Right.canpush)
        basket = world.create(ada, [pushable, other])
        world.share(ada, basket, bob)
        assert granted(world, bob, [pushable, other]) == {pushable.number: False}
        content = world.content(bob, basket)
        assert [element.shown.record.number for element in content.elements] == [pushable.number]
        assert content.hidden == 1

    def test_a_person_who_may_push_nothing_shares_nothing(self, world: BasketWorld, bob: User) -> None:
        eve = world.server.user("eve", ALL_RIGHTS & ~Right.canpush)
        key = world.record()
        basket = world.create(eve, [key])
        for call in (
            lambda: world.share(eve, basket, bob),
            lambda: world.start_vote(eve, basket, bob),
            lambda: world.push(eve, [key], bob),
        ):
            with pytest.raises(MayNotShareBasket):
                call()
        assert granted(world, bob, [key]) == {}
        with pytest.raises(BasketNotShared):
            world.content(bob, basket)

    def test_shares_of_two_baskets_stand_side_by_side(self, world: BasketWorld, ada: User, bob: User) -> None:
        """In the original a later preview grant took an earlier original away."""
        key = world.record()
        first, second = world.create(ada, [key]), world.create(ada, [key])
        world.share(ada, first, bob, with_originals=True)
        world.share(ada, second, bob)
        assert granted(world, bob, [key]) == {key.number: True}
        world.act(ada, lambda work, actor: world.services.baskets.delete(work, actor, first))
        assert granted(world, bob, [key]) == {key.number: False}
        world.leave(bob, second)
        assert granted(world, bob, [key]) == {}

    def test_a_share_ends_at_its_instant(self, world: BasketWorld, ada: User, bob: User) -> None:
        key = world.record()
        basket = world.create(ada, [key])
        world.share(ada, basket, bob, expires=NOW + timedelta(days=1), can_modify=True)
        world.moment = NOW + timedelta(days=1)
        assert granted(world, bob, [key]) == {}
        with pytest.raises(BasketNotShared):
            world.view(bob, basket)
        with pytest.raises(BasketNotShared):
            world.add(bob, basket, world.record())
        world.maintain()
        assert world.view(ada, basket).participants == ()

    def test_a_past_expiry_is_refused(self, world: BasketWorld, ada: User, bob: User) -> None:
        basket = world.create(ada)
        with pytest.raises(Invalid):
            world.share(ada, basket, bob, expires=NOW - timedelta(seconds=1))

    def test_who_cannot_be_named(self, world: BasketWorld, ada: User) -> None:
        basket, guest = world.create(ada, [world.record()]), world.server.user("guest", {}, is_guest=True)
        closed = world.server.user("closed", {})
        with world.server.services.database.write() as work:
            world.server.services.accounts.administration.close(work, COMMAND, "closed")
        for person in (ada, guest, closed):
            with pytest.raises(Invalid):
                world.share(ada, basket, person)
            with pytest.raises(Invalid):
                world.push(ada, [world.record()], person)

    def test_new_terms_replace_the_old_ones(self, world: BasketWorld, ada: User, bob: User) -> None:
        events = emitted(world.server, BasketShared)
        key = world.record()
        basket = world.create(ada, [key])
        world.share(ada, basket, bob, with_originals=True, can_modify=True)
        world.share(ada, basket, bob, expires=NOW + timedelta(days=1))
        assert granted(world, bob, [key]) == {key.number: False}
        (participant,) = world.view(ada, basket).participants
        assert (participant.can_modify, participant.share_expires) == (False, NOW + timedelta(days=1))
        assert [event.can_modify for event in events] == [True, False]

    def test_no_longer_than_the_owner_may_push(self, world: BasketWorld, ada: User, bob: User) -> None:
        """New terms are given by the rights of that moment."""
        key = world.record()
        basket = world.create(ada, [key, world.record(world.server.archive)])
        world.share(ada, basket, bob, expires=NOW + timedelta(days=1))
        world.server.regrant(ada, world.server.photographs, ALL_RIGHTS & ~Right.canpush)
        world.share(ada, basket, bob)
        assert granted(world, bob, [key]) == {}

    def test_sharing_again_leaves_what_a_participant_gave(self, world: BasketWorld, ada: User, bob: User) -> None:
        eve = world.server.user("eve")
        basket, (key, other) = world.create(ada), world.records(2, world.server.archive)
        world.server.regrant(ada, world.server.archive, ALL_RIGHTS & ~Right.canpush)
        world.share(ada, basket, bob)
        world.share(ada, basket, eve, can_modify=True)
        world.start_vote(ada, basket, bob)
        world.add(eve, basket, key, other)
        end = NOW + timedelta(days=1)
        world.share(ada, basket, bob, expires=end)
        world.act(ada, lambda work, actor: world.services.votes.change_end(work, actor, basket, end))
        assert granted(world, bob, [key, other]) == {key.number: False, other.number: False}
        assert ends(world, bob) == {end}, "within the new terms"
        later, own = NOW + timedelta(days=9), NOW + timedelta(days=5)
        world.server.regrant(eve, world.server.archive, ALL_RIGHTS, valid_until=own)
        world.share(ada, basket, bob, expires=later)
        world.act(ada, lambda work, actor: world.services.votes.change_end(work, actor, basket, later))
        assert ends(world, bob) == {own}, "as long as who gave it may"

    @pytest.mark.parametrize("way", ["leaves", "is removed", "closes the account"])
    def test_what_a_participant_gave_ends_with_their_part(
        self, world: BasketWorld, ada: User, bob: User, way: str
    ) -> None:
        eve = world.server.user("eve")
        mine, key = world.records(2)
        basket = world.create(ada, [mine])
        world.share(ada, basket, bob)
        world.share(ada, basket, eve, can_modify=True)
        world.add(eve, basket, key)
        if way == "leaves":
            world.leave(eve, basket)
        elif way == "is removed":
            world.act(ada, lambda work, actor: world.services.sharing.remove(work, actor, basket, eve.id))
        else:
            with world.server.services.database.write() as work:
                world.server.services.accounts.administration.close(work, COMMAND, "eve")
        assert granted(world, bob, [mine, key]) == {mine.number: False}
        assert granted(world, ada, [key]) == {}


class TestOwnEnd:
    """Nobody gives on longer what they have for a while."""

    @pytest.mark.parametrize("way", ["share", "vote", "push", "element"])
    def test_a_grant_ends_with_the_right_of_its_giver(self, world: BasketWorld, ada: User, bob: User, way: str) -> None:
        end, key = NOW + timedelta(hours=1), world.record()
        until(world, ada, end)
        if way == "push":
            world.push(ada, [key], bob)
        elif way == "element":
            basket = world.create(ada)
            world.share(ada, basket, bob, expires=NOW + timedelta(days=1))
            world.add(ada, basket, key)
        elif way == "share":
            world.share(ada, world.create(ada, [key]), bob)
        else:
            world.start_vote(ada, world.create(ada, [key]), bob)
        assert ends(world, bob) == {end}

    def test_and_with_the_grant_that_lets_the_giver_see(self, world: BasketWorld, ada: User, bob: User) -> None:
        """What ada sees by a grant alone, its status being hidden from her, and an original that only a grant gives."""
        eve, by_sight, plain = world.server.user("eve"), world.record(status=1 << 4), world.record()
        own = ALL_RIGHTS & ~Right.candwnldhd
        world.server.regrant(ada, world.server.photographs, own, mask_and=1 << 4)
        sight, original = NOW + timedelta(hours=2), NOW + timedelta(hours=1)
        world.push(eve, [by_sight], ada, expires=sight)
        world.push(eve, [plain], ada, expires=original, with_originals=True)
        basket = world.create(ada, [by_sight, plain])
        world.share(ada, basket, bob)
        assert ends(world, bob) == {sight, None}
        world.share(ada, basket, bob, with_originals=True)
        assert ends(world, bob) == {sight, original}

    def test_the_earlier_end_of_share_and_right(self, world: BasketWorld, ada: User, bob: User) -> None:
        until(world, ada, NOW + timedelta(hours=2))
        world.share(ada, world.create(ada, [world.record()]), bob, expires=NOW + timedelta(hours=1))
        assert ends(world, bob) == {NOW + timedelta(hours=1)}


class TestElements:
    def test_what_is_put_in_later_is_given_by_who_puts_it_in(self, world: BasketWorld, ada: User, bob: User) -> None:
        eve = world.server.user("eve")
        basket, key = world.create(ada), world.record()
        world.share(ada, basket, bob)
        world.share(ada, basket, eve, can_modify=True, with_originals=True)
        world.add(eve, basket, key)
        assert granted(world, bob, [key]) == {key.number: False}
        assert granted(world, ada, [key]) == {key.number: False}, "the owner, too"
        assert granted(world, eve, [key]) == {}, "nobody gives to themselves"

    def test_what_is_taken_out_is_seen_no_more(self, world: BasketWorld, ada: User, bob: User) -> None:
        keys = world.records(2)
        basket = world.create(ada, keys)
        world.share(ada, basket, bob)
        world.start_vote(ada, basket, bob)
        first = world.element_ids(ada, basket)[0]
        world.act(ada, lambda work, actor: world.services.elements.remove(work, actor, basket, [first]))
        assert granted(world, bob, keys) == {keys[1].number: False}

    def test_a_record_goes_in_once(self, world: BasketWorld, ada: User) -> None:
        keys = world.records(2)
        basket = world.create(ada, [keys[0]])
        added = world.act(
            ada, lambda work, actor: world.services.elements.add(work, actor, basket, [keys[0], keys[1], keys[1]])
        )
        assert (added.added, added.already, added.not_granted) == (1, 1, 0)
        assert world.seen(ada, basket) == [keys[0].number, keys[1].number]

    def test_all_or_none(self, world: BasketWorld, ada: User, bob: User) -> None:
        seen, hidden = world.record(), world.record(world.server.archive)
        world.server.regrant(bob, world.server.photographs, Right.actif | Right.canputinalbum)
        basket = world.create(bob)
        for unknown in (
            hidden,
            RecordKey(seen.databox, 10**9),
            RecordKey(seen.databox, 0),
        ):
            with pytest.raises(NoSuchRecord) as refusal:
                world.add(bob, basket, seen, unknown)
            assert "You see no record" in refusal.value.detail, "nobody learns whether it exists"
        world.server.regrant(bob, world.server.archive, Right.actif)
        with pytest.raises(MayNotPutInBasket):
            world.add(bob, basket, seen, hidden)
        assert world.seen(bob, basket) == []

    def test_readers_change_nothing(self, world: BasketWorld, ada: User, bob: User) -> None:
        eve = world.server.user("eve")
        key = world.record()
        basket = world.create(ada, [key])
        (element,) = world.element_ids(ada, basket)
        world.share(ada, basket, eve)
        services = world.services
        for call in (
            lambda work, actor: services.elements.add(work, actor, basket, [key]),
            lambda work, actor: services.elements.remove(work, actor, basket, [element]),
            lambda work, actor: services.elements.reorder(work, actor, basket, [element]),
            lambda work, actor: services.votes.start(work, actor, basket, []),
            lambda work, actor: services.baskets.delete(work, actor, basket),
        ):
            with pytest.raises(MayNotChangeBasket):
                world.act(eve, call)

    def test_who_may_modify_cannot_reorder(self, world: BasketWorld, ada: User) -> None:
        eve = world.server.user("eve")
        basket = world.create(ada, world.records(2))
        elements = world.element_ids(ada, basket)
        world.share(ada, basket, eve, can_modify=True)
        with pytest.raises(MayNotChangeBasket):
            world.act(eve, lambda work, actor: world.services.elements.reorder(work, actor, basket, elements[::-1]))

    def test_participants_take_out_only_what_they_see(self, world: BasketWorld, ada: User, bob: User) -> None:
        key, other = world.record(), world.record(world.server.archive)
        world.server.regrant(ada, world.server.archive, ALL_RIGHTS & ~Right.canpush)
        basket = world.create(ada, [key, other])
        first, hidden = world.element_ids(ada, basket)
        world.share(ada, basket, bob, can_modify=True)
        with pytest.raises(NoSuchElement):
            world.act(bob, lambda work, actor: world.services.elements.remove(work, actor, basket, [first, hidden]))
        world.act(bob, lambda work, actor: world.services.elements.remove(work, actor, basket, [first]))
        assert world.seen(ada, basket) == [other.number]

    def test_elements_that_are_not_named_keep_their_places(self, world: BasketWorld, ada: User) -> None:
        keys = world.records(4)
        basket = world.create(ada, keys)
        first, _, third, _ = world.element_ids(ada, basket)
        world.act(ada, lambda work, actor: world.services.elements.reorder(work, actor, basket, [third, first]))
        assert world.seen(ada, basket) == [keys[2].number, keys[1].number, keys[0].number, keys[3].number]
        for wrong, refusal in (([first, first], Invalid), ([first, 10**12], NoSuchElement)):
            with pytest.raises(refusal):
                world.act(ada, lambda work, actor, wrong=wrong: world.services.elements.reorder(  # type: ignore[misc]
                    work, actor, basket, wrong
                ))  # fmt: skip

    def test_a_basket_is_bounded(self, world: BasketWorld, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("vitrine.baskets.elements.MOST_ELEMENTS", 3)
        basket = world.create(ada, world.records(2))
        with pytest.raises(BasketFull):
            world.add(ada, basket, *world.records(2))
        world.add(ada, basket, world.record())
        assert len(world.seen(ada, basket)) == 3


class TestPushes:
    def test_each_receiver_owns_a_basket(self, world: BasketWorld, ada: User, bob: User) -> None:
        events = emitted(world.server, BasketPushed)
        eve, keys = world.server.user("eve", {}), world.records(2)
        baskets = world.push(ada, keys, bob, eve, with_originals=True)
        assert set(baskets) == {bob.id, eve.id}
        for person in (bob, eve):
            view = world.view(person, baskets[person.id])
            assert (view.is_owner, view.basket.pusher_id, view.is_unread) == (True, ada.id, True)
            assert granted(world, person, keys) == {key.number: True for key in keys}
        assert [(event.sender_id, event.user_id) for event in events] == [(ada.id, bob.id), (ada.id, eve.id)]
        with pytest.raises(BasketNotShared):
            world.content(ada, baskets[bob.id])
        world.act(bob, lambda work, actor: world.services.baskets.delete(work, actor, baskets[bob.id]))
        assert granted(world, bob, keys) == {}
        assert len(granted(world, eve, keys)) == 2

    def test_what_may_not_be_pushed_is_left_out_and_named(self, world: BasketWorld, ada: User, bob: User) -> None:
        key, other = world.record(), world.record(world.server.archive)
        world.server.regrant(ada, world.server.archive, ALL_RIGHTS & ~Right.canpush)
        pushed = world.act(
            ada, lambda work, actor: world.services.sharing.push(work, actor, [other, key], [bob.id], name="x")
        )
        assert pushed.left_out == (other,)
        assert world.seen(bob, pushed.baskets[bob.id]) == [key.number]

    def test_a_receiver_cannot_push_on(self, world: BasketWorld, ada: User, bob: User) -> None:
        """A grant is no right on the collection."""
        key, eve = world.record(), world.server.user("eve", {})
        basket = world.push(ada, [key], bob)[bob.id]
        with pytest.raises(MayNotShareBasket):
            world.push(bob, [key], eve)
        with pytest.raises(MayNotShareBasket):
            world.share(bob, basket, eve)

    def test_a_push_may_expire(self, world: BasketWorld, ada: User, bob: User) -> None:
        key = world.record()
        basket = world.push(ada, [key], bob, expires=NOW + timedelta(days=1))[bob.id]
        assert world.seen(bob, basket) == [key.number]
        world.moment = NOW + timedelta(days=1)
        content = world.content(bob, basket)
        assert (content.elements, content.hidden) == ((), 1)

    def test_a_full_receiver_stops_the_whole_push(
        self, world: BasketWorld, ada: User, bob: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("vitrine.baskets.sharing.MOST_RECEIVED", 1)
        eve, key = world.server.user("eve", {}), world.record()
        world.push(ada, [key], bob)
        with pytest.raises(BasketFull):
            world.push(ada, [key], eve, bob)
        assert granted(world, eve, [key]) == {}
        world.create(bob, name="own ones are counted apart")


ENDS: dict[str, Callable[[BasketWorld, User, User, BasketId], object]] = {
    "deleted": lambda world, ada, bob, basket: world.act(
        ada, lambda work, actor: world.services.baskets.delete(work, actor, basket)
    ),
    "left": lambda world, ada, bob, basket: world.leave(bob, basket),
    "removed": lambda world, ada, bob, basket: world.act(
        ada, lambda work, actor: world.services.sharing.remove(work, actor, basket, bob.id)
    ),
    "account of the owner closed": lambda world, ada, bob, basket: _close(world, "ada"),
    "account of the receiver closed": lambda world, ada, bob, basket: _close(world, "bob"),
}


def _close(world: BasketWorld, login: str) -> None:
    with world.server.services.database.write() as work:
        world.server.services.accounts.administration.close(work, COMMAND, login)


@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_left_of_what_a_basket_gave(world: BasketWorld, ada: User, bob: User, end: str) -> None:
    keys = world.records(2)
    world.server.user("root", is_admin=True)
    basket = world.create(ada, keys)
    world.share(ada, basket, bob)
    world.start_vote(ada, basket, bob)
    ENDS[end](world, ada, bob, basket)
    with world.server.services.database.read() as work:
        assert work.db.execute(tables.record_grants.select()).all() == []


def test_a_closed_account_is_named_nowhere(world: BasketWorld, ada: User, bob: User) -> None:
    eve = world.server.user("eve", {})
    pushed = world.push(ada, world.records(1), bob)[bob.id]
    basket = world.create(ada, world.records(1))
    world.share(ada, basket, bob)
    world.share(ada, basket, eve)
    _close(world, "eve")
    assert [person.user_id for person in world.view(ada, basket).participants] == [bob.id]
    _close(world, "ada")
    assert world.view(bob, pushed).basket.pusher_id is None
    assert len(world.seen(bob, pushed)) == 1, "what was sent belongs to who received it"
