import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from vitrine.errors import Invalid, NotFound, Unavailable
from vitrine.media.storage import BlobStore, LocalStore, open_store
from vitrine.testing.blob_suite import BlobStoreSuite, keep
from vitrine.testing.s3 import S3


class TestLocal(BlobStoreSuite):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> BlobStore:
        return open_store("", tmp_path)

    def test_the_bytes_are_closed_to_writing(self, blobs: LocalStore) -> None:
        assert blobs.path(keep(blobs, b"x").sha256).stat().st_mode & 0o222 == 0

    def test_kept_again_an_old_blob_is_young(self, blobs: LocalStore) -> None:
        stored = keep(blobs, b"x")
        old = time.time() - 1000
        os.utime(blobs.path(stored.sha256), (old, old))
        assert list(blobs.older_than(timedelta(minutes=10))) == [stored.sha256]
        keep(blobs, b"x")
        assert list(blobs.older_than(timedelta(minutes=10))) == []


class TestS3(BlobStoreSuite):
    @pytest.fixture
    def blobs(self, tmp_path: Path, s3: S3) -> BlobStore:
        return open_store(s3.bucket(), tmp_path)

    def test_a_store_out_of_reach_is_unavailable_and_nothing_stays(self, tmp_path: Path, s3: S3) -> None:
        blobs = open_store(s3.bucket().replace("s3://vitrine", "s3://missing-bucket"), tmp_path)
        with pytest.raises((Unavailable, NotFound)):
            keep(blobs, b"x")
        with pytest.raises((Unavailable, NotFound)):
            blobs.probe()
        assert blobs.sweep_spool(timedelta(0)) == 0


@pytest.mark.parametrize(
    "url",
    ["ftp://bucket", "s3://", "s3://key:secret@bucket", "s3://bucket?regoin=x", "bucket"],
)
def test_an_address_that_cannot_be_used_is_refused_at_start(url: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="blobs_url"):
        open_store(url, tmp_path)
