"""A collection that was called `_TRASH_` before that name meant a bin."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.upgrade import release_0_1_0
from tests.upgrade.test_record_grants import PARENTS, insert_parents
from vitrine.library.model import BIN
from vitrine.library.tables import records
from vitrine.platform import migrate
from vitrine.platform.database import Database
from vitrine.testing.postgresql import PostgreSQL

BEFORE = "1b7f4e92c6d8"


@pytest.mark.both_databases
def test_what_is_in_it_is_no_longer_public_by_link(
    tmp_path: Path, database_url: str, request: pytest.FixtureRequest
) -> None:
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if database_url else None
    database = Database(server.empty()) if server else Database.in_folder(tmp_path)
    migrate.upgrade(database, BEFORE)
    with database.write() as work:
        at = release_0_1_0.instant(work, 0)
        insert_parents(work)
        own = {**PARENTS["collections"], "id": 2, "number": 2, "name": BIN, "created": at}
        release_0_1_0.insert(work, "collections", **own)
        binned = {**PARENTS["records"], "id": 2, "number": 2, "collection_id": 2, "created": at, "updated": at}
        release_0_1_0.insert(work, "records", **binned)
    migrate.upgrade(database)
    with database.read() as work:
        columns = (records.c.public_by_link, records.c.public_before_bin)
        assert [tuple(row) for row in work.db.execute(sa.select(*columns).order_by(records.c.id))] == [
            (True, None),
            (False, True),
        ]
    database.close()
