"""What is made of a document: specs, the default recipes, and what comes out.

A new kind of rendition is a spec here and a maker in `make.py`'s table; nothing else knows of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine.media.errors import NoMaker


@dataclass(frozen=True, slots=True)
class Spec:
    """One rendition to make. *size* is the longest side in pixels and never enlarges; *mediatype* is image or video."""

    name: str
    mediatype: str
    size: int
    quality: int = 82
    bitrate_kbps: int = 1000
    fps: int = 25
    gop: int = 50
    audio_kbps: int = 128


@dataclass(frozen=True, slots=True)
class Made:
    """A finished rendition in the scratch folder; sizes in pixels."""

    name: str
    path: Path
    mime: str
    extension: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class DefaultRecipe:
    """A recipe of a new databox (04 section 8, shipped templates)."""

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


_VIDEO = {
    "size": 748, "bitrate": 1000, "GOPsize": 50, "fps": 25, "vcodec": "libx264", "acodec": "aac", "audiobitrate": 128,
}  # fmt: skip
_PREVIEW, _THUMBNAIL, _POSTER = (
    _labels("Aperçu", "Preview"),
    _labels("Vignette", "Thumbnail"),
    _labels("Affiche", "Poster"),
)

DEFAULT_RECIPES: tuple[DefaultRecipe, ...] = (
    DefaultRecipe("image", "preview", "preview", "image", ("screen",), _PREVIEW, _image(1280, 82)),
    DefaultRecipe("image", "thumbnail", "thumbnail", "image", ("screen",), _THUMBNAIL, _image(384, 80)),
    DefaultRecipe("image", "preview_mobile", "preview", "image", ("handheld",), _PREVIEW, _image(640, 80)),
    DefaultRecipe("image", "thumbnail_mobile", "thumbnail", "image", ("handheld",), _THUMBNAIL, _image(192, 78)),
    DefaultRecipe("video", "thumbnail", "thumbnail", "image", ("screen",), _THUMBNAIL, _image(384, 80)),
    DefaultRecipe("video", "preview", "preview", "video", ("screen",), _PREVIEW, _VIDEO),
    DefaultRecipe("video", "poster", "preview", "image", ("screen",), _POSTER, _image(1280, 82)),
)


def spec_of(name: str, mediatype: str, options: Mapping[str, Any]) -> Spec:
    """The spec of a recipe. Raises NoMaker for a kind that cannot be made yet."""
    if mediatype == "image":
        return Spec(
            name,
            mediatype,
            size=_within(options, "size", 800, 20, 10_000),
            quality=_within(options, "quality", 75, 1, 100),
        )
    if mediatype == "video":
        return Spec(
            name,
            mediatype,
            size=_within(options, "size", 600, 64, 2000),
            bitrate_kbps=_within(options, "bitrate", 800, 100, 12_000),
            fps=_within(options, "fps", 20, 1, 200),
            gop=_within(options, "GOPsize", 50, 1, 300),
            audio_kbps=_within(options, "audiobitrate", 128, 32, 320),
        )
    raise NoMaker(f"Renditions of the kind {mediatype} cannot be made yet.")


def _within(options: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    try:
        return min(most, max(least, int(options.get(name, default))))
    except (TypeError, ValueError):
        return default
