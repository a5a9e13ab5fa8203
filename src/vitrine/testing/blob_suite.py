"""The tests that every `BlobStore` must pass. Each backend is a subclass with a fixture `blobs`."""

import hashlib
import io
import threading
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from vitrine.errors import NotFound
from vitrine.media.errors import FileTooLarge
from vitrine.media.storage import BlobStore, Stored

BIG = 21 * 2**20 + 7  # three parts of a multipart upload, not a multiple of the part size
LIMIT = 1 << 40
NEVER = "0" * 64


def keep(blobs: BlobStore, content: bytes) -> Stored:
    with blobs.spool(io.BytesIO(content), LIMIT) as spooled:
        return blobs.keep(spooled)


class BlobStoreSuite:
    def test_what_was_kept_comes_back(self, blobs: BlobStore) -> None:
        for content in (b"", b"a", Random(1).randbytes(300_000)):
            stored = keep(blobs, content)
            assert stored == Stored(hashlib.sha256(content).hexdigest(), len(content))
            assert blobs.size(stored.sha256) == len(content)
            with blobs.open(stored.sha256) as reader:
                assert reader.read() == content
                assert reader.read(1) == b""
            assert datetime.now(UTC) - blobs.modified(stored.sha256) < timedelta(minutes=5)

    def test_any_part_of_a_large_one_can_be_read(self, blobs: BlobStore) -> None:
        content = Random(2).randbytes(BIG)
        stored = keep(blobs, content)
        with blobs.open(stored.sha256) as reader:
            for start, length in ((0, 10), (BIG - 5, 100), (5 * 2**20 - 3, 6), (100, 9 * 2**20), (0, BIG)):
                reader.seek(start)
                assert reader.read(length) == content[start : start + length]
            reader.seek(-4, io.SEEK_END)
            assert reader.read() == content[-4:]
        with blobs.open(stored.sha256) as reader:
            digest = hashlib.sha256()
            while chunk := reader.read(64 * 1024):
                digest.update(chunk)
        assert digest.hexdigest() == stored.sha256

    def test_the_same_bytes_are_one_blob(self, blobs: BlobStore) -> None:
        first, second = keep(blobs, b"twice"), keep(blobs, b"twice")
        assert first == second
        assert list(blobs.older_than(timedelta(0))).count(first.sha256) == 1

    def test_what_is_not_kept_leaves_nothing(self, blobs: BlobStore) -> None:
        with pytest.raises(FileTooLarge), blobs.spool(io.BytesIO(b"x" * 11), 10):
            raise AssertionError
        with pytest.raises(RuntimeError), blobs.spool(io.BytesIO(b"x"), 10) as spooled:
            raise RuntimeError
        assert not spooled.path.exists()
        assert list(blobs.older_than(timedelta(0))) == []
        assert blobs.sweep_spool(timedelta(0)) == 0

    def test_what_is_not_there_is_not_found(self, blobs: BlobStore) -> None:
        for sha256 in (NEVER, "../../etc/passwd", "A" * 64):
            for method in (blobs.open, blobs.size, blobs.modified):
                with pytest.raises(NotFound):
                    method(sha256)
        blobs.delete(NEVER)

    def test_a_deleted_blob_is_gone_and_the_others_stay(self, blobs: BlobStore) -> None:
        deleted, remaining = keep(blobs, b"gone"), keep(blobs, b"left")
        blobs.delete(deleted.sha256)
        with pytest.raises(NotFound):
            blobs.open(deleted.sha256)
        assert list(blobs.older_than(timedelta(0))) == [remaining.sha256]
        assert list(blobs.older_than(timedelta(hours=1))) == [], "young blobs are kept"

    def test_the_listing_is_in_the_order_of_digests_and_goes_on_after_any(self, blobs: BlobStore) -> None:
        kept = sorted(keep(blobs, f"blob {number}".encode()).sha256 for number in range(40))
        blobs.probe()
        listed = list(blobs.listing())
        assert [blob.sha256 for blob in listed] == kept
        assert all(blob.size == len("blob 1") or blob.size == len("blob 10") for blob in listed)
        assert all(abs(datetime.now(UTC) - blob.modified) < timedelta(minutes=5) for blob in listed)
        for after in (kept[0], kept[17], kept[-1], kept[20][:15], kept[5][:1], NEVER):
            assert [blob.sha256 for blob in blobs.listing(after)] == [sha256 for sha256 in kept if sha256 > after]

    def test_many_at_once_keep_the_same_bytes(self, blobs: BlobStore) -> None:
        content = Random(3).randbytes(100_000)
        stored_list: list[Stored] = []
        threads = [threading.Thread(target=lambda: stored_list.append(keep(blobs, content))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(stored_list) == 8
        assert len(set(stored_list)) == 1
        with blobs.open(stored_list[0].sha256) as reader:
            assert reader.read() == content

    def test_a_writable_store_passes_its_probe(self, blobs: BlobStore) -> None:
        blobs.probe()
        assert list(blobs.older_than(timedelta(0))) == []
