"""64 bits for what grows or comes from outside: durations, counters, masks, sizes. SQLite has them already."""

from alembic import op

revision = "a58c2d90f713"
down_revision = "3b6f0d8e51c7"
branch_labels = None
depends_on = None

_WIDE = {
    "users": ("geoname_id", "rights_version", "url_key", "auth_version"),
    "collection_rights": ("rights", "mask_and", "mask_xor", "monthly_downloads", "remaining_downloads"),
    "databox_rights": ("rights",),
    "redirect_addresses": ("position",),
    "databoxes": ("position",),
    "collections": ("position", "default_status"),
    "fields": ("aggregable", "position"),
    "recipes": ("position",),
    "records": ("width", "height"),
    "renditions": ("width", "height"),
    "document_texts": ("pages",),
    "access_tokens": ("idle_limit_s",),
    "deprecated_feature_uses": ("uses",),
    "request_log": ("duration_us",),
}


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, columns in _WIDE.items():  # one statement a table, since each writes its rows anew
        op.execute(f"ALTER TABLE {table} {', '.join(f'ALTER COLUMN {column} TYPE BIGINT' for column in columns)}")
