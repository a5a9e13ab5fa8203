"""Baskets, their elements and participants, votes and choices."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "c7d2a94e0b61"
down_revision = "b3f60c2d9a74"
branch_labels = None
depends_on = None


def _key(table: str, column: str, to: str, then: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}", ondelete=then)


def upgrade() -> None:
    _baskets()
    _participants()
    _votes()


def _baskets() -> None:
    op.create_table(
        "baskets",
        sa.Column("id", Id, nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False, server_default=""),
        sa.Column("is_archived", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("is_read", sa.Boolean(), nullable=False, server_default="1", comment="by its owner"),
        sa.Column("pusher_id", Id, nullable=True, comment="who sent it"),
        sa.Column("version", sa.BigInteger(), nullable=False, server_default="1", comment="grows with each change"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        _key("baskets", "owner_id", "users"),
        _key("baskets", "pusher_id", "users", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_baskets"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_baskets_pusher_id", "baskets", ["pusher_id"])
    op.create_index("ix_baskets_owner_id_is_archived_id", "baskets", ["owner_id", "is_archived", "id"])
    op.create_table(
        "basket_elements",
        sa.Column("id", Id, nullable=False),
        sa.Column("basket_id", Id, nullable=False),
        sa.Column("record_id", Id, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        _key("basket_elements", "basket_id", "baskets"),
        _key("basket_elements", "record_id", "records"),
        sa.PrimaryKeyConstraint("id", name="pk_basket_elements"),
        sa.UniqueConstraint("basket_id", "record_id", name="uq_basket_elements_basket_id_record_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_basket_elements_record_id", "basket_elements", ["record_id"])


def _participants() -> None:
    op.create_table(
        "basket_participants",
        sa.Column("id", Id, nullable=False),
        sa.Column("basket_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("can_modify", sa.Boolean(), nullable=False, server_default="0", comment="add and remove elements"),
        sa.Column("share_expires", Instant(), nullable=True),
        sa.Column(
            "with_originals", sa.Boolean(), nullable=False, server_default="0", comment="where the giver has them"
        ),
        sa.Column("is_voter", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("can_agree", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("can_see_others", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("is_aware", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("reminded_at", Instant(), nullable=True),
        sa.Column(
            "choices_version", sa.BigInteger(), nullable=False, server_default="0", comment="grows with each choice"
        ),
        sa.Column("created", Instant(), nullable=False),
        _key("basket_participants", "basket_id", "baskets"),
        _key("basket_participants", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name="pk_basket_participants"),
        sa.UniqueConstraint("basket_id", "user_id", name="uq_basket_participants_basket_id_user_id"),
        sqlite_autoincrement=True,
        comment="with whom a basket is shared, whose vote is asked, or both",
    )
    op.create_index("ix_basket_participants_user_id", "basket_participants", ["user_id"])
    op.create_index("ix_basket_participants_share_expires", "basket_participants", ["share_expires"])


def _votes() -> None:
    op.create_table(
        "basket_votes",
        sa.Column("id", Id, nullable=False),
        sa.Column("basket_id", Id, nullable=False),
        sa.Column("initiator_id", Id, nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.Column("remind_at", Instant(), nullable=True, comment="null once the reminders went out"),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        _key("basket_votes", "basket_id", "baskets"),
        _key("basket_votes", "initiator_id", "users"),
        sa.PrimaryKeyConstraint("id", name="pk_basket_votes"),
        sa.UniqueConstraint("basket_id", name="uq_basket_votes_basket_id"),
        sqlite_autoincrement=True,
        comment="one for a basket at most",
    )
    op.create_index("ix_basket_votes_initiator_id", "basket_votes", ["initiator_id"])
    op.create_index("ix_basket_votes_remind_at", "basket_votes", ["remind_at"])
    op.create_index("ix_basket_votes_closed_at_expires", "basket_votes", ["closed_at", "expires"])
    op.create_table(
        "basket_choices",
        sa.Column("participant_id", Id, nullable=False),
        sa.Column("element_id", Id, nullable=False),
        sa.Column("agreement", sa.Boolean(), nullable=True, comment="null: undecided"),
        sa.Column("note", sa.Text(), nullable=False, server_default=""),
        sa.Column("updated", Instant(), nullable=False),
        _key("basket_choices", "participant_id", "basket_participants"),
        _key("basket_choices", "element_id", "basket_elements"),
        sa.PrimaryKeyConstraint("participant_id", "element_id", name="pk_basket_choices"),
    )
    op.create_index("ix_basket_choices_element_id", "basket_choices", ["element_id"])
