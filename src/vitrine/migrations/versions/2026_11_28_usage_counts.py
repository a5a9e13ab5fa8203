"""Counts of API calls by hour, by route and day, and by person and day, filled from the request log."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "a3c95e1d7f20"
down_revision = "a4c1f09b7e35"
branch_labels = None
depends_on = None

# The beginning of the UTC hour, and the UTC day, of a line.
_HOUR = {"sqlite": "at / 3600000000 * 3600000000", "postgresql": "date_trunc('hour', at, 'UTC')"}
_DAY = {"sqlite": "date(at / 1000000, 'unixepoch')", "postgresql": "CAST(at AT TIME ZONE 'UTC' AS DATE)"}


def upgrade() -> None:
    _create("usage_hours", "calls of an application by hour (docs/decisions/0100)",
        sa.Column("application_id", Id, nullable=False),
        sa.Column("hour", Instant(), nullable=False, comment="its first instant, in UTC"),
        sa.Column("failures", sa.BigInteger(), nullable=False, comment="calls with a status of 400 or more"),
        sa.Column("people", sa.BigInteger(), nullable=False,
                  comment="accounts whose first call of the UTC day was in this hour"),
        *_calls(), sa.PrimaryKeyConstraint("application_id", "hour", name="pk_usage_hours"),
    )  # fmt: skip
    op.create_index("ix_usage_hours_hour", "usage_hours", ["hour"])
    _create("usage_routes", "calls of an application by day, route and status",
        sa.Column("application_id", Id, nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="in UTC"),
        sa.Column("method", sa.String(10), nullable=False),
        sa.Column("route", sa.String(200), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        *_calls(),
        sa.PrimaryKeyConstraint("application_id", "day", "method", "route", "status", name="pk_usage_routes"),
    )  # fmt: skip
    op.create_index("ix_usage_routes_day", "usage_routes", ["day"])
    _create("usage_people", "which accounts called on a day, so that each is counted once",
        sa.Column("day", sa.Date(), nullable=False,
                  comment="in UTC; first in the key, since rows are deleted by day"),
        sa.Column("application_id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("day", "application_id", "account_id", name="pk_usage_people"),
    )  # fmt: skip
    _fill()


def _create(name: str, comment: str, *parts: Any) -> None:
    op.create_table(name, *parts, comment=comment, sqlite_with_rowid=False)


def _calls() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=False, comment="of all calls together"),
        sa.Column("longest_us", sa.BigInteger(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
    )


def _fill() -> None:
    dialect = op.get_bind().dialect.name
    hour, day = _HOUR[dialect], _DAY[dialect]
    sums = "count(*), sum(duration_us), max(duration_us), max(at)"
    op.execute(f"""
        INSERT INTO usage_hours (application_id, hour, failures, people, calls, duration_us, longest_us, last_at)
        SELECT application_id, {hour}, sum(CASE WHEN status >= 400 THEN 1 ELSE 0 END), 0, {sums}
        FROM request_log WHERE application_id IS NOT NULL GROUP BY application_id, {hour}
    """)  # noqa: S608 - our own expressions
    op.execute(f"""
        INSERT INTO usage_routes
            (application_id, day, method, route, status, calls, duration_us, longest_us, last_at)
        SELECT application_id, {day}, method, route, status, {sums}
        FROM request_log WHERE application_id IS NOT NULL GROUP BY application_id, {day}, method, route, status
    """)  # noqa: S608
    op.execute(f"""
        INSERT INTO usage_people (day, application_id, account_id)
        SELECT DISTINCT {day}, application_id, account_id
        FROM request_log WHERE application_id IS NOT NULL AND account_id IS NOT NULL
    """)  # noqa: S608
    op.execute(f"""
        UPDATE usage_hours SET people = newcomers.number
        FROM (
            SELECT application_id, hour, count(*) AS number
            FROM (
                SELECT application_id, account_id, min({hour}) AS hour
                FROM request_log WHERE application_id IS NOT NULL AND account_id IS NOT NULL
                GROUP BY application_id, account_id, {day}
            ) AS firsts
            GROUP BY application_id, hour
        ) AS newcomers
        WHERE newcomers.application_id = usage_hours.application_id AND newcomers.hour = usage_hours.hour
    """)  # noqa: S608
