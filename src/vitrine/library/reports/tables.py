"""Journals of use. Those of changes are `record_changes`; those of sign-ins are in the audit log."""

from sqlalchemy import Column, Date, ForeignKey, Index, String, Table, UniqueConstraint

from vitrine.platform.schema import Instant, metadata
from vitrine.platform.tables import Id

permalink_views = Table(
    "permalink_views",
    metadata,
    Column("id", Id, primary_key=True),
    Column("record_id", Id, ForeignKey("records.id", ondelete="CASCADE"), nullable=False),
    Column("collection_id", Id, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("day", Date, nullable=False, index=True, comment="in UTC"),
    Column("rendition", String(64), nullable=False),
    Column("referrer", String(253), nullable=False, comment="host; empty: none was named; *: further ones of the day"),
    Column("views", Id, nullable=False),
    UniqueConstraint("record_id", "day", "rendition", "referrer"),
    Index("ix_permalink_views_record_id_id", "record_id", "id"),
    Index("ix_permalink_views_collection_id_id", "collection_id", "id"),
    sqlite_autoincrement=True,
    comment="how often a file was looked at by its link on a day, by the site that shows it; nothing of who looked",
)

record_uses = Table(
    "record_uses",
    metadata,
    Column("id", Id, primary_key=True),
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), nullable=False),
    Column("number", Id, nullable=False, comment="of a record that may be deleted"),
    Column("collection_id", Id, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="SET NULL"), nullable=True),
    Column("application_id", Id, ForeignKey("applications.id", ondelete="SET NULL"), nullable=True),
    Index("ix_record_uses_databox_id_number_id", "databox_id", "number", "id"),
    Index("ix_record_uses_collection_id_id", "collection_id", "id"),
    sqlite_autoincrement=True,
    comment="who did what with a record without changing it",
)
for _column in (record_uses.c.user_id, record_uses.c.application_id):
    _some = _column.is_not(None)
    Index(f"ix_record_uses_{_column.name}", _column, sqlite_where=_some, postgresql_where=_some)

search_counts = Table(
    "search_counts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), nullable=False),
    Column("day", Date, nullable=False, index=True, comment="in UTC"),
    Column("words", String(100), nullable=False, comment="without case; *: further ones of the day"),
    Column("searches", Id, nullable=False),
    Column("without_result", Id, nullable=False),
    UniqueConstraint("databox_id", "day", "words"),
    Index("ix_search_counts_databox_id_id", "databox_id", "id"),
    sqlite_autoincrement=True,
    comment="how often words were searched for on a day; nothing of who searched",
)
