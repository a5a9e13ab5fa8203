"""Metadata written into copies: every container can be read back, and pixels and samples stay as they are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vitrine.errors import Invalid
from vitrine.media.metadata.read import read_metadata
from vitrine.media.metadata.write import EmbeddedFacts, write_metadata
from vitrine.testing import media_factory as make
from vitrine.testing import media_kinds as kinds

FIRST = EmbeddedFacts("Le matin", "Des oiseaux", ("son", "été"), "Ada", "CC0", language="fr", city="Brest")
SECOND = EmbeddedFacts("Evening", "Gulls & terns", ("sea",), "Ada", "CC0", title_other="Le soir")
CONTAINERS: dict[str, tuple[Callable[[Path], Path], bytes]] = {
    "image/jpeg": (make.jpeg, b"\xff\xda"),
    "image/png": (make.png, b"IDAT"),
    "video/mp4": (make.mp4, b"mdat"),
    "audio/mpeg": (kinds.sound, b"\xff\xfb"),
}
SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "video/mp4": "mp4", "audio/mpeg": "mp3"}


@pytest.mark.parametrize("mime", CONTAINERS)
def test_the_last_metadata_written_replaces_the_first(mime: str, tmp_path: Path) -> None:
    factory, content_marker = CONTAINERS[mime]
    original = factory(tmp_path / f"a.{SUFFIXES[mime]}")
    copy = tmp_path / f"b.{SUFFIXES[mime]}"
    write_metadata(original, copy, FIRST)
    values, warnings = read_metadata(copy, mime)
    assert warnings == []
    assert values["XMP-dc:Title"] == ["Le matin"]
    assert values["XMP-dc:Subject"] == ["son", "été"]
    assert values["XMP-photoshop:City"] == ["Brest"]
    write_metadata(copy, copy, SECOND)
    values, warnings = read_metadata(copy, mime)
    assert warnings == []
    assert values["XMP-dc:Title"] == ["Evening"]
    assert values["XMP-dc:Title-fr"] == ["Le soir"]
    assert values["XMP-dc:Description"] == ["Gulls & terns"]
    assert "XMP-photoshop:City" not in values
    assert copy.read_bytes().count(b"<?xpacket begin") == 1
    content = original.read_bytes()
    content = content[content.index(content_marker) :]
    assert content[: len(content) // 2] in copy.read_bytes()


def test_a_jpeg_also_gets_iptc(tmp_path: Path) -> None:
    copy = tmp_path / "b.jpg"
    write_metadata(make.jpeg(tmp_path / "a.jpg"), copy, FIRST)
    values, _ = read_metadata(copy, "image/jpeg")
    assert values["IPTC:ObjectName"] == ["Le matin"]
    assert values["IPTC:Keywords"] == ["son", "été"]


@pytest.mark.parametrize(
    ("caption", "keywords"), [("x" * 70_000, ()), ("x" * 40_000, ()), ("", tuple(f"{n:060}" for n in range(1100)))]
)
def test_too_much_for_a_jpeg_is_refused_and_nothing_is_written(
    caption: str, keywords: tuple[str, ...], tmp_path: Path
) -> None:
    facts = EmbeddedFacts("A", caption, keywords, "Ada", "CC0")
    with pytest.raises(Invalid, match="too much metadata"):
        write_metadata(make.jpeg(tmp_path / "a.jpg"), tmp_path / "b.jpg", facts)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_another_container_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(Invalid, match=r"a\.txt"):
        write_metadata(tmp_path / "a.txt", tmp_path / "b.txt", FIRST)
    assert not (tmp_path / "b.txt").exists()
