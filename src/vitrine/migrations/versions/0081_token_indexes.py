"""Indexes of tokens without the many rows that have nothing in the column."""

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, column in (("access_tokens", "code_id"), ("access_tokens", "family"), ("refresh_tokens", "code_id")):
        name, some = f"ix_{table}_{column}", sa.text(f"{column} IS NOT NULL")
        op.drop_index(name, table_name=table)
        op.create_index(name, table, [column], sqlite_where=some, postgresql_where=some)
