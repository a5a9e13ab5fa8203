"""Requests for access to collections, where they are taken, and new accounts that wait to be confirmed."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant, Json
from vitrine.platform.tables import Id

revision = "b7d2904fe61a"
down_revision = "b6e19f4a7c30"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "users",
        sa.Column("confirm_by", Instant(), nullable=True,
                  comment="a new account that nobody confirms until then is deleted"),
    )  # fmt: skip
    op.create_index("ix_users_confirm_by", "users", ["confirm_by"])
    op.create_table(
        "registration_requests",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("state", sa.String(8), nullable=False,
                  comment="pending or rejected; an accepted one is a row of rights"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("decided", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_registration_requests_user_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name="fk_registration_requests_collection_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_registration_requests"),
        sa.UniqueConstraint("user_id", "collection_id", name="uq_registration_requests_user_id_collection_id"),
        sqlite_autoincrement=True,
        comment="one for each person and collection; it ends after a month (06 section 18)",
    )  # fmt: skip
    op.create_index("ix_registration_requests_created", "registration_requests", ["created"])
    op.create_index(
        "ix_registration_requests_collection_id_state_id", "registration_requests", ["collection_id", "state", "id"]
    )
    op.create_index("ix_registration_requests_state_id", "registration_requests", ["state", "id"])
    op.create_table(
        "collection_registration",
        sa.Column("collection_id", Id, autoincrement=False, nullable=False),
        sa.Column("rules", Json(), nullable=True,
                  comment="[{pattern, rights}] by e-mail address; null: those of the databox"),
        sa.Column("updated", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name="fk_collection_registration_collection_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_id", name="pk_collection_registration"),
    )  # fmt: skip
    op.create_table(
        "databox_registration",
        sa.Column("databox_id", Id, autoincrement=False, nullable=False),
        sa.Column("rules", Json(), nullable=True,
                  comment="[{pattern, rights}] by e-mail address; null: readers, if automatic"),
        sa.Column("updated", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["databox_id"], ["databoxes.id"], name="fk_databox_registration_databox_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("databox_id", name="pk_databox_registration"),
    )  # fmt: skip
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.alter_column("mailed_links", "purpose", comment="one of LINK_LIFETIMES, accounts.mail_texts")
