"""Refresh tokens, device codes, signing keys, uses of old habits, and what OpenID Connect keeps with a code."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant, Json
from vitrine.platform.tables import Id

revision = "0060"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "accounts",
        sa.Column(
            "asked_scope", Json(), nullable=True, comment="everything the person has been asked for and decided about"
        ),
    )
    op.add_column(
        "accounts",
        sa.Column(
            "acts_alone_since", Instant(), nullable=True, comment="the owner lets it act for them by its secret alone"
        ),
    )
    op.add_column(
        "authorization_codes",
        sa.Column(
            "nonce", sa.String(512), nullable=True, comment="for the id_token (OpenID Connect Core section 3.1.2.1)"
        ),
    )
    op.add_column(
        "authorization_codes",
        sa.Column("authenticated", Instant(), nullable=True, comment="when the person last gave their password"),
    )
    op.add_column(
        "access_tokens",
        sa.Column("family", Id, nullable=True, comment="the refresh tokens it came with; null: it came alone"),
    )
    op.create_index("ix_access_tokens_family", "access_tokens", ["family"])
    _refresh_tokens()
    _device_codes()
    op.create_table(
        "signing_keys",
        sa.Column("id", Id, nullable=False),
        sa.Column("kid", sa.String(64), nullable=False),
        sa.Column("state", sa.String(8), nullable=False, comment="pending, active or retired"),
        sa.Column("public", Json(), nullable=False, comment="as a JWK"),
        sa.Column("sealed", sa.Text(), nullable=False, comment="the private JWK, encrypted under the server key"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("retired_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_signing_keys"),
        sa.UniqueConstraint("kid", name="uq_signing_keys_kid"),
        comment="keys of id_tokens; a pending one is published before it is used",
    )
    op.create_table(
        "habit_uses",
        sa.Column("id", Id, nullable=False),
        sa.Column("application_id", Id, nullable=False),
        sa.Column("habit", sa.String(32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("last_address", sa.String(64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name="fk_habit_uses_application_id_applications",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_habit_uses"),
        sa.UniqueConstraint("application_id", "habit", "day", name="uq_habit_uses_application_id_habit_day"),
        comment="how often an application used what new ones should not, by day",
    )  # fmt: skip


def _refresh_tokens() -> None:
    op.create_table(
        "refresh_tokens",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("code_id", Id, nullable=True),
        sa.Column("family", Id, nullable=False, comment="random; every successor of one grant has the same"),
        sa.Column("scope", Json(), nullable=True),
        sa.Column("issued", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True, comment="when its successor was made"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_refresh_tokens_account_id_accounts", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["code_id"], ["authorization_codes.id"], name="fk_refresh_tokens_code_id_authorization_codes",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_refresh_tokens"),
        sa.UniqueConstraint("digest", name="uq_refresh_tokens_digest"),
        comment="one use each, with 30 seconds of grace; a later use ends the family (RFC 9700 section 4.14.2)",
    )  # fmt: skip
    for column in ("account_id", "code_id", "family", "expires"):
        op.create_index(f"ix_refresh_tokens_{column}", "refresh_tokens", [column])


def _device_codes() -> None:
    op.create_table(
        "device_codes",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("user_code", sa.String(16), nullable=False, comment="without its hyphen"),
        sa.Column("application_id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=True),
        sa.Column("scope", Json(), nullable=True),
        sa.Column("state", sa.String(8), nullable=False, comment="waiting, allowed, denied or used"),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("polled_at", Instant(), nullable=True),
        sa.Column("address", sa.String(64), server_default="", nullable=False),
        sa.Column("issued", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name="fk_device_codes_application_id_applications",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_device_codes_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_device_codes"),
        sa.UniqueConstraint("digest", name="uq_device_codes_digest"),
        sa.UniqueConstraint("user_code", name="uq_device_codes_user_code"),
        comment="devices that wait for a person (RFC 8628)",
    )  # fmt: skip
    for column in ("application_id", "account_id", "expires"):
        op.create_index(f"ix_device_codes_{column}", "device_codes", [column])
