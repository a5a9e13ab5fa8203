"""Files of several records behind links that end."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "6b2d90e4f815"
down_revision = "3f8a1c6d47e2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "download_bundles",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("delegation_id", Id, nullable=True),
        sa.Column("title", sa.String(128), nullable=False, server_default=""),
        sa.Column("note", sa.Text(), nullable=False, server_default=""),
        sa.Column("captions", sa.String(8), nullable=False, server_default="none", comment="none or csv"),
        sa.Column("state", sa.String(10), nullable=False, comment="waiting, preparing, ready, revoked or ended"),
        sa.Column("total", Id, nullable=False, comment="files"),
        sa.Column("prepared", Id, nullable=False, server_default="0", comment="files that have an outcome"),
        sa.Column("refused", Id, nullable=False, server_default="0",
                  comment="of these, those that are not in the archive"),
        sa.Column("size", Id, nullable=False, comment="bytes of the chosen files"),
        sa.Column("downloads", Id, nullable=False, server_default="0"),
        sa.Column("last_download", Instant(), nullable=True),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_download_bundles_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["delegation_id"], ["delegations.id"], name="fk_download_bundles_delegation_id",
                                ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_download_bundles"),
        sqlite_autoincrement=True,
        comment="files of several records behind links that end; their bytes are nowhere but in the store",
    )  # fmt: skip
    op.create_index("ix_download_bundles_user_id_id", "download_bundles", ["user_id", "id"])
    for name in ("delegation_id", "expires"):
        op.create_index(f"ix_download_bundles_{name}", "download_bundles", [name])
    op.create_table(
        "bundle_files",
        sa.Column("bundle_id", Id, nullable=False),
        sa.Column("position", Id, nullable=False, autoincrement=False),
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("rendition", sa.String(64), nullable=False, comment="empty where no file could be chosen"),
        sa.Column("outcome", sa.String(40), nullable=True, comment="ready, or the code of the refusal"),
        sa.Column("name", sa.String(255), nullable=False, server_default="", comment="in the archive"),
        sa.Column("source", sa.String(64), nullable=False, server_default="", comment="digest of the rendition"),
        sa.Column("recipe", sa.String(40), nullable=False, server_default="", comment="of the overlay; empty: none"),
        sa.Column("digest", sa.String(64), nullable=False, server_default="",
                  comment="SHA-256 of the bytes given away"),
        sa.Column("size", Id, nullable=False, server_default="0"),
        sa.Column("crc", Id, nullable=False, server_default="0", comment="CRC-32 of the bytes"),
        sa.Column("modified", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["bundle_id"], ["download_bundles.id"], name="fk_bundle_files_bundle_id",
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bundle_id", "position", name="pk_bundle_files"),
        comment="the files of a bundle, and what became of each",
    )  # fmt: skip
    _create_links()


def _create_links() -> None:
    op.create_table(
        "bundle_links",
        sa.Column("id", Id, nullable=False),
        sa.Column("bundle_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("email", sa.String(254), nullable=False, server_default="",
                  comment="of somebody without an account"),
        sa.Column("digest", sa.LargeBinary(32), nullable=True, comment="of the secret; null before it is mailed"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("sent", Instant(), nullable=True),
        sa.Column("downloads", Id, nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["bundle_id"], ["download_bundles.id"], name="fk_bundle_links_bundle_id",
                                ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_bundle_links_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_bundle_links"),
        sa.UniqueConstraint("digest", name="uq_bundle_links_digest"),
        sqlite_autoincrement=True,
        comment="who has a link to a bundle; they end with it",
    )  # fmt: skip
    for name in ("bundle_id", "user_id"):
        op.create_index(f"ix_bundle_links_{name}", "bundle_links", [name])
