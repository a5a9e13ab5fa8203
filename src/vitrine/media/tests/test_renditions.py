from collections.abc import Sequence
from pathlib import Path

import pytest
import pyvips

from vitrine.media.errors import NoMaker, Undecodable
from vitrine.media.renditions import MadeRendition, Spec, spec_of
from vitrine.media.renditions.recipes import DEFAULT_RECIPES
from vitrine.media.service import Media
from vitrine.testing import media_factory as make

IMAGES = [Spec("thumbnail", "image", 96), Spec("preview", "image", 256)]


def _store(media: Media, path: Path) -> str:
    return media.store_file(path).sha256


def _make(results: Sequence[object]) -> dict[str, MadeRendition]:
    assert all(isinstance(result, MadeRendition) for result in results), results
    return {result.name: result for result in results if isinstance(result, MadeRendition)}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright_and_fit_their_box(media: Media, tmp_path: Path, orientation: int) -> None:
    digest = _store(media, make.jpeg(tmp_path / "a.jpg", 320, 200, orientation=orientation))
    with media.scratch() as folder:
        renditions = _make(media.make_renditions(digest, "image", "image/jpeg", IMAGES, folder))
        expected = {"thumbnail": (96, 60), "preview": (256, 160)}
        for name, (long, short) in expected.items():
            size = (short, long) if orientation > 4 else (long, short)
            assert (renditions[name].width, renditions[name].height) == size
            written = pyvips.Image.new_from_file(str(renditions[name].path))
            assert (written.width, written.height) == size
            assert written.get_typeof("exif-data") == 0


def test_a_small_picture_is_not_enlarged(media: Media, tmp_path: Path) -> None:
    digest = _store(media, make.jpeg(tmp_path / "a.jpg", 40, 30))
    with media.scratch() as folder:
        renditions = _make(media.make_renditions(digest, "image", "image/jpeg", IMAGES, folder))
        assert (renditions["preview"].width, renditions["preview"].height) == (40, 30)


def test_transparency_becomes_white(media: Media, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    (pyvips.Image.black(64, 64, bands=4).copy(interpretation="srgb")).pngsave(str(path))
    with media.scratch() as folder:
        renditions = _make(media.make_renditions(_store(media, path), "image", "image/png", IMAGES[:1], folder))
        picture = pyvips.Image.new_from_file(str(renditions["thumbnail"].path))
        assert min(picture.getpoint(10, 10)) > 250


def test_a_film_gets_posters_and_a_small_film(media: Media, tmp_path: Path) -> None:
    digest = _store(media, make.mp4(tmp_path / "a.mp4", 1.0, 320, 180))
    specs = [*IMAGES, Spec("small", "video", 160, fps=12)]
    with media.scratch() as folder:
        renditions = _make(media.make_renditions(digest, "video", "video/mp4", specs, folder))
        assert (renditions["preview"].width, renditions["preview"].height) == (256, 144)
        assert (renditions["small"].width, renditions["small"].height) == (160, 90)
        probe = media.probe(renditions["small"].path, "small.mp4")
        technical = dict(probe.technical)
        assert (technical["VideoCodec"], technical["AudioCodec"]) == ("h264", "aac")
        assert probe.duration_s == pytest.approx(1.0, abs=0.2)
        data = renditions["small"].path.read_bytes()
        assert data.index(b"moov") < data.index(b"mdat"), "it must begin to play before it is whole"


def test_a_damaged_source_is_a_failure_of_each_rendition(media: Media, tmp_path: Path) -> None:
    whole = make.jpeg(tmp_path / "a.jpg", 640, 480)
    digest = _store(media, make.truncated(whole, tmp_path / "b.jpg", 0.4))
    with media.scratch() as folder:
        results = media.make_renditions(digest, "image", "image/jpeg", IMAGES, folder)
    assert [(result[0], type(result[1])) for result in results if isinstance(result, tuple)] == [
        ("thumbnail", Undecodable),
        ("preview", Undecodable),
    ]


def test_a_kind_without_maker_says_so(media: Media, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    with media.scratch() as folder:
        results = media.make_renditions(_store(media, tmp_path / "a.txt"), "document", "text/plain", IMAGES[:1], folder)
    assert isinstance(results[0], tuple)
    assert isinstance(results[0][1], NoMaker)


def test_the_default_recipes_can_all_be_made() -> None:
    specs = [spec_of(recipe.name, recipe.mediatype, recipe.options) for recipe in DEFAULT_RECIPES]
    assert {(recipe.group, recipe.name) for recipe in DEFAULT_RECIPES} >= {
        ("image", "preview"), ("image", "thumbnail"), ("video", "preview"), ("video", "thumbnail"),
    }  # fmt: skip
    assert {spec.size for spec in specs} >= {1280, 384, 748}
