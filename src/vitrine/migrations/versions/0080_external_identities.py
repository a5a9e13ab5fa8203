"""Sign-ins of other organisations, and people on their way to them."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "0080"
down_revision = "0090"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "external_identities",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False, comment="what the issuer calls the person, for ever"),
        sa.Column("label", sa.String(254), nullable=False, server_default="", comment="address or name when last seen"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("last_used", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_external_identities_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_external_identities"),
        sa.UniqueConstraint("issuer", "subject", name="uq_external_identities_issuer_subject"),
        comment="sign-ins of other organisations, by issuer and subject (OpenID Connect Core section 5.7)",
    )
    op.create_index("ix_external_identities_user_id", "external_identities", ["user_id"])
    op.create_table(
        "provider_flows",
        sa.Column("digest", sa.LargeBinary(32), nullable=False, comment="of the state"),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column(
            "visitor", sa.LargeBinary(32), nullable=False, comment="digest of the mark of the browser that began"
        ),
        sa.Column("purpose", sa.String(8), nullable=False, comment="sign-in, prove or link"),
        sa.Column("user_id", Id, nullable=True, comment="who wants to prove or link; null: somebody who signs in"),
        sa.Column("back", sa.Text(), nullable=False, comment="path of ours to go on at"),
        sa.Column("forced", sa.Boolean(), nullable=False, comment="an old sign-in at the provider will not do"),
        sa.Column("started", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_provider_flows"),
        comment="people on their way to a provider; each comes back once, within ten minutes",
    )
    op.create_index("ix_provider_flows_expires", "provider_flows", ["expires"])
