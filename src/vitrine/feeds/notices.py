"""Who is told of a new entry: the people who may read its feed. Notifications do it (`notifications.broadcasts`)."""

from vitrine.accounts import recipients
from vitrine.feeds.errors import TooManyReaders
from vitrine.feeds.model import Feed
from vitrine.library.model import CollectionId
from vitrine.platform.database import UnitOfWork


def audience(feed: Feed) -> CollectionId | None:
    """The collection whose people read *feed*; None for everybody."""
    return feed.collection_id if feed.is_scoped and not feed.is_public else None


def has_readers(feed: Feed) -> bool:
    """False where the collection of the scope was deleted."""
    return feed.is_public or not feed.is_scoped or feed.collection_id is not None


def require_few_readers(work: UnitOfWork, feed: Feed, most: int) -> None:
    """Raises TooManyReaders where an entry of the feed would be mailed to more than *most* people."""
    if has_readers(feed) and len(recipients.after(work, 0, most + 1, audience(feed))) > most:
        raise TooManyReaders(
            "More than {most} people may read this feed. Publish without telling them by mail.",
            values={"most": most},
            field="notify",
        )
