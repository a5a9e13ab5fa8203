"""Counts of what people downloaded, where that is limited, and bundles of downloads."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, String, Table, Text

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
download_bundles = Table(
    "download_bundles",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("delegation_id", Id, ForeignKey("delegations.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("title", String(128), nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("captions", String(8), nullable=False, server_default="none", comment="none or csv"),
    Column("state", String(10), nullable=False, comment="waiting, preparing, ready, revoked or ended"),
    Column("total", Id, nullable=False, comment="files"),
    Column("prepared", Id, nullable=False, server_default="0", comment="files that have an outcome"),
    Column("refused", Id, nullable=False, server_default="0", comment="of these, those that are not in the archive"),
    Column("size", Id, nullable=False, comment="bytes of the chosen files"),
    Column("downloads", Id, nullable=False, server_default="0"),
    Column("last_download", Instant, nullable=True),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False, index=True),
    Index("ix_download_bundles_user_id_id", "user_id", "id"),
    sqlite_autoincrement=True,
    comment="files of several records behind links that end; their bytes are nowhere but in the store",
)
bundle_files = Table(
    "bundle_files",
    metadata,
    Column("bundle_id", Id, ForeignKey("download_bundles.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Id, primary_key=True, autoincrement=False),
    Column("databox_id", Id, nullable=False),
    Column("number", Id, nullable=False),
    Column("rendition", String(64), nullable=False, comment="empty where no file could be chosen"),
    Column("outcome", String(40), nullable=True, comment="ready, or the code of the refusal"),
    Column("name", String(255), nullable=False, server_default="", comment="in the archive"),
    Column("source", String(64), nullable=False, server_default="", comment="digest of the rendition"),
    Column("recipe", String(40), nullable=False, server_default="", comment="of the overlay; empty: none"),
    Column("digest", String(64), nullable=False, server_default="", comment="SHA-256 of the bytes given away"),
    Column("size", Id, nullable=False, server_default="0"),
    Column("crc", Id, nullable=False, server_default="0", comment="CRC-32 of the bytes"),
    Column("modified", Instant, nullable=True),
    comment="the files of a bundle, and what became of each",
)
bundle_links = Table(
    "bundle_links",
    metadata,
    Column("id", Id, primary_key=True),
    Column("bundle_id", Id, ForeignKey("download_bundles.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("email", String(254), nullable=False, server_default="", comment="of somebody without an account"),
    Column("digest", LargeBinary(32), nullable=True, unique=True, comment="of the secret; null before it is mailed"),
    Column("created", Instant, nullable=False),
    Column("sent", Instant, nullable=True),
    Column("downloads", Id, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
    comment="who has a link to a bundle; they end with it",
)
