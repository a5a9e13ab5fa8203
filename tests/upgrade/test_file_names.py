"""Records of before get the folded form of their file name, in batches."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.upgrade import release_0_1_0
from tests.upgrade.test_record_grants import PARENTS, insert_parents
from vitrine.library.tables import records
from vitrine.platform import migrate
from vitrine.platform.database import Database
from vitrine.schema import metadata
from vitrine.testing.postgresql import PostgreSQL

BEFORE = "c70a9f2e4d18"
MANY = 2_500  # more than two batches
_COPY = (
    "INSERT INTO records (id, databox_id, number, collection_id, kind, title, uuid, technical, original_name, created,"
    " updated) SELECT :number, 1, :number, 1, kind, title, uuid, technical, 'X.jpg', created, updated"
    " FROM records WHERE id = 1"
)


@pytest.mark.both_databases
def test_every_name_is_folded(tmp_path: Path, database_url: str, request: pytest.FixtureRequest) -> None:
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if database_url else None
    database = Database(server.empty()) if server else Database.in_folder(tmp_path)
    migrate.upgrade(database, BEFORE)
    names = ["ÉTÉ.JPG", None, "b.jpg", "C.jpg", "e\u0301.jpg"]
    with database.write() as work:
        at = release_0_1_0.instant(work, 0)
        insert_parents(work)
        for number, name in enumerate(names, start=2):
            row = {**PARENTS["records"], "id": number * 10, "number": number, "original_name": name}
            release_0_1_0.insert(work, "records", **{key: at if value == "at" else value for key, value in row.items()})
        work.db.execute(sa.text(_COPY), [{"number": number} for number in range(1_000, 1_000 + MANY)])
    migrate.upgrade(database)
    with database.read() as work:
        assert migrate.differences(work.db, metadata) == []
        rows = list(work.db.scalars(sa.select(records.c.original_name_folded).order_by(records.c.id)))
    assert rows[6:] == ["x.jpg"] * MANY
    assert rows[:6] == [None, "été.jpg", None, "b.jpg", "c.jpg", "é.jpg"]
    database.close()
