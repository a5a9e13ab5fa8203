"""SQL of the people of a basket."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from vitrine.accounts import UserId
from vitrine.baskets.model import BasketId, Participant, ParticipantId
from vitrine.baskets.tables import basket_choices, basket_participants, baskets
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.prepared import Prepared

_people = basket_participants.c
_PARTICIPANT = [_people[name] for name in Participant.__dataclass_fields__]
_OF_BASKET = Prepared(sa.select(*_PARTICIPANT).where(_people.basket_id == sa.bindparam("basket")).order_by(_people.id))
_ONE = Prepared(
    sa.select(*_PARTICIPANT).where(
        _people.basket_id == sa.bindparam("basket"), _people.user_id == sa.bindparam("person")
    )
)


def of_basket(work: UnitOfWork, basket_id: BasketId) -> list[Participant]:
    """In the order in which they came: MOST_PARTICIPANTS at most."""
    return [Participant(*row) for row in _OF_BASKET.all(work, basket=basket_id)]


def participation(work: UnitOfWork, basket_id: BasketId, person: UserId) -> Participant | None:
    row = _ONE.first(work, basket=basket_id, person=person)
    return Participant(*row) if row else None


def of_baskets(work: UnitOfWork, ids: Sequence[BasketId]) -> dict[BasketId, list[Participant]]:
    by_basket: dict[BasketId, list[Participant]] = {}
    if ids:
        statement = sa.select(*_PARTICIPANT).where(_people.basket_id.in_(ids)).order_by(_people.id)
        for row in work.db.execute(statement):
            participant = Participant(*row)
            by_basket.setdefault(participant.basket_id, []).append(participant)
    return by_basket


def of_person(work: UnitOfWork, person: UserId) -> list[Participant]:
    """A person's participation in each basket: MOST_SHARED at most, and those that have just expired."""
    return [Participant(*row) for row in work.db.execute(sa.select(*_PARTICIPANT).where(_people.user_id == person))]


def openable(work: UnitOfWork, person: UserId, ids: Collection[BasketId]) -> set[BasketId]:
    """Those of *ids* that a person may open: `roles.opened` as a condition."""
    if not ids:
        return set()
    has_share = sa.and_(_people.is_shared, sa.or_(_people.share_expires.is_(None), _people.share_expires > work.now))
    takes_part = sa.exists().where(
        _people.basket_id == baskets.c.id, _people.user_id == person, sa.or_(_people.is_voter, has_share)
    )
    mine = sa.and_(baskets.c.id.in_(sorted(ids)), sa.or_(baskets.c.owner_id == person, takes_part))
    return set(work.db.scalars(sa.select(baskets.c.id).where(mine)))


def count_shared(work: UnitOfWork, person: UserId) -> int:
    """In how many baskets of others a person takes part."""
    joined = basket_participants.join(baskets, baskets.c.id == _people.basket_id)
    statement = sa.select(sa.func.count()).select_from(joined)
    return int(work.db.scalar(statement.where(_people.user_id == person, baskets.c.owner_id != person)) or 0)


def add(work: UnitOfWork, basket_id: BasketId, person: UserId, values: Mapping[str, Any]) -> ParticipantId:
    row = {"basket_id": basket_id, "user_id": person, "created": work.now, **values}
    return ParticipantId(inserted_id(work.db.execute(basket_participants.insert().values(row))))


def update(work: UnitOfWork, participant_id: ParticipantId, values: Mapping[str, Any]) -> None:
    work.db.execute(basket_participants.update().where(_people.id == participant_id).values(dict(values)))


def remove(work: UnitOfWork, participant_id: ParticipantId) -> None:
    """Their choices go by cascade."""
    work.db.execute(basket_participants.delete().where(_people.id == participant_id))


def expired_shares(work: UnitOfWork, limit: int) -> list[Participant]:
    over = sa.and_(_people.share_expires <= work.now, _people.is_shared)
    return [Participant(*row) for row in work.db.execute(sa.select(*_PARTICIPANT).where(over).limit(limit))]


def end_vote(work: UnitOfWork, basket_id: BasketId) -> None:
    """Forget everything of a basket's last vote: choices, and who was asked. People who were only asked are removed."""
    of_basket = _people.basket_id == basket_id
    of_vote = sa.select(_people.id).where(of_basket, _people.is_voter)
    work.db.execute(basket_choices.delete().where(basket_choices.c.participant_id.in_(of_vote)))
    work.db.execute(basket_participants.delete().where(of_basket, _people.is_shared.is_(sa.false())))
    fresh = {
        "is_voter": False, "can_agree": False, "can_see_others": False, "confirmed_at": None, "reminded_at": None,
        "choices_version": _people.choices_version + 1,
    }  # fmt: skip
    work.db.execute(basket_participants.update().where(of_basket).values(fresh))
