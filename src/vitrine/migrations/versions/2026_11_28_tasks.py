"""What administrators decide about the work of the workers, and in whose name jobs go on after a request."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "7d3e0b52c9a1"
down_revision = "c7d2a94e0b61"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tasks",
        sa.Column("lane", sa.String(20), nullable=False, comment="of jobs, or the name of a supervised thread"),
        sa.Column("title", sa.String(200), nullable=True, comment="as an administrator changed it"),
        sa.Column("is_stopped", sa.Boolean(), nullable=False, server_default="0",
                  comment="read before each job is taken"),
        sa.Column("autostarts", sa.Boolean(), nullable=False, server_default="0",
                  comment="started by each worker that starts"),
        sa.Column("last_run", Instant(), nullable=True, comment="written with the heartbeat of the worker"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("lane", name="pk_tasks"),
        comment="what administrators decided about the work of the workers",
    )  # fmt: skip
    held = sa.text("leased_until IS NOT NULL")
    op.create_index("ix_jobs_leased_until", "jobs", ["leased_until"], sqlite_where=held, postgresql_where=held)
    _create_delegations()


def _create_delegations() -> None:
    op.create_table(
        "delegations",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("is_command", sa.Boolean(), nullable=False, server_default="0", comment="begun on the command line"),
        sa.Column("account_id", Id, nullable=True),
        sa.Column("scope", sa.Text(), nullable=True, comment="what the token might do; null is everything"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("made_by_account_id", Id, nullable=True),
        sa.Column("made_by_token_id", Id, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_delegations"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_delegations_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_delegations_account_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["made_by_account_id"], ["accounts.id"], name="fk_delegations_made_by_account_id",
                                ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["made_by_token_id"], ["access_tokens.id"], name="fk_delegations_made_by_token_id",
                                ondelete="CASCADE", deferrable=True, initially="IMMEDIATE"),
        sqlite_autoincrement=True,
        comment="in whose name jobs go on after a request",
    )  # fmt: skip
    for name in ("user_id", "account_id", "created"):
        op.create_index(f"ix_delegations_{name}", "delegations", [name])
    for name in ("made_by_account_id", "made_by_token_id"):
        some = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_delegations_{name}", "delegations", [name], sqlite_where=some, postgresql_where=some)
