"""What tests are given: servers copied from one template are equal at first and share nothing."""

from pathlib import Path

import pytest

from vitrine.platform import migrate
from vitrine.schema import metadata
from vitrine.testing.server import Server
from vitrine.testing.template import copied_database


@pytest.mark.both_databases
def test_a_new_server_has_one_databox_with_two_collections_and_no_job(server: Server) -> None:
    with server.services.database.read() as work:
        structure = server.services.library.records.structure(work)
        jobs = work.db.exec_driver_sql("SELECT count(*) FROM jobs").scalar()
    assert structure.databoxes == {server.databox.id: server.databox}
    assert structure.collections == {base.id: base for base in (server.photographs, server.archive)}
    assert (server.databox.name, server.photographs.name, server.archive.name) == ("Museum", "Photographs", "Archive")
    assert (jobs, server.services.search.index.needs_rebuild()) == (0, False)


def test_two_servers_share_neither_key_nor_rows(tmp_path: Path) -> None:
    first, second = Server(tmp_path / "first"), Server(tmp_path / "second")
    token = first.token(first.user("ada"))
    assert first.call("GET", "/api/v1/me/", token).status_code == 200
    assert second.call("GET", "/api/v1/me/", token).status_code == 401
    keys = [(folder / "server.key").read_text() for folder in (tmp_path / "first", tmp_path / "second")]
    assert keys[0] != keys[1]
    first.close()
    second.close()


def test_a_copied_database_has_the_newest_schema_and_is_closed_to_others(tmp_path: Path) -> None:
    database = copied_database(tmp_path / "data")
    with database.read() as work:
        assert migrate.revision(work.db) == migrate.newest()
        assert migrate.differences(work.db, metadata) == []
    database.close()
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "data", tmp_path / "data" / "vitrine.sqlite3")]
    assert modes == [0o750, 0o600]
