"""Co-owners, test users, logos, approval and suspension of applications; second factors and passkeys of people."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "0070"
down_revision = "0060"
branch_labels = None
depends_on = None

_TEXTS = {
    "kind": sa.String(8),
    "publisher": sa.String(128),
    "privacy_url": sa.Text(),
    "terms_url": sa.Text(),
    "contact": sa.String(254),
    "suspended_by": sa.String(8),
    "suspended_reason": sa.Text(),
    "approval": sa.String(8),
    "approval_reason": sa.Text(),
    "logo": sa.String(64),
}
_COMMENTS = {
    "kind": "server, page, device or machine",
    "suspended_by": "owner or admin, while suspended",
    "approval": "empty: not needed; waiting, yes or no",
    "logo": "SHA-256 of its picture",
}


def upgrade() -> None:
    for name, kind in _TEXTS.items():
        comment = _COMMENTS.get(name)
        op.add_column("applications", sa.Column(name, kind, nullable=False, server_default="", comment=comment))
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments, and would make the whole table anew
        op.alter_column(
            "applications",
            "deleted_at",
            existing_type=Instant(),
            comment="comes back within 14 days, then the row goes",
        )
    op.add_column("applications", sa.Column("only_testers", sa.Boolean(), nullable=False, server_default="0"))
    _people("application_owners", "co-owners beside the creator: they see and change what the creator does")
    _people("application_testers", None)
    op.create_table(
        "application_logos",
        sa.Column("application_id", Id, nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False, comment="PNG of at most 256 × 256 pixels, made by us"),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name="fk_application_logos_application_id_applications",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("application_id", name="pk_application_logos"),
    )
    _second_factors()


def _people(table: str, comment: str | None) -> None:
    op.create_table(
        table,
        sa.Column("application_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("added", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=f"fk_{table}_application_id_applications", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_{table}_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("application_id", "user_id", name=f"pk_{table}"),
        comment=comment,
    )
    op.create_index(f"ix_{table}_user_id", table, ["user_id"])


def _mine(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_{table}_user_id_users", ondelete="CASCADE")


def _second_factors() -> None:
    op.create_table(
        "second_factors",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False, comment="the TOTP secret, encrypted under the server key"),
        sa.Column(
            "confirmed_at",
            Instant(),
            nullable=True,
            comment="null until a first code proved that the app has it",
        ),
        sa.Column(
            "last_step",
            Id,
            nullable=True,
            comment="the newest step of 30 s whose code was used: none works twice",
        ),
        sa.Column("created", Instant(), nullable=False),
        _mine("second_factors"),
        sa.PrimaryKeyConstraint("user_id", name="pk_second_factors"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        _mine("recovery_codes"),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_codes"),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("credential", sa.String(1400), nullable=False, comment="credential id in base64url"),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", Id, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("last_used", Instant(), nullable=True),
        _mine("passkeys"),
        sa.PrimaryKeyConstraint("id", name="pk_passkeys"),
        sa.UniqueConstraint("credential", name="uq_passkeys_credential"),
    )
    for table in ("recovery_codes", "passkeys"):
        op.create_index(f"ix_{table}_user_id", table, ["user_id"])
    op.create_table(
        "passkey_challenges",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("user_id", Id, nullable=True, comment="who wants to add a passkey; null: somebody who signs in"),
        sa.Column("expires", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_passkey_challenges"),
        comment="each is taken once, within five minutes",
    )
