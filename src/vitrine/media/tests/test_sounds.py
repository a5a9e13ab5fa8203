"""Sound: contract 04 section 8 (audio)."""

from pathlib import Path

import pytest
import pyvips

from vitrine.media.errors import Undecodable
from vitrine.media.kinds import FILMS, SOUND_OF, kind_of
from vitrine.media.renditions import MadeRendition, Spec, can_make, spec_of
from vitrine.media.renditions.recipes import DEFAULT_RECIPES
from vitrine.media.service import Media
from vitrine.testing import media_factory as make
from vitrine.testing import media_kinds as kinds

NAMES = ["a.mp3", "a.wav", "a.flac", "a.ogg", "a.opus", "a.m4a", "a.mka"]
MIMES = {
    "a.mp3": "audio/mpeg", "a.wav": "audio/wav", "a.flac": "audio/flac", "a.ogg": "audio/ogg", "a.opus": "audio/ogg",
    "a.m4a": "audio/mp4", "a.mka": "audio/x-matroska",
}  # fmt: skip
RECIPES = [
    spec_of(recipe.name, recipe.mediatype, recipe.options) for recipe in DEFAULT_RECIPES if recipe.group == "audio"
]


def _make(media: Media, path: Path, mime: str, specs: list[Spec], folder: Path) -> dict[str, MadeRendition]:
    results = media.make_renditions(media.store_file(path).sha256, "audio", mime, specs, folder)
    assert all(isinstance(result, MadeRendition) for result in results), results
    return {result.name: result for result in results if isinstance(result, MadeRendition)}


@pytest.mark.parametrize("name", NAMES)
def test_sounds_tell_their_length_codec_rate_and_tags(media: Media, tmp_path: Path, name: str) -> None:
    probe = media.probe(kinds.sound(tmp_path / name), name)
    technical = dict(probe.technical)
    assert (probe.kind, probe.mime, probe.width) == ("audio", MIMES[name], None)
    assert probe.duration_s == pytest.approx(2.0, abs=0.15)
    assert technical["AudioSamplerate"] == 48_000.0
    assert technical["Channels"] == 2
    assert technical["AudioCodec"]
    assert "VideoCodec" not in technical
    titles = [values for tag, values in probe.metadata.items() if tag.endswith(":Title")]
    assert ["Harbour at dawn"] in titles


@pytest.mark.parametrize("name", NAMES)
def test_every_sound_gets_a_picture_and_two_mp3(media: Media, tmp_path: Path, name: str) -> None:
    path = kinds.sound(tmp_path / name)
    with media.scratch() as folder:
        renditions = _make(media, path, MIMES[name], RECIPES, folder)
        assert set(renditions) == {"thumbnail", "preview", "preview_mobile"}
        assert (renditions["thumbnail"].width, renditions["thumbnail"].height) == (384, 192)
        assert (renditions["preview"].mime, renditions["preview"].extension) == ("audio/mpeg", "mp3")
        small = media.probe(renditions["preview"].path, "preview.mp3")
        assert small.duration_s == pytest.approx(2.0, abs=0.2)
        assert dict(small.technical)["AudioSamplerate"] == 48_000.0
        assert renditions["preview_mobile"].path.stat().st_size < renditions["preview"].path.stat().st_size


def test_the_picture_of_a_sound_shows_it_swell(media: Media, tmp_path: Path) -> None:
    path = kinds.sound(tmp_path / "a.wav")
    with media.scratch() as folder:
        renditions = _make(media, path, "audio/wav", RECIPES[:1], folder)
        picture = pyvips.Image.new_from_file(str(renditions["thumbnail"].path)).colourspace("b-w")
        quarters = [picture.crop(96 * part, 0, 96, 192).avg() for part in range(4)]
    assert quarters == sorted(quarters, reverse=True)  # more ink, darker
    assert quarters[0] - quarters[3] > 40


@pytest.mark.parametrize(
    ("codec", "mime"), [("flac", "audio/flac"), ("pcm_s16le", "audio/wav"), ("libvorbis", "audio/ogg")]
)
def test_other_codecs_of_recipes_are_made(media: Media, tmp_path: Path, codec: str, mime: str) -> None:
    spec = spec_of("x", "audio", {"acodec": codec, "audiosamplerate": 16_000, "audiochannel": "mono"})
    with media.scratch() as folder:
        renditions = _make(media, kinds.sound(tmp_path / "a.mp3"), "audio/mpeg", [spec], folder)
        assert renditions["x"].mime == mime
        probe = media.probe(renditions["x"].path, renditions["x"].path.name)
        assert dict(probe.technical)["Channels"] == 1
        assert dict(probe.technical)["AudioSamplerate"] == (48_000.0 if codec == "libvorbis" else 16_000.0)


def test_the_sound_of_a_film_can_be_had_alone(media: Media, tmp_path: Path) -> None:
    path = make.mp4(tmp_path / "a.mp4")
    with media.scratch() as folder:
        renditions = _make(media, path, "video/mp4", [RECIPES[1]], folder)
        assert media.probe(renditions["preview"].path, "preview.mp3").kind == "audio"


def test_a_film_type_without_picture_is_a_sound_that_can_be_made() -> None:
    assert set(SOUND_OF) == set(FILMS)
    for mime in SOUND_OF.values():
        assert kind_of(mime) == "audio"
        assert can_make(mime, "image")
        assert can_make(mime, "audio")


def test_a_cover_does_not_make_a_sound_a_film(media: Media, tmp_path: Path) -> None:
    path = kinds.cover_sound(tmp_path / "a.mp3")
    probe = media.probe(path, "a.mp3")
    assert (probe.kind, probe.width) == ("audio", None)
    with media.scratch() as folder:
        assert set(_make(media, path, "audio/mpeg", RECIPES, folder)) == {"thumbnail", "preview", "preview_mobile"}


@pytest.mark.parametrize("name", ["a.wav", "a.m4a", "a.mka", "a.ogg", "a.opus", "a.mp3"])
def test_a_truncated_sound_is_refused(media: Media, tmp_path: Path, name: str) -> None:
    cut = make.truncated(kinds.sound(tmp_path / name), tmp_path / f"cut-{name}", 0.6)
    with pytest.raises(Undecodable, match="cut off"):
        media.probe(cut, name)
