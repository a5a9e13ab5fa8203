"""Rows copied between databases, as backup and restore do."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from tests.database.rows import insert_minimal
from vitrine.accounts.tables import users
from vitrine.library.tables import records
from vitrine.oauth.tables import access_tokens
from vitrine.operations.snapshot import copy_rows, snapshot
from vitrine.platform import migrate
from vitrine.platform.database import Database
from vitrine.schema import metadata
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


def test_rows_that_refer_to_later_rows_of_their_table_are_copied(databases: tuple[Database, Database]) -> None:
    """A story is older than its cover; a token may have been made with one that has a higher id."""
    source, target = databases
    with source.write() as work:
        story, cover = insert_minimal(work, "records", is_story=True), insert_minimal(work, "records")
        work.db.execute(records.update().where(records.c.id == story).values(cover_record_id=cover))
        first_token, second_token = insert_minimal(work, "access_tokens"), insert_minimal(work, "access_tokens")
        work.db.execute(
            access_tokens.update().where(access_tokens.c.id == first_token).values(made_by_token_id=second_token)
        )
    copy_rows(source, target)
    with target.write() as work:
        assert work.db.scalar(sa.select(records.c.cover_record_id).where(records.c.id == story)) == cover
        assert (
            work.db.scalar(sa.select(access_tokens.c.made_by_token_id).where(access_tokens.c.id == first_token))
            == second_token
        )
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"), target.write() as work:
        # Outside a copy a reference is checked at once, where the statement at fault is known.
        work.db.execute(records.update().where(records.c.id == story).values(cover_record_id=999))
        pytest.fail("the reference was not checked by its statement")


def test_each_reference_inside_a_table_can_wait_for_the_end_of_a_copy() -> None:
    """Tables are copied parents first, so only these refer to rows that come later."""
    order = {table: place for place, table in enumerate(metadata.sorted_tables)}
    later = [
        key for table in order for key in table.foreign_key_constraints if order[key.referred_table] >= order[table]
    ]
    assert {f"{key.table.name}.{key.column_keys[0]}" for key in later} == {
        "records.cover_record_id", "access_tokens.made_by_token_id",
    }  # fmt: skip
    assert all(key.deferrable and key.initially == "IMMEDIATE" for key in later)


@pytest.mark.both_databases
def test_ids_of_deleted_rows_are_not_given_by_a_backup(database: Database, tmp_path: Path) -> None:
    with database.write() as work:
        gone = insert_minimal(work, "users")
        work.db.execute(users.delete())
    (tmp_path / "copy").mkdir()
    snapshot(database, tmp_path / "copy" / "rows.sqlite3")
    copy = Database(f"sqlite:///{tmp_path / 'copy' / 'rows.sqlite3'}")
    with copy.write() as work:
        assert insert_minimal(work, "users") > gone
    copy.close()
