"""Facts about still pictures, by libvips; imported only in the child."""

from typing import Any

import pyvips

from vitrine.media.errors import Undecodable
from vitrine.media.kinds import PILLOW_PICTURES, SVG
from vitrine.media.pictures import DECODER_ERRORS, header_of, load_picture, load_with_pillow, pillow_size
from vitrine.media.probe.camera import camera_facts
from vitrine.media.probe.dimensions import refuse_decompression_bomb, thumbnail_orientation
from vitrine.media.probe.model import Technical

_BITS = {"uchar": 8, "char": 8, "ushort": 16, "short": 16, "uint": 32, "int": 32, "float": 32, "double": 64}
_TURNED = (5, 6, 7, 8)
DAMAGED = "The picture is damaged or cut off."


def facts_of(path: str, mime: str, metadata: dict[str, list[str]], max_pixels: int) -> dict[str, Any]:
    """Read the header, refuse bombs, then decode once, so a truncated file is refused at once."""
    if mime in PILLOW_PICTURES:
        return _pillow_facts(path, metadata, max_pixels)
    header, frames = header_of(path, mime)
    if mime != SVG:  # a drawing has no pixels until it is rendered at the requested size
        refuse_decompression_bomb(header.width, header.height * max(1, frames), max_pixels)
    _decode(path, mime, frames)
    orientation = int(header.get("orientation")) if header.get_typeof("orientation") else 1
    is_rotated = orientation in _TURNED
    width, height = (header.height, header.width) if is_rotated else (header.width, header.height)
    return _facts(
        (header.width, header.height),
        (width, height),
        [
            ("Channels", header.bands),
            ("Orientation", orientation),
            ("ThumbnailOrientation", thumbnail_orientation(width, height)),
            ("ColorDepth", _BITS.get(header.format, 8)),
            *camera_facts(metadata),
        ],
    )


def _facts(
    stored: tuple[int, int], displayed: tuple[int, int], technical: list[tuple[str, Technical]]
) -> dict[str, Any]:
    return {
        "width": stored[0],
        "height": stored[1],
        "display_width": displayed[0],
        "display_height": displayed[1],
        "technical": [("Width", stored[0]), ("Height", stored[1]), *technical],
        "makes": ["image", "gif", "pdf"],
    }


def _pillow_facts(path: str, metadata: dict[str, list[str]], max_pixels: int) -> dict[str, Any]:
    width, height, channels = pillow_size(path)
    refuse_decompression_bomb(width, height, max_pixels)
    try:
        picture = load_with_pillow(path)
    except DECODER_ERRORS as failure:
        raise Undecodable(DAMAGED, field="file", why=str(failure)[:300]) from failure
    technical: list[tuple[str, Technical]] = [
        ("Channels", channels),
        ("Orientation", 1),
        ("ThumbnailOrientation", thumbnail_orientation(picture.width, picture.height)),
        ("ColorDepth", 8),
        *camera_facts(metadata),
    ]
    return _facts((width, height), (picture.width, picture.height), technical)


def _decode(path: str, mime: str, frames: int) -> None:
    try:
        if mime == SVG:
            load_picture(path, mime, 64)
            return
        # A JPEG decoded at an eighth still reads all its data, at a fraction of the cost.
        options: dict[str, Any] = {"shrink": 8} if mime == "image/jpeg" else {}
        if frames > 1 and mime in ("image/gif", "image/webp"):
            options["n"] = -1
        pyvips.Image.new_from_file(path, access="sequential", fail_on="truncated", **options).avg()
    except pyvips.Error as failure:
        why = str(failure).replace("\n", " ")[:300]
        raise Undecodable(DAMAGED, field="file", why=why) from failure
