"""Codes and tokens, kept as digests; devices that wait; signing keys; uses of deprecated features."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)  # fmt: skip

from vitrine.applications.tables import index_made_by, made_by
from vitrine.platform.schema import Instant, Json, metadata
from vitrine.platform.tables import Id

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("redirect_uri", Text, nullable=False),
    Column(
        "names_redirect_uri",
        Boolean,
        nullable=False,
        server_default="1",
        comment="whether the request had a redirect_uri, so that the exchange needs it (RFC 6749 section 4.1.3)",
    ),
    Column("scope", Json, nullable=True),
    Column("code_challenge", String(128), nullable=True, comment="S256 only (RFC 7636 section 4.2)"),
    Column("nonce", String(512), nullable=True, comment="for the id_token (OpenID Connect Core section 3.1.2.1)"),
    Column("authenticated", Instant, nullable=True, comment="when the person last gave their password"),
    Column("issued", Instant, nullable=False),
    Column("expires", Instant, nullable=False, index=True),
    Column("used_at", Instant, nullable=True),
    sqlite_autoincrement=True,
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("code_id", Id, ForeignKey("authorization_codes.id", ondelete="SET NULL"), nullable=True),
    Column("family", Id, nullable=True, comment="the refresh tokens it came with; null: it came alone"),
    Column("is_developer", Boolean, nullable=False, server_default="0", comment="the one token of the settings page"),
    Column("name", String(128), nullable=False, server_default=""),
    Column("scope", Json, nullable=True),
    Column("sealed", Text, nullable=True, comment="encrypted, for the settings page; developer token only"),
    Column("last_four", String(4), nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=True, comment="null: no end"),
    Column("idle_limit_s", BigInteger, nullable=True, comment="dies after this long without use"),
    Column("last_used", Instant, nullable=True),
    Column("last_address", String(64), nullable=False, server_default=""),
    *made_by(),
    Index("ix_access_tokens_expires", "expires"),
    sqlite_autoincrement=True,
)
index_made_by(access_tokens)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("code_id", Id, ForeignKey("authorization_codes.id", ondelete="SET NULL"), nullable=True),
    Column("family", Id, nullable=False, index=True, comment="random; every successor of one grant has the same"),
    Column("scope", Json, nullable=True),
    Column("issued", Instant, nullable=False),
    Column("expires", Instant, nullable=False, index=True),
    Column("used_at", Instant, nullable=True, comment="when its successor was made"),
    sqlite_autoincrement=True,
    comment="one use each, with 30 seconds of grace; a later use ends the family (RFC 9700 section 4.14.2)",
)

# Most tokens know no code (of a family only the first refresh token does) and many no family: those pay for no entry
# (docs/decisions/0076).
for _column in (access_tokens.c.code_id, access_tokens.c.family, refresh_tokens.c.code_id):
    _some = _column.is_not(None)
    Index(f"ix_{_column.table.name}_{_column.name}", _column, sqlite_where=_some, postgresql_where=_some)

device_codes = Table(
    "device_codes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("user_code", String(16), nullable=False, unique=True, comment="without its hyphen"),
    Column("application_id", Id, ForeignKey("applications.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("scope", Json, nullable=True),
    Column("state", String(8), nullable=False, comment="waiting, allowed, denied or used"),
    Column("interval_s", Integer, nullable=False),
    Column("polled_at", Instant, nullable=True),
    Column("address", String(64), nullable=False, server_default=""),
    Column("issued", Instant, nullable=False),
    Column("expires", Instant, nullable=False, index=True),
    sqlite_autoincrement=True,
    comment="devices that wait for a person (RFC 8628)",
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kid", String(64), nullable=False, unique=True),
    Column("state", String(8), nullable=False, comment="pending, active or retired"),
    Column("public", Json, nullable=False, comment="as a JWK"),
    Column("sealed", Text, nullable=False, comment="the private JWK, encrypted under the server key"),
    Column("created", Instant, nullable=False),
    Column("retired_at", Instant, nullable=True),
    sqlite_autoincrement=True,
    comment="keys of id_tokens; a pending one is published before it is used",
)

deprecated_feature_uses = Table(
    "deprecated_feature_uses",
    metadata,
    Column("id", Id, primary_key=True),
    Column("application_id", Id, ForeignKey("applications.id", ondelete="CASCADE"), nullable=False),
    Column("feature", String(32), nullable=False),
    Column("day", Date, nullable=False, index=True),
    Column("uses", BigInteger, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("last_address", String(64), nullable=False, server_default=""),
    UniqueConstraint("application_id", "feature", "day"),
    sqlite_autoincrement=True,
    comment="how often an application used what new ones should not, by day",
)

delegations = Table(
    "delegations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("is_command", Boolean, nullable=False, server_default="0", comment="begun on the command line"),
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("scope", Json, nullable=True, comment="what the token might do; null is everything"),
    Column("created", Instant, nullable=False, index=True),
    Column("is_lasting", Boolean, nullable=False, server_default="0", comment="its work has no end of its own"),
    *made_by(),
    sqlite_autoincrement=True,
    comment="in whose name jobs go on after a request",
)
index_made_by(delegations)
