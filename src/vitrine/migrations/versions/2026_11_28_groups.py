"""Groups of people with rights, and templates of rights."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "c41e7ab9d305"
down_revision = "b7d2904fe61a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The people of a collection are listed by their numbers.
    op.drop_index("ix_collection_rights_collection_id", table_name="collection_rights")
    op.create_index("ix_collection_rights_collection_id_user_id", "collection_rights", ["collection_id", "user_id"])
    op.create_table(
        "groups",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("name_folded", sa.String(128), nullable=False),
        sa.Column("description", sa.String(500), server_default="", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
        sa.UniqueConstraint("name_folded", name="uq_groups_name_folded"),
        sqlite_autoincrement=True,
        comment="people who have rights together; what a group may do, its members may do too",
    )
    _pair("group_members", ("group_id", "groups"), ("user_id", "users"), sa.Column("added", Instant(), nullable=False))
    _pair("group_collection_rights", ("group_id", "groups"), ("collection_id", "collections"), *_limits())
    rights = sa.Column("rights", sa.BigInteger(), nullable=False, comment="bit mask, accounts.rights.DataboxRight")
    _pair("group_databox_rights", ("group_id", "groups"), ("databox_id", "databoxes"), rights)
    op.create_table(
        "rights_templates",
        sa.Column("id", Id, nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_rights_templates_owner_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_rights_templates"),
        sa.UniqueConstraint("owner_id", "name", name="uq_rights_templates_owner_id_name"),
        sqlite_autoincrement=True,
        comment="rights that their owner gives again and again; nobody else sees them",
    )
    keys = (("template_id", "rights_templates"), ("collection_id", "collections"))
    _pair("template_collection_rights", *keys, *_limits())


def _limits() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("rights", sa.BigInteger(), nullable=False, comment="bit mask, accounts.rights.Right"),
        sa.Column("valid_from", Instant(), nullable=True),
        sa.Column("valid_until", Instant(), nullable=True),
        sa.Column("mask_and", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("mask_xor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("monthly_downloads", sa.BigInteger(), nullable=True),
    )


def _pair(table: str, first: tuple[str, str], second: tuple[str, str], *columns: sa.Column[Any]) -> None:
    """A table whose key is two references; the second one gets an index."""
    op.create_table(
        table,
        *(sa.Column(column, Id, nullable=False) for column, _ in (first, second)),
        *columns,
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE")
            for column, other in (first, second)
        ),
        sa.PrimaryKeyConstraint(first[0], second[0], name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_{second[0]}", table, [second[0]])
