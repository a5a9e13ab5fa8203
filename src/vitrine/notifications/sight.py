"""What a person may still know of their notifications: rights are asked when one is read, not when it was written.

A notification about a basket that the person may not open any more, an entry that they may not read or a collection on
which they lost the right is left out and not counted. At most one statement for all baskets of a page and one for all
entries.
"""

from collections.abc import Sequence

from vitrine.accounts import Actor, Right
from vitrine.baskets import participant_store
from vitrine.baskets.model import BasketId
from vitrine.feeds import store as feeds_store
from vitrine.feeds.model import EntryId
from vitrine.notifications.model import Notification, NotificationKind
from vitrine.platform.database import UnitOfWork

# The right on the collection `base_id` without which the notification would not be written today.
RIGHTS = {
    NotificationKind.REGISTRATION_REQUESTED.value: Right.canadmin,
    NotificationKind.USER_REGISTERED.value: Right.canadmin,
    NotificationKind.REGISTRATION_GRANTED.value: Right.actif,
    NotificationKind.FILE_QUARANTINED.value: Right.canaddrecord,
}


def known(work: UnitOfWork, actor: Actor, page: Sequence[Notification]) -> list[Notification]:
    """Those of *page* of which the actor, whose they are, may know now."""
    baskets = {BasketId(entry.payload["basket_id"]) for entry in page if "basket_id" in entry.payload}
    entries = {EntryId(entry.payload["entry_id"]) for entry in page if "entry_id" in entry.payload}
    openable = participant_store.openable(work, actor.must_user_id, baskets)
    readable = feeds_store.readable_entries(work, actor, entries)
    return [
        entry
        for entry in page
        if entry.payload.get("basket_id", 0) in {0, *openable}
        and entry.payload.get("entry_id", 0) in {0, *readable}
        and _keeps_right(work, actor, entry)
    ]


def _keeps_right(work: UnitOfWork, actor: Actor, entry: Notification) -> bool:
    """Administrators are told of a registration where nobody manages the collection (`Accounts.managers_of`)."""
    right = RIGHTS.get(entry.kind)
    if right is None or (right is Right.canadmin and actor.is_admin):
        return True
    return actor.rights.on(entry.payload.get("base_id", 0), right, work.now)
