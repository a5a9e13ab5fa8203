"""The corpus, whole and damaged, in the decoding child: the server survives, and memory stays within its limit."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vitrine.media.probe import Limits
from vitrine.media.sandbox import Sandbox
from vitrine.media.service import Media
from vitrine.media.storage.local import LocalStore
from vitrine.testing import corpus_run
from vitrine.testing.corpus import ROOT

MEMORY = 1024 * 2**20


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Media]:
    sandbox = Sandbox(children=1, memory_bytes=MEMORY)
    media = Media(LocalStore(tmp_path / "blobs"), sandbox, Limits(), tmp_path / "scratch", max_bytes=100 * 2**20)
    yield media
    media.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_corpus_whole_and_damaged_harms_nothing(media: Media, tmp_path: Path) -> None:
    corpus_run.check(media, tmp_path, 45, ROOT / "artefacts")


def test_server_and_worker_import_no_decoder() -> None:
    """Design section 8: the server process never decodes untrusted bytes."""
    script = (
        "import sys, vitrine.app, vitrine.cli.main, vitrine.cli.server, vitrine.cli.demo\n"
        "print(sorted({'pyvips', 'av', 'PIL', 'pillow_heif', 'pypdfium2', 'pikepdf'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
