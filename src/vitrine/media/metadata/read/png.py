"""Chunks of a PNG file (PNG third edition, section 11) that carry metadata."""

import zlib
from typing import BinaryIO

from vitrine.media.metadata.read.tags import Tags

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD = b"XML:com.adobe.xmp"
MOST_BYTES = 16 * 2**20
WANTED = (b"tEXt", b"zTXt", b"iTXt", b"eXIf")


def parts(file: BinaryIO) -> list[tuple[str, bytes]]:
    """(form, bytes) of the metadata chunks. Raises ValueError if the file is not a PNG."""
    if file.read(8) != SIGNATURE:
        raise ValueError("not a PNG file")
    blocks: list[tuple[str, bytes]] = []
    while len(header := file.read(8)) == 8:
        size, name = int.from_bytes(header[:4], "big"), header[4:]
        if name == b"IEND":
            break
        if name not in WANTED or size > MOST_BYTES:
            file.seek(size + 4, 1)
            continue
        data = file.read(size)
        file.seek(4, 1)
        blocks += _part(name, data)
    return blocks


def _part(name: bytes, data: bytes) -> list[tuple[str, bytes]]:
    if name == b"eXIf":
        return [("exif", data)]
    keyword, _, body = data.partition(b"\x00")
    if name == b"tEXt":
        return [("text", keyword + b"\x00" + body.decode("latin-1").encode())]
    if name == b"zTXt":
        return [("text", keyword + b"\x00" + _inflate(body[1:]).decode("latin-1").encode())]
    compressed, body = body[:1] == b"\x01", body[2:]
    _language, _, body = body.partition(b"\x00")
    _translated, _, text = body.partition(b"\x00")
    content = _inflate(text) if compressed else text
    return [("xmp", content)] if keyword == XMP_KEYWORD else [("text", keyword + b"\x00" + content)]


def _inflate(data: bytes) -> bytes:
    decompressor = zlib.decompressobj()
    try:
        text = decompressor.decompress(data, MOST_BYTES)
    except zlib.error as failure:
        raise ValueError(f"compressed text: {failure}") from failure
    if decompressor.unconsumed_tail:
        raise ValueError("compressed text is too long")
    return text


def read_text(data: bytes, tags: Tags) -> None:
    """A text chunk as `PNG:<keyword>`."""
    keyword, _, text = data.partition(b"\x00")
    tags.put("PNG:" + keyword.decode("latin-1").title().replace(" ", ""), [text.decode("utf-8", "replace")])
