"""Who may do what to a basket itself (06 section 12). `library.access` decides what they see of its records."""

from vitrine.accounts import Actor
from vitrine.baskets import participant_store, store
from vitrine.baskets.errors import BasketChanged, BasketNotShared, MayNotChangeBasket, NoSuchBasket
from vitrine.baskets.model import Basket, BasketId, Participant
from vitrine.platform.database import UnitOfWork


def opened(work: UnitOfWork, actor: Actor, basket_id: BasketId) -> tuple[Basket, Participant | None]:
    """The basket and the actor's own participation, for its owner and participants; an expired share opens nothing.
    Raises NoSuchBasket or BasketNotShared."""
    basket = store.by_id(work, basket_id)
    if basket is None:
        raise NoSuchBasket("There is no such basket.", field="basket_id")
    own = participant_store.participation(work, basket.id, actor.must_user_id)
    if basket.owner_id != actor.must_user_id and (own is None or not own.may_open(work.now)):
        raise BasketNotShared("This basket is not shared with you.", why=f"basket {basket.id}")
    return basket, own


def owned(work: UnitOfWork, actor: Actor, basket_id: BasketId, expected: int | None = None) -> Basket:
    """The basket, for its owner alone. Raises as `opened`, MayNotChangeBasket, or BasketChanged if its version is not
    *expected*."""
    basket, _ = opened(work, actor, basket_id)
    if basket.owner_id != actor.must_user_id:
        raise MayNotChangeBasket("Only the owner of a basket may do this.", why=f"basket {basket.id}")
    require_version(basket, expected)
    return basket


def modifiable(work: UnitOfWork, actor: Actor, basket_id: BasketId, expected: int | None = None) -> Basket:
    """The basket, for its owner and for participants who may change its elements. Raises as `owned`."""
    basket, own = opened(work, actor, basket_id)
    may = basket.owner_id == actor.must_user_id or (own is not None and own.may_modify(work.now))
    if not may:
        raise MayNotChangeBasket("You may look at this basket and not change it.", why=f"basket {basket.id}")
    require_version(basket, expected)
    return basket


def require_version(basket: Basket, expected: int | None) -> None:
    if expected is not None and expected != basket.version:
        raise BasketChanged(
            "Somebody changed this basket since you read it. Read it again, then repeat your change.",
            why=f"basket {basket.id} version {basket.version}, expected {expected}",
        )
