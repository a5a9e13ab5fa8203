"""A rebuild beside the index in use: changes are found at once and are still there after the switch, whoever dies."""

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from vitrine.accounts import COMMAND
from vitrine.accounts.rights import READER
from vitrine.search import tantivy_index
from vitrine.search.index import LeftOut, WriterTaken
from vitrine.search.indexer import INDEX, REBUILD, Indexer
from vitrine.search.model import IndexDocument
from vitrine.search.tantivy_index import EmbeddedIndex
from vitrine.testing import media_factory as make
from vitrine.testing.index_suite import document, nothing_changed, search_rids
from vitrine.testing.server import Server


@pytest.fixture
def index(tmp_path: Path) -> Iterator[EmbeddedIndex]:
    index = EmbeddedIndex(tmp_path / "index")
    yield index
    index.close()


def generations(index: EmbeddedIndex) -> int:
    return sum(path.is_dir() for path in index.folder.iterdir())


class Library:
    """Records by rid with their titles, and what an indexer does with them."""

    def __init__(self, index: EmbeddedIndex, count: int) -> None:
        self.index = index
        self.titles = {rid: f"old{rid}" for rid in range(1, count + 1)}

    def again(self, rids: Sequence[int]) -> list[IndexDocument]:
        return [document(rid, self.titles[rid]) for rid in rids if rid in self.titles]

    def change(self, rid: int, title: str | None) -> None:
        if title is None:
            self.titles.pop(rid, None)
        else:
            self.titles[rid] = title
        self.index.apply(self.again([rid]), [] if rid in self.titles else [rid])

    def everything(self, batch: int, between: Any) -> Iterator[IndexDocument]:
        """Batches of documents, as the indexer reads them; *between* runs before each document is handed over, when the
        batch is read already."""
        last = 0
        while rids := sorted(rid for rid in self.titles if rid > last)[:batch]:
            last = rids[-1]
            for waiting in self.again(rids):
                between(waiting.rid)
                yield waiting

    def assert_found(self) -> None:
        assert self.index.count() == len(self.titles)
        assert search_rids(self.index, limit=1000) == sorted(self.titles, reverse=True)
        for rid, title in self.titles.items():
            assert search_rids(self.index, title) == [rid]


def test_changes_during_a_rebuild_count_before_and_after_the_switch(index: EmbeddedIndex) -> None:
    library = Library(index, 6)
    index.apply(library.again(range(1, 7)), [])

    def between(rid: int) -> None:
        if rid == 3:
            library.change(1, "changed1")  # in the new index already
            library.change(2, None)
            library.change(4, "changed4")  # read already, but not in the new index yet
            library.change(5, None)
            library.change(9, "new9")
            library.assert_found()

    assert index.rebuild(library.everything(6, between), library.again) == 7, "the new one was read as well"
    library.assert_found()
    library.change(6, "after6")
    library.assert_found()
    assert generations(index) == 1


@pytest.mark.parametrize("seed", range(8))
def test_whatever_changes_at_whatever_moment(index: EmbeddedIndex, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tantivy_index, "BATCH", 7)
    monkeypatch.setattr(tantivy_index, "FEW_CHANGES", 2)
    monkeypatch.setattr(tantivy_index, "CAUGHT_UP_AT_ONCE", 3)
    chosen = random.Random(seed)
    library = Library(index, 40)
    index.apply(library.again(range(1, 41)), [])
    edits = 0

    def between(_rid: int) -> None:
        nonlocal edits
        while chosen.random() < 0.4:
            edits += 1
            library.change(chosen.randint(1, 60), chosen.choice((None, f"edit{edits}")))

    index.rebuild(library.everything(chosen.randint(1, 20), between), library.again)
    library.assert_found()


def test_a_rebuild_that_fails_leaves_the_index_in_use(index: EmbeddedIndex) -> None:
    library = Library(index, 6)
    index.apply(library.again(range(1, 7)), [])

    def between(rid: int) -> None:
        if rid == 4:
            library.change(1, "changed1")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        index.rebuild(library.everything(2, between), library.again)
    library.assert_found()
    library.change(2, "changed2")
    library.assert_found()
    assert generations(index) == 1


def test_an_index_begun_without_a_rebuild_still_needs_one(index: EmbeddedIndex) -> None:
    """After a first rebuild that failed, everything that was there before would stay unfound."""
    library = Library(index, 3)
    assert index.needs_rebuild()

    def between(_rid: int) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        index.rebuild(library.everything(2, between), library.again)
    assert index.needs_rebuild()
    library.change(2, "new2")
    assert search_rids(index) == [2], "it is of use meanwhile"
    assert index.needs_rebuild()
    index.rebuild(library.everything(2, lambda _rid: None), library.again)
    assert not index.needs_rebuild()
    library.assert_found()


_KILLED = """
import os, signal, sys
from pathlib import Path
from vitrine.search.tantivy_index import EmbeddedIndex
from vitrine.testing.index_suite import document
index = EmbeddedIndex(Path(sys.argv[1]))
index.apply([document(rid, f"old{rid}") for rid in range(1, 7)], [])
def everything():
    for rid in range(1, 7):
        if rid == 4:
            index.apply([document(9, "new9")], [1])
            os.kill(os.getpid(), signal.SIGKILL)
        yield document(rid, "half")
index.rebuild(everything(), lambda rids: [])
"""


def test_a_process_killed_in_the_middle_leaves_the_index_in_use(index: EmbeddedIndex) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(index.folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    library = Library(index, 6)
    del library.titles[1]
    library.titles[9] = "new9"
    library.assert_found()
    assert generations(index) == 2, "the half one"
    library.change(2, "changed2")
    index.rebuild(library.everything(3, lambda _rid: None), nothing_changed)
    library.assert_found()
    assert generations(index) == 1


def test_only_the_process_that_applies_changes_may_rebuild(index: EmbeddedIndex) -> None:
    index.apply([document(1)], [])
    other = EmbeddedIndex(index.folder)
    with pytest.raises(WriterTaken):
        other.rebuild([document(2)], nothing_changed)
    assert search_rids(index) == [1]
    other.close()


def test_the_first_changes_of_an_instance_meet_its_first_rebuild(index: EmbeddedIndex) -> None:
    """Without any index yet, what comes during the rebuild is found at once."""
    library = Library(index, 3)

    def between(rid: int) -> None:
        if rid == 2:
            library.change(4, "new4")
            assert search_rids(index) == [4]

    index.rebuild(library.everything(3, between), library.again)
    library.assert_found()


@pytest.mark.both_databases
def test_an_upload_is_found_while_a_rebuild_runs(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a deletion and a move, by what a reader of one collection finds."""
    ada = server.user("ada")
    reader = server.user("reader", {server.photographs.id: READER})
    token = server.token(reader)
    keys = [server.add(make.jpeg(tmp_path / f"{n}.jpg", seed=n), ada) for n in range(3)]
    started, go_on = threading.Event(), threading.Event()
    everything = Indexer._everything

    def slowly(self: Indexer, left_out: LeftOut) -> Iterator[IndexDocument]:
        for waiting in everything(self, left_out):
            yield waiting
            started.set()
            assert go_on.wait(60)

    monkeypatch.setattr(Indexer, "_everything", slowly)
    with server.services.database.write() as work:
        server.services.jobs.add(work, REBUILD, {}, key="all")
    lanes = {lane.name: lane for lane in server.worker.lanes}
    rebuilding = threading.Thread(target=server.worker._take, args=(lanes[REBUILD.lane],))
    rebuilding.start()
    assert started.wait(60)
    assert INDEX.lane != REBUILD.lane

    def numbers() -> set[int]:
        return {record["record_id"] for record in server.get("/search/", token)["results"]["records"]}

    added = server.add(make.jpeg(tmp_path / "new.jpg", seed=9), ada)
    with server.services.database.write() as work:
        server.services.library.removal.remove(work, COMMAND, keys[0])
        server.services.library.changes.move(work, COMMAND, keys[1], server.archive.id)
    server.work()
    expected = {keys[2].number, added.number}
    assert numbers() == expected
    go_on.set()
    rebuilding.join(60)
    assert not rebuilding.is_alive()
    assert numbers() == expected
    assert server.services.search.index.count() == 3
