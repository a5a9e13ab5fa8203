"""Feeds (publications): who reads them, who publishes in them, and what that opens (contract 06 section 13)."""

from vitrine.feeds.addresses import FeedAddresses
from vitrine.feeds.entries import Entries, EntryDraft, EntryPage
from vitrine.feeds.model import EntryId, Feed, FeedEntry, FeedId, ListedFeed, ReadableEntry
from vitrine.feeds.service import Feeds
from vitrine.feeds.syndication import Syndication

__all__ = [
    "Entries",
    "EntryDraft",
    "EntryId",
    "EntryPage",
    "Feed",
    "FeedAddresses",
    "FeedEntry",
    "FeedId",
    "Feeds",
    "ListedFeed",
    "ReadableEntry",
    "Syndication",
]
