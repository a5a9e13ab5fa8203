"""Grants given before they knew their source stay, also two that the old key took for different ones."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.database.rows import insert_minimal
from tests.upgrade import release_0_1_0
from vitrine.accounts.tables import record_grants
from vitrine.platform import migrate
from vitrine.platform.database import Database, UnitOfWork
from vitrine.schema import metadata
from vitrine.testing.postgresql import PostgreSQL

BEFORE = "e19d47b6a035"


@pytest.mark.both_databases
def test_each_old_grant_is_its_own_source(tmp_path: Path, database_url: str, request: pytest.FixtureRequest) -> None:
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if database_url else None
    database = Database(server.empty()) if server else Database.in_folder(tmp_path)
    migrate.upgrade(database, BEFORE)
    with database.write() as work:
        at = release_0_1_0.instant(work, 0)
        insert_parents(work)
        for reason in ("push", "push", "validate", "order", "share", "share"):
            release_0_1_0.insert(work, "record_grants", user_id=1, record_id=1, reason=reason, created=at)
        work.db.execute(sa.text("DELETE FROM record_grants WHERE id = 6"))
    migrate.upgrade(database)
    with database.write() as work:
        assert migrate.differences(work.db, metadata) == []
        rows = work.db.execute(sa.select(record_grants).order_by(record_grants.c.id)).all()
        assert [(row.id, row.source_kind, row.source_id) for row in rows] == [
            (1, "push", -1), (2, "push", -2), (3, "vote", -3), (4, "order", -4), (5, "basket", -5),
        ]  # fmt: skip
        values = {"user_id": 1, "record_id": 1, "source_kind": "push", "source_id": 1}
        assert insert_minimal(work, "record_grants", **values) == 7
    database.close()


PARENTS = {
    "users": {"id": 1, "login": "ada", "login_folded": "ada", "created": "at", "updated": "at"},
    "databoxes": {"id": 1, "name": "d", "view_name": "d", "labels": "{}", "created": "at"},
    "collections": {"id": 1, "databox_id": 1, "number": 1, "name": "c", "labels": "{}", "created": "at"},
    "records": {
        "id": 1, "databox_id": 1, "number": 1, "collection_id": 1, "kind": "image", "title": "t", "uuid": "u",
        "technical": "[]", "created": "at", "updated": "at",
    },
}  # fmt: skip


def insert_parents(work: UnitOfWork) -> None:
    """A person and a record, as the schema was before."""
    at = release_0_1_0.instant(work, 0)
    for name, values in PARENTS.items():
        release_0_1_0.insert(work, name, **{key: at if value == "at" else value for key, value in values.items()})
