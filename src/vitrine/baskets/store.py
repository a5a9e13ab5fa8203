"""SQL of baskets and their elements."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from vitrine.accounts import UserId
from vitrine.baskets.model import Basket, BasketId, Element, ElementId
from vitrine.baskets.tables import basket_elements, basket_participants, baskets
from vitrine.library.model import RecordId
from vitrine.library.tables import records
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.prepared import Prepared
from vitrine.platform.schema import Instant

_BASKET = [baskets.c[name] for name in Basket.__dataclass_fields__]
_OWN = sa.and_(baskets.c.owner_id == sa.bindparam("person"), baskets.c.is_archived.is_(sa.false()))
_WITH_PARTICIPANT = baskets.join(basket_participants, basket_participants.c.basket_id == baskets.c.id)
_LIVE = sa.or_(
    basket_participants.c.is_voter,
    sa.and_(
        basket_participants.c.is_shared,
        sa.or_(
            basket_participants.c.share_expires.is_(None),
            basket_participants.c.share_expires > sa.bindparam("now", type_=Instant()),
        ),
    ),
)
_SHARED = sa.and_(
    basket_participants.c.user_id == sa.bindparam("person"),
    baskets.c.owner_id != sa.bindparam("person"),
    baskets.c.is_archived.is_(sa.false()),
    _LIVE,
)

# -- baskets -----------------------------------------------------------------------------------------------------------

_BY_ID = Prepared(sa.select(*_BASKET).where(baskets.c.id == sa.bindparam("id")))
_MINE = sa.select(*_BASKET).where(_OWN).order_by(baskets.c.id)
_SHARED_WITH = sa.select(*_BASKET).select_from(_WITH_PARTICIPANT).where(_SHARED).order_by(baskets.c.id)


def by_id(work: UnitOfWork, basket_id: BasketId) -> Basket | None:
    row = _BY_ID.first(work, id=basket_id)
    return Basket(*row) if row else None


def own(work: UnitOfWork, person: UserId) -> list[Basket]:
    """Those that are not archived, in the order in which they were made: MOST_BASKETS and MOST_RECEIVED at most."""
    return [Basket(*row) for row in work.db.execute(_MINE, {"person": person})]


def shared_with(work: UnitOfWork, person: UserId) -> list[Basket]:
    """Those of others that open for *person* and are not archived: MOST_SHARED at most."""
    return [Basket(*row) for row in work.db.execute(_SHARED_WITH, {"person": person, "now": work.now})]


def holding(work: UnitOfWork, person: UserId, record_id: RecordId) -> list[Basket]:
    """Of `own` and `shared_with` those in which the record is. Looks the record up in each of the person's baskets: a
    record may be in far more baskets of others."""
    has_record = (
        sa.exists()
        .where(basket_elements.c.basket_id == baskets.c.id, basket_elements.c.record_id == record_id)
        .correlate(baskets)
    )
    values = {"person": person, "now": work.now}
    return [
        Basket(*row)
        for statement in (_MINE, _SHARED_WITH)
        for row in work.db.execute(statement.where(has_record), values)
    ]


def page(
    work: UnitOfWork, person: UserId, *, is_owner: bool, is_archived: bool, after: int, limit: int
) -> list[Basket]:
    """At most *limit* baskets of *person*, or of others that open for them, with an id above *after*."""
    if is_owner:
        statement = sa.select(*_BASKET).where(
            baskets.c.owner_id == sa.bindparam("person"), baskets.c.is_archived == is_archived
        )
    else:
        statement = sa.select(*_BASKET).select_from(_WITH_PARTICIPANT).where(_SHARED)
    statement = statement.where(baskets.c.id > after).order_by(baskets.c.id).limit(limit)
    return [Basket(*row) for row in work.db.execute(statement, {"person": person, "now": work.now})]


def count(work: UnitOfWork, person: UserId, *, is_archived: bool, is_received: bool | None = None) -> int:
    """How many a person owns, all or those that others sent (or did not)."""
    wanted = [baskets.c.owner_id == person, baskets.c.is_archived == is_archived]
    if is_received is not None:
        wanted.append(baskets.c.pusher_id.is_not(None) if is_received else baskets.c.pusher_id.is_(None))
    return int(work.db.scalar(sa.select(sa.func.count()).select_from(baskets).where(*wanted)) or 0)


def add(
    work: UnitOfWork,
    owner: UserId,
    name: str,
    description: str = "",
    *,
    pusher: UserId | None = None,
) -> BasketId:
    values = {
        "owner_id": owner, "name": name, "description": description, "pusher_id": pusher, "is_read": pusher is None,
        "created": work.now, "updated": work.now,
    }  # fmt: skip
    return BasketId(inserted_id(work.db.execute(baskets.insert().values(values))))


def update(work: UnitOfWork, basket_id: BasketId, values: Mapping[str, Any] | None = None) -> None:
    """Change a basket, or what belongs to it: its version grows."""
    row = {"version": baskets.c.version + 1, "updated": work.now, **(values or {})}
    work.db.execute(baskets.update().where(baskets.c.id == basket_id).values(row))


def set_read(work: UnitOfWork, basket_id: BasketId, *, is_read: bool) -> None:
    """No change of the basket itself: version and date stay."""
    work.db.execute(baskets.update().where(baskets.c.id == basket_id).values(is_read=is_read))


def delete(work: UnitOfWork, basket_id: BasketId) -> None:
    """Elements, participants, vote and choices go by cascade."""
    work.db.execute(baskets.delete().where(baskets.c.id == basket_id))


def ids_of_owner(work: UnitOfWork, person: UserId) -> list[BasketId]:
    return [BasketId(row) for row in work.db.scalars(sa.select(baskets.c.id).where(baskets.c.owner_id == person))]


def forget_pusher(work: UnitOfWork, person: UserId) -> None:
    work.db.execute(baskets.update().where(baskets.c.pusher_id == person).values(pusher_id=None))


# -- elements ----------------------------------------------------------------------------------------------------------

_ELEMENTS = Prepared(
    sa.select(
        basket_elements.c.id,
        basket_elements.c.basket_id,
        basket_elements.c.record_id,
        basket_elements.c.position,
        basket_elements.c.created,
        records.c.collection_id,
        records.c.status,
    )
    .select_from(basket_elements.join(records, records.c.id == basket_elements.c.record_id))
    .where(basket_elements.c.basket_id == sa.bindparam("basket"))
    .order_by(basket_elements.c.position, basket_elements.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer()))
)


def elements(work: UnitOfWork, basket_id: BasketId, most: int) -> list[Element]:
    """In order, at most *most*."""
    return [Element(*row) for row in _ELEMENTS.all(work, basket=basket_id, most=most)]


def add_elements(work: UnitOfWork, basket_id: BasketId, record_ids: Sequence[RecordId], position: int) -> None:
    rows = [
        {"basket_id": basket_id, "record_id": record_id, "position": position + place, "created": work.now}
        for place, record_id in enumerate(record_ids)
    ]
    if rows:
        work.db.execute(basket_elements.insert(), rows)


def remove_elements(work: UnitOfWork, ids: Iterable[ElementId]) -> None:
    work.db.execute(basket_elements.delete().where(basket_elements.c.id.in_(list(ids))))


_MOVE = (
    basket_elements.update()
    .where(basket_elements.c.id == sa.bindparam("element"))
    .values(position=sa.bindparam("place"))
)


def move_elements(work: UnitOfWork, positions: Mapping[ElementId, int]) -> None:
    rows = [{"element": element, "place": place} for element, place in positions.items()]
    if rows:
        work.db.execute(_MOVE, rows)
