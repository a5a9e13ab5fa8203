"""Whether the request for a code named its redirect address (RFC 6749 section 4.1.3)."""

import sqlalchemy as sa
from alembic import op

revision = "c41d7a90e5b2"
down_revision = "b81d4f6a0e35"
branch_labels = None
depends_on = None

_COMMENT = "whether the request had a redirect_uri, so that the exchange needs it (RFC 6749 section 4.1.3)"


def upgrade() -> None:
    # A code that is under way keeps the older rule: its exchange repeats the address.
    column: sa.Column[bool] = sa.Column(
        "names_redirect_uri", sa.Boolean(), nullable=False, server_default="1", comment=_COMMENT
    )
    op.add_column("authorization_codes", column)
