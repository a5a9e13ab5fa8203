"""The tables of jobs and workers."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, text

from vitrine.platform.schema import Instant, Json, metadata
from vitrine.platform.tables import Id

jobs = Table(
    "jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(60), nullable=False),
    Column("lane", String(20), nullable=False),
    Column("key", String(200), nullable=True),
    Column("payload", Json, nullable=False),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("max_attempts", Integer, nullable=False, server_default="5"),
    Column("run_after", Instant, nullable=False),
    Column("leased_until", Instant, nullable=True),
    Column("leased_by", String(80), nullable=True),
    Column("dead_at", Instant, nullable=True),
    Column("last_error", Text, nullable=True),
    Column("created", Instant, nullable=False),
    sqlite_autoincrement=True,
    comment="written in the transaction of the change, leased, retried with back-off, deleted only when done",
)

workers = Table(
    "workers",
    metadata,
    Column("owner", String(80), primary_key=True, comment="machine, folder and process"),
    Column("started", Instant, nullable=False),
    Column("seen", Instant, nullable=False, comment="written at every heart-beat"),
    Column("threads", Json, nullable=True, comment="name, state and restarts of each supervised thread"),
    comment="which workers live: what readiness and metrics tell",
)

tasks = Table(
    "tasks",
    metadata,
    Column("lane", String(20), primary_key=True, comment="of jobs, or the name of a supervised thread"),
    Column("title", String(200), nullable=True, comment="as an administrator changed it"),
    Column("is_stopped", Boolean, nullable=False, server_default="0", comment="read before each job is taken"),
    Column("autostarts", Boolean, nullable=False, server_default="0", comment="started by each worker that starts"),
    Column("last_run", Instant, nullable=True, comment="written with the heartbeat of the worker"),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    comment="what administrators decided about the work of the workers",
)

Index("ix_jobs_ready", jobs.c.lane, jobs.c.priority, jobs.c.run_after, sqlite_where=text("dead_at IS NULL"))
Index("ix_jobs_kind", jobs.c.kind, sqlite_where=text("dead_at IS NULL"), postgresql_where=text("dead_at IS NULL"))
Index(
    "ix_jobs_dead_at",
    jobs.c.dead_at,
    sqlite_where=text("dead_at IS NOT NULL"),
    postgresql_where=text("dead_at IS NOT NULL"),
)
Index(
    "ix_jobs_leased_until",
    jobs.c.leased_until,
    sqlite_where=text("leased_until IS NOT NULL"),
    postgresql_where=text("leased_until IS NOT NULL"),
)
# While a job with a key is waiting, a second request for it adds nothing. Once it is leased, it may miss the new
# change.
Index(
    "uq_jobs_waiting_key",
    jobs.c.kind,
    jobs.c.key,
    unique=True,
    sqlite_where=text("key IS NOT NULL AND leased_until IS NULL AND dead_at IS NULL"),
    postgresql_where=text("key IS NOT NULL AND leased_until IS NULL AND dead_at IS NULL"),
)
