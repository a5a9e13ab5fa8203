"""Numbers of records of collections: always what COUNT(*) gives, whatever changes and whoever dies."""

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from vitrine.accounts import COMMAND
from vitrine.errors import Unavailable
from vitrine.library import counts, store
from vitrine.library.arrivals import Arrival
from vitrine.library.ingest import Added, Quarantined
from vitrine.library.model import CollectionId, RecordKey
from vitrine.library.tables import collection_count_deltas, records
from vitrine.media.probe import Probe
from vitrine.platform.database import UnitOfWork
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases


def counted(work: UnitOfWork, server: Server) -> dict[CollectionId, int]:
    by_collection = dict.fromkeys((server.photographs.id, server.archive.id), 0)
    rows = work.db.execute(sa.select(records.c.collection_id, sa.func.count()).group_by(records.c.collection_id))
    return by_collection | {CollectionId(row[0]): row[1] for row in rows}


def assert_exact(server: Server) -> None:
    with server.services.database.read() as work:
        assert counts.of(work, [server.photographs.id, server.archive.id]) == counted(work, server)
        assert counts.differences(work) == {}


def arrival(number: int) -> Arrival:
    return Arrival(f"{number}.txt", f"{number:064x}", 1, Probe("unknown", "text/plain"))


class Changing:
    """Random changes through the services, as an administrator."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server, self.library = server, server.services.library
        self.random = random.Random(seed)
        self.present: list[RecordKey] = []
        self.removed: list[RecordKey] = []
        self.waiting: list[int] = []
        self.number = 0

    def change(self) -> None:
        kinds: list[Callable[[UnitOfWork], None]] = [
            self.add, self.add, self.quarantine, self.accept, self.move, self.remove, self.restore,
        ]  # fmt: skip
        chosen = self.random.choice(kinds)
        state = (list(self.present), list(self.removed), list(self.waiting))
        try:
            with self.server.services.database.write() as work:
                chosen(work)
                if self.random.random() < 0.2:
                    give_up()
        except _GivenUp:
            self.present, self.removed, self.waiting = state

    def into(self) -> CollectionId:
        return self.random.choice((self.server.photographs.id, self.server.archive.id))

    def add(self, work: UnitOfWork, *, force: bool = True) -> None:
        self.number += 1
        outcome = self.library.ingest.add(work, COMMAND, arrival(self.number), self.into(), force=force)
        if isinstance(outcome, Added):
            self.present.append(outcome.key)
        else:
            assert isinstance(outcome, Quarantined)
            self.waiting.append(outcome.item)

    def quarantine(self, work: UnitOfWork) -> None:
        self.add(work, force=False)

    def accept(self, work: UnitOfWork) -> None:
        if self.waiting:
            self.number += 1
            key = self.library.quarantine.accept(work, COMMAND, self.waiting.pop(), arrival(self.number))
            self.present.append(key)

    def move(self, work: UnitOfWork) -> None:
        if self.present:
            self.library.changes.move(work, COMMAND, self.random.choice(self.present), self.into())

    def remove(self, work: UnitOfWork) -> None:
        if self.present:
            key = self.present.pop(self.random.randrange(len(self.present)))
            self.library.removal.remove(work, COMMAND, key)
            self.removed.append(key)

    def restore(self, work: UnitOfWork) -> None:
        if self.removed:
            key = self.removed.pop()
            self.library.removal.restore(work, COMMAND, key)
            self.present.append(key)


class _GivenUp(Exception):
    """A change that fails after everything was written."""


def give_up() -> None:
    raise _GivenUp


def fold_and_die(server: Server) -> None:
    with pytest.raises(_GivenUp), server.services.database.write(alone=False) as work:
        counts.fold(work)
        give_up()


@pytest.mark.parametrize("seed", range(6))
def test_counts_are_exact_after_every_change(server: Server, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "FOLDED_AT_ONCE", 3)
    changing = Changing(server, seed)
    for _ in range(60):
        changing.change()
        assert_exact(server)
        if changing.random.random() < 0.3:
            fold_and_die(server)
            assert_exact(server)
        if changing.random.random() < 0.2:
            server.services.deferred_writes.fold()
            assert_exact(server)
            with server.services.database.read() as work:
                assert work.db.scalar(sa.select(sa.func.count()).select_from(collection_count_deltas)) == 0
    assert changing.present


_KILLED = """
import os, signal, sys
from pathlib import Path
from vitrine.library import counts
from vitrine.platform.database import Database
database = Database(sys.argv[1]) if sys.argv[1] else Database.in_folder(Path(sys.argv[2]))
with database.write(alone=False) as work:
    assert counts.fold(work) == 3
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_in_the_middle_of_a_fold_loses_nothing(server: Server, database_url: str) -> None:
    changing = Changing(server, 0)
    with server.services.database.write() as work:
        for _ in range(3):
            changing.add(work)
    arguments = [sys.executable, "-c", _KILLED, database_url, str(server.settings.data_dir)]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    assert_exact(server)
    server.services.deferred_writes.fold()
    assert_exact(server)


def test_concurrent_writers_and_folds_meet_no_conflict(server: Server) -> None:
    """Each difference is a row of its own, and a fold takes only rows that no other holds."""
    failures: list[BaseException] = []
    start = threading.Barrier(5)

    def write(seed: int) -> None:
        changing = Changing(server, seed)
        changing.number = seed * 1000
        start.wait()
        for _ in range(10):
            with server.services.database.write() as work:
                changing.add(work)

    def fold() -> None:
        start.wait()
        for _ in range(20):
            with server.services.database.write(alone=False) as work:
                counts.fold(work)

    def guarded(call: Callable[[], None]) -> None:
        try:
            call()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(lambda seed=seed: write(seed),)) for seed in (1, 2, 3)]
    threads += [threading.Thread(target=guarded, args=(fold,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert_exact(server)
    with server.services.database.read() as work:
        assert sum(counts.of(work, [server.photographs.id, server.archive.id]).values()) == 30


def test_the_listing_of_collections_needs_no_fold(server: Server) -> None:
    token = server.token(server.user("ada"))
    changing = Changing(server, 4)
    with server.services.database.write() as work:
        for _ in range(4):
            changing.add(work)
        changing.move(work)
        changing.remove(work)
    with server.services.database.read() as work:
        expected = counted(work, server)

    def listed() -> dict[int, int]:
        collections = server.get(f"/databoxes/{server.databox.id}/collections/", token)["collections"]
        return {collection["base_id"]: collection["record_amount"] for collection in collections.values()}

    assert listed() == expected
    server.services.deferred_writes.fold()
    assert listed() == expected


def test_what_was_written_past_the_store_is_repaired(server: Server) -> None:
    changing = Changing(server, 1)
    with server.services.database.write() as work:
        for _ in range(5):
            changing.add(work)
        work.db.execute(collection_count_deltas.delete())
    with server.services.database.read() as work:
        assert sum(counts.differences(work).values()) == 5
    with server.services.database.write() as work:
        assert counts.repair(work) in (1, 2)
    assert_exact(server)
    with server.services.database.write() as work:
        assert counts.repair(work) == 0


def test_a_busy_database_delays_a_fold(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    changing = Changing(server, 2)
    with server.services.database.write() as work:
        changing.add(work)

    def busy(*_args: object, **_options: object) -> None:
        raise Unavailable("busy", why="locked")

    with monkeypatch.context() as patch:
        patch.setattr(server.services.database, "write", busy)
        server.services.deferred_writes.fold()
    assert_exact(server)


def test_a_record_deleted_twice_counts_once(server: Server) -> None:
    changing = Changing(server, 3)
    with server.services.database.write() as work:
        changing.add(work)
        record_id = store.id_of(work, changing.present[0])
        assert record_id is not None
        store.delete_record(work, record_id)
        store.delete_record(work, record_id)
    assert_exact(server)
