"""The layout of archives that are nowhere: any reader of ZIP reads them, whole and in parts."""

import io
import random
import zipfile
from datetime import UTC, datetime
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrine.library.bundles import archive
from vitrine.library.bundles.archive import Layout, Member

AT = datetime(2026, 5, 3, 12, 30, 42, tzinfo=UTC)
BLOBS = {f"{number:064x}": random.Random(number).randbytes(number * 997) for number in range(6)}


def opened(sha256: str) -> io.BytesIO:
    return io.BytesIO(BLOBS[sha256])


def member(name: str, number: int) -> Member:
    sha256 = f"{number:064x}"
    return Member(name, len(BLOBS[sha256]), crc32(BLOBS[sha256]), AT, sha256=sha256)


def whole(layout: Layout) -> bytes:
    return b"".join(layout.read(0, layout.size, opened))


def test_a_reader_finds_each_file_under_its_name() -> None:
    members = [member("Été/boat.jpg", 3), Member.of("captions.csv", b"a;b\r\n", AT), member("empty", 0), member("b", 5)]
    layout = Layout.of(members)
    raw = whole(layout)
    assert len(raw) == layout.size
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        assert package.testzip() is None
        assert package.namelist() == ["Été/boat.jpg", "captions.csv", "empty", "b"]
        assert package.read("Été/boat.jpg") == BLOBS[f"{3:064x}"]
        info = package.getinfo("b")
        assert (info.compress_type, info.date_time) == (zipfile.ZIP_STORED, (2026, 5, 3, 12, 30, 42))
        assert info.external_attr >> 16 == 0o100644


def test_an_archive_of_nothing_is_an_archive() -> None:
    with zipfile.ZipFile(io.BytesIO(whole(Layout.of([])))) as package:
        assert package.namelist() == []


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=5), st.data())
def test_every_part_is_that_part_of_the_whole(numbers: list[int], data: st.DataObject) -> None:
    layout = Layout.of([member(f"{at}.bin", number) for at, number in enumerate(numbers)])
    raw = whole(layout)
    start = data.draw(st.integers(0, layout.size - 1))
    length = data.draw(st.integers(0, layout.size - start))
    assert b"".join(layout.read(start, length, opened)) == raw[start : start + length]


def test_large_files_and_archives_have_the_fields_of_zip64(monkeypatch: pytest.MonkeyPatch) -> None:
    """With limits that small files reach: readers take these fields wherever they stand."""
    monkeypatch.setattr(archive, "_MOST_MEMBERS", 3)
    many = Layout.of([member(f"{at}", at % 6) for at in range(5)])
    raw = whole(many)
    assert b"PK\6\6" in raw and b"PK\6\7" in raw
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        assert package.testzip() is None


def test_a_file_of_six_gigabytes_and_one_behind_it() -> None:
    """Only its headers are read: the bytes are zeros that nobody makes."""
    six = 6 * 2**30
    layout = Layout.of([Member("film.mov", six, 0, AT, sha256="f"), member("behind.jpg", 2)])
    tail = b"".join(layout.read(six + 38 + 20, layout.size - six - 58, opened))

    class Sparse(io.RawIOBase):
        """The archive, with a hole where the film is."""

        def __init__(self) -> None:
            self.at = 0

        def seekable(self) -> bool:
            return True

        def readable(self) -> bool:
            return True

        def tell(self) -> int:
            return self.at

        def seek(self, offset: int, whence: int = 0) -> int:
            self.at = offset + (0, self.at, layout.size)[whence]
            return self.at

        def read(self, size: int = -1) -> bytes:
            size = layout.size - self.at if size < 0 else min(size, layout.size - self.at)
            before = six + 58
            piece = bytes(max(0, min(size, before - self.at))) if self.at < before else b""
            rest = size - len(piece)
            start = self.at + len(piece) - before
            piece += tail[start : start + rest] if rest else b""
            self.at += size
            return piece

    with zipfile.ZipFile(Sparse()) as package:
        large, small = package.infolist()
        assert (large.file_size, small.file_size) == (six, len(BLOBS[f"{2:064x}"]))
        assert small.header_offset > six
        assert package.read("behind.jpg") == BLOBS[f"{2:064x}"]


def test_a_file_that_lost_bytes_breaks_the_download_and_not_the_archive() -> None:
    layout = Layout.of([Member("a", 100, 0, AT, sha256=f"{1:064x}"[:63] + "0")])
    with pytest.raises(OSError, match="shorter"):
        b"".join(layout.read(0, layout.size, lambda _sha256: io.BytesIO(b"short")))
