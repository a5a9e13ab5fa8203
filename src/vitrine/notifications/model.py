"""Values of notifications."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NotificationKind(StrEnum):
    """What a notification is about. The names are stable: choices of people and programs use them."""

    REGISTRATION_REQUESTED = "registration_requested"
    USER_REGISTERED = "user_registered"
    REGISTRATION_GRANTED = "registration_granted"
    REGISTRATION_REJECTED = "registration_rejected"
    PUSH_RECEIVED = "push_received"
    BASKET_SHARED = "basket_shared"
    VOTE_REQUESTED = "vote_requested"
    VOTE_REMINDER = "vote_reminder"
    VOTE_DONE = "vote_done"
    ENTRY_PUBLISHED = "entry_published"
    ORDER_RECEIVED = "order_received"
    ORDER_DELIVERED = "order_delivered"
    ORDER_REFUSED = "order_refused"
    FILE_QUARANTINED = "file_quarantined"
    EXPORT_FAILED = "export_failed"
    SUBTITLES_DONE = "subtitles_done"


# A message of the catalogue for each kind: mails name nothing that their reader may not see any more when they read it.
SENTENCES: Mapping[NotificationKind, str] = {
    NotificationKind.REGISTRATION_REQUESTED: "Somebody asks for access to a collection whose users you manage.",
    NotificationKind.USER_REGISTERED: "Somebody was given access to a collection whose users you manage, by its rules.",
    NotificationKind.REGISTRATION_GRANTED: "You were given access to a collection.",
    NotificationKind.REGISTRATION_REJECTED: "Your request for access to a collection was refused.",
    NotificationKind.PUSH_RECEIVED: "Somebody sent you documents.",
    NotificationKind.BASKET_SHARED: "Somebody shares a basket with you.",
    NotificationKind.VOTE_REQUESTED: "Somebody asks for your vote.",
    NotificationKind.VOTE_REMINDER: "A vote that waits for you ends soon.",
    NotificationKind.VOTE_DONE: "Somebody has handed in their vote.",
    NotificationKind.ENTRY_PUBLISHED: "Something was published in a feed of yours.",
    NotificationKind.ORDER_RECEIVED: "An order waits for your decision.",
    NotificationKind.ORDER_DELIVERED: "Your order was delivered.",
    NotificationKind.ORDER_REFUSED: "Your order was refused.",
    NotificationKind.FILE_QUARANTINED: "A file waits in quarantine.",
    NotificationKind.EXPORT_FAILED: "An export could not be sent.",
    NotificationKind.SUBTITLES_DONE: "Subtitles are ready.",
}


# Their mails are sent by whoever decided.
MAILED_ELSEWHERE = frozenset({NotificationKind.REGISTRATION_GRANTED, NotificationKind.REGISTRATION_REJECTED})


@dataclass(frozen=True, slots=True)
class Notification:
    """*payload* has numbers only, such as `base_id`, `user_id` or `basket_id`."""

    id: int
    kind: str
    payload: Mapping[str, int]
    created: datetime
    read_at: datetime | None
