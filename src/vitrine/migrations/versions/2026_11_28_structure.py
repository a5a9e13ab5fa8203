"""A structure that people administer: terms of use, suggested values, logos, icons, registration, long work."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant, Json
from vitrine.platform.tables import Id

revision = "b1d7e604c952"
down_revision = "1b7f4e92c6d8"
branch_labels = None
depends_on = None

_REVISION = "increased by each change; tells two editors"
# A collection of this name was one like others and is the bin of its databox from now on: what is in it is not public.
_IN_BIN = """
    UPDATE records SET public_before_bin = public_by_link, public_by_link = :off
    WHERE collection_id IN (SELECT id FROM collections WHERE name = '_TRASH_')
"""
_PICTURE = "{sha256, mime, width, height, size} of a picture"


def upgrade() -> None:
    # Constant defaults: neither database writes the rows again.
    for table in ("databoxes", "collections", "fields", "status_bits", "recipes"):
        op.add_column(table, sa.Column("revision", Id, nullable=False, server_default="1", comment=_REVISION))
    _add("databoxes",
        sa.Column("registration_open", sa.Boolean(), nullable=False, server_default="0",
                  comment="people may ask for access"),
        sa.Column("logo", Json(), comment=_PICTURE),
        sa.Column("terms_number", Id, nullable=False, server_default="0",
                  comment="version of its terms of use; 0: none"),
        sa.Column("terms_required", Id, nullable=False, server_default="0", comment="the oldest version that counts"),
    )  # fmt: skip
    _add("collections",
        sa.Column("registration_open", sa.Boolean(), comment="people may ask for access; null: as the databox"),
        sa.Column("logo", Json(), comment=_PICTURE),
    )  # fmt: skip
    _add("fields",
        sa.Column("title_language", sa.String(2), comment="with thumbtitle: part of titles in this language only"),
        sa.Column("removed", sa.Boolean(), nullable=False, server_default="0",
                  comment="deleted; a job still deletes its values"),
    )  # fmt: skip
    _add("status_bits", sa.Column("icon_on", Json(), comment=_PICTURE), sa.Column("icon_off", Json()))
    _add("records",
        sa.Column("public_before_bin", sa.Boolean(), comment="public_by_link as it was outside the bin"),
        sa.Column("titles", Json(), comment="{language: title} where the databox has titles by language"),
    )  # fmt: skip
    op.execute(sa.text(_IN_BIN).bindparams(sa.bindparam("off", value=False, type_=sa.Boolean())))
    _suggested_values()
    _tasks()
    _terms()


def _add(table: str, *columns: sa.Column[Any]) -> None:
    for column in columns:
        op.add_column(table, column)


def _suggested_values() -> None:
    op.create_table(
        "suggested_values",
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("field_id", Id, nullable=False),
        sa.Column("values", Json(), nullable=False, comment="in the order of the lists that editors show"),
        _foreign("suggested_values", "collection_id", "collections.id", "CASCADE"),
        _foreign("suggested_values", "field_id", "fields.id", "CASCADE"),
        sa.PrimaryKeyConstraint("collection_id", "field_id", name="pk_suggested_values"),
        comment="values that are offered while a field is filled in, by collection",
    )
    op.create_index("ix_suggested_values_field_id", "suggested_values", ["field_id"])


def _tasks() -> None:
    op.create_table(
        "structure_tasks",
        sa.Column("id", Id, nullable=False),
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("details", Json(), nullable=False, comment="what is done, in the words of its kind"),
        sa.Column("state", sa.String(8), nullable=False, comment="waiting, running or done"),
        sa.Column("cursor", Id, nullable=False, server_default="0", comment="the last row that was looked at"),
        sa.Column("total", Id, comment="how many rows there were at the beginning, about"),
        sa.Column("done", Id, nullable=False, server_default="0", comment="rows that were looked at"),
        sa.Column("changed", Id, nullable=False, server_default="0"),
        sa.Column("failed", Id, nullable=False, server_default="0"),
        sa.Column("failures", Json(), nullable=False, comment="[{record, code, detail}], the first hundred"),
        sa.Column("user_id", Id),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        _foreign("structure_tasks", "databox_id", "databoxes.id", "CASCADE"),
        _foreign("structure_tasks", "user_id", "users.id", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_structure_tasks"),
        comment="work on many records that follows from a change of the structure, and how far it is",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_structure_tasks_databox_id_id", "structure_tasks", ["databox_id", "id"])
    op.create_index("ix_structure_tasks_updated", "structure_tasks", ["updated"])
    op.create_index("ix_structure_tasks_user_id", "structure_tasks", ["user_id"])


def _terms() -> None:
    op.create_table(
        "terms_versions",
        sa.Column("id", Id, nullable=False),
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False, comment="1, 2, … in its databox"),
        sa.Column("must_accept", sa.Boolean(), nullable=False,
                  comment="an acceptance of an earlier version no longer counts"),
        sa.Column("publisher_id", Id),
        sa.Column("published", Instant(), nullable=False),
        _foreign("terms_versions", "databox_id", "databoxes.id", "CASCADE"),
        _foreign("terms_versions", "publisher_id", "users.id", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_terms_versions"),
        sa.UniqueConstraint("databox_id", "number", name="uq_terms_versions_databox_id_number"),
        comment="terms of use of a databox; the highest number is in force",
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_terms_versions_publisher_id", "terms_versions", ["publisher_id"])
    op.create_table(
        "terms_texts",
        sa.Column("version_id", Id, nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("html", sa.Text(), nullable=False, comment="sanitized"),
        _foreign("terms_texts", "version_id", "terms_versions.id", "CASCADE"),
        sa.PrimaryKeyConstraint("version_id", "language", name="pk_terms_texts"),
    )
    op.create_table(
        "terms_acceptances",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False, comment="of the version"),
        sa.Column("accepted", Instant(), nullable=False),
        _foreign("terms_acceptances", "user_id", "users.id", "CASCADE"),
        _foreign("terms_acceptances", "databox_id", "databoxes.id", "CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "databox_id", "number", name="pk_terms_acceptances"),
        comment="who accepted which version of the terms of use, and when",
    )
    columns = ["databox_id", "user_id", "number"]
    op.create_index("ix_terms_acceptances_databox_id_user_id", "terms_acceptances", columns)


def _foreign(table: str, column: str, parent: str, on_delete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [parent], name=f"fk_{table}_{column}", ondelete=on_delete)
