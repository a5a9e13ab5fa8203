"""The page of the files that wait, read as a program without script reads it."""

from pathlib import Path

import pytest

from vitrine.accounts import COMMAND
from vitrine.library.ingest import Quarantined
from vitrine.library.model import CollectionId, RecordKey
from vitrine.library.quarantine.checks import CHECKS
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server, Visitor


@pytest.fixture
def visitor(server: Server) -> Visitor:
    return server.browser(server.user("ada"))


def add_waiting(server: Server, file: Path) -> int:
    """Send *file* to a collection that checks its contents."""
    services = server.services
    with services.database.write() as work:
        services.library.quarantine.set_policy(work, COMMAND, {"Sha256": {"on": True}}, base=server.photographs.id)
    arrival = services.library.ingest.take(file, "again.jpg")
    with services.database.write() as work:
        outcome = services.library.ingest.add(work, COMMAND, arrival, CollectionId(server.photographs.id))
    assert isinstance(outcome, Quarantined)
    return outcome.item


def test_a_file_that_waits_is_shown_beside_the_record_it_clashes_with(
    server: Server, visitor: Visitor, tmp_path: Path
) -> None:
    file = make.jpeg(tmp_path / "harbour.jpg")
    key: RecordKey = server.add(file, server.user("owner"))
    item = add_waiting(server, file)
    answer = visitor.get("/library/quarantine/")
    assert answer.status_code == 200
    assert "1 file waits" in answer.text
    assert "again.jpg" in answer.text
    assert f'value="add:{item}"' in answer.text
    assert f'value="substitute:{item}:{key.number}"' in answer.text
    assert f'href="/records/{key.databox}/{key.number}/"' in answer.text
    assert CHECKS["Sha256"].of_match in answer.text


def test_without_a_file_that_waits_it_says_so(visitor: Visitor) -> None:
    assert "Nothing waits" in visitor.get("/library/quarantine/").text


def test_somebody_who_may_not_decide_sees_no_file(server: Server, tmp_path: Path) -> None:
    file = make.jpeg(tmp_path / "harbour.jpg")
    server.add(file, server.user("owner"))
    item = add_waiting(server, file)
    eve = server.browser(server.user("eve", None))
    assert "again.jpg" not in eve.get("/library/quarantine/").text
    assert eve.get(f"/library/quarantine/{item}/picture/").status_code == 404
