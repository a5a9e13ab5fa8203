"""No id is given twice, on either database: ids of deleted rows stay in logs, addresses and other people's notes."""

import re
from typing import Any

import pytest
import sqlalchemy as sa

from tests.database.rows import insert_minimal
from vitrine.applications import usage
from vitrine.platform.database import Database
from vitrine.platform.tables import request_log
from vitrine.schema import metadata

NUMBERED = [table for table in metadata.sorted_tables if [column.name for column in table.primary_key] == ["id"]]


def test_each_table_with_an_id_gives_it_once() -> None:
    assert [table.name for table in NUMBERED if not table.dialect_options["sqlite"]["autoincrement"]] == []


def test_the_database_does_as_the_code_declares(database: Database) -> None:
    """A migration that recreates a table loses AUTOINCREMENT unless it passes `sqlite_autoincrement` on."""
    with database.read() as work:
        definitions = work.db.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'").all()
    once = {name for name, sql in definitions if re.search(r"\bAUTOINCREMENT\b", sql)}
    assert once == {table.name for table in NUMBERED}


@pytest.mark.both_databases
def test_a_deleted_id_does_not_return(database: Database) -> None:
    with database.write() as work:
        for table in NUMBERED:
            first = insert_minimal(work, table.name)
            work.db.execute(table.delete().where(table.c.id == first))
            assert insert_minimal(work, table.name) > first, table.name


@pytest.mark.both_databases
def test_a_new_application_has_no_calls_of_a_deleted_one(database: Database) -> None:
    with database.write() as work:
        old = insert_minimal(work, "applications")
        insert_minimal(work, "request_log", application_id=old)
        work.db.execute(metadata.tables["applications"].delete())
    with database.write() as work:
        new = insert_minimal(work, "applications")
        assert usage.failures(work, new) == []
        assert usage.routes(work, new) == []
        assert work.db.scalar(sa.select(sa.func.count()).select_from(request_log)) == 1


def test_an_id_given_by_hand_is_not_given_again(database: Database) -> None:
    """Imports and restores write their own ids. PostgreSQL's sequences follow by `copy_rows` only."""
    values: dict[str, Any] = {"id": 900}
    with database.write() as work:
        assert insert_minimal(work, "users", **values) == 900
        work.db.execute(metadata.tables["users"].delete())
        assert insert_minimal(work, "users") == 901
