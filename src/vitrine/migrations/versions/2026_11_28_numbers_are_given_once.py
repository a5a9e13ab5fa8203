"""SQLite gives no id twice, as PostgreSQL's sequences do: AUTOINCREMENT for every table with an id."""

import sqlalchemy as sa
from alembic import op

from vitrine.migrations.sqlite_definitions import change_definitions

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
    # Rows and indexes of a table with an INTEGER PRIMARY KEY are stored alike with AUTOINCREMENT and without.
    old, new = "PRIMARY KEY (id)", "PRIMARY KEY (id AUTOINCREMENT)"
    change_definitions(connection, [(table, old, new) for table in _TABLES])
    op.execute("DELETE FROM sqlite_sequence")
    for table in _TABLES:
        op.execute(f"INSERT INTO sqlite_sequence (name, seq) SELECT '{table}', coalesce(max(id), 0) FROM {table}")  # noqa: S608
    for table, highest in _KEPT_ELSEWHERE:
        _raise(table, connection.execute(sa.text(highest)).scalar())
    for word, table in _AUDITED.items():
        _raise(table, _highest_audited(connection, word))


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
