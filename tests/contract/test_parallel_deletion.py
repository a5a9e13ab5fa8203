"""Four clients delete twenty records at once (02 §6.6): all are deleted, nobody is sent away."""

import threading
from pathlib import Path

import pytest

from vitrine.accounts import COMMAND
from vitrine.library import counts
from vitrine.library.arrivals import Arrival
from vitrine.library.ingest import Added
from vitrine.library.model import CollectionId, RecordKey
from vitrine.media.probe import Probe
from vitrine.testing.server import Server

CLIENTS, RECORDS = 4, 20


@pytest.mark.both_databases
def test_four_clients_delete_twenty_records(server: Server, tmp_path: Path) -> None:
    token = server.token(server.user("ada"))
    base = CollectionId(server.photographs.id)
    keys: list[RecordKey] = []
    with server.services.database.write() as work:
        for number in range(RECORDS):
            arrival = Arrival(f"{number}.txt", f"{number:064x}", 1, Probe("unknown", "text/plain"))
            outcome = server.services.library.ingest.add(work, COMMAND, arrival, base, force=True)
            assert isinstance(outcome, Added)
            keys.append(outcome.key)
    answers: list[int] = []
    start = threading.Barrier(CLIENTS)

    def delete(own: list[RecordKey]) -> None:
        start.wait()
        for key in own:
            answer = server.call("DELETE", f"/api/v1/records/{key.databox}/{key.number}/", token)
            answers.append(answer.status_code)

    threads = [threading.Thread(target=delete, args=(keys[client::CLIENTS],)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * RECORDS
    with server.services.database.read() as work:
        assert counts.of(work, [base]) == {base: 0}
    server.work()
    assert server.services.search.index.count() == 0
