"""How the supervised threads of each worker are: what readiness and metrics tell."""

import sqlalchemy as sa
from alembic import op

revision = "c4d81f6a2e93"
down_revision = "91f3a6d5e80b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "name, state and restarts of each supervised thread"
    op.add_column("workers", sa.Column("threads", sa.Text(), nullable=True, comment=comment))
