"""Deleted records that can come back for a week, and the origin of each redirect address for preflights."""

from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant, Json
from vitrine.platform.tables import Id

revision = "0020"
down_revision = "0001"
branch_labels = None
depends_on = None

_PORTS = {"http": 80, "https": 443}


def _origin(uri: str) -> str:
    """As it was when this migration was written; the living one is `applications.origins.origin_of`."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in _PORTS or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, _PORTS[parts.scheme]) else "")


def upgrade() -> None:
    op.create_table(
        "removed_records",
        sa.Column("id", Id, nullable=False),
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("removed_at", Instant(), nullable=False),
        sa.Column("removed_by", Id, nullable=True),
        sa.Column(
            "kept", Json(), nullable=False, comment="the rows of the record, its values, renditions and permalinks"
        ),
        sa.ForeignKeyConstraint(
            ["databox_id"], ["databoxes.id"], name=op.f("fk_removed_records_databox_id_databoxes"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["removed_by"], ["users.id"], name=op.f("fk_removed_records_removed_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removed_records")),
        sa.UniqueConstraint("databox_id", "number", name=op.f("uq_removed_records_databox_id_number")),
        comment="deleted records that a command can bring back for seven days",
    )
    with op.batch_alter_table("removed_records", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_removed_records_removed_at"), ["removed_at"], unique=False)
    op.create_table(
        "removed_files",
        sa.Column("removed_id", Id, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["removed_id"],
            ["removed_records.id"],
            name=op.f("fk_removed_files_removed_id_removed_records"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("removed_id", "sha256", name=op.f("pk_removed_files")),
        comment="bytes that the sweep must leave while their record may come back",
    )
    with op.batch_alter_table("removed_files", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_removed_files_sha256"), ["sha256"], unique=False)

    op.add_column("redirect_addresses", sa.Column("origin", sa.String(length=300), server_default="", nullable=False))
    op.create_index("ix_redirect_addresses_origin", "redirect_addresses", ["origin"])
    connection = op.get_bind()
    for address_id, uri in connection.execute(sa.text("SELECT id, uri FROM redirect_addresses")).all():
        values = {"origin": _origin(uri)[:300], "id": address_id}
        connection.execute(sa.text("UPDATE redirect_addresses SET origin = :origin WHERE id = :id"), values)
