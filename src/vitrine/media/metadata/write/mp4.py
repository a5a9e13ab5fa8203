"""Metadata of MP4 files: a uuid box with XMP."""

from vitrine.media.metadata.read.boxes import XMP_UUID
from vitrine.media.metadata.write import xmp
from vitrine.media.metadata.write.model import EmbeddedFacts


def write(data: bytes, facts: EmbeddedFacts) -> bytes:
    """The file with a uuid box at its end, so that no offset in it changes."""
    at, content = 0, b""
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8 or at + size > len(data):
            content += data[at:]
            break
        box = data[at : at + size]
        content += b"" if box[4:8] == b"uuid" and box[8:24] == XMP_UUID else box
        at += size
    body = b"uuid" + XMP_UUID + xmp.packet(facts)
    return content + (len(body) + 4).to_bytes(4, "big") + body
