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


# Their mails are sent by whoever decided.
MAILED_ELSEWHERE = frozenset({NotificationKind.REGISTRATION_GRANTED, NotificationKind.REGISTRATION_REJECTED})


@dataclass(frozen=True, slots=True)
class Notification:
    """*payload* has numbers only, such as `base_id`, `user_id`, `basket_id` or `entry_id`."""

    id: int
    kind: str
    payload: Mapping[str, int]
    created: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class NotificationPage:
    """Those of a page that the person may still know of. *next_before* is where the next page begins, None on the
    last: a page may be shorter than asked for, or empty."""

    shown: list[Notification]
    next_before: int | None
