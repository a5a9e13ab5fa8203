"""doctor, backup and inventory merge ordered streams: their memory does not grow with the library (decision 0103)."""

import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.errors import Unavailable
from vitrine.library.tables import derived_files
from vitrine.media.storage import Listed
from vitrine.operations import backup, doctor, inventory, restore
from vitrine.operations.doctor import Instance
from vitrine.operations.export import import_bag, write_bag
from vitrine.operations.findings import FAULT, OK, WARNING
from vitrine.operations.manifest import BLOBS, MANIFEST, blob_path, files_below
from vitrine.platform.tables import audit_log
from vitrine.settings import Settings
from vitrine.testing.server import Server

FEW, MANY = 1_000, 20_000
GROWTH_BYTES = 256 * 1024  # for 19,000 more rows: less than 14 bytes each


def digest(number: int) -> str:
    return f"{number:064x}"


class Listing:
    """A store of *count* files that nobody has to write."""

    def __init__(self, count: int, *, size: int = 1, order: int = 1) -> None:
        self.count, self.file_size, self.order = count, size, order

    def listing(self, after: str = "") -> Iterator[Listed]:
        old = datetime.now(UTC) - timedelta(days=30)
        for number in range(self.count)[:: self.order]:
            yield Listed(digest(number), self.file_size, old)

    def size(self, sha256: str) -> int:
        raise Unavailable("not listed", why=sha256)


def fill(server: Server, start: int, stop: int) -> None:
    with server.services.database.write() as work:
        now = work.now
        rows = [
            {"source": digest(number), "recipe": "x", "sha256": digest(number), "mime": "", "extension": "", "size": 1,
             "created": now}
            for number in range(start, stop)
        ]  # fmt: skip
        work.db.execute(derived_files.insert(), rows)


def peak_of(call: Callable[[], Any]) -> int:
    call()  # caches are filled
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.both_databases
def test_rows_and_files_are_compared_in_constant_memory(server: Server) -> None:
    peaks = []
    for start, stop in ((0, FEW), (FEW, MANY)):
        fill(server, start, stop)
        store: Any = Listing(stop)
        instance = Instance(server.settings, server.services.database, store, deep=False)
        findings = list(doctor.documents(instance))
        assert [(finding.check, finding.state) for finding in findings] == [("documents", OK), ("orphans", OK)]
        assert findings[0].text.startswith(f"{stop} files are present")
        peaks.append(peak_of(lambda instance=instance: list(doctor.documents(instance))))  # type: ignore[misc]
    assert peaks[1] - peaks[0] < GROWTH_BYTES, peaks


@pytest.mark.both_databases
def test_the_contents_are_counted_in_constant_memory(server: Server) -> None:
    peaks = []

    def count() -> None:
        with server.services.database.read() as work:
            inventory.contents(work)

    for start, stop in ((0, FEW), (FEW, MANY)):
        fill(server, start, stop)
        peaks.append(peak_of(count))
    assert peaks[1] - peaks[0] < GROWTH_BYTES, peaks


def test_rows_are_exported_imported_and_compared_in_constant_memory(server: Server, tmp_path: Path) -> None:
    """17,000 rows more, held at once, would be more than 10 MB; what the two instances take differs by less."""
    peaks = []
    for number, (start, stop) in enumerate(((0, 3_000), (3_000, 20_000))):
        with server.services.database.write() as work:
            rows = [
                {"at": work.now, "action": "test", "object": f"row {row}", "address": ""} for row in range(start, stop)
            ]
            work.db.execute(audit_log.insert(), rows)
        targets = (tmp_path / f"{number} {run}" for run in range(2))

        def once(targets: Iterator[Path] = targets) -> None:
            target = next(targets)
            write_bag(server.settings, target)
            there = Settings(data_dir=target.with_suffix(".there"))
            import_bag(there, target)
            assert [finding.state for finding in doctor.compare(there, target)] == [OK]

        peaks.append(peak_of(once))
    assert peaks[1] - peaks[0] < 4 * 2**20, peaks


def test_no_column_of_digests_is_sorted_in_memory(server: Server) -> None:
    """SQLite keeps what it sorts or groups in memory: each column needs an index in the order of digests."""
    with server.services.database.read() as work:
        assert work.driver is not None
        for column in inventory._blob_columns():
            statement = sa.select(column, inventory._size_column(column.table)).where(column.is_not(None))
            plan = str(work.driver.execute(f"EXPLAIN QUERY PLAN {statement.order_by(column)}").fetchall())
            assert "TEMP B-TREE" not in plan, (str(column), plan)


@pytest.mark.both_databases
def test_each_kind_of_difference_is_told(server: Server) -> None:
    fill(server, 0, 30)
    with server.services.database.write() as work:
        work.db.execute(derived_files.update().where(derived_files.c.sha256 == digest(7)).values(size=2))
        work.db.execute(derived_files.delete().where(derived_files.c.sha256 == digest(9)))
    store: Any = Listing(29)
    store.size = lambda sha256: 1 if sha256 == digest(29) else 0
    instance = Instance(server.settings, server.services.database, store, deep=False)
    findings = {(finding.check, finding.state): finding.text for finding in doctor.documents(instance)}
    assert set(findings) == {("documents", FAULT), ("orphans", WARNING)}
    assert f"{digest(7)} is damaged (1 bytes instead of 2)" in findings["documents", FAULT]
    assert findings["orphans", WARNING].startswith("1 files")


def test_a_store_that_lists_in_another_order_is_no_basis_for_an_answer(server: Server) -> None:
    store: Any = Listing(10, order=-1)
    with server.services.database.read() as work, pytest.raises(Unavailable, match="in order"):
        list(inventory.compared(work, store))


def copied(folder: Path, count: int) -> None:
    """*count* documents of a backup, with one between each two that no row names."""
    (folder / "blobs").mkdir(parents=True, exist_ok=True)
    listed = []
    for number in range(count):
        sha256 = f"{number * 7919 % 65_536:04x}{number:060x}"
        path = blob_path(folder, sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        if number % 2 == 0:
            listed.append(sha256)
        if number % 10 == 0:
            path.with_suffix(".part").write_bytes(b"")
    (folder / BLOBS).write_text("".join(f"{sha256} 0\n" for sha256 in sorted(listed)))
    (folder / MANIFEST).write_text("{}")


def test_what_an_interrupted_backup_left_is_deleted_in_constant_memory(tmp_path: Path) -> None:
    peaks = []
    for count in (200, 4_000):
        folder = tmp_path / str(count)
        copied(folder, count)
        backup._delete_unlisted(folder)
        names = [path.name for path in files_below(folder / "blobs")]
        assert names == [line.split()[0] for line in (folder / BLOBS).read_text().splitlines()]
        peaks.append(peak_of(lambda folder=folder: backup._delete_unlisted(folder)))  # type: ignore[misc]
    assert peaks[1] - peaks[0] < GROWTH_BYTES, peaks


def test_a_backup_in_one_file_is_packed_and_unpacked_in_constant_memory(tmp_path: Path) -> None:
    packed, unpacked = [], []
    for count in (200, 4_000):
        folder, target = tmp_path / str(count), tmp_path / f"{count}.tar"
        copied(folder, count)
        packed.append(peak_of(lambda folder=folder, target=target: backup._pack(folder, target)))  # type: ignore[misc]
        with tarfile.open(target) as archive:
            assert archive.getnames() == [MANIFEST] + [
                str(path.relative_to(folder)) for path in sorted(folder.rglob("*"))
                if path.is_file() and path.name != MANIFEST
            ]  # fmt: skip
        staging = tmp_path / f"staging-{count}"
        tracemalloc.start()
        into = restore._unpack(target, staging)
        unpacked.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(list(files_below(into))) == len(list(files_below(folder)))
    assert packed[1] - packed[0] < GROWTH_BYTES * 2, packed  # names of folders: as many as there are, here and always
    assert unpacked[1] - unpacked[0] < GROWTH_BYTES * 2, unpacked
