"""The recipes of a new databox (04 section 8, shipped templates)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DefaultRecipe:
    """One recipe for a *group* of records; *klass* is the right that it requires."""

    group: str
    name: str
    klass: str
    mediatype: str
    devices: tuple[str, ...]
    labels: Mapping[str, str]
    options: Mapping[str, Any]


def _labels(french: str, english: str) -> dict[str, str]:
    return {"fr": french, "en": english, "de": "", "nl": ""}


def _image(size: int, quality: int) -> dict[str, Any]:
    return {"size": size, "resolution": 72, "strip": True, "flatten": True, "quality": quality, "icodec": "jpeg"}


def _mp3(kbps: int, rate: int) -> dict[str, Any]:
    return {"audiobitrate": kbps, "audiosamplerate": rate, "acodec": "libmp3lame", "audiochannel": "stereo"}


_VIDEO = {
    "size": 748, "bitrate": 1000, "GOPsize": 50, "fps": 25, "vcodec": "libx264", "acodec": "aac", "audiobitrate": 128,
}  # fmt: skip
# All current browsers play VP9 and Opus in WebM. The options name the codec family, as in Phraseanet.
_WEBM = {**_VIDEO, "vcodec": "libvpx", "acodec": "libopus"}
_GIF = {**_image(250, 80), "delay": 150}
_PREVIEW, _THUMBNAIL = _labels("Aperçu", "Preview"), _labels("Vignette", "Thumbnail")
_POSTER, _MOVING = _labels("Affiche", "Poster"), _labels("Vignette animée", "Moving thumbnail")

DEFAULT_RECIPES: tuple[DefaultRecipe, ...] = (
    DefaultRecipe("image", "preview", "preview", "image", ("screen",), _PREVIEW, _image(1280, 82)),
    DefaultRecipe("image", "thumbnail", "thumbnail", "image", ("screen",), _THUMBNAIL, _image(384, 80)),
    DefaultRecipe("image", "preview_mobile", "preview", "image", ("handheld",), _PREVIEW, _image(640, 80)),
    DefaultRecipe("image", "thumbnail_mobile", "thumbnail", "image", ("handheld",), _THUMBNAIL, _image(192, 78)),
    DefaultRecipe("video", "thumbnail", "thumbnail", "image", ("screen",), _THUMBNAIL, _image(384, 80)),
    DefaultRecipe("video", "preview", "preview", "video", ("screen",), _PREVIEW, _VIDEO),
    DefaultRecipe("video", "poster", "preview", "image", ("screen",), _POSTER, _image(1280, 82)),
    DefaultRecipe("video", "thumbnailgif", "thumbnail", "gif", ("screen",), _MOVING, _GIF),
    DefaultRecipe("video", "preview_webm", "preview", "video", ("screen",), _PREVIEW, _WEBM),
    DefaultRecipe("audio", "thumbnail", "thumbnail", "image", ("screen",), _THUMBNAIL, _image(384, 80)),
    DefaultRecipe("audio", "preview", "preview", "audio", ("screen",), _PREVIEW, _mp3(128, 48_000)),
    DefaultRecipe("audio", "preview_mobile", "preview", "audio", ("handheld",), _PREVIEW, _mp3(64, 44_100)),
    DefaultRecipe("document", "thumbnail", "thumbnail", "image", ("screen",), _THUMBNAIL, _image(380, 80)),
    DefaultRecipe("document", "preview", "preview", "pdf", ("screen",), _PREVIEW, {}),
)
