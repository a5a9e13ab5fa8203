"""Baskets, their elements and participants, votes and choices (contract 06 section 12)."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from vitrine.platform.schema import Instant, metadata
from vitrine.platform.tables import Id

baskets = Table(
    "baskets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("owner_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("is_archived", Boolean, nullable=False, server_default="0"),
    Column("is_read", Boolean, nullable=False, server_default="1", comment="by its owner"),
    Column(
        "pusher_id", Id, ForeignKey("users.id", ondelete="SET NULL"), nullable=True, index=True, comment="who sent it"
    ),
    Column("version", BigInteger, nullable=False, server_default="1", comment="grows with each change"),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    Index("ix_baskets_owner_id_is_archived_id", "owner_id", "is_archived", "id"),
    sqlite_autoincrement=True,
)

basket_elements = Table(
    "basket_elements",
    metadata,
    Column("id", Id, primary_key=True),
    Column("basket_id", Id, ForeignKey("baskets.id", ondelete="CASCADE"), nullable=False),
    Column("record_id", Id, ForeignKey("records.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("position", BigInteger, nullable=False),
    Column("created", Instant, nullable=False),
    UniqueConstraint("basket_id", "record_id"),
    sqlite_autoincrement=True,
)

basket_participants = Table(
    "basket_participants",
    metadata,
    Column("id", Id, primary_key=True),
    Column("basket_id", Id, ForeignKey("baskets.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("is_shared", Boolean, nullable=False, server_default="0"),
    Column("can_modify", Boolean, nullable=False, server_default="0", comment="add and remove elements"),
    Column("share_expires", Instant, nullable=True, index=True),
    Column("with_originals", Boolean, nullable=False, server_default="0", comment="where the giver has them"),
    Column("is_voter", Boolean, nullable=False, server_default="0"),
    Column("can_agree", Boolean, nullable=False, server_default="0"),
    Column("can_see_others", Boolean, nullable=False, server_default="0"),
    Column("is_aware", Boolean, nullable=False, server_default="0"),
    Column("confirmed_at", Instant, nullable=True),
    Column("reminded_at", Instant, nullable=True),
    Column("choices_version", BigInteger, nullable=False, server_default="0", comment="grows with each choice"),
    Column("created", Instant, nullable=False),
    UniqueConstraint("basket_id", "user_id"),
    sqlite_autoincrement=True,
    comment="with whom a basket is shared, whose vote is asked, or both",
)

basket_votes = Table(
    "basket_votes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("basket_id", Id, ForeignKey("baskets.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("initiator_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires", Instant, nullable=False),
    Column("remind_at", Instant, nullable=True, index=True, comment="null once the reminders went out"),
    Column("closed_at", Instant, nullable=True),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    Index("ix_basket_votes_closed_at_expires", "closed_at", "expires"),
    sqlite_autoincrement=True,
    comment="one for a basket at most",
)

basket_choices = Table(
    "basket_choices",
    metadata,
    Column("participant_id", Id, ForeignKey("basket_participants.id", ondelete="CASCADE"), primary_key=True),
    Column("element_id", Id, ForeignKey("basket_elements.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("agreement", Boolean, nullable=True, comment="null: undecided"),
    Column("note", Text, nullable=False, server_default=""),
    Column("updated", Instant, nullable=False),
)
