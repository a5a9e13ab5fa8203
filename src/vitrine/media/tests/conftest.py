from collections.abc import Iterator
from pathlib import Path

import pytest

from vitrine.media.probe import Limits
from vitrine.media.service import Media
from vitrine.media.storage.local import LocalStore
from vitrine.testing.decoders import shared_sandbox


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Media]:
    sandbox = shared_sandbox(800 * 2**20)
    media = Media(LocalStore(tmp_path / "blobs"), sandbox, Limits(), tmp_path / "scratch", max_bytes=50 * 2**20)
    yield media
    media.close()
