"""Old data under new code: each migration runs on a database with data."""

from pathlib import Path

from alembic import command
from alembic.migration import MigrationContext

from vitrine.applications import store
from vitrine.platform import migrate
from vitrine.platform.database import Database
from vitrine.schema import metadata

ADDRESSES = {
    "https://Notes.example.com/cb": "https://notes.example.com",
    "http://127.0.0.1:8001/callback": "http://127.0.0.1:8001",
    "https://notes.example.com:443/x": "https://notes.example.com",
    "http://[::1]:80/cb": "http://[::1]",
    "urn:ietf:wg:oauth:2.0:oob": "",
    "https://broken:port/": "",
}


def as_of(database: Database, revision: str) -> None:
    """Upgrade an empty database to an old schema, like `migrate.upgrade`."""
    with database.read() as work:
        assert MigrationContext.configure(work.db).get_current_revision() is None
    with database.write() as work:
        config = migrate._config()
        config.attributes["connection"] = work.db
        command.upgrade(config, revision)


def test_0020_gives_every_address_its_origin(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path)
    as_of(database, "0001")
    with database.write() as work:
        work.db.exec_driver_sql(
            "INSERT INTO applications (id, type, profile, name, description, website, client_id, switches, created,"
            " updated) VALUES (1, 'web', 'compatibility', 'Old', 'Old.', 'https://x', 'id', '{}', 0, 0)"
        )
        for uri in ADDRESSES:
            work.db.exec_driver_sql("INSERT INTO redirect_addresses (application_id, uri) VALUES (1, ?)", (uri,))
    migrate.upgrade(database)
    with database.read() as work:
        origins: dict[str, str] = dict(work.db.exec_driver_sql("SELECT uri, origin FROM redirect_addresses").all())
        assert origins == ADDRESSES
        assert store.is_origin(work, "https://notes.example.com", 1)
        assert migrate.differences(work.db, metadata) == []
    database.close()


def test_rows_that_refer_to_a_recreated_table_stay(tmp_path: Path) -> None:
    """SQLite cascades deletes if a table is dropped while foreign keys are enforced."""
    database = Database.in_folder(tmp_path)
    as_of(database, "0001")
    with database.write() as work:
        for statement in (
            "INSERT INTO users (id, login, login_folded, created, updated) VALUES (1, 'ada', 'ada', 0, 0)",
            "INSERT INTO applications (id, creator_id, type, profile, name, description, website, client_id, switches,"
            " created, updated) VALUES (1, 1, 'web', 'compatibility', 'Old', 'Old.', 'https://x', 'id', '{}', 0, 0)",
            "INSERT INTO application_secrets (application_id, digest, sealed, last_four, created)"
            " VALUES (1, x'00', '', 'abcd', 0)",
            "INSERT INTO accounts (id, user_id, application_id, created) VALUES (1, 1, 1, 0)",
            "INSERT INTO access_tokens (digest, account_id, last_four, created) VALUES (x'01', 1, 'wxyz', 0)",
        ):
            work.db.exec_driver_sql(statement)
    migrate.upgrade(database)
    with database.read() as work:
        for table in ("users", "applications", "application_secrets", "accounts", "access_tokens"):
            assert work.db.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 1, table
        assert work.db.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.close()
