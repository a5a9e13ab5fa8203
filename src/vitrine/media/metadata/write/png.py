"""Metadata of PNG files: an XMP chunk."""

import struct
import zlib
from collections.abc import Iterator

from vitrine.media.metadata.read import png
from vitrine.media.metadata.write import xmp
from vitrine.media.metadata.write.model import EmbeddedFacts


def write(data: bytes, facts: EmbeddedFacts) -> bytes:
    """The file with an XMP chunk after its header, in place of the one it had."""
    xmp_chunk = png.XMP_KEYWORD + b"\x00\x00\x00\x00\x00" + xmp.packet(facts)
    out = png.SIGNATURE
    for name, body in _chunks(data):
        if name == b"iTXt" and body.startswith(png.XMP_KEYWORD):
            continue
        out += _chunk(name, body)
        if name == b"IHDR":
            out += _chunk(b"iTXt", xmp_chunk)
    return out


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(png.SIGNATURE)
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
