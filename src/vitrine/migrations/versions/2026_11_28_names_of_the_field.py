"""Tables and columns under the field's own names: deprecated features, identity providers, auth_time."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant, Json
from vitrine.platform.tables import Id

revision = "7d2e90b4c1a8"
down_revision = "c41f7a9d0b62"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE sessions RENAME COLUMN proved_at TO auth_time")
    op.execute("ALTER TABLE request_log RENAME COLUMN habits TO deprecated_features")
    op.execute("ALTER TABLE accounts RENAME COLUMN asked_scope TO requested_scope")
    _deprecated_feature_uses()
    _linked_identities()
    _identity_provider_flows()
    _comments()


def _move(old: str, new: str, columns: dict[str, str], *, numbered: bool = True) -> None:
    """Copy the rows and drop the old table. A renamed table would keep its old names of constraints and indexes."""
    op.execute(f"INSERT INTO {new} ({', '.join(columns.values())}) SELECT {', '.join(columns)} FROM {old}")  # noqa: S608
    op.drop_table(old)
    if numbered and op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"SELECT setval(pg_get_serial_sequence('{new}', 'id'), greatest((SELECT max(id) FROM {new}), 1),"  # noqa: S608
            f" (SELECT count(*) > 0 FROM {new}))"
        )


def _deprecated_feature_uses() -> None:
    name = "deprecated_feature_uses"
    op.create_table(
        name,
        sa.Column("id", Id, nullable=False),
        sa.Column("application_id", Id, nullable=False),
        sa.Column("feature", sa.String(32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("last_address", sa.String(64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=f"fk_{name}_application_id_applications", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.UniqueConstraint("application_id", "feature", "day", name=f"uq_{name}_application_id_feature_day"),
        comment="how often an application used what new ones should not, by day",
    )
    same = ("id", "application_id", "day", "uses", "last_at", "last_address")
    _move("habit_uses", name, {"habit": "feature", **{column: column for column in same}})


def _linked_identities() -> None:
    name = "linked_identities"
    op.create_table(
        name,
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False, comment="what the issuer calls the person, for ever"),
        sa.Column("label", sa.String(254), nullable=False, server_default="", comment="address or name when last seen"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("last_used", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_{name}_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.UniqueConstraint("issuer", "subject", name=f"uq_{name}_issuer_subject"),
        comment="sign-ins of other organisations, by issuer and subject (OpenID Connect Core section 5.7)",
    )
    same = ("id", "user_id", "issuer", "subject", "label", "created", "last_used")
    _move("external_identities", name, {column: column for column in same})
    op.create_index(f"ix_{name}_user_id", name, ["user_id"])


def _identity_provider_flows() -> None:
    name = "identity_provider_flows"
    op.create_table(
        name,
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
        sa.PrimaryKeyConstraint("digest", name=f"pk_{name}"),
        comment="people on their way to a provider; each comes back once, within ten minutes",
    )
    same = ("digest", "provider", "visitor", "purpose", "user_id", "back", "forced", "started", "expires")
    _move("provider_flows", name, {column: column for column in same}, numbered=False)
    op.create_index(f"ix_{name}_expires", name, ["expires"])


def _comments() -> None:
    """Comments that named a module; SQLite keeps none."""
    if op.get_bind().dialect.name == "postgresql":
        stamp, policy = "blocks of the stamp: texts and pictures in order", "{check: {on, …options}}"
        op.alter_column("collections", "stamp", existing_type=Json(), comment=stamp)
        op.alter_column("quarantine_checks", "policy", existing_type=Json(), comment=policy)
