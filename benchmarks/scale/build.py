"""Make an instance of so many records, with its search index:

    python -m benchmarks.scale.build --records 1000 --data var/scale-1k [--database-url URL] [--no-files]

200 collections, of which `reader` sees 60; eight values and, for a picture, five renditions a record; request log,
audit log, quarantine, sessions, tokens and grants in proportion. Files are hard links to a few small ones, so
`vitrine doctor` finds each (`doctor --deep` does not agree with their digests).
"""

import argparse
import os
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from benchmarks.scale import instance as instances
from benchmarks.scale.bulk import writer_of
from benchmarks.scale.instance import PASSWORD, Instance
from benchmarks.scale.rows import TABLES, Filler
from vitrine import app
from vitrine.applications import usage_rollup
from vitrine.library import counts
from vitrine.platform import logging
from vitrine.platform.database import Database
from vitrine.platform.deferred_writes import RequestLine
from vitrine.platform.schema import metadata

SEED = 7
AGE = timedelta(days=30)
LINES_AT_ONCE = 5_000
LINKS_EACH = 50_000  # ext4 takes 65,000 names of one file


def build(folder: Path, records: int, database_url: str = "", *, seed: int = SEED, files: bool = True) -> Instance:
    """Fill the new folder *folder* (and the empty database at *database_url*) and build the index."""
    folder.mkdir(parents=True)
    began = time.perf_counter()
    instance = instances.furnish(folder, database_url, records, seed)
    sources = folder / "sources"
    sources.mkdir()
    shared = instances.shared_files(sources)
    sizes = {name: path.stat().st_size for name, path in shared.items()}
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for path in shared.values():  # the sweep looks at files of this age
        os.utime(path, ((today - AGE).timestamp(),) * 2)
    keep = _Linker(folder / "blobs", shared) if files else _forget
    filler = Filler(instance, sizes, writer_of(database_url, folder, list(TABLES)), today, keep)
    filler.fill()
    filler.writer.close()
    filled = time.perf_counter()
    _index(folder, instance)
    built = {"rows_s": round(filled - began, 1), "index_s": round(time.perf_counter() - filled, 1)}
    instance = replace(instance, built=built)
    instance.save(folder)
    (folder / "README").write_text(readme(instance))
    return instance


def _forget(_digest: str, _name: str) -> None:
    """Where nothing reads the files."""


class _Linker:
    """Makes each blob a hard link to the shared file of its name."""

    def __init__(self, root: Path, shared: dict[str, Path]) -> None:
        self._root = str(root)
        self._sources = dict(shared)
        self._links = dict.fromkeys(shared, 0)
        self._folders: set[str] = set()
        self._last: dict[str, str] = {}

    def __call__(self, digest: str, name: str) -> None:
        if self._last.get(name) == digest:
            return
        self._last[name] = digest
        folder = f"{self._root}/{digest[:2]}/{digest[2:4]}"
        if folder not in self._folders:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - a million times
            self._folders.add(folder)
        if not os.path.exists(f"{folder}/{digest}"):  # noqa: PTH110
            os.link(self._source(name), f"{folder}/{digest}")

    def _source(self, name: str) -> Path:
        self._links[name] += 1
        if self._links[name] % LINKS_EACH == 0:
            source = self._sources[name]
            copy = source.with_stem(f"{name}-{self._links[name] // LINKS_EACH}")
            shutil.copy2(source, copy)
            self._sources[name] = copy
        return self._sources[name]


def _index(folder: Path, instance: Instance) -> None:
    """Run the worker's own rebuild, after the databox counts the records that were written past it."""
    services = instances.services_of(instances.settings_of(folder, instance.database_url))
    try:
        databoxes = metadata.tables["databoxes"]
        with services.database.write() as work:
            work.db.execute(sa.update(databoxes).values(next_record=3 * instance.records + 1))
        _count(services.database)
        app.make_worker(services).run_ready()
    finally:
        instances.close(services)


def _count(database: Database) -> None:
    """What the services would have counted meanwhile: records of collections and calls of applications."""
    with database.write() as work:
        counts.repair(work)
    while database.reading(counts.has_unfolded):
        with database.write() as work:
            counts.fold(work)
    log, last = metadata.tables["request_log"], 0
    while True:
        with database.write() as work:
            batch = sa.select(log).where(log.c.id > last).order_by(log.c.id).limit(LINES_AT_ONCE)
            rows = work.db.execute(batch).mappings().all()
            usage_rollup.add(work, [RequestLine(**{name: row[name] for name in RequestLine._fields}) for row in rows])
        if not rows:
            return
        last = rows[-1]["id"]


def readme(instance: Instance) -> str:
    """What somebody who uses the folder needs, one fact a line."""
    first, last = instance.collections[0], instance.collections[-1]
    lines = [
        f"{instance.records} records, databox {instance.databox_id}, collections {first} to {last}.",
        f"Password of everybody: {PASSWORD}",
        *(f"{login}: user {user}, developer token {instance.tokens[login]}" for login, user in instance.users.items()),
        f"Strict client that acts as admin: {instance.client_id} {instance.client_secret}",
        f"More in {instances.FILE}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--records", type=int, required=True)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--database-url", default="")
    arguments.add_argument("--seed", type=int, default=SEED)
    arguments.add_argument("--no-files", action="store_true", help="rows and index only, no bytes")
    given = arguments.parse_args()
    logging.configure(as_json=False, level="warning")
    instance = build(given.data, given.records, given.database_url, seed=given.seed, files=not given.no_files)
    print(readme(instance), end="")
    print(instance.built)


if __name__ == "__main__":
    main()
