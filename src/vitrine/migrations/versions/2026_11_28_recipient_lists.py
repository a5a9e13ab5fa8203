"""Lists of people to whom somebody sends documents."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "b94e07f2a6c3"
down_revision = "6b2d90e4f815"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recipient_lists",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, server_default="1"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recipient_lists"),
        sqlite_autoincrement=True,
        comment="people to whom somebody sends documents (06 section 16)",
    )
    op.create_table(
        "recipient_list_roles",
        sa.Column("list_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("role", sa.BigInteger(), nullable=False, comment="1 user, 2 editor, 3 administrator"),
        sa.ForeignKeyConstraint(["list_id"], ["recipient_lists.id"], name="fk_recipient_list_roles_list_id",
                                ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_recipient_list_roles_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("list_id", "user_id", name="pk_recipient_list_roles"),
        comment="who works with a list",
    )  # fmt: skip
    op.create_index("ix_recipient_list_roles_user_id", "recipient_list_roles", ["user_id"])
    op.create_table(
        "recipient_list_members",
        sa.Column("list_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("added_by", Id, nullable=True),
        sa.Column("added", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["recipient_lists.id"], name="fk_recipient_list_members_list_id",
                                ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_recipient_list_members_user_id",
                                ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["added_by"], ["users.id"], name="fk_recipient_list_members_added_by",
                                ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("list_id", "user_id", name="pk_recipient_list_members"),
        comment="who gets what is sent to a list",
    )  # fmt: skip
    for name in ("user_id", "added_by"):
        op.create_index(f"ix_recipient_list_members_{name}", "recipient_list_members", [name])
