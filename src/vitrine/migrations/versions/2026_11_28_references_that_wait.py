"""References to rows of the same table may wait for the end of a transaction that copies rows in order."""

from alembic import op

from vitrine.migrations.sqlite_definitions import change_definitions

revision = "91f3a6d5e80b"
down_revision = "48be0c35d7fa"
branch_labels = None
depends_on = None

_WAITS = " DEFERRABLE INITIALLY IMMEDIATE"
_MADE_BY = ("access_tokens", "application_secrets", "redirect_addresses")
_COVER = "FOREIGN KEY(cover_record_id) REFERENCES records (id) ON DELETE SET NULL"
_MAKER = "FOREIGN KEY(made_by_token_id) REFERENCES access_tokens (id) ON DELETE CASCADE"


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        references = [("records", _COVER), *((table, _MAKER) for table in _MADE_BY)]
        change_definitions(connection, [(table, text, text + _WAITS) for table, text in references])
        return
    names = {table: f"fk_{table}_made_by_token_id_access_tokens" for table in _MADE_BY}
    for table, name in {"records": "fk_records_cover_record_id", **names}.items():
        op.execute(f"ALTER TABLE {table} ALTER CONSTRAINT {name}{_WAITS}")
