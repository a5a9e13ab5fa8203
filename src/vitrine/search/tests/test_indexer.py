from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import Via
from vitrine.jobs import store as job_rows
from vitrine.jobs.tables import jobs
from vitrine.library.events import RecordChanged
from vitrine.library.model import CollectionId, RecordId
from vitrine.library.tables import records
from vitrine.platform.database import UnitOfWork
from vitrine.search import indexer, tantivy_index
from vitrine.search.indexer import INDEX, REBUILD, Indexer
from vitrine.search.model import IndexDocument
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


def refuse(monkeypatch: pytest.MonkeyPatch, *rids: int) -> None:
    """Make the engine unable to take these records."""
    convert = tantivy_index._document

    def converted(document: IndexDocument) -> Any:
        if document.rid in rids:
            raise ValueError("a document that the engine cannot take")
        return convert(document)

    monkeypatch.setattr(tantivy_index, "_document", converted)


def test_a_record_that_cannot_be_indexed_holds_up_no_other(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = server.user("ada")
    token = server.token(ada)
    refuse(monkeypatch, 3)
    arrivals = [
        server.services.library.ingest.take(make.jpeg(tmp_path / f"{n}.jpg", seed=n), f"{n}.jpg") for n in range(5)
    ]
    with server.services.database.write() as work:
        actor = server.services.accounts.users.actor_of(work, ada, Via.COMMAND)
        for arrival in arrivals:  # their index jobs are one batch
            server.services.library.ingest.add(work, actor, arrival, CollectionId(server.photographs.id), force=True)
    server.work()
    assert server.get("/search/", token)["total_results"] == 4
    with server.services.database.read() as work:
        assert job_rows.waiting(work) == {INDEX.name: 1}
        errors = work.db.scalars(sa.select(jobs.c.last_error)).all()
    assert errors == ["ValueError: a document that the engine cannot take"]


@pytest.mark.parametrize("fault", ["engine", "row"])
def test_a_rebuild_leaves_out_what_cannot_be_indexed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    ada = server.user("ada")
    token = server.token(ada)
    for number in range(5):
        server.add(make.jpeg(tmp_path / f"{number}.jpg", seed=number), ada)
    if fault == "engine":
        refuse(monkeypatch, 3)
    else:
        read = Indexer.documents

        def documents(indexer: Indexer, work: UnitOfWork, ids: list[RecordId]) -> list[IndexDocument]:
            if 3 in ids:
                raise ValueError("a row that cannot be read")
            return read(indexer, work, ids)

        monkeypatch.setattr(Indexer, "documents", documents)
    with server.services.database.write() as work:
        server.services.jobs.add(work, REBUILD, {}, key="all")
    server.work()
    assert server.get("/search/", token)["total_results"] == 4
    with server.services.database.read() as work:
        assert job_rows.waiting(work) == {INDEX.name: 1}, "it is tried again alone"


def test_a_rebuild_that_can_index_nothing_leaves_the_old_index(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = server.user("ada")
    token = server.token(ada)
    for number in range(3):
        server.add(make.jpeg(tmp_path / f"{number}.jpg", seed=number), ada)
    monkeypatch.setattr(indexer, "MOST_LEFT_OUT", 2)
    refuse(monkeypatch, 1, 2, 3)
    with server.services.database.write() as work:
        server.services.jobs.add(work, REBUILD, {}, key="all")
    server.work()
    assert server.get("/search/", token)["total_results"] == 3


@pytest.mark.parametrize("year", [1, 1583, 2150, 9999])
def test_records_of_any_year_are_found(server: Server, tmp_path: Path, year: int) -> None:
    ada = server.user("ada")
    token = server.token(ada)
    server.add(make.jpeg(tmp_path / "a.jpg"), ada)
    with server.services.database.write() as work:
        work.db.execute(records.update().values(created=datetime(year, 6, 1, tzinfo=UTC)))
        work.emit(RecordChanged(RecordId(1)))
    server.work()
    assert server.get("/search/", token)["total_results"] == 1
    with server.services.database.read() as work:
        assert job_rows.waiting(work) == {}
