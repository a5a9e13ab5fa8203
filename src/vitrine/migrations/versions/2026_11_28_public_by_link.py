"""One switch for all links of a record, and what new records of a collection get. Everything stays as it was: on."""

import sqlalchemy as sa
from alembic import op

revision = "5a90d3c7b1e4"
down_revision = "e80b15c6d3f9"
branch_labels = None
depends_on = None

COMMENTS = {
    "records": "off: no permalink of the record opens anything, whatever its own switch says",
    "collections": "what records that are added get",
}


def upgrade() -> None:
    for table, comment in COMMENTS.items():
        # A constant default: neither database writes the rows again.
        column: sa.Column[bool] = sa.Column(
            "public_by_link", sa.Boolean(), nullable=False, server_default="1", comment=comment
        )
        op.add_column(table, column)
