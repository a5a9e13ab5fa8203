"""Users, sessions, failed sign-ins and rights."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from vitrine.platform.schema import Instant, Json, metadata
from vitrine.platform.tables import Id

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("login", String(128), nullable=False),
    Column("login_folded", String(128), nullable=False, unique=True),
    Column(
        "login_mapped",
        Text,
        nullable=False,
        server_default="",
        index=True,
        comment="UsernameCaseMapped (RFC 8265); twins of before these rules share it",
    ),
    Column("email", String(254), nullable=True),
    Column("email_folded", String(254), nullable=True, index=True),
    Column("password_hash", String(255), nullable=True),
    Column("first_name", String(128), nullable=False, server_default=""),
    Column("last_name", String(128), nullable=False, server_default=""),
    Column("gender", Integer, nullable=True, comment="0 Miss, 1 Mrs, 2 Mr (contract 06 section 16)"),
    Column("address", String(255), nullable=False, server_default=""),
    Column("zip_code", String(64), nullable=False, server_default=""),
    Column("city", String(128), nullable=False, server_default=""),
    Column("country", String(64), nullable=False, server_default=""),
    Column("geoname_id", BigInteger, nullable=True),
    Column("phone", String(64), nullable=False, server_default=""),
    Column("fax", String(64), nullable=False, server_default=""),
    Column("job", String(128), nullable=False, server_default=""),
    Column("activity", String(128), nullable=False, server_default=""),
    Column("company", String(128), nullable=False, server_default=""),
    Column("locale", String(8), nullable=True),
    Column("is_admin", Boolean, nullable=False, server_default="0"),
    Column("is_guest", Boolean, nullable=False, server_default="0"),
    Column("mail_locked", Boolean, nullable=False, server_default="0"),
    Column("preferences", Json, nullable=True),
    Column("rights_version", BigInteger, nullable=False, server_default="1"),
    Column(
        "url_key", BigInteger, nullable=False, server_default="1", comment="generation of the key of signed addresses"
    ),
    Column(
        "auth_version", BigInteger, nullable=False, server_default="1", comment="sign-ins begun under another one end"
    ),
    Column("last_connection", Instant, nullable=True),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    Column("deleted_at", Instant, nullable=True),
    Column(
        "confirm_by",
        Instant,
        nullable=True,
        index=True,
        comment="a new account that nobody confirms until then is deleted",
    ),
    Column("last_active", Instant, nullable=True, comment="by sign-in, session or token, as the worker saw it"),
    Column("inactivity_warned", Instant, nullable=True, comment="when the owner was told that nobody uses the account"),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created", Instant, nullable=False),
    Column("auth_time", Instant, nullable=False, comment="when the password was last given"),
    Column("last_seen", Instant, nullable=False),
    Column("expires", Instant, nullable=False, index=True),
    Column("address", String(64), nullable=False, server_default=""),
    Column("agent", String(255), nullable=False, server_default=""),
    Column("opened_by", String(8), nullable=True, comment="password, passkey or provider; null: not known"),
    Column("authenticator_id", Id, nullable=True, comment="of the passkey or the external identity that opened it"),
    Column(
        "second_factor", Boolean, nullable=False, server_default="0", comment="a code of an app or recovery code too"
    ),
    sqlite_autoincrement=True,
)

mailed_links = Table(
    "mailed_links",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("purpose", String(20), nullable=False, comment="one of LINK_LIFETIMES, accounts.mail_texts"),
    Column("email", String(254), nullable=False, comment="where it was sent"),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False, index=True),
    sqlite_autoincrement=True,
    comment="links of e-mails; each works once and is deleted by its use",
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("id", Id, primary_key=True),
    Column("login_folded", String(128), nullable=False),
    Column("address", String(64), nullable=False, server_default=""),
    Column("at", Instant, nullable=False, index=True),
    Index("ix_sign_in_failures_login", "login_folded", "at"),
    Index("ix_sign_in_failures_address", "address", "at"),
    sqlite_autoincrement=True,
)

collection_rights = Table(
    "collection_rights",
    metadata,
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("collection_id", Id, ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True),
    Column("rights", BigInteger, nullable=False, comment="bit mask, accounts.rights.Right"),
    Column("valid_from", Instant, nullable=True),
    Column("valid_until", Instant, nullable=True),
    Column("mask_and", BigInteger, nullable=False, server_default="0"),
    Column("mask_xor", BigInteger, nullable=False, server_default="0"),
    Column("monthly_downloads", BigInteger, nullable=True),
    Index("ix_collection_rights_collection_id_user_id", "collection_id", "user_id"),
    comment="06 section 17.1 and 17.4; a row is access, the bit `actif` makes it live",
)

databox_rights = Table(
    "databox_rights",
    metadata,
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("rights", BigInteger, nullable=False, comment="bit mask, accounts.rights.DataboxRight"),
)


def _limits() -> tuple[Column[Any], ...]:
    """The rights of a row and their limits, as in `collection_rights`."""
    return (
        Column("rights", BigInteger, nullable=False, comment="bit mask, accounts.rights.Right"),
        Column("valid_from", Instant, nullable=True),
        Column("valid_until", Instant, nullable=True),
        Column("mask_and", BigInteger, nullable=False, server_default="0"),
        Column("mask_xor", BigInteger, nullable=False, server_default="0"),
        Column("monthly_downloads", BigInteger, nullable=True),
    )


groups = Table(
    "groups",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(128), nullable=False),
    Column("name_folded", String(128), nullable=False, unique=True),
    Column("description", String(500), nullable=False, server_default=""),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    sqlite_autoincrement=True,
    comment="people who have rights together; what a group may do, its members may do too",
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", Id, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("added", Instant, nullable=False),
)

group_collection_rights = Table(
    "group_collection_rights",
    metadata,
    Column("group_id", Id, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("collection_id", Id, ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True, index=True),
    *_limits(),
)

group_databox_rights = Table(
    "group_databox_rights",
    metadata,
    Column("group_id", Id, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("rights", BigInteger, nullable=False, comment="bit mask, accounts.rights.DataboxRight"),
)

rights_templates = Table(
    "rights_templates",
    metadata,
    Column("id", Id, primary_key=True),
    Column("owner_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(128), nullable=False),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    UniqueConstraint("owner_id", "name"),
    sqlite_autoincrement=True,
    comment="rights that their owner gives again and again; nobody else sees them",
)

template_collection_rights = Table(
    "template_collection_rights",
    metadata,
    Column("template_id", Id, ForeignKey("rights_templates.id", ondelete="CASCADE"), primary_key=True),
    Column("collection_id", Id, ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True, index=True),
    *_limits(),
)

record_grants = Table(
    "record_grants",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("record_id", Id, ForeignKey("records.id", ondelete="CASCADE"), nullable=False, index=True),
    Column(
        "document", Boolean, nullable=False, server_default="0", comment="the original too; every grant has preview"
    ),
    Column("source_kind", String(8), nullable=False, comment="basket, vote, order or push"),
    Column(
        "source_id", BigInteger, nullable=False, comment="of that basket, vote …; negative: a grant older than this"
    ),
    Column("giver_id", Id, ForeignKey("users.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("expires", Instant, nullable=True),
    Column("created", Instant, nullable=False),
    UniqueConstraint("user_id", "record_id", "source_kind", "source_id"),
    Index("ix_record_grants_source_kind_source_id", "source_kind", "source_id"),
    sqlite_autoincrement=True,
    comment="one for each source; they stand side by side and the best counts (06 section 17.5)",
)

second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("sealed", Text, nullable=False, comment="the TOTP secret, encrypted under the server key"),
    Column("confirmed_at", Instant, nullable=True, comment="null until a first code proved that the app has it"),
    Column("last_step", Id, nullable=True, comment="the newest step of 30 s whose code was used: none works twice"),
    Column("created", Instant, nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("used_at", Instant, nullable=True),
    sqlite_autoincrement=True,
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("credential", String(1400), nullable=False, unique=True, comment="credential id in base64url"),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", Id, nullable=False),
    Column("name", String(80), nullable=False),
    Column("created", Instant, nullable=False),
    Column("last_used", Instant, nullable=True),
    sqlite_autoincrement=True,
)

passkey_challenges = Table(
    "passkey_challenges",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("user_id", Id, nullable=True, comment="who wants to add a passkey; null: somebody who signs in"),
    Column("expires", Instant, nullable=False, index=True),
    comment="each is taken once, within five minutes",
)

linked_identities = Table(
    "linked_identities",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("issuer", String(500), nullable=False),
    Column("subject", String(255), nullable=False, comment="what the issuer calls the person, for ever"),
    Column("label", String(254), nullable=False, server_default="", comment="address or name when last seen"),
    Column("created", Instant, nullable=False),
    Column("last_used", Instant, nullable=True),
    UniqueConstraint("issuer", "subject"),
    sqlite_autoincrement=True,
    comment="sign-ins of other organisations, by issuer and subject (OpenID Connect Core section 5.7)",
)

identity_provider_flows = Table(
    "identity_provider_flows",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True, comment="of the state"),
    Column("provider", String(32), nullable=False),
    Column("visitor", LargeBinary(32), nullable=False, comment="digest of the mark of the browser that began"),
    Column("purpose", String(8), nullable=False, comment="sign-in, prove or link"),
    Column("user_id", Id, nullable=True, comment="who wants to prove or link; null: somebody who signs in"),
    Column("back", Text, nullable=False, comment="path of ours to go on at"),
    Column("forced", Boolean, nullable=False, comment="an old sign-in at the provider will not do"),
    Column("started", Instant, nullable=False),
    Column("expires", Instant, nullable=False, index=True),
    comment="people on their way to a provider; each comes back once, within ten minutes",
)
