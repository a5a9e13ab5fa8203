"""Feeds and entries in the form of API v1 (contract 02 sections 5.16 and 5.17)."""

from collections.abc import Sequence
from typing import Any

import msgspec

from vitrine.api.v1.present import Frame
from vitrine.feeds import ListedFeed, ReadableEntry


def feed(frame: Frame, listed: ListedFeed) -> dict[str, Any]:
    feed = listed.feed
    return {
        "id": feed.id,
        "title": feed.title,
        "subtitle": feed.subtitle,
        "total_entries": feed.entries,
        "icon": feed.icon_sha256 is not None,
        "public": feed.is_public,
        "readonly": not listed.publishes,
        "deletable": listed.owns,
        "created_on": frame.date(feed.created),
        "updated_on": frame.date(feed.updated),
    }


def entry(frame: Frame, readable: ReadableEntry, records: Sequence[tuple[int, msgspec.Raw]]) -> dict[str, Any]:
    """*records* are those of the entry, each with the number of its item."""
    entry = readable.entry
    return {
        "id": entry.id,
        "author_email": entry.author_email,
        "author_name": entry.author_name,
        "created_on": frame.date(entry.created),
        "updated_on": frame.date(entry.updated),
        "title": entry.title,
        "subtitle": entry.subtitle,
        "items": [{"item_id": item_id, "record": record} for item_id, record in records],
        "feed_id": readable.feed.id,
        "feed_title": readable.feed.title,
        "feed_url": f"/feeds/{readable.feed.id}/content/",
        "url": f"/feeds/entry/{entry.id}/",
    }
