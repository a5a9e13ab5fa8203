"""Journals of use: views of permalinks, uses of records, words that were searched for."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant
from vitrine.platform.tables import Id

revision = "a7f2094be6d3"
down_revision = "5e1c70d4a9b2"
branch_labels = None
depends_on = None


def _reference(name: str, parent: str, table: str, rule: str, *, nullable: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey(f"{parent}.id", name=f"fk_{table}_{name}", ondelete=rule)
    return sa.Column(name, Id, key, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "permalink_views",
        sa.Column("id", Id, nullable=False),
        _reference("record_id", "records", "permalink_views", "CASCADE"),
        _reference("collection_id", "collections", "permalink_views", "CASCADE"),
        sa.Column("day", sa.Date(), nullable=False, comment="in UTC"),
        sa.Column("rendition", sa.String(64), nullable=False),
        sa.Column("referrer", sa.String(253), nullable=False,
                  comment="host; empty: none was named; *: further ones of the day"),
        sa.Column("views", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_permalink_views"),
        sa.UniqueConstraint("record_id", "day", "rendition", "referrer",
                            name="uq_permalink_views_record_id_day_rendition_referrer"),
        sqlite_autoincrement=True,
        comment="how often a file was looked at by its link on a day, by the site that shows it; nothing of who looked",
    )  # fmt: skip
    op.create_index("ix_permalink_views_day", "permalink_views", ["day"])
    op.create_index("ix_permalink_views_record_id_id", "permalink_views", ["record_id", "id"])
    op.create_index("ix_permalink_views_collection_id_id", "permalink_views", ["collection_id", "id"])
    op.create_table(
        "record_uses",
        sa.Column("id", Id, nullable=False),
        _reference("databox_id", "databoxes", "record_uses", "CASCADE"),
        sa.Column("number", Id, nullable=False, comment="of a record that may be deleted"),
        _reference("collection_id", "collections", "record_uses", "CASCADE"),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        _reference("user_id", "users", "record_uses", "SET NULL", nullable=True),
        _reference("application_id", "applications", "record_uses", "SET NULL", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_record_uses"),
        sqlite_autoincrement=True,
        comment="who did what with a record without changing it",
    )
    op.create_index("ix_record_uses_at", "record_uses", ["at"])
    op.create_index("ix_record_uses_databox_id_number_id", "record_uses", ["databox_id", "number", "id"])
    op.create_index("ix_record_uses_collection_id_id", "record_uses", ["collection_id", "id"])
    for name in ("user_id", "application_id"):
        some = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_record_uses_{name}", "record_uses", [name], sqlite_where=some, postgresql_where=some)
    op.create_table(
        "search_counts",
        sa.Column("id", Id, nullable=False),
        _reference("databox_id", "databoxes", "search_counts", "CASCADE"),
        sa.Column("day", sa.Date(), nullable=False, comment="in UTC"),
        sa.Column("words", sa.String(100), nullable=False, comment="without case; *: further ones of the day"),
        sa.Column("searches", Id, nullable=False),
        sa.Column("without_result", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_counts"),
        sa.UniqueConstraint("databox_id", "day", "words", name="uq_search_counts_databox_id_day_words"),
        sqlite_autoincrement=True,
        comment="how often words were searched for on a day; nothing of who searched",
    )
    op.create_index("ix_search_counts_day", "search_counts", ["day"])
    op.create_index("ix_search_counts_databox_id_id", "search_counts", ["databox_id", "id"])
