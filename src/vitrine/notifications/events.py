"""Which event tells whom of what: the table from which `Notifications.listen` works.

Each event of TOLD tells one person. What many people are told is a broadcast (`notifications.broadcasts`): new entries
of feeds and files in quarantine. Requests for access are told by `Notifications` itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.accounts import UserId
from vitrine.baskets.events import BasketPushed, BasketShared, VoteConfirmed, VoteReminderDue, VoteRequested
from vitrine.library.bundles.events import BundleNotMailed
from vitrine.notifications.model import NotificationKind


@dataclass(frozen=True, slots=True)
class Told:
    """*person* is who is told, None for nobody; *about* are the numbers of what it is about."""

    kind: NotificationKind
    person: Callable[[Any], UserId | None]
    about: Callable[[Any], Mapping[str, int]]


TOLD: Mapping[type[Any], Told] = {
    BasketPushed: Told(
        NotificationKind.PUSH_RECEIVED,
        lambda event: event.user_id,
        lambda event: {"basket_id": event.basket_id, "user_id": event.sender_id},
    ),
    BasketShared: Told(
        NotificationKind.BASKET_SHARED,
        lambda event: event.user_id if event.is_new else None,
        lambda event: {"basket_id": event.basket_id, "user_id": event.actor_id},
    ),
    VoteRequested: Told(
        NotificationKind.VOTE_REQUESTED,
        lambda event: event.user_id,
        lambda event: {"basket_id": event.basket_id, "user_id": event.initiator_id},
    ),
    VoteReminderDue: Told(
        NotificationKind.VOTE_REMINDER,
        lambda event: event.user_id,
        lambda event: {"basket_id": event.basket_id, "user_id": event.initiator_id},
    ),
    BundleNotMailed: Told(
        NotificationKind.EXPORT_FAILED, lambda event: event.user_id, lambda event: {"download_id": event.bundle_id}
    ),
    VoteConfirmed: Told(
        NotificationKind.VOTE_DONE,
        lambda event: event.initiator_id if event.initiator_id != event.user_id else None,
        lambda event: {
            "basket_id": event.basket_id, "user_id": event.user_id, "agreed": event.agreed,
            "disagreed": event.disagreed, "undecided": event.undecided,
        },
    ),
}  # fmt: skip
