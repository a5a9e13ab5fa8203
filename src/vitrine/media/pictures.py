"""Opening pictures of every kind as libvips images; imported in the child only.

libvips opens most of them itself and shrinks while it loads; drawings are cleaned first; HEIC, Photoshop, JPEG 2000
and BMP files are decoded by Pillow.
"""

from pathlib import Path
from typing import Any

import pillow_heif
import pyvips
from PIL import Image, ImageOps

from vitrine.media.errors import TooManyPixels, Undecodable
from vitrine.media.kinds import ANIMATED, PILLOW_PICTURES, SVG
from vitrine.media.svg import safe_svg

pyvips.cache_set_max(0)
pillow_heif.register_heif_opener(thumbnails=False)
Image.MAX_IMAGE_PIXELS = None  # asked by ourselves, from the header, with the operator's limit
MOST_FRAMES = 200
_PLAIN = {"L": ("b-w", 1), "RGB": ("srgb", 3), "RGBA": ("srgb", 4), "CMYK": ("cmyk", 4)}
_AS = {"1": "L", "LA": "RGBA", "P": "RGBA", "PA": "RGBA", "La": "RGBA", "RGBa": "RGBA", "I;16": "L"}
DECODER_ERRORS = (pyvips.Error, OSError, SyntaxError, ValueError, EOFError)


def shrunk(path: str, mime: str, size: int) -> Any:
    """The picture (of several, the first) inside a square of *size* pixels, never enlarged: upright, in sRGB or grey,
    eight bits, in memory; an alpha band stays. Raises Undecodable."""
    try:
        return _shrunk(path, mime, size)
    except DECODER_ERRORS as failure:
        why = str(failure).replace("\n", " ")[:300]
        raise Undecodable("The picture is damaged or cut off.", field="file", why=why) from failure


def _shrunk(path: str, mime: str, size: int) -> Any:
    box: dict[str, Any] = {"height": size, "size": "down"}
    if mime == SVG:
        made = pyvips.Image.thumbnail_buffer(safe_svg(Path(path).read_bytes()), size, **box)
    elif mime in PILLOW_PICTURES:
        whole = by_pillow(path)
        made = whole.thumbnail_image(size, **box, **_colour(whole))
    else:
        # A picture with a profile is converted to sRGB, so that wide-gamut ones stay right; without one the conversion
        # would change nothing and cost more than all the rest.
        header = pyvips.Image.new_from_file(path, access="sequential")
        made = pyvips.Image.thumbnail(path, size, fail_on="truncated", **box, **_colour(header))
    return _plain(made).copy_memory()


def _colour(picture: Any) -> dict[str, str]:
    has_profile = picture.get_typeof("icc-profile-data")
    return {"export_profile": "srgb", "intent": "perceptual"} if has_profile else {}


def _plain(picture: Any) -> Any:
    if picture.interpretation not in ("srgb", "b-w"):
        picture = picture.colourspace("srgb")
    return picture if picture.format == "uchar" else picture.cast("uchar")


def animation(path: str, mime: str, size: int) -> Any:
    """Every frame of an animated picture (at most MOST_FRAMES), one below the other with `page-height` and `delay`;
    of a still one its only frame. Raises Undecodable."""
    if mime not in ANIMATED:
        return shrunk(path, mime, size)
    try:
        pages = _pages(pyvips.Image.new_from_file(path, access="sequential"))
        source = f"{path}[n={min(pages, MOST_FRAMES)}]"
        made = pyvips.Image.thumbnail(source, size, height=size, size="down", fail_on="truncated")
        return _plain(made).copy_memory()
    except pyvips.Error as failure:
        why = str(failure).replace("\n", " ")[:300]
        raise Undecodable("The picture is damaged or cut off.", field="file", why=why) from failure


def _pages(header: Any) -> int:
    return int(header.get("n-pages")) if header.get_typeof("n-pages") else 1


def header_of(path: str, mime: str) -> tuple[Any, int]:
    """(picture whose pixels were not decoded yet, number of frames). Raises Undecodable."""
    try:
        if mime == SVG:
            return pyvips.Image.svgload_buffer(safe_svg(Path(path).read_bytes())), 1
        picture = pyvips.Image.new_from_file(path, access="sequential")
        return picture, _pages(picture)
    except pyvips.Error as failure:
        why = str(failure).replace("\n", " ")[:300]
        raise Undecodable("The picture is damaged or cut off.", field="file", why=why) from failure


def pillow_size(path: str) -> tuple[int, int, int]:
    """(width, height, channels) from the header, upright for HEIC, whose rotation is part of the format."""
    try:
        with Image.open(path) as picture:
            return picture.width, picture.height, len(picture.getbands())
    except DECODER_ERRORS as failure:
        raise Undecodable("The picture is damaged or cut off.", field="file", why=str(failure)[:300]) from failure
    except Image.DecompressionBombError as failure:
        raise TooManyPixels("The picture has too many pixels.", field="file") from failure


def by_pillow(path: str) -> Any:
    """A whole picture decoded by Pillow, upright, with its profile."""
    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened)
        profile = opened.info.get("icc_profile")
        if picture.mode not in _PLAIN:
            picture = picture.convert(_AS.get(picture.mode, "RGB"))
        interpretation, bands = _PLAIN[picture.mode]
        pixels = picture.tobytes()
    made = pyvips.Image.new_from_memory(pixels, picture.width, picture.height, bands, "uchar")
    made = made.copy(interpretation=interpretation)
    if profile:
        made.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return made
