"""Feeds, their publishers, entries and items, and the addresses of people's feeds."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "b3f60c2d9a74"
down_revision = "b41e7c92d0a6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "records",
        sa.Column(
            "in_public_feed",
            sa.Boolean(),
            nullable=False,
            server_default="0",
            comment="its preview and thumbnail are free; kept right by the feeds (docs/decisions/0133)",
        ),
    )
    _feeds()
    _entries()
    _addresses()


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", Id, primary_key=True),
        sa.Column("title", sa.String(128), nullable=False),
        sa.Column("subtitle", sa.String(1024), nullable=True),
        sa.Column("icon_sha256", sa.String(64), nullable=True, comment="SHA-256 of its picture"),
        sa.Column("is_public", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("is_scoped", sa.Boolean(), nullable=False, server_default="0",
                  comment="only for people of one collection"),
        _reference("collection_id", "collections", "feeds", "SET NULL", nullable=True),
        _reference("owner_id", "users", "feeds", "SET NULL", nullable=True,
                   comment="null: only administrators manage it"),
        sa.Column("entries", Id, nullable=False, server_default="0", comment="how many there are"),
        sa.Column("latest", Instant(), nullable=True,
                  comment="when the entry that was changed last was changed"),
        sa.Column("version", sa.BigInteger(), nullable=False, server_default="1",
                  comment="of the feed without its entries"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False, comment="the feed or one of its entries"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_feeds_collection_id", "feeds", ["collection_id"])
    op.create_index("ix_feeds_icon_sha256", "feeds", ["icon_sha256"])
    op.create_index("ix_feeds_owner_id", "feeds", ["owner_id"])
    op.create_index("ix_feeds_updated_id", "feeds", ["updated", "id"])
    op.create_index("ix_feeds_latest_id", "feeds", ["latest", "id"])
    op.create_table(
        "feed_publishers",
        _reference("feed_id", "feeds", "feed_publishers", "CASCADE"),
        _reference("user_id", "users", "feed_publishers", "CASCADE"),
        sa.Column("created", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("feed_id", "user_id", name="pk_feed_publishers"),
        comment="people who publish in a feed, its owner among them",
    )
    op.create_index("ix_feed_publishers_user_id", "feed_publishers", ["user_id"])


def _entries() -> None:
    op.create_table(
        "feed_entries",
        sa.Column("id", Id, primary_key=True),
        _reference("feed_id", "feeds", "feed_entries", "CASCADE"),
        _reference("publisher_id", "users", "feed_entries", "SET NULL", nullable=True),
        sa.Column("title", sa.String(128), nullable=False),
        sa.Column("subtitle", sa.String(1024), nullable=False, server_default=""),
        sa.Column("author_name", sa.String(128), nullable=False, server_default=""),
        sa.Column("author_email", sa.String(254), nullable=False, server_default=""),
        sa.Column("version", sa.BigInteger(), nullable=False, server_default="1"),
        sa.Column("notified_until", Id, nullable=True,
                  comment="the last person whose mail is queued; null: nobody is mailed"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_feed_entries_publisher_id", "feed_entries", ["publisher_id"])
    op.create_index("ix_feed_entries_feed_id_created_id", "feed_entries", ["feed_id", "created", "id"])
    op.create_index("ix_feed_entries_feed_id_updated_id", "feed_entries", ["feed_id", "updated", "id"])
    op.create_index("ix_feed_entries_updated_id", "feed_entries", ["updated", "id"])
    op.create_table(
        "feed_items",
        sa.Column("id", Id, primary_key=True, comment="item_id on the wire"),
        _reference("entry_id", "feed_entries", "feed_items", "CASCADE"),
        _reference("record_id", "records", "feed_items", "CASCADE"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("entry_id", "record_id", name="uq_feed_items_entry_id_record_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_feed_items_record_id", "feed_items", ["record_id"])


def _addresses() -> None:
    op.create_table(
        "feed_addresses",
        sa.Column("id", Id, primary_key=True),
        _reference("user_id", "users", "feed_addresses", "CASCADE"),
        _reference("feed_id", "feeds", "feed_addresses", "CASCADE", nullable=True, comment="null: all their feeds"),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        _reference("made_by_account_id", "accounts", "feed_addresses", "CASCADE", nullable=True),
        _reference(
            "made_by_token_id", "access_tokens", "feed_addresses", "CASCADE", nullable=True,
            deferrable=True, initially="IMMEDIATE",
        ),
        sa.UniqueConstraint("digest", name="uq_feed_addresses_digest"),
        sqlite_autoincrement=True,
        comment="secret addresses under which a feed reader gets what a person may read",
    )  # fmt: skip
    op.create_index("ix_feed_addresses_user_id", "feed_addresses", ["user_id"])
    for name in ("feed_id", "made_by_account_id", "made_by_token_id"):
        some = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_feed_addresses_{name}", "feed_addresses", [name], sqlite_where=some, postgresql_where=some)


def _reference(
    name: str, table: str, owner: str, on_delete: str, *, nullable: bool = False, comment: str | None = None, **how: Any
) -> sa.Column[int]:
    key = sa.ForeignKey(f"{table}.id", ondelete=on_delete, name=f"fk_{owner}_{name}", **how)
    return sa.Column(name, Id, key, nullable=nullable, comment=comment)
