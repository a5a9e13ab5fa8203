"""Statements whose work may grow with the number of records, with the reason of each.

A key is a request of `requests.py`, or `request: part of the statement`; `*` stands for every request.
"""

# For good: what the statement does is about all of something, outside requests or with a bound of its own.
_HOURS = "one row for each hour of thirty days: a small instance has calls in few of them"
_ALL_GRANTS = "the search needs all grants of a person, as bare numbers, and remembers them (docs/decisions/0097)"
_NAMES = "reads the names of all applications, thousands at most: no database orders letters as we do (0095)"
_PAGES = "looks at a page of each collection at most: in a small instance fewer files wait than that"
_COUNTED = "counts to a bound and no further"
_SHARED_PAGES = "PostgreSQL: the rows of a page of entries share pages of a small table only"
_THREAD = "asked again in a thread, since the answer takes longer"
_EVERYBODY = "tells each reader of a feed, a hundred at a time"
_SMALL_TABLE = "PostgreSQL: an index of a small table has a level less"
EXCEPTIONS: dict[str, str] = {
    "purge": "looks at a bounded number of tokens and renditions, more than a small instance has (docs/decisions/0101)",
    "sweep": "looks at a bounded number of files, more than a small instance has (docs/decisions/0101)",
    "databox collections: FROM collection_counts": "one row for each collection that ever had a record",
    "developers: FROM usage_hours": _HOURS,
    "application usage: FROM usage_hours": _HOURS,
    "application usage: FROM usage_routes": "one row for each day, route and status: the same as with the hours",
    "application scopes: FROM usage_routes": "one row for each day, route and status: the same as with the hours",
    "search everything, granted records only: FROM record_grants": _ALL_GRANTS,
    "search everything, granted records only: FROM access_tokens": _THREAD,
    "v4: find everything: FROM access_tokens": _THREAD,
    "v4: find a word: FROM access_tokens": _THREAD,
    "v4: find with fields: FROM access_tokens": _THREAD,
    "worker: FROM renditions": "PostgreSQL: the rows of changed records share pages of a small table only",
    "worker: FROM field_values": "PostgreSQL: the rows of changed records share pages of a small table only",
    "v4: unused accounts: FROM users": "looks at a page of accounts: a small instance has fewer",
    "v4: a rule's life: FROM field_values": "reads texts of a bounded number of records in collections that it names",
    "worker: INSERT INTO notifications": _EVERYBODY,
    "worker: FROM users": _EVERYBODY,
    "worker: UPDATE notification_broadcasts": _EVERYBODY,
    "worker: FROM notification_broadcasts": _EVERYBODY,
    "worker: INSERT INTO jobs": _EVERYBODY,
    "worker: FROM feed_entries": _EVERYBODY,
    "worker: FROM feeds": _EVERYBODY,
    "feed entries, extended: FROM renditions": _SHARED_PAGES,
    "RSS: FROM renditions": _SHARED_PAGES,
    "RSS: FROM field_values": _SHARED_PAGES,
    "Atom, all feeds: FROM renditions": _SHARED_PAGES,
    "Cooliris: FROM renditions": _SHARED_PAGES,
    "personal feeds: FROM renditions": _SHARED_PAGES,
    "v4: publish: UPDATE records": _SHARED_PAGES,
    "v4: an entry's life: UPDATE records": _SHARED_PAGES,
    "v4: a basket's life: FROM baskets": _SMALL_TABLE,
    "v4: a basket's life: FROM basket_participants": _SMALL_TABLE,
    "upload: INSERT INTO renditions": _SMALL_TABLE,
    "v4: upload: INSERT INTO renditions": _SMALL_TABLE,
    "v4: a feed becomes public and private: UPDATE records": "marks each record of the feed (docs/decisions/0133)",
    "v4: all collections of a databox: FROM collection_counts": "one row for each collection that ever had a record",
    "search everything, granted records only: FROM collections": _THREAD,
    "developers: FROM applications": _NAMES,
    "developers, administrator: FROM applications": _NAMES,
    "portal: list: FROM applications": _NAMES,
    "v4: applications: FROM applications": _NAMES,
    "portal: list, all: FROM applications": _NAMES,
    "admin applications: FROM applications": _NAMES,
    "*: UNION ALL SELECT anon_3.id AS id FROM (SELECT quarantine_items.id": _PAGES,
    "*: AS id FROM quarantine_items WHERE quarantine_items.collection_id IN": _COUNTED,
    "metrics: AS id FROM renditions WHERE renditions.state": _COUNTED,
    "*: SELECT accounts.id AS id FROM accounts WHERE accounts.application_id": _COUNTED,
}
# Until it is mended. The gate fails when one of these no longer grows, so that the line goes with the fault.
TO_BE_MENDED: dict[str, str] = {}
