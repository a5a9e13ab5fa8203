"""Renditions of a document: specs, makers by file type, and results.

To add a kind of rendition, write a maker in a module of this folder and add a line to MAKERS. The modules import
decoders, so they are only named here and imported in the child.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine.media import kinds
from vitrine.media.errors import NoMaker

IMAGE, GIF, VIDEO, AUDIO, PDF = "image", "gif", "video", "audio", "pdf"
# (type of the original, media type of the recipe) -> (module, function) of the maker.
MAKERS: Mapping[tuple[str, str], tuple[str, str]] = {
    **{(mime, IMAGE): ("image", "from_picture") for mime in kinds.PICTURES},
    **{(mime, GIF): ("image", "animations") for mime in kinds.PICTURES},
    **{(mime, PDF): ("document", "from_picture") for mime in kinds.PICTURES},
    **{(mime, IMAGE): ("video", "posters") for mime in kinds.FILMS},
    **{(mime, GIF): ("video", "animations") for mime in kinds.FILMS},
    **{(mime, VIDEO): ("video", "films") for mime in kinds.FILMS},
    **{(mime, AUDIO): ("audio", "sounds") for mime in (*kinds.FILMS, *kinds.SOUNDS)},
    **{(mime, IMAGE): ("audio", "waveforms") for mime in kinds.SOUNDS},
    (kinds.PDF, IMAGE): ("document", "first_pages"),
    (kinds.PDF, PDF): ("document", "copies"),
    **{(mime, IMAGE): ("office", "thumbnails") for mime in kinds.OFFICE},
}


@dataclass(frozen=True, slots=True)
class Spec:
    """One rendition to make. *mediatype* is image, gif, video, audio or pdf; *size* is the longest side in pixels and
    never enlarges; *turn* turns a picture clockwise by 0, 90, 180 or 270 degrees; *codec* is the recipe's icodec,
    vcodec or acodec, "" for the default; *sound_codec* is that of a video's audio; *background* is the colour, as
    `#rrggbb`, that replaces transparency; rates are in kbit/s and Hz."""

    name: str
    mediatype: str
    size: int = 0
    turn: int = 0
    quality: int = 82
    codec: str = ""
    flatten: bool = True
    background: str = "#ffffff"
    dpi: int = 72
    delay_ms: int = 100
    bitrate_kbps: int = 1000
    fps: int = 25
    gop: int = 50
    sound_codec: str = ""
    audio_kbps: int = 128
    sample_rate: int = 48_000
    mono: bool = False


@dataclass(frozen=True, slots=True)
class MadeRendition:
    """A finished rendition in the scratch folder. Sizes are in pixels; 0 if it has none."""

    name: str
    path: Path
    mime: str
    extension: str
    width: int
    height: int


def can_make(mime: str, mediatype: str) -> bool:
    """Whether there is a maker. A file may still lack what it needs, such as the thumbnail of an office file."""
    return (mime, mediatype) in MAKERS


def spec_of(name: str, mediatype: str, options: Mapping[str, Any]) -> Spec:
    """The spec of a recipe (ranges and defaults of 04 section 8). Raises NoMaker for a kind that cannot be made."""

    def number(option: str, default: int, least: int, most: int) -> int:
        return _within(options, option, default, least, most)

    picture: dict[str, Any] = {
        "size": number("size", 800, 20, 10_000),
        "quality": number("quality", 75, 1, 100),
        "codec": str(options.get("icodec", "jpeg")),
        "flatten": _yes(options.get("flatten", True)),
        "background": str(options.get("backgroundcolor") or "#ffffff"),
        "dpi": number("resolution", 72, 50, 1000),
    }
    sound: dict[str, Any] = {
        "audio_kbps": number("audiobitrate", 128, 32, 320),
        "sample_rate": number("audiosamplerate", 48_000, 8000, 96_000),
        "mono": options.get("audiochannel") == "mono",
    }
    if mediatype == IMAGE:
        return Spec(name, mediatype, **picture)
    if mediatype == GIF:
        return Spec(name, mediatype, **picture, delay_ms=number("delay", 100, 50, 500))
    if mediatype == VIDEO:
        return Spec(
            name,
            mediatype,
            size=number("size", 600, 64, 2000),
            bitrate_kbps=number("bitrate", 800, 100, 12_000),
            fps=number("fps", 20, 1, 200),
            gop=number("GOPsize", 10, 1, 300),
            codec=str(options.get("vcodec", "libx264")),
            sound_codec=str(options.get("acodec", "")),
            **sound,
        )
    if mediatype == AUDIO:
        return Spec(name, mediatype, codec=str(options.get("acodec", "libmp3lame")), **sound)
    if mediatype == PDF:
        return Spec(name, mediatype, size=number("size", 2480, 20, 10_000))
    raise NoMaker(f"Renditions of the kind {mediatype} cannot be made.")


def _within(options: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    try:
        return min(most, max(least, int(options.get(name, default))))
    except (TypeError, ValueError):
        return default


def _yes(value: object) -> bool:
    return value not in (False, 0, "0", "no", "false", "off", "")
