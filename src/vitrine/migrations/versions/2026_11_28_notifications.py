"""Notifications of people."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant, Json
from vitrine.platform.tables import Id

revision = "d95b30c8e217"
down_revision = "c41e7ab9d305"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("payload", Json(), nullable=False,
                  comment="numbers of what it is about; rights are asked when it is looked at"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("read_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_notifications_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
        sqlite_autoincrement=True,
        comment="they end after 90 days (06 section 24)",
    )  # fmt: skip
    op.create_index("ix_notifications_created", "notifications", ["created"])
    op.create_index("ix_notifications_user_id_id", "notifications", ["user_id", "id"])
    unread = sa.text("read_at IS NULL")
    op.create_index(
        "ix_notifications_unread", "notifications", ["user_id", "id"], sqlite_where=unread, postgresql_where=unread
    )
