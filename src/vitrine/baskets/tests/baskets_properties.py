"""Whatever people share, vote on, push, leave and delete, in whatever order, and whatever expires in between: everybody
sees of each basket exactly what a small model allows, written from 06 sections 12 and 17.7 and docs/decisions/0127."""

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from vitrine.accounts import COMMAND, CollectionGrant, Right, User, Via, record_grants
from vitrine.baskets import BasketChanges, store
from vitrine.baskets.model import BasketId, Voter
from vitrine.baskets.sharing import ShareTerms
from vitrine.errors import DomainError
from vitrine.library.model import RecordKey
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.server import Server

PEOPLE, RECORDS, DAY = 4, 4, timedelta(days=1)
RIGHTS = (Right.actif, Right.canputinalbum, Right.canpush, Right.candwnldhd)
_logins = count()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BasketWorld]:
    server = Server(tmp_path_factory.mktemp("baskets") / "data")
    yield BasketWorld(server)
    server.close()


# -- the model ---------------------------------------------------------------------------------------------------------


@dataclass
class Part:
    shared: bool = False
    modify: bool = False
    until: datetime | None = None
    originals: bool = False
    voter: bool = False


@dataclass
class ModelBasket:
    owner: int
    elements: list[int] = field(default_factory=list)
    parts: dict[int, Part] = field(default_factory=dict)
    vote: int | None = None
    vote_until: datetime | None = None  # None once it is closed


@dataclass
class Model:
    """People and records by place; grants by (person, record, source): (original, end)."""

    now: datetime
    rights: list[list[Right]]  # of each person on each of the two collections
    ends: list[list[datetime | None]]
    records: dict[int, int]  # the collection of each record that is there
    baskets: dict[int, ModelBasket] = field(default_factory=dict)
    grants: dict[tuple[int, int, Any], tuple[bool, datetime | None]] = field(default_factory=dict)
    votes: Iterator[int] = field(default_factory=count)

    def has(self, person: int, record: int, right: Right) -> bool:
        base = self.records[record]
        end = self.ends[person][base]
        wanted = Right.actif | right
        return self.rights[person][base] & wanted == wanted and (end is None or self.now <= end)

    def live(self, person: int, record: int) -> list[bool]:
        return [
            original
            for (who, what, _), (original, end) in self.grants.items()
            if (who, what) == (person, record) and (end is None or end > self.now)
        ]

    def sees(self, person: int, record: int) -> bool:
        return self.has(person, record, Right.actif) or bool(self.live(person, record))

    def original(self, person: int, record: int) -> bool:
        granted = any(self.live(person, record))
        return self.sees(person, record) and (self.has(person, record, Right.candwnldhd) or granted)

    def pushes(self, person: int, record: int) -> bool:
        return self.sees(person, record) and self.has(person, record, Right.canpush)

    def pushes_somewhere(self, person: int) -> bool:
        wanted = Right.actif | Right.canpush
        return any(
            rights & wanted == wanted and (end is None or self.now <= end)
            for rights, end in zip(self.rights[person], self.ends[person], strict=True)
        )

    def opens(self, person: int, number: int) -> bool:
        basket = self.baskets.get(number)
        return basket is not None and (basket.owner == person or self.is_open(basket.parts.get(person)))

    def is_open(self, part: Part | None) -> bool:
        return part is not None and (part.voter or self.shares(part))

    def shares(self, part: Part) -> bool:
        return part.shared and (part.until is None or part.until > self.now)

    def give(self, giver: int, to: int, records: list[int], source: Any, *, original: bool, end: Any) -> None:
        if to == giver:
            return
        pushed = {record: original and self.original(giver, record) for record in records if self.pushes(giver, record)}
        for record, with_original in pushed.items():
            self.grants[to, record, source] = (with_original, end)

    def end(self, source: Any, person: int | None = None, record: int | None = None) -> None:
        for key in list(self.grants):
            if key[2] == source and person in (None, key[0]) and record in (None, key[1]):
                del self.grants[key]

    def sources(self, number: int) -> list[Any]:
        return [("basket", number), ("push", number), ("vote", self.baskets[number].vote)]

    def votes_now(self, basket: ModelBasket) -> bool:
        return basket.vote_until is not None and basket.vote_until > self.now

    # -- what people do; each says whether it is allowed

    def add(self, person: int, number: int, record: int) -> bool:
        if not self.opens(person, number) or record not in self.records:
            return False
        basket = self.baskets[number]
        part = basket.parts.get(person)
        if basket.owner != person and not (part and part.modify and self.shares(part)):
            return False
        if not self.sees(person, record) or not self.has(person, record, Right.canputinalbum):
            return False
        if record in basket.elements:
            return True
        basket.elements.append(record)
        before = dict(self.grants)
        given: dict[Any, Any] = {}
        for to, source, original, end in self._receivers(number, basket):
            self.grants = dict(before)  # what one person is given is no reason to give to the next
            self.give(person, to, [record], source, original=original, end=end)
            given |= {key: value for key, value in self.grants.items() if before.get(key) != value}
        self.grants = before | given
        return True

    def _receivers(self, number: int, basket: ModelBasket) -> Iterator[tuple[int, Any, bool, datetime | None]]:
        yield basket.owner, ("basket", number), False, None
        for to, part in basket.parts.items():
            if self.shares(part):
                yield to, ("basket", number), part.originals, part.until
            if part.voter and self.votes_now(basket):
                yield to, ("vote", basket.vote), part.originals, basket.vote_until

    def remove(self, person: int, number: int, record: int) -> bool:
        if not self.opens(person, number) or record not in self.baskets[number].elements:
            return False
        basket = self.baskets[number]
        part = basket.parts.get(person)
        if basket.owner != person and not (part and part.modify and self.shares(part) and self.sees(person, record)):
            return False
        basket.elements.remove(record)
        for source in self.sources(number):
            self.end(source, record=record)
        return True

    def share(self, person: int, number: int, to: int, *, modify: bool, original: bool, end: datetime | None) -> bool:
        basket = self.baskets.get(number)
        if basket is None or basket.owner != person or not self.pushes_somewhere(person) or to == person:
            return False
        part = basket.parts.setdefault(to, Part())
        part.shared, part.modify, part.until, part.originals = True, modify, end, original
        self.end(("basket", number), to)
        self.give(person, to, basket.elements, ("basket", number), original=original, end=end)
        return True

    def drop(self, number: int, person: int) -> None:
        for source in (("basket", number), ("vote", self.baskets[number].vote)):
            self.end(source, person)
        del self.baskets[number].parts[person]

    def leave(self, person: int, number: int) -> bool:
        if not self.opens(person, number) or self.baskets[number].owner == person:
            return False
        self.drop(number, person)
        return True

    def unshare(self, person: int, number: int, to: int) -> bool:
        basket = self.baskets.get(number)
        if basket is None or basket.owner != person or to not in basket.parts:
            return False
        self.drop(number, to)
        return True

    def start_vote(self, person: int, number: int, to: int, *, original: bool, end: datetime) -> bool:
        basket = self.baskets.get(number)
        if basket is None or basket.owner != person or not self.pushes_somewhere(person) or to == person:
            return False
        if self.votes_now(basket):
            return False
        self.forget_vote(number)
        basket.vote, basket.vote_until = next(self.votes), end
        part = basket.parts.setdefault(to, Part())
        part.voter = True
        if not part.shared:
            part.originals = original
        self.give(person, to, basket.elements, ("vote", basket.vote), original=part.originals, end=end)
        return True

    def forget_vote(self, number: int) -> None:
        basket = self.baskets[number]
        if basket.vote is None:
            return
        self.end(("vote", basket.vote))
        basket.parts = {who: part for who, part in basket.parts.items() if part.shared}
        for part in basket.parts.values():
            part.voter = False
        basket.vote = basket.vote_until = None

    def close_vote(self, person: int, number: int) -> bool:
        basket = self.baskets.get(number)
        if basket is None or basket.owner != person or not self.votes_now(basket):
            return False
        self.end(("vote", basket.vote))
        basket.vote_until = None
        return True

    def delete_vote(self, person: int, number: int) -> bool:
        basket = self.baskets.get(number)
        if basket is None or basket.owner != person or basket.vote is None:
            return False
        self.forget_vote(number)
        return True

    def delete(self, person: int, number: int) -> bool:
        basket = self.baskets.get(number)
        if basket is None or basket.owner != person:
            return False
        for source in self.sources(number):
            self.end(source)
        del self.baskets[number]
        return True

    def push(self, person: int, record: int, to: int, number: int, *, original: bool, end: datetime | None) -> bool:
        if record not in self.records or not self.pushes(person, record) or to == person:
            return False
        self.baskets[number] = ModelBasket(to, [record])
        self.give(person, to, [record], ("push", number), original=original, end=end)
        return True

    def delete_record(self, record: int) -> None:
        del self.records[record]
        for basket in self.baskets.values():
            basket.elements = [element for element in basket.elements if element != record]
        for key in [key for key in self.grants if key[1] == record]:
            del self.grants[key]

    def maintain(self) -> None:
        for number, basket in self.baskets.items():
            for person, part in list(basket.parts.items()):
                if part.shared and part.until is not None and part.until <= self.now:
                    self.end(("basket", number), person)
                    part.shared = part.modify = False
                    if not part.voter:
                        self.drop(number, person)
            if basket.vote_until is not None and basket.vote_until <= self.now:
                self.end(("vote", basket.vote))
                basket.vote_until = None


# -- both side by side -------------------------------------------------------------------------------------------------


class Pair:
    """The service and the model, told the same."""

    def __init__(self, world: BasketWorld, rights: list[list[Right]], ends: list[list[datetime | None]]) -> None:
        self.world = world
        self.server = world.server
        world.moment = datetime.now(UTC)
        bases = (self.server.photographs, self.server.archive)
        self.people = [self._person(own, until) for own, until in zip(rights, ends, strict=True)]
        self.keys: list[RecordKey] = [world.record(bases[place % 2]) for place in range(RECORDS)]
        self.model = Model(world.moment, rights, ends, {place: place % 2 for place in range(RECORDS)})
        self.ids: dict[int, BasketId] = {}

    def _person(self, rights: list[Right], ends: list[datetime | None]) -> User:
        person = self.server.user(f"p{next(_logins)}", {})
        bases = (self.server.photographs, self.server.archive)
        with self.server.services.database.write() as work:
            for base, right, end in zip(bases, rights, ends, strict=True):
                grant = CollectionGrant(base.id, base.databox_id, right, valid_until=end)
                self.server.services.accounts.users.grant(work, COMMAND, person.id, grant)
        return person

    def basket(self, number: int) -> BasketId:
        return self.ids.get(number, BasketId(10**9))

    def both(self, allowed: bool, person: int, call: Any) -> Any:
        """The service refuses exactly what the model does."""
        if allowed:
            return self.world.act(self.people[person], call)
        with pytest.raises(DomainError):
            self.world.act(self.people[person], call)
        return None

    def step(self, name: str, person: int, number: int, other: int, *, first: bool, second: bool, days: int) -> None:
        getattr(self, f"do_{name}")(person, number, other, first=first, second=second, days=days)
        self.check()

    def owner_of(self, number: int, otherwise: int) -> int:
        basket = self.model.baskets.get(number)
        return otherwise if basket is None else basket.owner

    def do_create(self, person: int, number: int, _other: int, **_more: Any) -> None:
        if number not in self.model.baskets:
            self.model.baskets[number] = ModelBasket(person)
            self.ids[number] = self.world.create(self.people[person])

    def do_add(self, person: int, number: int, other: int, **_more: Any) -> None:
        key, basket = self.keys[other], self.basket(number)
        elements = self.world.services.elements
        self.both(
            self.model.add(person, number, other), person, lambda work, actor: elements.add(work, actor, basket, [key])
        )

    def do_remove(self, person: int, number: int, other: int, **_more: Any) -> None:
        owner = self.model.baskets.get(number)
        if owner is None or other not in owner.elements:
            return
        basket = self.basket(number)
        place = owner.elements.index(other)
        with self.server.services.database.read() as work:
            element = store.elements(work, basket, 100)[place].id
        elements = self.world.services.elements
        allowed = self.model.remove(person, number, other)
        self.both(allowed, person, lambda work, actor: elements.remove(work, actor, basket, [element]))

    def _end(self, days: int) -> datetime | None:
        return None if days == 0 else self.model.now + days * DAY

    def do_share(self, person: int, number: int, other: int, *, first: bool, second: bool, days: int) -> None:
        end, basket, to = self._end(days), self.basket(number), self.people[other].id
        terms = ShareTerms(first, end, second)
        allowed = self.model.share(person, number, other, modify=first, original=second, end=end)
        sharing = self.world.services.sharing
        self.both(allowed, person, lambda work, actor: sharing.share(work, actor, basket, to, terms))

    def do_leave(self, person: int, number: int, _other: int, **_more: Any) -> None:
        basket, sharing = self.basket(number), self.world.services.sharing
        self.both(self.model.leave(person, number), person, lambda work, actor: sharing.leave(work, actor, basket))

    def do_unshare(self, person: int, number: int, other: int, **_more: Any) -> None:
        basket, sharing, to = self.basket(number), self.world.services.sharing, self.people[other].id
        allowed = self.model.unshare(person, number, other)
        self.both(allowed, person, lambda work, actor: sharing.remove(work, actor, basket, to))

    def do_start_vote(self, person: int, number: int, other: int, *, first: bool, second: bool, days: int) -> None:
        end, basket = self.model.now + (days + 1) * DAY, self.basket(number)
        voters = [Voter(self.people[other].id, can_see_others=first, with_originals=second)]
        allowed = self.model.start_vote(person, number, other, original=second, end=end)
        if person == other:
            return  # owners may vote, which gives nothing
        votes = self.world.services.votes
        self.both(allowed, person, lambda work, actor: votes.start(work, actor, basket, voters, expires=end))

    def do_close_vote(self, person: int, number: int, _other: int, **_more: Any) -> None:
        basket, votes = self.basket(number), self.world.services.votes
        self.both(self.model.close_vote(person, number), person, lambda work, actor: votes.close(work, actor, basket))

    def do_delete_vote(self, person: int, number: int, _other: int, **_more: Any) -> None:
        basket, votes = self.basket(number), self.world.services.votes
        allowed = self.model.delete_vote(person, number)
        self.both(allowed, person, lambda work, actor: votes.delete(work, actor, basket))

    def do_delete(self, person: int, number: int, _other: int, **_more: Any) -> None:
        basket, baskets = self.basket(number), self.world.services.baskets
        self.both(self.model.delete(person, number), person, lambda work, actor: baskets.delete(work, actor, basket))

    def do_archive(self, person: int, number: int, _other: int, *, first: bool, **_more: Any) -> None:
        """Changes nothing of what anybody sees."""
        baskets = self.world.services.baskets
        with suppress(DomainError):
            self.world.act(
                self.people[person],
                lambda work, actor: baskets.update(work, actor, self.basket(number), BasketChanges(is_archived=first)),
            )

    def do_push(self, person: int, number: int, other: int, *, first: bool, second: bool, days: int) -> None:
        if number in self.model.baskets:
            return
        record, end = (2 if first else 0) + days % 2, self._end(days)
        key, to = self.keys[record], self.people[other]
        terms, sharing = ShareTerms(expires=end, with_originals=second), self.world.services.sharing
        allowed = self.model.push(person, record, other, number, original=second, end=end)
        pushed = self.both(
            allowed,
            person,
            lambda work, actor: sharing.push(work, actor, [key], [to.id], name="x", terms=terms),
        )
        if allowed:
            self.ids[number] = pushed.baskets[to.id]

    def do_wait(self, _person: int, _number: int, _other: int, *, first: bool, days: int, **_more: Any) -> None:
        self.model.now = self.world.moment = self.model.now + days * DAY
        if first:
            self.world.maintain()
            self.model.maintain()

    def do_delete_record(self, _person: int, number: int, other: int, *, first: bool, **_more: Any) -> None:
        if first and other in self.model.records:
            with self.server.services.database.write() as work:
                self.server.services.library.removal.remove(work, COMMAND, self.keys[other])
            self.model.delete_record(other)

    def check(self) -> None:
        for place, person in enumerate(self.people):
            self._check_grants(place, person)
            for number in self.ids:
                self._check_basket(place, person, number)

    def _check_basket(self, place: int, person: User, number: int) -> None:
        allowed = self.model.opens(place, number)
        if not allowed:
            with pytest.raises(DomainError):
                self.world.content(person, self.ids[number])
            return
        elements = self.model.baskets[number].elements
        visible = [self.keys[record].number for record in elements if self.model.sees(place, record)]
        content = self.world.content(person, self.ids[number])
        assert [element.shown.record.number for element in content.elements] == visible
        assert content.hidden == len(elements) - len(visible)

    def _check_grants(self, place: int, person: User) -> None:
        present = {record: self.keys[record] for record in self.model.records}
        with self.server.services.database.read() as work:
            work.now = self.model.now
            accounts = self.server.services.accounts.users
            actor = accounts.actor_of(work, accounts.get(work, person.id), Via.TOKEN)
            places = self.server.services.library.records.places(work, COMMAND, list(present.values()))
            granted = record_grants.on_records(work, actor, [stamp[0] for stamp in places.values()])
            held = {record: granted.get(places[key][0]) for record, key in present.items()}
        expected = {record: self.model.live(place, record) for record in present}
        assert held == {record: any(live) if live else None for record, live in expected.items()}


STEPS = (
    "create", "add", "add", "share", "share", "share", "push", "start_vote", "start_vote", "wait", "remove", "remove",
    "leave", "unshare", "close_vote", "delete_vote", "delete", "archive", "delete_record",
)  # fmt: skip
ALL = Right.actif | Right.canputinalbum | Right.canpush | Right.candwnldhd


def some_rights(chosen: random.Random) -> Right:
    return chosen.choice((ALL, ALL, Right(0), Right(0), Right(sum(chosen.sample(RIGHTS, 2)))))


@pytest.mark.parametrize("seed", range(24))
def test_everybody_sees_what_the_model_allows(world: BasketWorld, seed: int) -> None:
    chosen, begin = random.Random(seed), datetime.now(UTC)
    rights = [[ALL, ALL], *([some_rights(chosen), some_rights(chosen)] for _ in range(PEOPLE - 1))]
    ends = [[chosen.choice((None, None, None, begin + 4 * DAY)) for _ in range(2)] for _ in range(PEOPLE)]
    pair = Pair(world, rights, ends)
    for number in range(2):
        pair.do_create(0, number, 0)
        for record in range(RECORDS):
            pair.do_add(0, number, record)
    for _ in range(30):
        name, number, other = chosen.choice(STEPS), chosen.randrange(3), chosen.randrange(PEOPLE)
        anybody = chosen.random() < 0.4  # most things are for owners
        person = chosen.randrange(PEOPLE) if anybody else pair.owner_of(number, chosen.randrange(PEOPLE))
        first, second = chosen.random() < 0.5, chosen.random() < 0.5
        pair.step(name, person, number, other, first=first, second=second, days=chosen.randrange(4))
