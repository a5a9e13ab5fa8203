"""Load pictures of every type as libvips images; imported only in the child.

libvips opens most types itself and shrinks while loading; drawings are sanitized first; HEIC, Photoshop, JPEG 2000 and
BMP files are decoded by Pillow.
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
Image.MAX_IMAGE_PIXELS = None  # checked by us, from the header, with the operator's limit
MOST_FRAMES = 200
_VIPS_MODES = {"L": ("b-w", 1), "RGB": ("srgb", 3), "RGBA": ("srgb", 4), "CMYK": ("cmyk", 4)}
_CONVERTED_MODES = {"1": "L", "LA": "RGBA", "P": "RGBA", "PA": "RGBA", "La": "RGBA", "RGBa": "RGBA", "I;16": "L"}
DECODER_ERRORS = (pyvips.Error, OSError, SyntaxError, ValueError, EOFError)


def load_picture(path: str, mime: str, size: int) -> Any:
    """The picture (the first of several) fitted into a square of *size* pixels and never enlarged: upright, in sRGB or
    grey, eight bits, in memory. An alpha band is kept. Raises Undecodable."""
    try:
        return _load(path, mime, size)
    except DECODER_ERRORS as failure:
        why = str(failure).replace("\n", " ")[:300]
        raise Undecodable("The picture is damaged or cut off.", field="file", why=why) from failure


def _load(path: str, mime: str, size: int) -> Any:
    box: dict[str, Any] = {"height": size, "size": "down"}
    if mime == SVG:
        thumbnail = pyvips.Image.thumbnail_buffer(safe_svg(Path(path).read_bytes()), size, **box)
    elif mime in PILLOW_PICTURES:
        picture = load_with_pillow(path)
        thumbnail = picture.thumbnail_image(size, **box, **_colour(picture))
    else:
        # A picture with a profile is converted to sRGB, so wide-gamut colours stay right. Without a profile the
        # conversion would change nothing and cost more than everything else.
        header = pyvips.Image.new_from_file(path, access="sequential")
        thumbnail = pyvips.Image.thumbnail(path, size, fail_on="truncated", **box, **_colour(header))
    return _to_eight_bits(thumbnail).copy_memory()


def _colour(picture: Any) -> dict[str, str]:
    has_profile = picture.get_typeof("icc-profile-data")
    return {"export_profile": "srgb", "intent": "perceptual"} if has_profile else {}


def _to_eight_bits(picture: Any) -> Any:
    if picture.interpretation not in ("srgb", "b-w"):
        picture = picture.colourspace("srgb")
    return picture if picture.format == "uchar" else picture.cast("uchar")


def load_animation(path: str, mime: str, size: int) -> Any:
    """All frames of an animated picture (at most MOST_FRAMES), stacked vertically with `page-height` and `delay`; a
    still picture is one frame. Raises Undecodable."""
    if mime not in ANIMATED:
        return load_picture(path, mime, size)
    try:
        pages = _pages(pyvips.Image.new_from_file(path, access="sequential"))
        source = f"{path}[n={min(pages, MOST_FRAMES)}]"
        thumbnail = pyvips.Image.thumbnail(source, size, height=size, size="down", fail_on="truncated")
        return _to_eight_bits(thumbnail).copy_memory()
    except pyvips.Error as failure:
        why = str(failure).replace("\n", " ")[:300]
        raise Undecodable("The picture is damaged or cut off.", field="file", why=why) from failure


def _pages(header: Any) -> int:
    return int(header.get("n-pages")) if header.get_typeof("n-pages") else 1


def header_of(path: str, mime: str) -> tuple[Any, int]:
    """(picture with pixels not decoded yet, number of frames). Raises Undecodable."""
    try:
        if mime == SVG:
            return pyvips.Image.svgload_buffer(safe_svg(Path(path).read_bytes())), 1
        picture = pyvips.Image.new_from_file(path, access="sequential")
        return picture, _pages(picture)
    except pyvips.Error as failure:
        why = str(failure).replace("\n", " ")[:300]
        raise Undecodable("The picture is damaged or cut off.", field="file", why=why) from failure


def pillow_size(path: str) -> tuple[int, int, int]:
    """(width, height, channels) from the header; upright for HEIC, where rotation is part of the format."""
    try:
        with Image.open(path) as picture:
            return picture.width, picture.height, len(picture.getbands())
    except DECODER_ERRORS as failure:
        raise Undecodable("The picture is damaged or cut off.", field="file", why=str(failure)[:300]) from failure
    except Image.DecompressionBombError as failure:
        raise TooManyPixels("The picture has too many pixels.", field="file") from failure


def load_with_pillow(path: str) -> Any:
    """A full-size picture decoded by Pillow, upright, with its profile."""
    with Image.open(path) as source:
        picture = ImageOps.exif_transpose(source)
        profile = source.info.get("icc_profile")
        if picture.mode not in _VIPS_MODES:
            picture = picture.convert(_CONVERTED_MODES.get(picture.mode, "RGB"))
        interpretation, bands = _VIPS_MODES[picture.mode]
        pixels = picture.tobytes()
    decoded = pyvips.Image.new_from_memory(pixels, picture.width, picture.height, bands, "uchar")
    decoded = decoded.copy(interpretation=interpretation)
    if profile:
        decoded.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return decoded


def turned(picture: Any, degrees: int) -> Any:
    """A picture in memory, turned clockwise by a multiple of 90 degrees; of a stack of frames each one."""
    if degrees == 0:
        return picture
    height = picture.get("page-height") if picture.get_typeof("page-height") else picture.height
    if height == picture.height:
        return picture.rot(f"d{degrees}").copy_memory()
    frames = [frame.rot(f"d{degrees}") for frame in picture.pagesplit()]
    return frames[0].pagejoin(frames[1:]).copy_memory()
