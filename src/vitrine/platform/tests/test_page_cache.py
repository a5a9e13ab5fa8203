"""SQLite's page cache is bounded for the process, not for each thread."""

import threading
from pathlib import Path

from vitrine.platform import engines
from vitrine.platform.database import Database


def test_threads_share_one_bound(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path)
    limits: list[int] = []

    def read() -> None:
        with database.read() as work:
            limits.append(work.db.exec_driver_sql("PRAGMA soft_heap_limit").scalar_one())
            assert work.db.exec_driver_sql("PRAGMA mmap_size").scalar() in (0, None), "a truncated file must not kill"

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    database.close()
    assert limits == [engines.PAGES_BYTES] * 3
