"""The newest files of each collection in quarantine and the people who allow an application, without reading all."""

import sqlalchemy as sa
from alembic import op

revision = "1b7f4e92c6d8"
down_revision = "c4e81f6a2d93"
branch_labels = None
depends_on = None

ALLOWING = sa.text("granted_at IS NOT NULL AND revoked_at IS NULL")


def upgrade() -> None:
    op.create_index("ix_quarantine_items_newest", "quarantine_items", ["collection_id", "id"])
    op.drop_index("ix_quarantine_items_collection_id", "quarantine_items")
    op.create_index(
        "ix_accounts_allowing", "accounts", ["application_id", "id"], sqlite_where=ALLOWING, postgresql_where=ALLOWING
    )
