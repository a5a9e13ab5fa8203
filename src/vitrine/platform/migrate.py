"""Upgrade a database to the newest schema, completely or not at all."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from vitrine.platform.database import Database

SCRIPTS = Path(__file__).parent.parent / "migrations"


def upgrade(database: Database, to: str = "") -> str:
    """Run the missing migrations up to the revision *to* (the newest if empty) and return the revision reached.

    On SQLite everything happens inside one explicit BEGIN IMMEDIATE: Alembic's own transactions would leave a failed
    migration half done, and it could not run again.
    """
    target = to or newest()
    with database.read() as work:
        if revision(work.db) == target:
            return target
        driver = work.driver
    if driver is None:
        _upgrade(database, target)
        return target
    # A migration that recreates a table drops the old one, which would delete the rows that refer to it while foreign
    # keys are enforced. The pragma has no effect inside a transaction; all references are checked before the commit.
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        _upgrade(database, target)
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
    return target


def _upgrade(database: Database, target: str) -> None:
    with database.write() as work:
        config = _config()
        config.attributes["connection"] = work.db
        command.upgrade(config, target)
        violations = work.driver.execute("PRAGMA foreign_key_check").fetchmany(5) if work.driver is not None else []
        if violations:
            raise RuntimeError(f"this migration breaks references, nothing was changed: {violations}")


@cache
def newest() -> str:
    """The revision that this program needs. The scripts are read once a process."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def revision(connection: Connection) -> str:
    """The revision of a database; "" if it is empty."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def differences(connection: Connection, metadata: MetaData) -> list[object]:
    """The differences between the tables in the database and in the code; empty if the migrations are complete."""
    context = MigrationContext.configure(connection, opts={"compare_type": False, "render_as_batch": True})
    return list(compare_metadata(context, metadata))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config
