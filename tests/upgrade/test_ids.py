"""The upgrade of an SQLite database that gave ids again: rows, references, indexes and numbers stay, from then on each
id is given once, and an upgrade that failed can be repeated."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.upgrade import release_0_1_0
from vitrine.platform import migrate
from vitrine.platform.database import Database, UnitOfWork
from vitrine.schema import metadata

BEFORE, AFTER = "a58c2d90f713", "e19d47b6a035"
_DEFINITIONS = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY type, name"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database.in_folder(tmp_path)
    release_0_1_0.fill(database)
    migrate.upgrade(database, BEFORE)
    with database.write() as work:
        work.db.exec_driver_sql("INSERT INTO users (login, login_folded, created, updated) VALUES ('b', 'b', 0, 0)")
        work.db.exec_driver_sql("DELETE FROM users WHERE login = 'b'")
        for at, user, thing in ((1, 40, "user 50"), (2, None, "record 1/999"), (3, 1, "collection 12"), (4, 1, "")):
            line = "INSERT INTO audit_log (at, user_id, application_id, action, object) VALUES (?, ?, 30, 'a', ?)"
            work.db.exec_driver_sql(line, (at, user, thing))
        work.db.exec_driver_sql("UPDATE request_log SET account_id = 77")
    return database


def definitions(work: UnitOfWork) -> list[tuple[str, ...]]:
    return [tuple(row) for row in work.db.exec_driver_sql(_DEFINITIONS)]


def rows_of_tables(work: UnitOfWork) -> dict[str, list[tuple[object, ...]]]:
    names = sa.inspect(work.db).get_table_names()
    return {
        name: [tuple(row) for row in work.db.exec_driver_sql(f"SELECT * FROM {name}")]
        for name in names
        if name != "alembic_version"
    }


def test_only_the_definitions_of_ids_change(database: Database) -> None:
    with database.read() as work:
        before, kept = definitions(work), rows_of_tables(work)
    migrate.upgrade(database, AFTER)
    with database.read() as work:
        after = definitions(work)
        changed = [new for old, new in zip(before, after, strict=True) if old != new]
        assert len(changed) == 32
        assert [(*row[:3], str(row[3]).replace("(id AUTOINCREMENT)", "(id)")) for row in after] == before
        assert rows_of_tables(work) == kept
        assert work.db.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert work.db.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert work.db.exec_driver_sql("PRAGMA writable_schema").scalar() == 0
    database.close()


def test_ids_begin_above_those_that_logs_and_sessions_name(database: Database) -> None:
    migrate.upgrade(database)
    highest = {"users": 50, "applications": 30, "accounts": 77, "collections": 12, "sessions": 11, "records": 0}
    with database.read() as work:
        rows = work.db.exec_driver_sql("SELECT name, seq FROM sqlite_sequence").all()
        given: dict[str, int] = {row.name: row.seq for row in rows}
        assert {name: given[name] for name in highest} == highest
        assert migrate.differences(work.db, metadata) == []
    database.close()


def test_another_connection_sees_the_change_at_once(database: Database, tmp_path: Path) -> None:
    other = Database.in_folder(tmp_path)
    with other.read() as work:
        assert work.db.exec_driver_sql("SELECT max(id) FROM users").scalar() == 1
    migrate.upgrade(database, AFTER)
    with other.write() as work:
        work.db.exec_driver_sql("INSERT INTO users (login, login_folded, created, updated) VALUES ('b', 'b', 0, 0)")
        assert work.db.exec_driver_sql("SELECT max(id) FROM users").scalar() == 51
    other.close()
    database.close()


def test_a_failed_upgrade_changes_nothing_and_can_be_repeated(database: Database) -> None:
    with database.write() as work:  # a table that the migration does not know
        work.db.exec_driver_sql("ALTER TABLE request_log RENAME TO moved")
    with database.read() as work:
        before = definitions(work)
    with pytest.raises(RuntimeError, match="request_log is not as this migration knows it"):
        migrate.upgrade(database, AFTER)
    with database.write() as work:
        assert definitions(work) == before
        assert work.db.exec_driver_sql("PRAGMA writable_schema").scalar() == 0
        work.db.exec_driver_sql("DELETE FROM audit_log")
        work.db.exec_driver_sql("ALTER TABLE moved RENAME TO request_log")
    migrate.upgrade(database)
    with database.read() as work:
        assert migrate.differences(work.db, metadata) == []
    database.close()
