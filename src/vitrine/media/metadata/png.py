"""Chunks of a PNG file (PNG third edition, section 11) that carry metadata."""

import zlib
from typing import BinaryIO

from vitrine.media.metadata.tags import Tags

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD = b"XML:com.adobe.xmp"
MOST_BYTES = 16 * 2**20
WANTED = (b"tEXt", b"zTXt", b"iTXt", b"eXIf")


def parts(file: BinaryIO) -> list[tuple[str, bytes]]:
    """(form, bytes) of the metadata chunks. Raises ValueError when the file is no PNG."""
    if file.read(8) != SIGNATURE:
        raise ValueError("not a PNG file")
    found: list[tuple[str, bytes]] = []
    while len(header := file.read(8)) == 8:
        size, name = int.from_bytes(header[:4], "big"), header[4:]
        if name == b"IEND":
            break
        if name not in WANTED or size > MOST_BYTES:
            file.seek(size + 4, 1)
            continue
        data = file.read(size)
        file.seek(4, 1)
        found += _part(name, data)
    return found


def _part(name: bytes, data: bytes) -> list[tuple[str, bytes]]:
    if name == b"eXIf":
        return [("exif", data)]
    keyword, _, rest = data.partition(b"\x00")
    if name == b"tEXt":
        return [("text", keyword + b"\x00" + rest.decode("latin-1").encode())]
    if name == b"zTXt":
        return [("text", keyword + b"\x00" + _inflate(rest[1:]).decode("latin-1").encode())]
    compressed, rest = rest[:1] == b"\x01", rest[2:]
    _language, _, rest = rest.partition(b"\x00")
    _translated, _, text = rest.partition(b"\x00")
    body = _inflate(text) if compressed else text
    return [("xmp", body)] if keyword == XMP_KEYWORD else [("text", keyword + b"\x00" + body)]


def _inflate(data: bytes) -> bytes:
    machine = zlib.decompressobj()
    try:
        out = machine.decompress(data, MOST_BYTES)
    except zlib.error as failure:
        raise ValueError(f"compressed text: {failure}") from failure
    if machine.unconsumed_tail:
        raise ValueError("compressed text is too long")
    return out


def read_text(data: bytes, tags: Tags) -> None:
    """A text chunk as `PNG:<keyword>`."""
    keyword, _, text = data.partition(b"\x00")
    tags.put("PNG:" + keyword.decode("latin-1").title().replace(" ", ""), [text.decode("utf-8", "replace")])
