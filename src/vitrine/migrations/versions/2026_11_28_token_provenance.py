"""With which consent or developer token something was made, and which client secrets more than their owner knows."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.tables import Id

revision = "5f3c8e1a9d47"
down_revision = "0081"
branch_labels = None
depends_on = None

_TABLES = ("access_tokens", "application_secrets", "redirect_addresses")
_MAKERS = {"made_by_account_id": "accounts", "made_by_token_id": "access_tokens"}


def upgrade() -> None:
    comment = "known to more than its first owner"
    column: sa.Column[bool] = sa.Column("is_shared", sa.Boolean(), nullable=False, server_default="0", comment=comment)
    op.add_column("application_secrets", column)
    for table in _TABLES:
        # SQLite adds no reference to a table that is there: the table is made anew, with its rows.
        with op.batch_alter_table(table) as batch:
            for name, maker in _MAKERS.items():
                batch.add_column(sa.Column(name, Id, nullable=True))
                batch.create_foreign_key(f"fk_{table}_{name}_{maker}", maker, [name], ["id"], ondelete="CASCADE")
        for name in _MAKERS:
            some = sa.text(f"{name} IS NOT NULL")
            op.create_index(f"ix_{table}_{name}", table, [name], sqlite_where=some, postgresql_where=some)
