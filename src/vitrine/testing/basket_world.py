"""Records as bare rows, and calls of the basket services as one person or another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from vitrine.accounts import Actor, User, UserId, Via
from vitrine.baskets import maintenance
from vitrine.baskets.model import BasketId, BasketView, Content, ElementId, Voter
from vitrine.baskets.sharing import ShareTerms
from vitrine.edge.services import BasketServices
from vitrine.library import store
from vitrine.library.model import Collection, RecordKey
from vitrine.platform.database import UnitOfWork
from vitrine.testing.server import Server

T = TypeVar("T")


@dataclass(slots=True)
class BasketWorld:
    server: Server
    moment: datetime | None = None  # when calls happen; None: now

    @property
    def services(self) -> BasketServices:
        return self.server.services.baskets

    def record(self, into: Collection | None = None, *, status: int = 0, **values: Any) -> RecordKey:
        base = into or self.server.photographs
        with self.server.services.database.write() as work:
            key = RecordKey(base.databox_id, store.next_number(work, base.databox_id))
            row = {
                "databox_id": key.databox, "number": key.number, "collection_id": base.id, "kind": "image",
                "mime": "image/jpeg", "title": f"Boat {key.number}", "original_name": f"{key.number}.jpg",
                "uuid": f"00000000-0000-4000-8000-{key.number:012}", "status": status, "technical": "[]",
                "created": work.now, "updated": work.now, **values,
            }  # fmt: skip
            store.add_record(work, row)
        return key

    def records(self, count: int, into: Collection | None = None) -> list[RecordKey]:
        return [self.record(into) for _ in range(count)]

    def act(self, user: User, call: Callable[[UnitOfWork, Actor], T], *, scope: frozenset[str] | None = None) -> T:
        """Run *call* as *user*, in a write transaction."""
        accounts = self.server.services.accounts.users
        with self.server.services.database.write() as work:
            if self.moment is not None:
                work.now = self.moment
            actor = accounts.actor_of(work, accounts.get(work, user.id), Via.TOKEN, scope=scope)
            return call(work, actor)

    def create(self, owner: User, keys: Sequence[RecordKey] = (), name: str = "Boats") -> BasketId:
        def call(work: UnitOfWork, actor: Actor) -> BasketId:
            basket_id = self.services.baskets.create(work, actor, name).basket.id
            if keys:
                self.services.elements.add(work, actor, basket_id, keys)
            return basket_id

        return self.act(owner, call)

    def add(self, user: User, basket_id: BasketId, *keys: RecordKey) -> None:
        self.act(user, lambda work, actor: self.services.elements.add(work, actor, basket_id, keys))

    def share(self, owner: User, basket_id: BasketId, person: User, **terms: Any) -> None:
        self.act(
            owner,
            lambda work, actor: self.services.sharing.share(work, actor, basket_id, person.id, ShareTerms(**terms)),
        )

    def leave(self, user: User, basket_id: BasketId) -> None:
        self.act(user, lambda work, actor: self.services.sharing.leave(work, actor, basket_id))

    def push(self, user: User, keys: Sequence[RecordKey], *people: User, **terms: Any) -> dict[UserId, BasketId]:
        receivers = [person.id for person in people]

        def call(work: UnitOfWork, actor: Actor) -> dict[UserId, BasketId]:
            pushed = self.services.sharing.push(work, actor, keys, receivers, name="For you", terms=ShareTerms(**terms))
            return dict(pushed.baskets)

        return self.act(user, call)

    def start_vote(
        self, owner: User, basket_id: BasketId, *people: User, expires: datetime | None = None, **may: bool
    ) -> None:
        voters = [Voter(person.id, **may) for person in people]
        self.act(
            owner,
            lambda work, actor: self.services.votes.start(work, actor, basket_id, voters, expires=expires),
        )

    def content(self, user: User, basket_id: BasketId) -> Content:
        return self.act(user, lambda work, actor: self.services.baskets.content(work, actor, basket_id))

    def seen(self, user: User, basket_id: BasketId) -> list[int]:
        """The numbers of the records that *user* sees in the basket."""
        return [element.shown.record.number for element in self.content(user, basket_id).elements]

    def element_ids(self, user: User, basket_id: BasketId) -> list[ElementId]:
        return [element.element.id for element in self.content(user, basket_id).elements]

    def view(self, user: User, basket_id: BasketId) -> BasketView:
        return self.act(user, lambda work, actor: self.services.baskets.get(work, actor, basket_id))

    def maintain(self) -> None:
        """What the worker does regularly, at `moment`."""
        with self.server.services.database.write() as work:
            if self.moment is not None:
                work.now = self.moment
            for step in (maintenance.end_shares, maintenance.end_votes, maintenance.remind):
                step(work)
