"""Rules that change the records of a databox whenever they meet criteria."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "5e81c07ad4f2"
down_revision = "d95b30c8e217"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "delegations",
        sa.Column("is_lasting", sa.Boolean(), nullable=False, server_default="0",
                  comment="its work has no end of its own"),
    )  # fmt: skip
    _create_rules()
    _create_runs()


def _create_rules() -> None:
    op.create_table(
        "rules",
        sa.Column("id", Id, nullable=False),
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("criteria", sa.Text(), nullable=False, comment="which records it concerns"),
        sa.Column("action", sa.Text(), nullable=False, comment="what it does to them"),
        sa.Column("enabled", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("interval_minutes", sa.BigInteger(), nullable=False),
        sa.Column("delegation_id", Id, nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True, comment="where the last run stopped before the end"),
        sa.Column("next_run", Instant(), nullable=True, comment="null while it is off"),
        sa.Column("ended", sa.String(40), nullable=True, comment="code of why it was switched off by itself"),
        sa.Column("revision", Id, nullable=False, server_default="1",
                  comment="increased by each change; tells two editors"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rules"),
        sa.ForeignKeyConstraint(["databox_id"], ["databoxes.id"], name="fk_rules_databox_id",
                                ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["delegation_id"], ["delegations.id"], name="fk_rules_delegation_id",
                                ondelete="SET NULL"),
        sqlite_autoincrement=True,
        comment="changes that are made to records of a databox whenever they meet criteria",
    )  # fmt: skip
    op.create_index("ix_rules_databox_id_id", "rules", ["databox_id", "id"])
    op.create_index("ix_rules_delegation_id", "rules", ["delegation_id"])
    waits = sa.text("next_run IS NOT NULL")
    op.create_index("ix_rules_next_run", "rules", ["next_run"], sqlite_where=waits, postgresql_where=waits)


def _create_runs() -> None:
    op.create_table(
        "rule_runs",
        sa.Column("id", Id, nullable=False),
        sa.Column("rule_id", Id, nullable=False),
        sa.Column("delegation_id", Id, nullable=True),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("is_over", sa.Boolean(), nullable=False, server_default="0", comment="its records are found"),
        sa.Column("looked_at", Id, nullable=False, server_default="0"),
        sa.Column("matched", Id, nullable=False, server_default="0"),
        sa.Column("refused", Id, nullable=False, server_default="0", comment="records on which a right is missing"),
        sa.Column("held", Id, nullable=False, server_default="0", comment="records that it changed too often"),
        sa.Column("has_more", sa.Boolean(), nullable=False, server_default="0",
                  comment="the next run goes on where it stopped"),
        sa.Column("outcome", sa.String(40), nullable=True, comment="code of why it did nothing"),
        sa.Column("operation_id", Id, nullable=True),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("ended", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_rule_runs"),
        sa.ForeignKeyConstraint(["rule_id"], ["rules.id"], name="fk_rule_runs_rule_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["delegation_id"], ["delegations.id"], name="fk_rule_runs_delegation_id",
                                ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["operation_id"], ["bulk_operations.id"],
                                name="fk_rule_runs_operation_id", ondelete="SET NULL"),
        sqlite_autoincrement=True,
        comment="what a rule did each time",
    )  # fmt: skip
    op.create_index("ix_rule_runs_rule_id_id", "rule_runs", ["rule_id", "id"])
    for name in ("delegation_id", "operation_id", "created"):
        op.create_index(f"ix_rule_runs_{name}", "rule_runs", [name])
