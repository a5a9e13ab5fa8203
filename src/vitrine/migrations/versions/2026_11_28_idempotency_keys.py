"""Answers that are kept under the key that a caller chose (docs/decisions/0124)."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant, Json
from vitrine.platform.tables import Id

revision = "c4e81f6a2d93"
down_revision = "5a90d3c7b1e4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False, comment="SHA-256 of the key that the caller chose"),
        sa.Column("request", sa.LargeBinary(), nullable=False, comment="SHA-256 of what was sent with it"),
        sa.Column("authority", sa.LargeBinary(), nullable=False, comment="SHA-256 of what the caller might do then"),
        sa.Column("status", sa.Integer(), nullable=True, comment="null: the request is running"),
        sa.Column("headers", Json(), nullable=False, comment="of the answer, by name"),
        sa.Column("body", sa.LargeBinary(), nullable=True, comment="of the answer; null: it held a secret"),
        sa.Column("expires", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_idempotency_keys_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "key", name="pk_idempotency_keys"),
        sqlite_with_rowid=False,
        comment="answers to requests that may be repeated without a second change (docs/decisions/0124)",
    )
    op.create_index("ix_idempotency_keys_expires", "idempotency_keys", ["expires"])
