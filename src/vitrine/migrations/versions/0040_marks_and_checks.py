"""Marks of collections, files derived on demand, and the checks of the quarantine."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant, Json
from vitrine.platform.tables import Id

revision = "0040"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "collections",
        sa.Column("watermark", sa.String(64), nullable=True, comment="SHA-256 of the picture laid over previews"),
    )
    op.add_column(
        "collections", sa.Column("stamp", Json(), nullable=True, comment="blocks of the stamp, see library/stamps.py")
    )
    op.create_table(
        "derived_files",
        sa.Column("source", sa.String(64), nullable=False, comment="SHA-256 of what it was made from"),
        sa.Column(
            "recipe", sa.String(40), nullable=False, comment="digest of how it was made: kind, texts, pictures, version"
        ),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("mime", sa.String(120), nullable=False),
        sa.Column("extension", sa.String(12), nullable=False),
        sa.Column("size", Id, nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("source", "recipe", name=op.f("pk_derived_files")),
        comment="copies made on demand (marked pictures, pictures of quarantined files); may be made again at any time",
    )
    op.create_index(op.f("ix_derived_files_sha256"), "derived_files", ["sha256"])
    op.create_table(
        "quarantine_checks",
        sa.Column("scope", sa.String(12), nullable=False, comment="instance, databox or collection"),
        sa.Column("scope_id", Id, autoincrement=False, nullable=False, comment="0 for the instance"),
        sa.Column("policy", Json(), nullable=False, comment="{check: {on, …options}}, see library/checks.py"),
        sa.PrimaryKeyConstraint("scope", "scope_id", name=op.f("pk_quarantine_checks")),
    )


def downgrade() -> None:
    op.drop_table("quarantine_checks")
    op.drop_index(op.f("ix_derived_files_sha256"), "derived_files")
    op.drop_table("derived_files")
    op.drop_column("collections", "stamp")
    op.drop_column("collections", "watermark")
