from pathlib import Path

from vitrine.jobs import store as job_rows
from vitrine.search.indexer import REBUILD
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server


def test_a_rebuild_finds_every_record_again_and_no_job_is_left(server: Server, tmp_path: Path) -> None:
    ada = server.user("ada")
    token = server.token(ada)
    for number in range(3):
        server.add(make.jpeg(tmp_path / f"{number}.jpg", seed=number), ada)
    (server.settings.data_dir / "index" / "current").unlink()
    with server.services.database.write() as work:
        server.services.jobs.add(work, REBUILD, {}, key="all")
    server.work()
    assert server.get("/search/", token)["total_results"] == 3
    with server.services.database.read() as work:
        assert job_rows.waiting(work) == {}
        assert job_rows.dead(work) == []


def test_an_empty_library_can_be_rebuilt(server: Server) -> None:
    with server.services.database.read() as work:
        assert job_rows.waiting(work) == {}, "the rebuild of a new instance is done and did not fail"
