"""The scopes that an owner leaves an application."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Json

revision = "0090"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "the scopes it may get at most; null: all it is allowed"
    op.add_column("applications", sa.Column("scope_limit", Json(), nullable=True, comment=comment))
