"""Numbers of records of collections as rows, with the differences that are not added up yet."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.tables import Id

revision = "a4c1f09b7e35"
down_revision = "c4d81f6a2e93"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "collection_counts",
        sa.Column("collection_id", Id, autoincrement=False, nullable=False),
        sa.Column("records", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name="fk_collection_counts_collection_id_collections",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_id", name="pk_collection_counts"),
        comment="number of records; the rows of collection_count_deltas are not in it yet",
    )  # fmt: skip
    op.create_table(
        "collection_count_deltas",
        sa.Column("id", Id, nullable=False),
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("delta", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name="fk_collection_count_deltas_collection_id_collections",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_collection_count_deltas"),
        sqlite_autoincrement=True,
        comment="records added to a collection or removed from it; the deferred writes add them up",
    )  # fmt: skip
    op.create_index("ix_collection_count_deltas_collection_id", "collection_count_deltas", ["collection_id"])
    op.execute(
        "INSERT INTO collection_counts (collection_id, records)"
        " SELECT collection_id, count(*) FROM records GROUP BY collection_id"
    )
