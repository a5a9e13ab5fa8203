"""When an account was last in use, and when its owner was told that nobody uses it."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant

revision = "b7f4d20c96a3"
down_revision = "5e81c07ad4f2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    used = "by sign-in, session or token, as the worker saw it"
    op.add_column("users", sa.Column("last_active", Instant(), nullable=True, comment=used))
    warned = "when the owner was told that nobody uses the account"
    op.add_column("users", sa.Column("inactivity_warned", Instant(), nullable=True, comment=warned))
