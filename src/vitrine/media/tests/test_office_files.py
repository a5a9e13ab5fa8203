"""Office files as office programs write them: text in order, and nothing is fetched from other servers (0020)."""

import socket
from pathlib import Path

import pytest

from vitrine.media.service import Media
from vitrine.testing import office_files


@pytest.mark.parametrize(
    ("name", "first", "later", "pages"),
    [
        ("a.docx", "Chapitre 1\nLe quai numéro 1\n", "Chapitre 39\nLe quai numéro 39\nTonnage", 2),
        ("a.pptx", "Vue 1\nVue 2\nVue 10", "Vue 10", 3),
        ("a.xlsx", "Navire 1\nNavire 2\n", "Navire 59", 2),
    ],
)
def test_words_come_in_their_order(media: Media, tmp_path: Path, name: str, first: str, later: str, pages: int) -> None:
    probe = media.probe(office_files.package(tmp_path / name), name)
    assert probe.kind == "document"
    assert probe.text.startswith(first)
    assert later in probe.text
    assert probe.pages == pages
    assert probe.metadata["Office:Title"] == ["Rapport du port"]
    assert probe.makes == (["image"] if name == "a.pptx" else []), "a picture inside is not a picture of the document"
    assert probe.warnings == []


def test_a_link_to_elsewhere_is_not_followed(media: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.5)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/tracked.png"
        monkeypatch.setattr(office_files, "EXTERNAL_URL", url)
        path = office_files.package(tmp_path / "a.docx")
        media.probe(path, "a.docx")
        with pytest.raises(TimeoutError):
            listener.accept()
