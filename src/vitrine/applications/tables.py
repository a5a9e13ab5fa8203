"""Third-party applications, their secrets and addresses, and the accounts through which people use them."""

from typing import Any

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
    text,
)  # fmt: skip

from vitrine.platform.schema import WITHIN_ONE_TABLE, Instant, Json, metadata
from vitrine.platform.tables import Id

MADE_BY = ("made_by_account_id", "made_by_token_id")


def made_by() -> tuple[Column[int], Column[int]]:
    """Of what was made with a token: the consent, or the developer token, with which it ends. Both null: made by a
    person themselves (docs/decisions/0080)."""
    account, token = MADE_BY
    return (
        Column(account, Id, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=True),
        Column(token, Id, ForeignKey("access_tokens.id", ondelete="CASCADE", **WITHIN_ONE_TABLE), nullable=True),
    )


def index_made_by(table: Table) -> None:
    """Nearly everything is made by people: those rows pay for no entry."""
    for name in MADE_BY:
        some = table.c[name].is_not(None)
        Index(f"ix_{table.name}_{name}", table.c[name], sqlite_where=some, postgresql_where=some)


applications = Table(
    "applications",
    metadata,
    Column("id", Id, primary_key=True),
    Column("creator_id", Id, ForeignKey("users.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("type", String(8), nullable=False, comment="web or desktop, as on the wire"),
    Column("profile", String(16), nullable=False, comment="compatibility, strict, desktop or public (design 5.3)"),
    Column("name", String(128), nullable=False),
    Column("description", Text, nullable=False),
    Column("website", Text, nullable=False),
    Column("client_id", String(128), nullable=False, unique=True),
    Column("activated", Boolean, nullable=False, server_default="1"),
    Column("switches", Json, nullable=False, comment="{name of a switch of design 5.3: true or false}, where chosen"),
    Column("list_shapes", String(12), nullable=False, server_default="automatic"),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    Column("deleted_at", Instant, nullable=True, comment="comes back within 14 days, then the row goes"),
    Column("kind", String(8), nullable=False, server_default="", comment="server, page, device or machine"),
    Column("publisher", String(128), nullable=False, server_default=""),
    Column("privacy_url", Text, nullable=False, server_default=""),
    Column("terms_url", Text, nullable=False, server_default=""),
    Column("contact", String(254), nullable=False, server_default=""),
    Column("suspended_by", String(8), nullable=False, server_default="", comment="owner or admin, while suspended"),
    Column("suspended_reason", Text, nullable=False, server_default=""),
    Column("approval", String(8), nullable=False, server_default="", comment="empty: not needed; waiting, yes or no"),
    Column("approval_reason", Text, nullable=False, server_default=""),
    Column("only_testers", Boolean, nullable=False, server_default="0"),
    Column("logo", String(64), nullable=False, server_default="", comment="SHA-256 of its picture"),
    Column("scope_limit", Json, nullable=True, comment="the scopes it may get at most; null: all it is allowed"),
    sqlite_autoincrement=True,
)

redirect_addresses = Table(
    "redirect_addresses",
    metadata,
    Column("id", Id, primary_key=True),
    Column("application_id", Id, ForeignKey("applications.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("uri", Text, nullable=False),
    Column("position", BigInteger, nullable=False, server_default="0", comment="0 is the callback URL of the portal"),
    Column("origin", String(300), nullable=False, server_default="", index=True),
    *made_by(),
    UniqueConstraint("application_id", "uri"),
    sqlite_autoincrement=True,
)

application_secrets = Table(
    "application_secrets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("application_id", Id, ForeignKey("applications.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("sealed", Text, nullable=False, comment="encrypted under the server key, for the settings page"),
    Column("last_four", String(4), nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=True, comment="set on the old one by a rotation"),
    Column("last_used", Instant, nullable=True),
    Column("is_shared", Boolean, nullable=False, server_default="0", comment="known to more than its first owner"),
    *made_by(),
    sqlite_autoincrement=True,
)

application_secret_views = Table(
    "application_secret_views",
    metadata,
    Column("secret_id", Id, ForeignKey("application_secrets.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("seen", Instant, nullable=False),
    Column("offered", Instant, nullable=True, comment="since when this person has left: a new secret is offered"),
    comment="who saw which client secret",
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("application_id", Id, ForeignKey("applications.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("api_version", String(8), nullable=False, server_default="2.0.0"),
    Column("granted_at", Instant, nullable=True, comment="when the person last allowed it; never: no consent given"),
    Column("granted_scope", Json, nullable=True, comment="what was allowed; null is everything (compatibility)"),
    Column(
        "requested_scope", Json, nullable=True, comment="everything the person has been asked for and decided about"
    ),
    Column("revoked_at", Instant, nullable=True),
    Column("acts_alone_since", Instant, nullable=True, comment="the owner lets it act for them by its secret alone"),
    Column("last_used", Instant, nullable=True),
    Column("created", Instant, nullable=False),
    UniqueConstraint("user_id", "application_id"),
    Index(
        "ix_accounts_allowing",
        "application_id",
        "id",
        sqlite_where=text("granted_at IS NOT NULL AND revoked_at IS NULL"),
        postgresql_where=text("granted_at IS NOT NULL AND revoked_at IS NULL"),
    ),
    sqlite_autoincrement=True,
    comment="one person's grant to one application (01 section 2.1)",
)

consents = Table(
    "consents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("decision", String(8), nullable=False, comment="allow, deny or revoke"),
    Column("scope", Json, nullable=True),
    Column("shown", Json, nullable=False, comment="name, description, website and return address as they were shown"),
    Column("address", String(64), nullable=False, server_default=""),
    sqlite_autoincrement=True,
    comment="every decision a person took about an application (design 5.2)",
)

application_owners = Table(
    "application_owners",
    metadata,
    Column("application_id", Id, ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("added", Instant, nullable=False),
    comment="co-owners beside the creator: they see and change what the creator does",
)

application_testers = Table(
    "application_testers",
    metadata,
    Column("application_id", Id, ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("added", Instant, nullable=False),
)

application_logos = Table(
    "application_logos",
    metadata,
    Column("application_id", Id, ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True),
    Column("picture", LargeBinary, nullable=False, comment="PNG of at most 256 × 256 pixels, made by us"),
)


def _calls() -> tuple[Column[Any], ...]:
    return (
        Column("calls", BigInteger, nullable=False),
        Column("duration_us", BigInteger, nullable=False, comment="of all calls together"),
        Column("longest_us", BigInteger, nullable=False),
        Column("last_at", Instant, nullable=False),
    )


# No foreign keys: like the lines of the request log, counts outlive an application and go by age.
usage_hours = Table(
    "usage_hours",
    metadata,
    Column("application_id", Id, primary_key=True),
    Column("hour", Instant, primary_key=True, index=True, comment="its first instant, in UTC"),
    Column("failures", BigInteger, nullable=False, comment="calls with a status of 400 or more"),
    Column("people", BigInteger, nullable=False, comment="accounts whose first call of the UTC day was in this hour"),
    *_calls(),
    comment="calls of an application by hour (docs/decisions/0100)",
    sqlite_with_rowid=False,  # the primary key is the table: one entry less to write
)

usage_routes = Table(
    "usage_routes",
    metadata,
    Column("application_id", Id, primary_key=True),
    Column("day", Date, primary_key=True, index=True, comment="in UTC"),
    Column("method", String(10), primary_key=True),
    Column("route", String(200), primary_key=True),
    Column("status", Integer, primary_key=True),
    *_calls(),
    comment="calls of an application by day, route and status",
    sqlite_with_rowid=False,  # the primary key is the table: one entry less to write
)

usage_people = Table(
    "usage_people",
    metadata,
    Column("day", Date, primary_key=True, comment="in UTC; first in the key, since rows are deleted by day"),
    Column("application_id", Id, primary_key=True),
    Column("account_id", Id, primary_key=True),
    comment="which accounts called on a day, so that each is counted once",
    sqlite_with_rowid=False,  # the primary key is the table: one entry less to write
)

for _table in (redirect_addresses, application_secrets):
    index_made_by(_table)
