"""Notifications of people."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, String, Table

from vitrine.platform.schema import Instant, Json, metadata
from vitrine.platform.tables import Id

notifications = Table(
    "notifications",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column(
        "payload", Json, nullable=False, comment="numbers of what it is about; rights are asked when it is looked at"
    ),
    Column("created", Instant, nullable=False, index=True),
    Column("read_at", Instant, nullable=True),
    Index("ix_notifications_user_id_id", "user_id", "id"),
    sqlite_autoincrement=True,
    comment="they end after 90 days (06 section 24)",
)
_unread = notifications.c.read_at.is_(None)
Index(
    "ix_notifications_unread",
    notifications.c.user_id,
    notifications.c.id,
    sqlite_where=_unread,
    postgresql_where=_unread,
)

notification_broadcasts = Table(
    "notification_broadcasts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("payload", Json, nullable=False, comment="that of each notification"),
    Column("is_mailed", Boolean, nullable=False),
    Column("subject", String(40), nullable=True, unique=True, comment="while it waits to begin: what joins it"),
    Column("told_until", Id, nullable=False, server_default="0", comment="the last person who was told"),
    Column("created", Instant, nullable=False, index=True),
    sqlite_autoincrement=True,
    comment="what many people are told, by a job and in parts; gone when all are",
)
