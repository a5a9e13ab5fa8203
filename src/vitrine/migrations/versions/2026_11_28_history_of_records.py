"""History of the changes of records, versions of originals, rotation, and changes of many records."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "b6e19f4a7c30"
down_revision = "7d3e0b52c9a1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "degrees by which renditions are turned clockwise"
    # A constant default: neither database writes the rows again.
    op.add_column("records", sa.Column("rotation", sa.Integer(), nullable=False, server_default="0", comment=comment))
    _create_operations()
    _create_changes()
    _create_versions()


def _create_operations() -> None:
    op.create_table(
        "bulk_operations",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("delegation_id", Id, nullable=True),
        sa.Column("change", sa.Text(), nullable=False, comment="what is done to each record"),
        sa.Column("undoes_id", Id, nullable=True, comment="the operation that this one takes back"),
        sa.Column("state", sa.String(10), nullable=False, comment="waiting, running, done, cancelled or ended"),
        sa.Column("total", Id, nullable=False),
        sa.Column("next_position", Id, nullable=False, server_default="0", comment="those before it are done"),
        sa.Column("changed", Id, nullable=False, server_default="0"),
        sa.Column("refused", Id, nullable=False, server_default="0"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_operations"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_bulk_operations_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["delegation_id"], ["delegations.id"], name="fk_bulk_operations_delegation_id",
                                ondelete="SET NULL"),
        sqlite_autoincrement=True,
        comment="one change of many records, done by a job",
    )  # fmt: skip
    op.create_index("ix_bulk_operations_delegation_id", "bulk_operations", ["delegation_id"])
    op.create_index("ix_bulk_operations_created", "bulk_operations", ["created"])
    op.create_index("ix_bulk_operations_user_id_id", "bulk_operations", ["user_id", "id"])
    op.create_table(
        "bulk_items",
        sa.Column("operation_id", Id, nullable=False),
        sa.Column("position", Id, nullable=False, autoincrement=False),
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("change_id", Id, nullable=True, comment="of record_changes: what an undo takes back"),
        sa.Column("outcome", sa.String(40), nullable=True, comment="changed, unchanged, or the code of the refusal"),
        sa.PrimaryKeyConstraint("operation_id", "position", name="pk_bulk_items"),
        sa.ForeignKeyConstraint(["operation_id"], ["bulk_operations.id"], name="fk_bulk_items_operation_id",
                                ondelete="CASCADE"),
        comment="the records of an operation, and what became of each",
    )  # fmt: skip


def _create_changes() -> None:
    op.create_table(
        "record_changes",
        sa.Column("id", Id, nullable=False),
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False, comment="of a record that may be deleted"),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("application_id", Id, nullable=True),
        sa.Column("operation_id", Id, nullable=True),
        sa.Column("undoes_id", Id, nullable=True, comment="the change that this one takes back"),
        sa.Column("is_cut", sa.Boolean(), nullable=False, server_default="0",
                  comment="texts are shortened: it cannot be undone"),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_record_changes"),
        sa.ForeignKeyConstraint(["databox_id"], ["databoxes.id"], name="fk_record_changes_databox_id",
                                ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_record_changes_user_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name="fk_record_changes_application_id",
                                ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["operation_id"], ["bulk_operations.id"], name="fk_record_changes_operation_id",
                                ondelete="SET NULL"),
        sqlite_autoincrement=True,
        comment="who changed what of a record: written in the transaction of the change",
    )  # fmt: skip
    op.create_index("ix_record_changes_at", "record_changes", ["at"])
    op.create_index("ix_record_changes_databox_id_number_id", "record_changes", ["databox_id", "number", "id"])
    for name in ("user_id", "application_id", "operation_id", "undoes_id"):
        _index_some("record_changes", name)


def _create_versions() -> None:
    op.create_table(
        "original_versions",
        sa.Column("id", Id, nullable=False),
        sa.Column("record_id", Id, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("mime", sa.String(120), nullable=False),
        sa.Column("size", Id, nullable=False),
        sa.Column("kept", sa.Text(), nullable=False, comment="columns of the record, its original and its text"),
        sa.Column("replaced_at", Instant(), nullable=False),
        sa.Column("replaced_by", Id, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_original_versions"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_original_versions_record_id",
                                ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["replaced_by"], ["users.id"], name="fk_original_versions_replaced_by",
                                ondelete="SET NULL"),
        sqlite_autoincrement=True,
        comment="originals that were replaced, until their time is over",
    )  # fmt: skip
    for name in ("record_id", "sha256", "replaced_at"):
        op.create_index(f"ix_original_versions_{name}", "original_versions", [name])
    _index_some("original_versions", "replaced_by")


def _index_some(table: str, name: str) -> None:
    some = sa.text(f"{name} IS NOT NULL")
    op.create_index(f"ix_{table}_{name}", table, [name], sqlite_where=some, postgresql_where=some)
