"""The part of ID3v2 tags in an MP3 file that FFmpeg does not read: an XMP packet in a PRIV frame."""

from collections.abc import Iterator
from typing import BinaryIO

XMP_OWNER = b"XMP\x00"
MOST_BYTES = 16 * 2**20
HEADER = 10


def parts(file: BinaryIO) -> list[tuple[str, bytes]]:
    """`xmp`, if there is one (XMP specification part 3, section 2.3.3)."""
    head = file.read(HEADER)
    if not head.startswith(b"ID3") or len(head) < HEADER:
        return []
    data = file.read(min(syncsafe(head[6:10]), MOST_BYTES))
    packets = (body for name, body in _frames(data, head[3]) if name == b"PRIV" and body.startswith(XMP_OWNER))
    return [("xmp", body[len(XMP_OWNER) :]) for body in packets][:1]


def syncsafe(four: bytes) -> int:
    """Decode a number with seven bits in each byte."""
    return four[0] << 21 | four[1] << 14 | four[2] << 7 | four[3]


def _frames(data: bytes, version: int) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + HEADER <= len(data) and data[at : at + 1] != b"\x00" and version >= 3:
        raw = data[at + 4 : at + 8]
        size = syncsafe(raw) if version >= 4 else int.from_bytes(raw, "big")
        yield data[at : at + 4], data[at + HEADER : at + HEADER + size]
        at += HEADER + size
