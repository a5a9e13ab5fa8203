"""Downloads are counted by month where they are limited; columns that nothing ever wrote go."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "3f8a1c6d47e2"
down_revision = "a7f2094be6d3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "download_counts",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("month", sa.BigInteger(), nullable=False,
                  comment="months since the year 0; another one begins at nothing"),
        sa.Column("downloads", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_download_counts_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name="fk_download_counts_collection_id",
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "collection_id", name="pk_download_counts"),
        comment="of people whose downloads are limited there (06 section 17.4)",
    )  # fmt: skip
    op.create_index("ix_download_counts_collection_id", "download_counts", ["collection_id"])
    op.create_table(
        "counted_downloads",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("record_id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_counted_downloads_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_counted_downloads_record_id",
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "record_id", name="pk_counted_downloads"),
        comment="counted within the last day: fetched again, or in parts, they do not count again",
    )  # fmt: skip
    op.create_index("ix_counted_downloads_record_id", "counted_downloads", ["record_id"])
    op.create_index("ix_counted_downloads_at", "counted_downloads", ["at"])
    op.drop_column("collection_rights", "remaining_downloads")
    op.drop_column("collection_rights", "refilled")
