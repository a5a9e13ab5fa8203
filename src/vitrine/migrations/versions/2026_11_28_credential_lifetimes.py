"""How a session was opened, which sign-ins on their way still count, and who saw which client secret."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "c41f7a9d0b62"
down_revision = "5f3c8e1a9d47"
branch_labels = None
depends_on = None

# Whoever was shown a secret by the settings page, or made one there, is in the audit log, without its number.
_SHOWN = """
    INSERT INTO application_secret_views (secret_id, user_id, seen)
    SELECT secrets.id, audit.user_id, max(audit.at)
    FROM audit_log audit
    JOIN application_secrets secrets ON audit.object = 'application ' || CAST(secrets.application_id AS VARCHAR(20))
    JOIN users ON users.id = audit.user_id
    WHERE audit.action IN ('application.secret_shown', 'application.secret_rotated') AND secrets.created <= audit.at
    GROUP BY secrets.id, audit.user_id
"""


def upgrade() -> None:
    op.add_column(
        "users",
        sa.Column("auth_version", sa.Integer(), nullable=False, server_default="1",
                  comment="sign-ins begun under another one end"),
    )  # fmt: skip
    for column in (
        sa.Column("opened_by", sa.String(8), nullable=True, comment="password, passkey or provider; null: not known"),
        sa.Column("authenticator_id", Id, nullable=True,
                  comment="of the passkey or the external identity that opened it"),
        sa.Column("second_factor", sa.Boolean(), nullable=False, server_default="0",
                  comment="a code of an app or recovery code too"),
    ):  # fmt: skip
        op.add_column("sessions", column)
    op.create_table(
        "application_secret_views",
        sa.Column("secret_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("seen", Instant(), nullable=False),
        sa.Column("offered", Instant(), nullable=True,
                  comment="since when this person has left: a new secret is offered"),
        sa.ForeignKeyConstraint(
            ["secret_id"], ["application_secrets.id"], name="fk_application_secret_views_secret_id_application_secrets",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_application_secret_views_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("secret_id", "user_id", name="pk_application_secret_views"),
        comment="who saw which client secret",
    )  # fmt: skip
    op.create_index("ix_application_secret_views_user_id", "application_secret_views", ["user_id"])
    op.execute(_SHOWN)
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.alter_column("mailed_links", "purpose", comment="password, email or password-and-tokens")
