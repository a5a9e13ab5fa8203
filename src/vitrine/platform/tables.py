"""Tables that belong to no capability: version stamps, the audit log and the request log."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from vitrine.platform.schema import Instant, Json, metadata

# SQLite assigns rowids only to INTEGER primary keys; PostgreSQL should use 64 bits. This type serves both.
Id = BigInteger().with_variant(Integer(), "sqlite")

stamps = Table(
    "stamps",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Id, nullable=False),
    comment="counters that tell caches of other processes when to read again",
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("user_id", Id, nullable=True),
    Column("application_id", Id, nullable=True),
    Column("action", String(80), nullable=False),
    Column("object", String(200), nullable=False, server_default=""),
    Column("details", Json, nullable=True),
    Column("address", String(64), nullable=False, server_default=""),
    Index("ix_audit_log_action_id", "action", "id"),
    sqlite_autoincrement=True,
    comment="who changed or saw what matters; written in the transaction of the change, kept when users go",
)

request_log = Table(
    "request_log",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("request_id", String(40), nullable=False),
    Column("account_id", Id, nullable=True),
    Column("application_id", Id, nullable=True),
    Column("method", String(10), nullable=False),
    Column("route", String(200), nullable=False),
    Column("status", Integer, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    Column("deprecated_features", String(120), nullable=False, server_default=""),
    Index("ix_request_log_application_id_id", "application_id", "id"),
    sqlite_autoincrement=True,
    comment="API calls, written every two seconds; no bodies, no queries",
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("key", LargeBinary, primary_key=True, comment="SHA-256 of the key that the caller chose"),
    Column("request", LargeBinary, nullable=False, comment="SHA-256 of what was sent with it"),
    Column("authority", LargeBinary, nullable=False, comment="SHA-256 of what the caller might do then"),
    Column("status", Integer, nullable=True, comment="null: the request is running"),
    Column("headers", Json, nullable=False, comment="of the answer, by name"),
    Column("body", LargeBinary, nullable=True, comment="of the answer; null: it held a secret"),
    Column("expires", Instant, nullable=False, index=True),
    sqlite_with_rowid=False,
    comment="answers to requests that may be repeated without a second change (docs/decisions/0124)",
)
