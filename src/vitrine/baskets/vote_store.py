"""SQL of votes and choices."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from vitrine.accounts import UserId
from vitrine.baskets.model import BasketId, Choice, ElementId, ParticipantId, Vote, VoteId
from vitrine.baskets.tables import basket_choices, basket_elements, basket_votes
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.prepared import Prepared
from vitrine.platform.schema import Instant

_votes = basket_votes.c
_VOTE = [_votes[name] for name in Vote.__dataclass_fields__]
_CHOICE = [basket_choices.c[name] for name in Choice.__dataclass_fields__]
_OF_BASKET = Prepared(sa.select(*_VOTE).where(_votes.basket_id == sa.bindparam("basket")))
_CHOICES = Prepared(
    sa.select(*_CHOICE)
    .select_from(basket_choices.join(basket_elements, basket_elements.c.id == basket_choices.c.element_id))
    .where(basket_elements.c.basket_id == sa.bindparam("basket"))
)
_OWN_CHOICES = Prepared(sa.select(*_CHOICE).where(basket_choices.c.participant_id == sa.bindparam("participant")))
_CAST = sa.text(
    "INSERT INTO basket_choices (participant_id, element_id, agreement, note, updated)"
    " VALUES (:participant_id, :element_id, :agreement, :note, :updated)"
    " ON CONFLICT (participant_id, element_id) DO UPDATE"
    " SET agreement = excluded.agreement, note = excluded.note, updated = excluded.updated"
).bindparams(
    sa.bindparam("participant_id", type_=sa.BigInteger()),
    sa.bindparam("element_id", type_=sa.BigInteger()),
    sa.bindparam("agreement", type_=sa.Boolean()),
    sa.bindparam("note", type_=sa.Text()),
    sa.bindparam("updated", type_=Instant()),
)


def of_basket(work: UnitOfWork, basket_id: BasketId) -> Vote | None:
    row = _OF_BASKET.first(work, basket=basket_id)
    return Vote(*row) if row else None


def of_baskets(work: UnitOfWork, ids: Sequence[BasketId]) -> dict[BasketId, Vote]:
    if not ids:
        return {}
    votes = (Vote(*row) for row in work.db.execute(sa.select(*_VOTE).where(_votes.basket_id.in_(ids))))
    return {vote.basket_id: vote for vote in votes}


def add(
    work: UnitOfWork, basket_id: BasketId, initiator: UserId, expires: datetime, remind_at: datetime | None
) -> VoteId:
    values = {
        "basket_id": basket_id, "initiator_id": initiator, "expires": expires, "remind_at": remind_at,
        "created": work.now, "updated": work.now,
    }  # fmt: skip
    return VoteId(inserted_id(work.db.execute(basket_votes.insert().values(values))))


def update(work: UnitOfWork, vote_id: VoteId, values: Mapping[str, Any]) -> None:
    work.db.execute(basket_votes.update().where(_votes.id == vote_id).values(updated=work.now, **values))


def delete(work: UnitOfWork, vote_id: VoteId) -> None:
    work.db.execute(basket_votes.delete().where(_votes.id == vote_id))


def expired(work: UnitOfWork, limit: int) -> list[Vote]:
    """Those whose time is over and that nobody has closed."""
    over = sa.and_(_votes.closed_at.is_(None), _votes.expires <= work.now)
    return [Vote(*row) for row in work.db.execute(sa.select(*_VOTE).where(over).limit(limit))]


def to_remind(work: UnitOfWork, limit: int) -> list[Vote]:
    due = _votes.remind_at <= work.now
    return [Vote(*row) for row in work.db.execute(sa.select(*_VOTE).where(due).limit(limit))]


def choices(work: UnitOfWork, basket_id: BasketId) -> dict[ElementId, dict[ParticipantId, Choice]]:
    """Everybody's, by element and participant: MOST_CHOICES at most."""
    by_element: dict[ElementId, dict[ParticipantId, Choice]] = {}
    for row in _CHOICES.all(work, basket=basket_id):
        choice = Choice(*row)
        by_element.setdefault(choice.element_id, {})[choice.participant_id] = choice
    return by_element


def own_choices(work: UnitOfWork, participant: ParticipantId) -> dict[ElementId, Choice]:
    own = (Choice(*row) for row in _OWN_CHOICES.all(work, participant=participant))
    return {choice.element_id: choice for choice in own}


def cast(work: UnitOfWork, choices: Sequence[Choice]) -> None:
    rows = [
        {
            "participant_id": choice.participant_id, "element_id": choice.element_id, "agreement": choice.agreement,
            "note": choice.note, "updated": choice.updated,
        }
        for choice in choices
    ]  # fmt: skip
    if rows:
        work.db.execute(_CAST, rows)
