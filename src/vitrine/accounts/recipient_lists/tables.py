"""Lists of recipients."""

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table

from vitrine.platform.schema import Instant, metadata
from vitrine.platform.tables import Id

recipient_lists = Table(
    "recipient_lists",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(128), nullable=False),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    sqlite_autoincrement=True,
    comment="people to whom somebody sends documents (06 section 16)",
)
recipient_list_roles = Table(
    "recipient_list_roles",
    metadata,
    Column("list_id", Id, ForeignKey("recipient_lists.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("role", BigInteger, nullable=False, comment="1 user, 2 editor, 3 administrator"),
    comment="who works with a list",
)
recipient_list_members = Table(
    "recipient_list_members",
    metadata,
    Column("list_id", Id, ForeignKey("recipient_lists.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("added_by", Id, ForeignKey("users.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("added", Instant, nullable=False),
    comment="who gets what is sent to a list",
)
