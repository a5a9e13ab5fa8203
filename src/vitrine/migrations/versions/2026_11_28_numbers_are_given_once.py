"""SQLite gives no id twice, as PostgreSQL's sequences do: AUTOINCREMENT for every table with an id."""

import sqlalchemy as sa
from alembic import op

revision = "e19d47b6a035"
down_revision = "a58c2d90f713"
branch_labels = None
depends_on = None

_TABLES = (
    "users", "sessions", "mailed_links", "sign_in_failures", "record_grants", "recovery_codes", "passkeys",
    "linked_identities", "applications", "redirect_addresses", "application_secrets", "accounts", "consents", "jobs",
    "databoxes", "collections", "fields", "recipes", "records", "field_values", "renditions", "permalinks",
    "quarantine_items", "removed_records", "authorization_codes", "access_tokens", "refresh_tokens", "device_codes",
    "signing_keys", "deprecated_feature_uses", "audit_log", "request_log",
)  # fmt: skip
# Where ids of deleted rows remain: the next one must be above these too.
_KEPT_ELSEWHERE = (
    ("users", "SELECT max(user_id) FROM audit_log"),
    ("applications", "SELECT max(application_id) FROM audit_log"),
    ("applications", "SELECT max(application_id) FROM request_log"),
    ("accounts", "SELECT max(account_id) FROM request_log"),
    ("passkeys", "SELECT max(authenticator_id) FROM sessions"),
    ("linked_identities", "SELECT max(authenticator_id) FROM sessions"),
)
_AUDITED = {"user": "users", "application": "applications", "databox": "databoxes", "collection": "collections",
            "item": "quarantine_items", "session": "sessions"}  # fmt: skip


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    # SQLite makes its own table of the highest ids with the first table of this kind, and keeps it.
    op.execute("CREATE TABLE first_of_its_kind (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    op.execute("DROP TABLE first_of_its_kind")
    _change_definitions(connection)
    op.execute("DELETE FROM sqlite_sequence")
    for table in _TABLES:
        op.execute(f"INSERT INTO sqlite_sequence (name, seq) SELECT '{table}', coalesce(max(id), 0) FROM {table}")  # noqa: S608
    for table, highest in _KEPT_ELSEWHERE:
        _raise(table, connection.execute(sa.text(highest)).scalar())
    for word, table in _AUDITED.items():
        _raise(table, _highest_audited(connection, word))


def _change_definitions(connection: sa.Connection) -> None:
    """Change the text of the definitions, in SQLite's own steps for changes that leave the rows as they are stored
    (sqlite.org/lang_altertable.html section 7): rows and indexes of a table with an INTEGER PRIMARY KEY are the same
    with AUTOINCREMENT and without. Copying a million records would take minutes and twice the disk."""
    version = int(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    try:
        for table in _TABLES:
            changed = connection.exec_driver_sql(
                "UPDATE sqlite_master SET sql = replace(sql, 'PRIMARY KEY (id)', 'PRIMARY KEY (id AUTOINCREMENT)')"
                " WHERE type = 'table' AND name = ? AND sql LIKE '%PRIMARY KEY (id)%'",
                (table,),
            )
            if changed.rowcount != 1:
                raise RuntimeError(f"the table {table} is not as this migration knows it; nothing was changed")
        connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")  # every connection reads them anew
    finally:
        connection.exec_driver_sql("PRAGMA writable_schema=RESET")


def _raise(table: str, highest: int | None) -> None:
    if highest is not None:
        op.execute(f"UPDATE sqlite_sequence SET seq = {int(highest)} WHERE name = '{table}' AND seq < {int(highest)}")  # noqa: S608


def _highest_audited(connection: sa.Connection, word: str) -> int | None:
    """The highest number after *word* in the audit log; lines about other things, such as record 1/5, are not read."""
    found = connection.exec_driver_sql(
        "SELECT max(CAST(substr(object, ?) AS INTEGER)) FROM audit_log WHERE object GLOB ? AND object NOT GLOB ?",
        (len(word) + 2, f"{word} [0-9]*", f"{word} *[^0-9]*"),
    ).scalar()
    return None if found is None else int(found)
