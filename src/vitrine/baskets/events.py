"""Events of baskets for the layers above (notifications, webhooks). Emitted in the transaction of the change.

*actor_id* is who did it; None for what ended by its time.
"""

from dataclasses import dataclass
from datetime import datetime

from vitrine.accounts import UserId
from vitrine.baskets.model import BasketId
from vitrine.library.model import RecordId


@dataclass(frozen=True, slots=True)
class BasketCreated:
    basket_id: BasketId
    owner_id: UserId


@dataclass(frozen=True, slots=True)
class BasketUpdated:
    """Name, description, order or the archived flag changed."""

    basket_id: BasketId
    actor_id: UserId | None
    before: dict[str, object]
    after: dict[str, object]


@dataclass(frozen=True, slots=True)
class BasketElementsChanged:
    basket_id: BasketId
    actor_id: UserId | None
    added: tuple[RecordId, ...] = ()
    removed: tuple[RecordId, ...] = ()


@dataclass(frozen=True, slots=True)
class BasketDeleted:
    """*participants* took part in it."""

    basket_id: BasketId
    owner_id: UserId
    participants: tuple[UserId, ...]


@dataclass(frozen=True, slots=True)
class BasketShared:
    """Shared with a person, or, unless *is_new*, the terms of their share changed."""

    basket_id: BasketId
    actor_id: UserId | None
    user_id: UserId
    can_modify: bool
    expires: datetime | None
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class ParticipationEnded:
    """A person left or was removed, or the share expired."""

    basket_id: BasketId
    actor_id: UserId | None
    user_id: UserId


@dataclass(frozen=True, slots=True)
class BasketPushed:
    """A person received a basket of their own."""

    basket_id: BasketId
    sender_id: UserId
    user_id: UserId
    message: str = ""


@dataclass(frozen=True, slots=True)
class VoteRequested:
    """Somebody's vote is asked for whose vote was not."""

    basket_id: BasketId
    initiator_id: UserId
    user_id: UserId
    expires: datetime


@dataclass(frozen=True, slots=True)
class VoteReminderDue:
    """The part of the time that the setting `vote_reminder_percent` names is left and the voter has not confirmed."""

    basket_id: BasketId
    initiator_id: UserId
    user_id: UserId
    expires: datetime


@dataclass(frozen=True, slots=True)
class VoteConfirmed:
    """A voter handed in: the report to the initiator. *undecided* counts elements without yes or no."""

    basket_id: BasketId
    initiator_id: UserId
    user_id: UserId
    agreed: int
    disagreed: int
    undecided: int


@dataclass(frozen=True, slots=True)
class VoteEnded:
    """Closed by a person, or expired."""

    basket_id: BasketId
    initiator_id: UserId
    actor_id: UserId | None
