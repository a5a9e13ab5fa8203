"""Indexes by which unfinished and dead jobs are counted."""

import sqlalchemy as sa
from alembic import op

revision = "b81d4f6a0e35"
down_revision = "a3c95e1d7f20"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column, condition in (("kind", "dead_at IS NULL"), ("dead_at", "dead_at IS NOT NULL")):
        where = sa.text(condition)
        op.create_index(f"ix_jobs_{column}", "jobs", [column], sqlite_where=where, postgresql_where=where)
