"""Every file of the corpus, whole and truncated at five places, and two thousand copies with flipped bits."""

from pathlib import Path

import pytest

from vitrine.media.probe import Limits
from vitrine.media.sandbox import Sandbox
from vitrine.media.service import Media
from vitrine.media.storage.local import LocalStore
from vitrine.testing import corpus_run
from vitrine.testing.corpus import ROOT


@pytest.mark.nightly  # `make test` runs the small version in tests/corpus
@pytest.mark.timeout(3600)
def test_two_thousand_damaged_files_harm_nothing(tmp_path: Path) -> None:
    sandbox = Sandbox(children=1, memory_bytes=1024 * 2**20)
    media = Media(LocalStore(tmp_path / "blobs"), sandbox, Limits(), tmp_path / "scratch", max_bytes=100 * 2**20)
    corpus_run.check(media, tmp_path, 2000, ROOT / "artefacts")
    media.close()
