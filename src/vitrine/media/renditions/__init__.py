"""What is made of a document: specs, makers by type of file, and what comes out.

A new kind of rendition is a maker in a module of this folder and a line in MAKERS; nothing else knows of it. The
modules import decoders, so they are named here and imported in the child only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine.media import kinds
from vitrine.media.errors import NoMaker

IMAGE, GIF, VIDEO, AUDIO, PDF = "image", "gif", "video", "audio", "pdf"
# (type of the original, media type of the recipe) -> module and function of the maker.
MAKERS: Mapping[tuple[str, str], tuple[str, str]] = {
    **{(one, IMAGE): ("image", "from_picture") for one in kinds.PICTURES},
    **{(one, GIF): ("image", "animations") for one in kinds.PICTURES},
    **{(one, PDF): ("document", "from_picture") for one in kinds.PICTURES},
    **{(one, IMAGE): ("video", "posters") for one in kinds.FILMS},
    **{(one, GIF): ("video", "animations") for one in kinds.FILMS},
    **{(one, VIDEO): ("video", "films") for one in kinds.FILMS},
    **{(one, AUDIO): ("audio", "sounds") for one in (*kinds.FILMS, *kinds.SOUNDS)},
    **{(one, IMAGE): ("audio", "waveforms") for one in kinds.SOUNDS},
    (kinds.PDF, IMAGE): ("document", "first_pages"),
    (kinds.PDF, PDF): ("document", "copies"),
    **{(one, IMAGE): ("office", "thumbnails") for one in kinds.OFFICE},
}


@dataclass(frozen=True, slots=True)
class Spec:
    """One rendition to make. *mediatype* is image, gif, video, audio or pdf; *size* is the longest side in pixels and
    never enlarges; *codec* the recipe's icodec, vcodec or acodec, "" for the usual one; *sound_codec* that of a film's
    sound; *background* is a colour as `#rrggbb` for what was transparent; rates are in kbit/s and Hz."""

    name: str
    mediatype: str
    size: int = 0
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
class Made:
    """A finished rendition in the scratch folder; sizes in pixels, 0 for what has none."""

    name: str
    path: Path
    mime: str
    extension: str
    width: int
    height: int


def can_make(mime: str, mediatype: str) -> bool:
    """Whether there is a maker at all; a single file may still lack what is needed (an office file its picture)."""
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
