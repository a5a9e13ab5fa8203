"""Facts of still pictures, by libvips; imported in the child only."""

from typing import Any

import pyvips

from vitrine.media.errors import Undecodable
from vitrine.media.metadata.exif import camera_facts
from vitrine.media.probe import Technical
from vitrine.media.probe.inspect import refuse_bomb, shape

pyvips.cache_set_max(0)
_BITS = {"uchar": 8, "char": 8, "ushort": 16, "short": 16, "uint": 32, "int": 32, "float": 32, "double": 64}
_TURNED = (5, 6, 7, 8)


def look(path: str, mime: str, metadata: dict[str, list[str]], max_pixels: int) -> dict[str, Any]:
    """Read the header, refuse bombs, then decode once so that a truncated file is refused now and not later."""
    try:
        header = pyvips.Image.new_from_file(path, access="sequential")
        refuse_bomb(header.width, header.height, max_pixels)
        _decode(path, mime)
    except pyvips.Error as failure:
        why = str(failure).replace("\n", " ")[:300]
        raise Undecodable("The picture is damaged or cut off.", field="file", why=why) from failure
    orientation = int(header.get("orientation")) if header.get_typeof("orientation") else 1
    turned = orientation in _TURNED
    width, height = (header.height, header.width) if turned else (header.width, header.height)
    technical: list[tuple[str, Technical]] = [
        ("Width", header.width),
        ("Height", header.height),
        ("Channels", header.bands),
        ("Orientation", orientation),
        ("ThumbnailOrientation", shape(width, height)),
        ("ColorDepth", _BITS.get(header.format, 8)),
        *camera_facts(metadata),
    ]
    return {
        "width": header.width,
        "height": header.height,
        "display_width": width,
        "display_height": height,
        "technical": technical,
    }


def _decode(path: str, mime: str) -> None:
    # A JPEG decoded at an eighth still reads all its data, at a fraction of the cost.
    options = {"shrink": 8} if mime == "image/jpeg" else {}
    pyvips.Image.new_from_file(path, access="sequential", fail_on="truncated", **options).avg()
