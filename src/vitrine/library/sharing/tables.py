"""Counts of what people downloaded, where that is limited."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table

from vitrine.platform.schema import Instant, metadata
from vitrine.platform.tables import Id

download_counts = Table(
    "download_counts",
    metadata,
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("collection_id", Id, ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("month", BigInteger, nullable=False, comment="months since the year 0; another one begins at nothing"),
    Column("downloads", BigInteger, nullable=False),
    comment="of people whose downloads are limited there (06 section 17.4)",
)
counted_downloads = Table(
    "counted_downloads",
    metadata,
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("record_id", Id, ForeignKey("records.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("at", Instant, nullable=False, index=True),
    comment="counted within the last day: fetched again, or in parts, they do not count again",
)
