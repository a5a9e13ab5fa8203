"""What many people are told, in parts; the mails of a feed's entry are one of them."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant, Json
from vitrine.platform.tables import Id

revision = "5e1c70d4a9b2"
down_revision = "b7f4d20c96a3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notification_broadcasts",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("payload", Json(), nullable=False, comment="that of each notification"),
        sa.Column("is_mailed", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.String(40), nullable=True, comment="while it waits to begin: what joins it"),
        sa.Column("told_until", Id, nullable=False, server_default="0", comment="the last person who was told"),
        sa.Column("created", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notification_broadcasts"),
        sa.UniqueConstraint("subject", name="uq_notification_broadcasts_subject"),
        sqlite_autoincrement=True,
        comment="what many people are told, by a job and in parts; gone when all are",
    )
    op.create_index("ix_notification_broadcasts_created", "notification_broadcasts", ["created"])
    op.drop_column("feed_entries", "notified_until")
