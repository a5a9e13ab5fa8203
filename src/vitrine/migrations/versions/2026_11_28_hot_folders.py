"""Hot folders: folders of the server whose files become records by themselves."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "5e8c17a40bd2"
down_revision = "b94e07f2a6c3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hot_folders",
        sa.Column("id", Id, nullable=False),
        sa.Column("path", sa.String(1000), nullable=False),
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("mask", sa.String(200), nullable=False, comment="of names, separated by ;"),
        sa.Column("sidecar_mask", sa.String(200), nullable=False, comment="empty: no sidecars"),
        sa.Column("deletes", sa.Boolean(), nullable=False, server_default="0",
                  comment="what was taken is deleted, not moved"),
        sa.Column("is_enabled", sa.Boolean(), nullable=False, server_default="1"),
        sa.Column("fault", sa.Text(), nullable=False, server_default="", comment="why it cannot be used at the moment"),
        sa.Column("taken", Id, nullable=False, server_default="0", comment="files, since it was made"),
        sa.Column("failed", Id, nullable=False, server_default="0"),
        sa.Column("last_taken", Instant(), nullable=True),
        sa.Column("holder", sa.String(80), nullable=True, comment="the worker that looks after it, while it lives"),
        sa.Column("delegation_id", Id, nullable=True),
        sa.Column("revision", Id, nullable=False, server_default="1"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name="fk_hot_folders_collection_id",
                                ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["delegation_id"], ["delegations.id"], name="fk_hot_folders_delegation_id",
                                ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_hot_folders"),
        sa.UniqueConstraint("path", name="uq_hot_folders_path"),
        sqlite_autoincrement=True,
        comment="folders of the server whose files become records by themselves",
    )  # fmt: skip
    op.create_index("ix_hot_folders_collection_id", "hot_folders", ["collection_id"])
    op.create_index("ix_hot_folders_delegation_id", "hot_folders", ["delegation_id"])
