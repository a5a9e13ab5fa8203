"""Boxes of an MP4 or QuickTime file (ISO/IEC 14496-12) that carry metadata."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from vitrine.media.metadata.read.tags import Tags

XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
MOST_BYTES = 16 * 2**20
MOST_BOXES = 10_000
_ILST = {
    b"\xa9nam": "QuickTime:Title",
    b"\xa9ART": "QuickTime:Artist",
    b"\xa9cmt": "QuickTime:Comment",
    b"\xa9day": "QuickTime:ContentCreateDate",
    b"cprt": "QuickTime:Copyright",
    b"desc": "QuickTime:Description",
    b"\xa9gen": "QuickTime:Genre",
    b"keyw": "QuickTime:Keyword",
}


@dataclass(frozen=True, slots=True)
class Box:
    name: bytes
    start: int
    body: int
    end: int


def walk(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """The boxes between two positions. The last one may claim to end beyond *end*; the caller must check."""
    at = start
    for _ in range(MOST_BOXES):
        if at + 8 > end:
            return
        file.seek(at)
        header = file.read(16)
        size, name, head = int.from_bytes(header[:4], "big"), header[4:8], 8
        if size == 1:
            size, head = int.from_bytes(header[8:16], "big"), 16
        elif size == 0:
            size = end - at
        if size < head:
            return
        yield Box(name, at, at + head, at + size)
        at += size


def parts(file: BinaryIO) -> list[tuple[str, bytes]]:
    """(form, bytes): `xmp` from the uuid box or moov/udta/XMP_, `ilst` from moov/udta/meta."""
    file.seek(0, 2)
    size = file.tell()
    blocks: list[tuple[str, bytes]] = []
    for box in walk(file, 0, size):
        if box.name == b"uuid" and _read(file, box)[:16] == XMP_UUID:
            blocks.append(("xmp", _read(file, box)[16:]))
        if box.name == b"moov":
            blocks += _in_moov(file, box, size)
    return blocks


def _in_moov(file: BinaryIO, moov: Box, size: int) -> list[tuple[str, bytes]]:
    blocks: list[tuple[str, bytes]] = []
    for udta in walk(file, moov.body, min(moov.end, size)):
        if udta.name != b"udta":
            continue
        for box in walk(file, udta.body, min(udta.end, size)):
            if box.name == b"XMP_":
                blocks.append(("xmp", _read(file, box)))
            if box.name == b"meta":  # a full box begins with four bytes of version and flags
                children = walk(file, box.body + 4, min(box.end, size))
                blocks += [("ilst", _read(file, child)) for child in children if child.name == b"ilst"]
    return blocks


def _read(file: BinaryIO, box: Box) -> bytes:
    file.seek(box.body)
    return file.read(min(box.end - box.body, MOST_BYTES))


def read_ilst(data: bytes, tags: Tags) -> None:
    """The item list: each item has one or more `data` boxes; type 1 is UTF-8 text."""
    for name, item in _child_boxes(data):
        tag = _ILST.get(name)
        if tag is None:
            continue
        for child, value in _child_boxes(item):
            if child == b"data" and int.from_bytes(value[1:4], "big") == 1:
                tags.add(tag, value[8:].decode("utf-8", "replace"))


def _child_boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8:
            return
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size
