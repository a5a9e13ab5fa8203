"""The sweep looks at a bounded number of things, goes on where it stopped, and waits for nobody (decision 0101)."""

import io
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.errors import Unavailable
from vitrine.library import sweep
from vitrine.library.sweep import Sweeper
from vitrine.library.tables import derived_files, removed_files, removed_records
from vitrine.media.service import Media
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server
from vitrine.testing.statements import recorded

pytestmark = pytest.mark.both_databases
GRACE = timedelta(days=7)


@pytest.fixture
def sweeper(server: Server, monkeypatch: pytest.MonkeyPatch) -> Sweeper:
    monkeypatch.setattr(sweep, "BATCH", 5)
    return Sweeper(server.services.database, server.services.media)


def orphans(server: Server, count: int, prefix: str = "orphan") -> list[str]:
    """Old blobs of no record; their digests in order."""
    store = server.services.media.store
    digests = []
    for number in range(count):
        with store.spool(io.BytesIO(f"{prefix} {number}".encode()), 1000) as spooled:
            digests.append(store.keep(spooled).sha256)
    age_blobs(server)
    return sorted(digests)


def age_blobs(server: Server) -> None:
    old = time.time() - 30 * 86_400
    for file in (server.settings.data_dir / "blobs").rglob("*"):
        if file.is_file():
            os.utime(file, (old, old))


def left(server: Server) -> list[str]:
    return [blob.sha256 for blob in server.services.media.store.listing()]


def remove(server: Server, work: Any, number: int, digests: list[str], days_ago: float = 8) -> None:
    row = {
        "databox_id": server.databox.id, "number": 10_000 + number, "title": "x", "kept": {},
        "removed_at": work.now - timedelta(days=days_ago),
    }  # fmt: skip
    removed_id = work.db.execute(removed_records.insert().values(**row)).inserted_primary_key[0]
    work.db.execute(removed_files.insert(), [{"removed_id": removed_id, "sha256": digest} for digest in digests])


def test_a_walk_looks_at_so_many_blobs_and_goes_on_after_them(server: Server, sweeper: Sweeper, tmp_path: Path) -> None:
    server.add(make.jpeg(tmp_path / "a.jpg", 320, 240), server.user("ada"))
    age_blobs(server)
    used = left(server)
    digests = orphans(server, 23)
    all_digests = left(server)
    assert all_digests == sorted(used + digests)
    looked_at = 0
    while looked_at < len(all_digests):
        sweeper.sweep(GRACE, blobs=10)
        looked_at += 10
        assert left(server) == sorted(used + [digest for digest in digests if digest in all_digests[looked_at:]])
    later = orphans(server, 8, "later")
    sweeper.sweep(GRACE, blobs=10)
    sweeper.sweep(GRACE, blobs=10)
    assert not set(later) & set(left(server)), "after the end it begins again"


def test_a_killed_walk_goes_on(server: Server, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = orphans(server, 20)
    delete = server.services.media.store.delete

    class Killed(BaseException):
        pass

    def deadly(sha256: str) -> None:
        if sha256 == digests[7]:
            raise Killed
        delete(sha256)

    monkeypatch.setattr(server.services.media.store, "delete", deadly)
    with pytest.raises(Killed):
        sweeper.sweep(GRACE, blobs=100)
    monkeypatch.setattr(server.services.media.store, "delete", delete)
    sweeper.sweep(GRACE, blobs=5)
    assert left(server) == digests[12:], "it began with what the killed one had left"


def test_the_bytes_of_a_deleted_record_go_without_the_walk(server: Server, sweeper: Sweeper) -> None:
    digests = orphans(server, 9)
    with server.services.database.write() as work:
        remove(server, work, 1, digests[:2])
        remove(server, work, 2, digests[1:4])
        remove(server, work, 3, digests[3:5], days_ago=6)
    assert sweeper.sweep(GRACE, blobs=0, derivatives=0) == 3
    assert left(server) == digests[3:], "what another deleted record may need stays"
    with server.services.database.read() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(removed_records)) == 1


def test_many_deleted_records_go_in_small_transactions(
    server: Server, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "REMOVED_BATCH", 3)
    digests = orphans(server, 10)
    with server.services.database.write() as work:
        for number, digest in enumerate(digests):
            remove(server, work, number, [digest])
    deleted: list[int] = []
    transaction = server.services.database.write

    def watched(**options: Any) -> Any:
        deleted.append(10 - len(left(server)))
        return transaction(**options)

    monkeypatch.setattr(server.services.database, "write", watched)
    assert sweeper.sweep(GRACE, blobs=0, derivatives=0) == 10
    steps = [after - before for before, after in zip(deleted, [*deleted[1:], 10], strict=True)]
    assert [step for step in steps if step] == [3, 3, 3, 1]


def test_rows_of_deleted_records_go_before_their_bytes(
    server: Server, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that are gone do not come back with the rows of a transaction that fails."""
    digests = orphans(server, 4)
    with server.services.database.write() as work:
        for number, digest in enumerate(digests):
            remove(server, work, number, [digest])
    delete = Media.delete_blob

    def refuse(self: Media, sha256: str) -> None:
        if len(left(server)) < 4:
            raise Unavailable("The store is away.")
        delete(self, sha256)

    monkeypatch.setattr(Media, "delete_blob", refuse)
    with pytest.raises(Unavailable):
        sweeper.sweep(GRACE, blobs=0, derivatives=0)
    with server.services.database.read() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(removed_records)) == 0
    monkeypatch.undo()
    assert sweeper.sweep(GRACE) == 3, "the walk finds the rest"


def test_derivatives_of_what_is_gone_go_some_at_a_time(server: Server, sweeper: Sweeper, tmp_path: Path) -> None:
    key = server.add(make.jpeg(tmp_path / "a.jpg", 320, 240), server.user("ada"))
    with server.services.database.write() as work:
        used = work.db.exec_driver_sql(f"SELECT sha256 FROM records WHERE number = {key.number}").scalar()
        sources = [f"{number:x}" * 64 for number in range(12)]
        rows = [
            {"source": source, "recipe": recipe, "sha256": f"{place:064}", "mime": "image/jpeg", "extension": "jpg",
             "size": 1, "created": work.now}
            for place, source in enumerate([*sources, used]) for recipe in ("a", "b")
        ]  # fmt: skip
        work.db.execute(derived_files.insert(), rows)

    def kept() -> int:
        with server.services.database.read() as work:
            return int(work.db.scalar(sa.select(sa.func.count()).select_from(derived_files)) or 0)

    numbers = []
    for _ in range(5):
        sweeper.sweep(GRACE, blobs=0, derivatives=5)
        numbers.append(kept())
    assert numbers[0] >= 26 - 5, "a bounded number a run"
    assert numbers == sorted(numbers, reverse=True)
    for _ in range(5):
        sweeper.sweep(GRACE, blobs=0, derivatives=5)
    assert kept() == 2, "those of the record"


def test_a_run_takes_as_many_statements_in_a_large_store(server: Server, sweeper: Sweeper) -> None:
    counts = []
    for more in (30, 120):
        orphans(server, more, f"more {more}")
        with recorded(server.services.database) as statements:
            sweeper.sweep(GRACE, blobs=10, derivatives=10)
        counts.append(len(statements))
    assert counts[1] <= counts[0], counts


@pytest.fixture(autouse=True)
def _no_young_files(server: Server) -> Iterator[None]:
    age_blobs(server)
    yield
