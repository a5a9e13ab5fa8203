"""What is answered about feeds, and the bodies of their changes."""

from typing import Any

from vitrine.api.v4 import present
from vitrine.api.v4.content import moment
from vitrine.api.v4.schemas import (
    FLAG,
    MOMENT,
    NUMBER,
    PERHAPS_NUMBER,
    PERHAPS_TEXT,
    TEXT,
    Schema,
    full_object_of,
    list_of,
    named,
    object_of,
    sparse_object_of,
)
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.feeds import ListedFeed, ReadableEntry

FEED: dict[str, Schema] = {
    "feed_id": NUMBER, "title": TEXT, "subtitle": PERHAPS_TEXT,
    "public": {"type": "boolean", "description": "also for people without an account"},
    "restricted": {"type": "boolean", "description": "only for people with access to the collection base_id"},
    "base_id": PERHAPS_NUMBER, "owner_id": PERHAPS_NUMBER, "entries": NUMBER, "has_icon": FLAG,
    "mine": {
        **full_object_of(publishes=FLAG, owns=FLAG),
        "description": "whether you publish in it, and whether you own it",
    },
    "created": MOMENT, "updated": {**MOMENT, "description": "of the feed or one of its entries"},
}  # fmt: skip
_ITEM = full_object_of(item_id=NUMBER, databox_id=NUMBER, record_id=NUMBER)
ENTRY: dict[str, Schema] = {
    "entry_id": NUMBER, "feed_id": NUMBER, "publisher_id": PERHAPS_NUMBER, "title": TEXT, "subtitle": TEXT,
    "author_name": TEXT, "author_email": TEXT, "created": MOMENT, "updated": MOMENT,
    "items": {"type": "array", "items": _ITEM, "description": "its records, in order"},
    "records": {
        "type": "array", "items": named("Record"),
        "description": "the same records, with a thumbnail where you may have it; not in lists",
    },
}  # fmt: skip
IN_LISTS = frozenset(ENTRY) - {"records"}
_KEYS = list_of({**full_object_of(databox_id=NUMBER, record_id=NUMBER)})
_TITLE: Schema = {"type": "string", "minLength": 1, "maxLength": 128}
_SUBTITLE: Schema = {"type": ["string", "null"], "maxLength": 1024}
_TEXTS: dict[str, Schema] = {"title": _TITLE, "subtitle": _SUBTITLE}
_AUTHOR: dict[str, Schema] = {"author_name": PERHAPS_TEXT, "author_email": PERHAPS_TEXT}
NEW_FEED = {
    **object_of(**_TEXTS, public=FLAG, base_id=PERHAPS_NUMBER, owner_id=PERHAPS_NUMBER),
    "required": ["title"],
}
FEED_CHANGES = object_of(**_TEXTS, public=FLAG, base_id=PERHAPS_NUMBER, owner_id=NUMBER)
NEW_ENTRY = {**object_of(**_TEXTS, **_AUTHOR, records=_KEYS, notify=FLAG), "required": ["title", "records"]}
ENTRY_CHANGES = object_of(**_TEXTS, **_AUTHOR, records=_KEYS)
NEW_PUBLISHER = {**object_of(login=TEXT), "required": ["login"]}
COMPONENTS = {
    "Feed": sparse_object_of("feed_id", **FEED),
    "FeedPage": page_schema(named("Feed")),
    "FeedEntry": sparse_object_of("entry_id", "feed_id", **ENTRY),
    "FeedEntryPage": page_schema(named("FeedEntry")),
    "FeedPublisher": full_object_of(user_id=NUMBER, login=TEXT, name=TEXT, owns=FLAG),
    "FeedPublisherPage": page_schema(named("FeedPublisher")),
    "FeedAddress": full_object_of(rss=TEXT, atom=TEXT),
    "NewEntry": full_object_of(entry_id=NUMBER, feed_id=NUMBER),
}


def feed(listed: ListedFeed) -> dict[str, Any]:
    known = listed.feed
    return {
        "feed_id": known.id,
        "title": known.title,
        "subtitle": known.subtitle,
        "public": known.is_public,
        "restricted": known.is_scoped,
        "base_id": known.collection_id,
        "owner_id": known.owner_id,
        "entries": known.entries,
        "has_icon": known.icon_sha256 is not None,
        "mine": {"publishes": listed.publishes, "owns": listed.owns},
        "created": moment(known.created),
        "updated": moment(known.updated),
    }


def entry(readable: ReadableEntry, place: present.Place | None) -> dict[str, Any]:
    """Without *place* it has no `records`."""
    known = readable.entry
    value: dict[str, Any] = {
        "entry_id": known.id,
        "feed_id": known.feed_id,
        "publisher_id": known.publisher_id,
        "title": known.title,
        "subtitle": known.subtitle,
        "author_name": known.author_name,
        "author_email": known.author_email,
        "created": moment(known.created),
        "updated": moment(known.updated),
        "items": [
            {"item_id": number, "databox_id": shown.record.databox_id, "record_id": shown.record.number}
            for number, shown in readable.items
        ],
    }
    if place is not None:
        value["records"] = [present.record(place, shown, None, present.IN_LISTS) for _, shown in readable.items]
    return value


def tag(number: int, version: int) -> str:
    """The entity tag of a feed or an entry: its version alone, so an entry that is added outdates no edit of the
    feed."""
    return f'"{number}-{version}"'
