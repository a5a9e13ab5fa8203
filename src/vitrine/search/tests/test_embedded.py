import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vitrine.search.index import Index, WriterTaken
from vitrine.search.model import Query
from vitrine.search.tantivy_index import EmbeddedIndex
from vitrine.testing.index_suite import ALL, IndexSuite, document, nothing_changed


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = EmbeddedIndex(tmp_path / "index")
    yield index
    index.close()


class TestEmbedded(IndexSuite):
    pass


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    first, second = EmbeddedIndex(tmp_path), EmbeddedIndex(tmp_path)
    first.apply([document(1)], [])
    with pytest.raises(WriterTaken):
        second.apply([document(2)], [])
    first.close()


def test_another_reader_sees_a_commit_and_a_rebuild(tmp_path: Path) -> None:
    writer, reader = EmbeddedIndex(tmp_path), EmbeddedIndex(tmp_path)
    writer.apply([document(1)], [])
    assert reader.search(Query("", ALL)).total == 1
    writer.rebuild([document(2), document(3)], nothing_changed)
    for _ in range(100):  # a reader checks for changes a few times a second
        if reader.search(Query("", ALL)).total == 2:
            break
        time.sleep(0.05)
    assert reader.search(Query("", ALL)).total == 2
    writer.close()


def test_a_new_or_damaged_folder_asks_for_a_rebuild(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path)
    assert index.needs_rebuild()
    index.rebuild([document(1)], nothing_changed)
    index.close()
    (tmp_path / "current").write_text("0-other")
    assert EmbeddedIndex(tmp_path).needs_rebuild()
