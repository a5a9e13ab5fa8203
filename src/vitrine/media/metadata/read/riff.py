"""Chunks of RIFF files (WebP, WAV, AVI) that carry metadata."""

from collections.abc import Iterator
from typing import BinaryIO

from vitrine.media.metadata.read.tags import Tags

MOST_BYTES = 16 * 2**20
MOST_CHUNKS = 10_000
EXIF_HEAD = b"Exif\x00\x00"
_INFO = {
    b"INAM": "Title", b"IART": "Artist", b"ICMT": "Comment", b"ICOP": "Copyright", b"ICRD": "Date", b"IGNR": "Genre",
    b"IKEY": "Keyword", b"ISBJ": "Subject", b"IPRD": "Album", b"ISFT": "Software", b"IENG": "Engineer",
}  # fmt: skip


def parts(file: BinaryIO) -> list[tuple[str, bytes]]:
    """(form, bytes) of the metadata chunks. Raises ValueError if the file is not RIFF."""
    if file.read(4) != b"RIFF":
        raise ValueError("not a RIFF file")
    file.seek(12)
    blocks: list[tuple[str, bytes]] = []
    for name, size in _chunks(file):
        data = file.read(min(size, MOST_BYTES)) if name in (b"EXIF", b"XMP ", b"_PMX", b"LIST") else b""
        if name == b"EXIF":
            blocks.append(("exif", data.removeprefix(EXIF_HEAD)))
        elif name in (b"XMP ", b"_PMX"):
            blocks.append(("xmp", data))
        elif name == b"LIST" and data.startswith(b"INFO"):
            blocks.append(("info", data[4:]))
    return blocks


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Names and sizes of chunks. The file is positioned at the body of each one while it is yielded."""
    for _ in range(MOST_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            return
        size = int.from_bytes(header[4:], "little")
        body = file.tell()
        yield header[:4], size
        file.seek(body + size + size % 2)


def read_info(data: bytes, tags: Tags) -> None:
    """The INFO list as `RIFF:…`."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        name = _INFO.get(data[at : at + 4])
        raw = data[at + 8 : at + 8 + size].split(b"\x00")[0]
        if name:
            try:
                tags.put(f"RIFF:{name}", [raw.decode()])
            except UnicodeDecodeError:
                tags.put(f"RIFF:{name}", [raw.decode("cp1252", "replace")])
        at += 8 + size + size % 2
