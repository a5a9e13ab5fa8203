"""Pictures of every type (04 section 8, image): colour, orientation, transparency, animation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pyvips
from PIL import Image

from vitrine.media.errors import TooManyPixels, Undecodable
from vitrine.media.probe import Limits
from vitrine.media.renditions import MadeRendition, Spec
from vitrine.media.service import Media
from vitrine.testing import media_factory as make
from vitrine.testing import media_kinds as kinds

NAMES = {
    "a.webp": "image/webp", "a.tif": "image/tiff", "a.gif": "image/gif", "a.heic": "image/heic", "a.avif": "image/avif",
    "a.bmp": "image/bmp",
}  # fmt: skip
THUMBNAIL = [Spec("thumbnail", "image", 96)]


def _make(media: Media, path: Path, mime: str, specs: list[Spec], folder: Path) -> dict[str, MadeRendition]:
    results = media.make_renditions(media.store_file(path).sha256, "image", mime, specs, folder)
    assert all(isinstance(result, MadeRendition) for result in results), results
    return {result.name: result for result in results if isinstance(result, MadeRendition)}


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_is_known_and_made_smaller(media: Media, tmp_path: Path, name: str) -> None:
    path = kinds.picture(tmp_path / name)
    probe = media.probe(path, name)
    assert (probe.kind, probe.mime, probe.display_width, probe.display_height) == ("image", NAMES[name], 320, 200)
    with media.scratch() as folder:
        thumbnail = _make(media, path, probe.mime, THUMBNAIL, folder)["thumbnail"]
        assert (thumbnail.mime, thumbnail.width, thumbnail.height) == ("image/jpeg", 96, 60)
        picture = pyvips.Image.new_from_file(str(thumbnail.path))
        assert picture.getpoint(92, 4)[0] > 200  # red grows to the right, green downwards
        assert picture.getpoint(4, 56)[1] > 200


@pytest.mark.parametrize("name", ["a.webp", "a.tif", "a.gif", "a.heic", "a.avif"])
@pytest.mark.parametrize("keep", [0.4, 0.9])
def test_a_truncated_picture_is_refused(media: Media, tmp_path: Path, name: str, keep: float) -> None:
    cut = make.truncated(kinds.picture(tmp_path / name), tmp_path / f"cut-{name}", keep)
    with pytest.raises(Undecodable):
        media.probe(cut, name)


def _colour_of(media: Media, path: Path, mime: str, folder: Path) -> list[float]:
    thumbnail = _make(media, path, mime, THUMBNAIL, folder)["thumbnail"]
    written = pyvips.Image.new_from_file(str(thumbnail.path))
    assert written.bands == 3
    assert written.get_typeof("icc-profile-data") == 0
    return [float(value) for value in written.getpoint(30, 30)]


@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "a.png", "a.webp"])
def test_a_wide_gamut_becomes_srgb(media: Media, tmp_path: Path, name: str) -> None:
    """A Display P3 colour looks the same after conversion, so its numbers change."""
    srgb = (pyvips.Image.black(64, 64, bands=3).linear(1, [180, 90, 60])).cast("uchar").copy(interpretation="srgb")
    wide = srgb.icc_transform("p3", input_profile="srgb", intent="perceptual")
    path = tmp_path / name
    wide.write_to_file(str(path))
    numbers = [float(value) for value in wide.getpoint(1, 1)]
    with media.scratch() as folder:
        colour = _colour_of(media, path, media.probe(path, name).mime, folder)
    assert max(abs(before - after) for before, after in zip(numbers, (180, 90, 60), strict=True)) > 5
    assert colour == pytest.approx([180, 90, 60], abs=4)


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_cmyk_becomes_srgb(media: Media, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.new("CMYK", (64, 64), (0, 255, 255, 0)).save(path)  # full magenta and yellow: red
    probe = media.probe(path, name)
    assert dict(probe.technical)["Channels"] == 4
    with media.scratch() as folder:
        red, green, blue = _colour_of(media, path, probe.mime, folder)
    assert red > 180
    assert green < 80
    assert blue < 80


@pytest.mark.parametrize("bands", [1, 3])
def test_sixteen_bits_become_eight(media: Media, tmp_path: Path, bands: int) -> None:
    path = tmp_path / "a.tif"
    value = (pyvips.Image.black(64, 64, bands=bands) + 0x8000).cast("ushort")
    value.copy(interpretation="rgb16" if bands == 3 else "grey16").tiffsave(str(path))
    probe = media.probe(path, "a.tif")
    assert dict(probe.technical)["ColorDepth"] == 16
    with media.scratch() as folder:
        thumbnail = _make(media, path, probe.mime, THUMBNAIL, folder)["thumbnail"]
        assert pyvips.Image.new_from_file(str(thumbnail.path)).getpoint(5, 5)[0] == pytest.approx(128, abs=3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_is_shown_upright_in_all_orientations(media: Media, tmp_path: Path, orientation: int) -> None:
    import pillow_heif

    source = make.jpeg(tmp_path / "a.jpg", 320, 200, orientation=orientation)
    with Image.open(source) as picture:
        file: Any = pillow_heif.HeifFile()  # type: ignore[no-untyped-call]  # ships no types
        added = file.add_frombytes("RGB", picture.size, picture.tobytes())
        added.info["exif"] = picture.getexif().tobytes()  # stored as rotation and mirroring of the format
        file.save(str(tmp_path / "a.heic"))
    corners: dict[str, list[float]] = {}
    for name, mime in (("a.jpg", "image/jpeg"), ("a.heic", "image/heic")):
        with media.scratch() as folder:
            thumbnail = _make(media, tmp_path / name, mime, THUMBNAIL, folder)["thumbnail"]
            assert (thumbnail.width, thumbnail.height) == ((60, 96) if orientation > 4 else (96, 60))
            written = pyvips.Image.new_from_file(str(thumbnail.path))
            corners[name] = [*written.getpoint(3, 3), *written.getpoint(thumbnail.width - 4, thumbnail.height - 4)]
    assert corners["a.heic"] == pytest.approx(corners["a.jpg"], abs=25)


def test_transparency_is_kept_or_laid_on_a_colour_as_the_recipe_says(media: Media, tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    clear = pyvips.Image.black(64, 64, bands=4).copy(interpretation="srgb")
    clear.webpsave(str(path), lossless=True)
    specs = [
        Spec("kept", "image", 32, codec="png", flatten=False),
        Spec("blue", "image", 48, codec="tiff", background="#0000ff"),
    ]
    with media.scratch() as folder:
        renditions = _make(media, path, "image/webp", specs, folder)
        kept = pyvips.Image.new_from_file(str(renditions["kept"].path))
        assert (renditions["kept"].mime, kept.bands) == ("image/png", 4)
        assert kept.getpoint(3, 3)[3] == 0
        blue = pyvips.Image.new_from_file(str(renditions["blue"].path))
        assert (renditions["blue"].extension, blue.getpoint(3, 3)) == ("tif", [0, 0, 255])


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_what_moves_keeps_moving_where_the_recipe_says_gif(media: Media, tmp_path: Path, name: str) -> None:
    path = kinds.animation(tmp_path / name)
    probe = media.probe(path, name)
    assert (probe.display_width, probe.display_height) == (80, 60)
    specs = [Spec("moving", "gif", 40), Spec("still", "image", 40)]
    with media.scratch() as folder:
        renditions = _make(media, path, probe.mime, specs, folder)
        moving = pyvips.Image.new_from_file(str(renditions["moving"].path), n=-1)
        assert (renditions["moving"].mime, renditions["moving"].width, renditions["moving"].height) == (
            "image/gif",
            40,
            30,
        )
        assert moving.get("n-pages") == 6
        assert moving.get("delay") == [120] * 6
        assert pyvips.Image.new_from_file(str(renditions["still"].path)).height == 30


def test_a_still_picture_becomes_a_gif_of_one_frame_or_a_page(media: Media, tmp_path: Path) -> None:
    path = make.jpeg(tmp_path / "a.jpg")
    specs = [Spec("moving", "gif", 40), Spec("page", "pdf", 160)]
    with media.scratch() as folder:
        renditions = _make(media, path, "image/jpeg", specs, folder)
        assert (renditions["moving"].width, renditions["moving"].height) == (40, 25)
        assert media.probe(renditions["page"].path, "page.pdf").pages == 1


HOSTILE: dict[str, tuple[str, str]] = {
    "script": ("<script>alert(1)</script>", ""),
    "foreign content": ('<foreignObject><body xmlns="http://www.w3.org/1999/xhtml">x</body></foreignObject>', ""),
    "a handler": ("", 'onload="alert(1)"'),
    "an address elsewhere": ('<image xlink:href="http://127.0.0.1:1/x.png" width="9" height="9"/>', ""),
    "a file of the server": ('<image href="file:///etc/hostname" width="200" height="100"/>', ""),
    "a style sheet elsewhere": ("<style>@import url(http://127.0.0.1:1/x.css); rect{fill:url(http://x/y)}</style>", ""),
}


@pytest.mark.parametrize("threat", HOSTILE)
def test_a_hostile_drawing_is_rendered_without_its_poison(media: Media, tmp_path: Path, threat: str) -> None:
    from vitrine.media.svg import safe_svg

    path = kinds.svg(tmp_path / "a.svg", *HOSTILE[threat])
    cleaned = safe_svg(path.read_bytes()).decode()
    for poison in ("script", "foreignObject", "onload", "http://127", "file:", "@import", "http://x"):
        assert poison not in cleaned
    probe = media.probe(path, "a.svg")
    assert (probe.kind, probe.display_width, probe.display_height) == ("image", 200, 100)
    with media.scratch() as folder:
        thumbnail = _make(media, path, "image/svg+xml", THUMBNAIL, folder)["thumbnail"]
        assert pyvips.Image.new_from_file(str(thumbnail.path)).getpoint(40, 20) == pytest.approx([0, 255, 0], abs=4)


def test_a_drawing_that_multiplies_itself_is_refused(media: Media, tmp_path: Path) -> None:
    groups = "".join(f'<g id="g{n}">' + f'<use href="#g{n - 1}"/>' * 10 + "</g>" for n in range(1, 12))
    path = kinds.svg(tmp_path / "a.svg", f"<defs><g id='g0'><path/></g>{groups}</defs><use href='#g11'/>")
    with pytest.raises(Undecodable, match="too many parts"):
        media.probe(path, "a.svg")
    itself = kinds.svg(tmp_path / "b.svg", "<g id='a'><use href='#a'/><rect width='5' height='5'/></g>")
    assert media.probe(itself, "b.svg").kind == "image"


def test_a_drawing_with_an_old_document_type_is_taken(media: Media, tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    head = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    path.write_text(head + '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"/>')
    assert media.probe(path, "a.svg").mime == "image/svg+xml"


def test_a_huge_drawing_is_drawn_small(media: Media, tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="30000"><rect width="9000" height="9000"/></svg>'
    )
    media.probe(path, "a.svg")
    with media.scratch() as folder:
        assert _make(media, path, "image/svg+xml", THUMBNAIL, folder)["thumbnail"].width == 96


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.tif", "a.heic", "a.avif", "a.bmp"])
def test_too_many_pixels_are_refused_from_the_header(media: Media, tmp_path: Path, name: str) -> None:
    strict = Media(media.store, media.sandbox, Limits(max_pixels=50_000), media.scratch_root, media.max_bytes)
    with pytest.raises(TooManyPixels, match="320 × 200"):
        strict.probe(kinds.picture(tmp_path / name), name)


def test_the_frames_of_an_animation_count_together(media: Media, tmp_path: Path) -> None:
    strict = Media(media.store, media.sandbox, Limits(max_pixels=20_000), media.scratch_root, media.max_bytes)
    with pytest.raises(TooManyPixels):
        strict.probe(kinds.animation(tmp_path / "a.gif"), "a.gif")


CONTAINERS: dict[str, Callable[[Path], Path]] = dict.fromkeys(("a.mov", "a.webm", "a.mkv", "a.avi"), kinds.film)


@pytest.mark.parametrize("name", CONTAINERS)
def test_films_of_every_container_get_their_renditions(media: Media, tmp_path: Path, name: str) -> None:
    path = CONTAINERS[name](tmp_path / name)
    probe = media.probe(path, name)
    technical = dict(probe.technical)
    assert (probe.kind, technical["Width"], technical["Channels"]) == ("video", 320, 2)
    assert probe.duration_s == pytest.approx(1.0, abs=0.2)
    specs = [
        Spec("preview", "video", 160), Spec("preview_webm", "video", 160, codec="libvpx"),
        Spec("poster", "image", 200), Spec("thumbnailgif", "gif", 80, delay_ms=150),
    ]  # fmt: skip
    with media.scratch() as folder:
        renditions = _make(media, path, probe.mime, specs, folder)
        assert {rendition: renditions[rendition].mime for rendition in renditions} == {
            "preview": "video/mp4", "preview_webm": "video/webm", "poster": "image/jpeg", "thumbnailgif": "image/gif",
        }  # fmt: skip
        web = dict(media.probe(renditions["preview_webm"].path, "x.webm").technical)
        assert (web["VideoCodec"], web["AudioCodec"]) == ("vp9", "opus")
        moving = pyvips.Image.new_from_file(str(renditions["thumbnailgif"].path), n=-1)
        assert (moving.get("n-pages"), moving.get("delay")) == (12, [150] * 12)
        assert moving.crop(40, 0, 1, 45).avg() != moving.crop(40, 45 * 10, 1, 45).avg()


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("keep", [0.4, 0.9])
def test_a_truncated_film_is_refused(media: Media, tmp_path: Path, name: str, keep: float) -> None:
    cut = make.truncated(CONTAINERS[name](tmp_path / name), tmp_path / f"cut-{name}", keep)
    with pytest.raises(Undecodable):
        media.probe(cut, name)


@pytest.mark.parametrize("clockwise", [90, 180, 270])
def test_the_film_of_a_turned_phone_is_shown_upright(media: Media, tmp_path: Path, clockwise: int) -> None:
    """Red increases to the right in the stored frames; after rotation it increases downwards, to the left or
    upwards."""
    path = kinds.phone_film(tmp_path / "a.mp4", clockwise)
    probe = media.probe(path, "a.mp4")
    upright = (320, 180) if clockwise == 180 else (180, 320)
    assert (probe.display_width, probe.display_height) == upright
    specs = [
        Spec("poster", "image", 320), Spec("thumbnailgif", "gif", 320), Spec("preview", "video", 320),
        Spec("preview_webm", "video", 320, codec="libvpx"),
    ]  # fmt: skip
    with media.scratch() as folder:
        renditions = _make(media, path, probe.mime, specs, folder)
        assert {(rendition.width, rendition.height) for rendition in renditions.values()} == {upright}
        stills = {name: renditions[name].path for name in ("poster", "thumbnailgif")}
        for name in ("preview", "preview_webm"):
            (folder / name).mkdir()
            mime = renditions[name].mime
            stills_of_copy = _make(media, renditions[name].path, mime, [Spec("still", "image", 320)], folder / name)
            stills[name] = stills_of_copy["still"].path
        for name, still in stills.items():
            picture = pyvips.Image.new_from_file(str(still))
            first, last = picture.getpoint(20, 20)[0], picture.getpoint(upright[0] - 20, upright[1] - 20)[0]
            growth = last - first if clockwise == 90 else first - last
            assert growth > 80, name
