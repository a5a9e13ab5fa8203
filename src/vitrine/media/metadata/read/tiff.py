"""Tags of a TIFF file (TIFF 6.0) that carry metadata; the file itself is an EXIF block."""

import mmap
import struct
from typing import BinaryIO

from vitrine.media.metadata.read import jpeg

XMP, IPTC, PHOTOSHOP = 700, 33723, 34377
MOST_BYTES = 16 * 2**20
MOST_ENTRIES = 500
Block = bytes | mmap.mmap
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}


def parts(file: BinaryIO) -> list[tuple[str, Block]]:
    """`exif`, `xmp` and `iptc`. The file is memory-mapped, since it may have gigabytes. Raises ValueError."""
    data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(data[:4])
    if order is None:
        raise ValueError("not a classic TIFF file")
    raw = _raw(data, order, struct.unpack_from(order + "I", data, 4)[0])
    blocks: list[tuple[str, Block]] = [("exif", data)]
    if XMP in raw:
        blocks.append(("xmp", raw[XMP]))
    iptc = raw.get(IPTC) or next(
        (block for number, block in jpeg.photoshop_resources(raw.get(PHOTOSHOP, b"")) if number == jpeg.IPTC_RESOURCE),
        b"",
    )
    return [*blocks, *([("iptc", iptc)] if iptc else [])]


def _raw(data: mmap.mmap, order: str, at: int) -> dict[int, bytes]:
    """The bytes of the wanted tags of the first directory."""
    if at + 2 > len(data):
        raise ValueError("no directory")
    raw = {}
    for index in range(min(struct.unpack_from(order + "H", data, at)[0], MOST_ENTRIES)):
        start = at + 2 + index * 12
        if start + 12 > len(data):
            break
        number, kind, count, offset = struct.unpack_from(order + "HHII", data, start)
        size = _SIZES.get(kind, 0) * count
        if number in (XMP, IPTC, PHOTOSHOP) and 4 < size <= MOST_BYTES:
            raw[number] = data[offset : offset + size]
    return raw
