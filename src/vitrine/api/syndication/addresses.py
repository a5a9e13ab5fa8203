"""The addresses of feeds, without the host."""

from dataclasses import dataclass

from vitrine.feeds import EntryId, Feed, FeedId

FORMS = ("rss", "atom")


@dataclass(frozen=True, slots=True)
class FeedAddress:
    """What was asked for: one feed or all (*feed_id* None), of everybody or, with a *token*, of a person."""

    form: str
    feed_id: FeedId | None = None
    token: str | None = None

    @property
    def path(self) -> str:
        if self.token is None:
            which = "aggregated" if self.feed_id is None else f"feed/{self.feed_id}"
        elif self.feed_id is None:
            which = f"userfeed/aggregated/{self.token}"
        else:
            which = f"userfeed/{self.token}/{self.feed_id}"
        return f"/feeds/{which}/{self.form}/"

    def page(self, number: int) -> str:
        return f"{self.path}?page={number}"

    def of(self, feed: Feed) -> "FeedAddress":
        """The address of a feed whose entry is shown here: the public one if it has one, else under the same token."""
        return FeedAddress(self.form, feed.id, None if feed.is_public else self.token)


def entry_id(feed_id: FeedId, entry: EntryId) -> str:
    """What identifies an entry for ever and in every form: without a token, and the address of a public one."""
    return f"{FeedAddress('atom', feed_id).path}entry/{entry}/"
