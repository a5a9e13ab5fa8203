"""Workers that show themselves, and links of e-mails that work once."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "0030"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workers",
        sa.Column("owner", sa.String(length=80), nullable=False, comment="machine, folder and process"),
        sa.Column("started", Instant(), nullable=False),
        sa.Column("seen", Instant(), nullable=False, comment="written at every heart-beat"),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_workers")),
        comment="which workers live: what readiness and metrics tell",
    )
    op.create_table(
        "mailed_links",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False, comment="password or email"),
        sa.Column("email", sa.String(length=254), nullable=False, comment="where it was sent"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_mailed_links_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailed_links")),
        sa.UniqueConstraint("digest", name=op.f("uq_mailed_links_digest")),
        comment="links of e-mails; each works once and is deleted by its use",
    )
    with op.batch_alter_table("mailed_links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mailed_links_user_id"), ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_table("mailed_links")
    op.drop_table("workers")
