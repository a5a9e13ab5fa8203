"""Bring a database to the newest schema, whole or not at all."""

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
    """Run what is missing, up to the revision *to* (the newest when empty), and return the revision reached.

    On SQLite everything happens inside one explicit BEGIN IMMEDIATE: Alembic's own transactions would leave a failed
    migration half done, and it could not be run again.
    """
    wanted = to or newest()
    with database.read() as work:
        if revision(work.db) == wanted:
            return wanted
        driver = work.driver
    if driver is None:
        _upgrade(database, wanted)
        return wanted
    # A table that is made anew is dropped on the way, which deletes what refers to it where foreign keys are enforced
    # at that moment. They cannot be switched inside a transaction; every reference is looked at before the commit.
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        _upgrade(database, wanted)
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
    return wanted


def _upgrade(database: Database, wanted: str) -> None:
    with database.write() as work:
        config = _config()
        config.attributes["connection"] = work.db
        command.upgrade(config, wanted)
        broken = work.driver.execute("PRAGMA foreign_key_check").fetchmany(5) if work.driver is not None else []
        if broken:
            raise RuntimeError(f"this migration breaks references, nothing was changed: {broken}")


@cache
def newest() -> str:
    """The revision that this program needs. The scripts are read once a process."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def revision(connection: Connection) -> str:
    """The revision of a database, "" for an empty one."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def differences(connection: Connection, metadata: MetaData) -> list[object]:
    """What the tables in the database and in the code disagree about; empty when the migrations are complete."""
    context = MigrationContext.configure(connection, opts={"compare_type": False, "render_as_batch": True})
    return list(compare_metadata(context, metadata))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config
