"""Indexes for foreign keys and for statements that read whole tables: sweeps, audit by action, quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "3b6f0d8e51c7"
down_revision = "7d2e90b4c1a8"
branch_labels = None
depends_on = None

_INDEXES = (
    ("record_grants", ("giver_id",)),
    ("quarantine_items", ("user_id",)),
    ("quarantine_items", ("session",)),
    ("removed_records", ("removed_by",)),
    ("sessions", ("expires",)),
    ("mailed_links", ("expires",)),
    ("passkey_challenges", ("expires",)),
    ("sign_in_failures", ("at",)),
    ("deprecated_feature_uses", ("day",)),
    ("audit_log", ("action", "id")),
    ("request_log", ("application_id", "id")),
)
_WHERE_SET = (("records", "cover_record_id"), ("records", "creator_id"))


def upgrade() -> None:
    for table, columns in _INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
    for table, column in _WHERE_SET:
        some = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_{table}_{column}", table, [column], sqlite_where=some, postgresql_where=some)
    op.drop_index("ix_request_log_application_id", table_name="request_log")  # the new one begins with its column
