"""Feeds, publishers, entries and their items, and the addresses of people's feeds."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from vitrine.applications.tables import index_made_by, made_by
from vitrine.platform.schema import Instant, metadata
from vitrine.platform.tables import Id

LONGEST_TITLE, LONGEST_SUBTITLE, LONGEST_EMAIL = 128, 1024, 254

feeds = Table(
    "feeds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("title", String(LONGEST_TITLE), nullable=False),
    Column("subtitle", String(LONGEST_SUBTITLE), nullable=True),
    Column("icon_sha256", String(64), nullable=True, index=True, comment="SHA-256 of its picture"),
    Column("is_public", Boolean, nullable=False, server_default="0"),
    Column("is_scoped", Boolean, nullable=False, server_default="0", comment="only for people of one collection"),
    # A scope whose collection is deleted stays a scope: nobody is in it any more.
    Column("collection_id", Id, ForeignKey("collections.id", ondelete="SET NULL"), nullable=True, index=True),
    Column(
        "owner_id",
        Id,
        ForeignKey("users.id", ondelete="SET NULL"),
        nullable=True,
        index=True,
        comment="null: only administrators manage it",
    ),
    Column("entries", Id, nullable=False, server_default="0", comment="how many there are"),
    Column("latest", Instant, nullable=True, comment="when the entry that was changed last was changed"),
    Column("version", BigInteger, nullable=False, server_default="1", comment="of the feed without its entries"),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False, comment="the feed or one of its entries"),
    Index("ix_feeds_updated_id", "updated", "id"),
    Index("ix_feeds_latest_id", "latest", "id"),
    sqlite_autoincrement=True,
)

feed_publishers = Table(
    "feed_publishers",
    metadata,
    Column("feed_id", Id, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("created", Instant, nullable=False),
    comment="people who publish in a feed, its owner among them",
)

feed_entries = Table(
    "feed_entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("feed_id", Id, ForeignKey("feeds.id", ondelete="CASCADE"), nullable=False),
    Column("publisher_id", Id, ForeignKey("users.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("title", String(LONGEST_TITLE), nullable=False),
    Column("subtitle", String(LONGEST_SUBTITLE), nullable=False, server_default=""),
    Column("author_name", String(LONGEST_TITLE), nullable=False, server_default=""),
    Column("author_email", String(LONGEST_EMAIL), nullable=False, server_default=""),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    Index("ix_feed_entries_feed_id_created_id", "feed_id", "created", "id"),
    Index("ix_feed_entries_feed_id_updated_id", "feed_id", "updated", "id"),
    Index("ix_feed_entries_updated_id", "updated", "id"),
    sqlite_autoincrement=True,
)

feed_items = Table(
    "feed_items",
    metadata,
    Column("id", Id, primary_key=True, comment="item_id on the wire"),
    Column("entry_id", Id, ForeignKey("feed_entries.id", ondelete="CASCADE"), nullable=False),
    Column("record_id", Id, ForeignKey("records.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("position", BigInteger, nullable=False),
    UniqueConstraint("entry_id", "record_id"),
    sqlite_autoincrement=True,
)

feed_addresses = Table(
    "feed_addresses",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("feed_id", Id, ForeignKey("feeds.id", ondelete="CASCADE"), nullable=True, comment="null: all their feeds"),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("created", Instant, nullable=False),
    *made_by(),
    sqlite_autoincrement=True,
    comment="secret addresses under which a feed reader gets what a person may read",
)
index_made_by(feed_addresses)
_of_one_feed = feed_addresses.c.feed_id.is_not(None)
Index(
    "ix_feed_addresses_feed_id",
    feed_addresses.c.feed_id,
    sqlite_where=_of_one_feed,
    postgresql_where=_of_one_feed,
)
