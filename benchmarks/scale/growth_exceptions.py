"""Statements whose work may grow with the number of records, with the reason of each.

A key is a request of `requests.py`, or `request: part of the statement`; `*` stands for every request.
"""

# For good: what the statement does is about all of something, outside requests or with a bound of its own.
EXCEPTIONS: dict[str, str] = {
    "worker: FROM renditions": "PostgreSQL: the rows of changed records share pages of a small table only",
    "worker: FROM field_values": "PostgreSQL: the rows of changed records share pages of a small table only",
    "developers: FROM applications": "PostgreSQL reads the applications, thousands at most, for those of a person",
    "developers, administrator: FROM applications": "PostgreSQL reads the applications, thousands at most",
    "portal: list: FROM applications": "PostgreSQL reads the applications, thousands at most, for those of a person",
}
# Until it is mended. The gate fails when one of these no longer grows, so that the line goes with the fault.
TO_BE_MENDED: dict[str, str] = {
    "metrics: FROM renditions": "counts all renditions",
    "application usage: FROM request_log": "reads thirty days of lines of the application",
    "application scopes: FROM request_log": "reads thirty days of lines of the application",
    "developers: FROM request_log": "reads every line of the applications",
    "developers: FROM accounts": "counts the people of each application",
    "application delete page: FROM accounts": "counts the people of the application",
    "quarantine list: FROM quarantine_items": "sorts all that wait for one page",
    "quarantine item: FROM quarantine_items": "sorts all that wait; no index on the upload",
    "quarantine page: FROM quarantine_items": "sorts and counts all that wait",
    "quarantine: delete: FROM quarantine_items": "sorts and counts all that wait",
    "quarantine: add: FROM quarantine_items": "sorts and counts all that wait",
    "upload page: FROM quarantine_items": "counts all that wait",
    "databox collections: FROM records": "counts the records of each collection",
    "collection: FROM records": "counts the records of the collection",
    "delete: DELETE FROM records": "looks in all records for stories with this cover",
    "admin audit, a rare action: FROM audit_log": "walks the log until it has a page",
    "admin applications": "reads every application for a page of fifty",
    "portal: list, all": "reads every application for a page",
    "search everything, granted records only: FROM record_grants": "loads every grant of the person",
    "record, granted: FROM record_grants": "loads every grant of the person",
    "access, granted records only: FROM record_grants": "loads every grant of the person",
    "purge": "looks at every session, token, failed sign-in and application",
    "sweep": "looks at every file that is old enough",
}
