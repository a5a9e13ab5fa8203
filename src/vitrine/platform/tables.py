"""Tables that belong to no capability: version stamps, the audit log and the request log."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

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
