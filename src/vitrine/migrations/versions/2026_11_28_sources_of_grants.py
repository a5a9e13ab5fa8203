"""Grants on records know the basket, vote, order or push that gave them, and each of these gives one at most."""

import sqlalchemy as sa
from alembic import op

revision = "c70a9f2e4d18"
down_revision = "e19d47b6a035"
branch_labels = None
depends_on = None

_OLD, _NEW = (
    "uq_record_grants_user_id_record_id_reason_giver_id",
    "uq_record_grants_user_id_record_id_source_kind_source_id",
)
_KINDS = "CASE reason WHEN 'validate' THEN 'vote' WHEN 'share' THEN 'basket' ELSE substr(reason, 1, 8) END"


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    highest = _highest_given() if is_sqlite else 0
    # Earlier grants do not tell their source; no two of them may be taken for one.
    op.add_column("record_grants", sa.Column("source_kind", sa.String(8), comment="basket, vote, order or push"))
    op.add_column(
        "record_grants",
        sa.Column("source_id", sa.BigInteger(), comment="of that basket, vote …; negative: a grant older than this"),
    )
    op.execute(f"UPDATE record_grants SET source_kind = {_KINDS}, source_id = -id")  # noqa: S608
    with op.batch_alter_table("record_grants", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column("source_kind", existing_type=sa.String(8), nullable=False)
        batch.alter_column("source_id", existing_type=sa.BigInteger(), nullable=False)
        batch.drop_constraint(_OLD, type_="unique")
        batch.drop_column("reason")
        batch.create_unique_constraint(_NEW, ["user_id", "record_id", "source_kind", "source_id"])
    op.create_index("ix_record_grants_source_kind_source_id", "record_grants", ["source_kind", "source_id"])
    if is_sqlite:
        op.execute(f"UPDATE sqlite_sequence SET seq = {highest} WHERE name = 'record_grants' AND seq < {highest}")  # noqa: S608
        return
    comment = "one for each source; they stand side by side and the best counts (06 section 17.5)"
    op.create_table_comment("record_grants", comment)


def _highest_given() -> int:
    """Recreating the table would forget it."""
    return int(
        op.get_bind().exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'record_grants'").scalar() or 0
    )
