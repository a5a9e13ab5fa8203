"""Rows copied between databases, as backup and restore do."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.database.rows import insert_minimal
from vitrine.accounts.tables import users
from vitrine.operations.snapshot import copy_rows, snapshot
from vitrine.platform import migrate
from vitrine.platform.database import Database
from vitrine.testing.postgresql import PostgreSQL

KINDS = ("sqlite", "postgresql")


@pytest.fixture(params=list(product(KINDS, KINDS)), ids="-".join)
def databases(
    request: pytest.FixtureRequest, tmp_path: Path, postgresql: PostgreSQL
) -> Iterator[tuple[Database, Database]]:
    """A source and a target, both empty."""
    pair = []
    for place, kind in enumerate(request.param):
        database = Database.in_folder(tmp_path / str(place)) if kind == "sqlite" else Database(postgresql.empty())
        migrate.upgrade(database)
        pair.append(database)
    yield pair[0], pair[1]
    for database in pair:
        database.close()


def test_ids_of_deleted_rows_are_not_given_by_the_copy(databases: tuple[Database, Database]) -> None:
    source, target = databases
    with source.write() as work:
        first, last = insert_minimal(work, "users"), insert_minimal(work, "users")
        work.db.execute(users.delete().where(users.c.id == last))
        only_sessions = insert_minimal(work, "sessions", user_id=first)
        work.db.execute(sa.text("DELETE FROM sessions"))
    copy_rows(source, target)
    with target.write() as work:
        assert insert_minimal(work, "users") > last
        assert insert_minimal(work, "sessions", user_id=first) > only_sessions
        assert insert_minimal(work, "applications", creator_id=first) == 1


@pytest.mark.both_databases
def test_nor_by_a_backup(database: Database, tmp_path: Path) -> None:
    with database.write() as work:
        gone = insert_minimal(work, "users")
        work.db.execute(users.delete())
    (tmp_path / "copy").mkdir()
    snapshot(database, tmp_path / "copy" / "rows.sqlite3")
    copy = Database(f"sqlite:///{tmp_path / 'copy' / 'rows.sqlite3'}")
    with copy.write() as work:
        assert insert_minimal(work, "users") > gone
    copy.close()
