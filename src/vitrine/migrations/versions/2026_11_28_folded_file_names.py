"""File names beside the form in which they are compared without case, which neither database can make itself."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from vitrine.library.store import folded_name

revision = "48be0c35d7fa"
down_revision = "c70a9f2e4d18"
branch_labels = None
depends_on = None

_BATCH_ROWS = 1000


def upgrade() -> None:
    op.add_column(
        "records",
        sa.Column("original_name_folded", sa.String(255), comment="as it is compared without case; maybe cut"),
    )
    last = 0
    while batch := _next_batch(last):
        last = batch[-1]["record"]
        op.get_bind().execute(sa.text("UPDATE records SET original_name_folded = :folded WHERE id = :record"), batch)
    columns = ["databox_id", "original_name_folded", "id"]
    op.create_index("ix_records_databox_id_original_name_folded", "records", columns)


def _next_batch(last: int) -> list[dict[str, Any]]:
    query = sa.text(
        "SELECT id, original_name FROM records WHERE id > :last AND original_name IS NOT NULL ORDER BY id LIMIT :rows"
    )
    rows = op.get_bind().execute(query, {"last": last, "rows": _BATCH_ROWS})
    return [{"record": row.id, "folded": folded_name(row.original_name)} for row in rows]
