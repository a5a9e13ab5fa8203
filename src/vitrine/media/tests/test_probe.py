from collections.abc import Callable
from pathlib import Path

import pytest

from vitrine.media.errors import EmptyFile, MisnamedFile, TooManyPixels, Undecodable
from vitrine.media.service import Media
from vitrine.testing import media_factory as make


def test_a_jpeg_tells_its_size_and_technical_data(media: Media, tmp_path: Path) -> None:
    probe = media.probe(make.jpeg(tmp_path / "a.jpg", 320, 200), "a.jpg")
    assert (probe.kind, probe.mime, probe.width, probe.height) == ("image", "image/jpeg", 320, 200)
    technical = dict(probe.technical)
    assert technical["Width"] == 320
    assert technical["ThumbnailOrientation"] == "L"
    assert technical["MimeType"] == "image/jpeg"
    assert technical["FileSize"] == (tmp_path / "a.jpg").stat().st_size


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_displayed_size_follows_the_orientation(media: Media, tmp_path: Path, orientation: int) -> None:
    probe = media.probe(make.jpeg(tmp_path / "a.jpg", 320, 200, orientation=orientation), "a.jpg")
    expected = (200, 320) if orientation > 4 else (320, 200)
    assert (probe.display_width, probe.display_height) == expected
    assert (probe.width, probe.height) == (320, 200)


def test_a_film_tells_duration_codecs_and_rate(media: Media, tmp_path: Path) -> None:
    probe = media.probe(make.mp4(tmp_path / "a.mp4", 1.0), "a.mp4")
    technical = dict(probe.technical)
    assert (probe.kind, probe.width, probe.height) == ("video", 320, 180)
    assert probe.duration_s == pytest.approx(1.0, abs=0.1)
    assert (technical["VideoCodec"], technical["AudioCodec"], technical["FrameRate"]) == ("h264", "aac", 25.0)


def test_a_picture_under_another_pictures_name_is_taken_for_what_it_is(media: Media, tmp_path: Path) -> None:
    assert media.probe(make.png(tmp_path / "a.png"), "a.jpg").mime == "image/png"


def test_html_called_jpg_is_refused(media: Media, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_text("<!doctype html><title>Not a picture</title>")
    with pytest.raises(MisnamedFile, match="text/html"):
        media.probe(path, "a.jpg")


def test_an_empty_file_is_refused(media: Media, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(EmptyFile):
        media.probe(tmp_path / "a.jpg", "a.jpg")


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.mp4"])
def test_a_truncated_file_is_refused(media: Media, tmp_path: Path, name: str, keep: float) -> None:
    makers: dict[str, Callable[[Path], Path]] = {"a.jpg": make.jpeg, "a.png": make.png, "a.mp4": make.mp4}
    whole = makers[name](tmp_path / name)
    cut = make.truncated(whole, tmp_path / f"cut-{name}", keep)
    with pytest.raises(Undecodable):
        media.probe(cut, name)


def test_a_bomb_is_refused_from_its_header(media: Media, tmp_path: Path) -> None:
    with pytest.raises(TooManyPixels, match="20000 × 20000"):
        media.probe(make.bomb(tmp_path / "bomb.png"), "bomb.png")


def test_a_text_file_is_kept_as_a_document(media: Media, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("plain words")
    probe = media.probe(tmp_path / "a.txt", "a.txt")
    assert (probe.kind, probe.mime) == ("document", "text/plain")


def test_unknown_bytes_are_kept_as_unknown(media: Media, tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_bytes(bytes(range(256)) * 4)
    assert media.probe(tmp_path / "a.xyz", "a.xyz").kind == "unknown"
