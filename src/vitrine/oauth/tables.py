"""Authorisation codes and access tokens, kept as digests."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from vitrine.platform.schema import Instant, Json, metadata
from vitrine.platform.tables import Id

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", Json, nullable=True),
    Column("code_challenge", String(128), nullable=True, comment="S256 only (RFC 7636 section 4.2)"),
    Column("issued", Instant, nullable=False),
    Column("expires", Instant, nullable=False, index=True),
    Column("used_at", Instant, nullable=True),
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("code_id", Id, ForeignKey("authorization_codes.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("is_developer", Boolean, nullable=False, server_default="0", comment="the one token of the settings page"),
    Column("name", String(128), nullable=False, server_default=""),
    Column("scope", Json, nullable=True),
    Column("sealed", Text, nullable=True, comment="encrypted, for the settings page; developer token only"),
    Column("last_four", String(4), nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=True, comment="null: no end"),
    Column("idle_limit_s", Integer, nullable=True, comment="dies after this long without use"),
    Column("last_used", Instant, nullable=True),
    Column("last_address", String(64), nullable=False, server_default=""),
    Index("ix_access_tokens_expires", "expires"),
)
