"""Items of a HEIF or AVIF file (ISO/IEC 23008-12, ISO/IEC 14496-12 section 8.11) that carry metadata."""

from typing import BinaryIO

from vitrine.media.metadata.read.boxes import Box, walk

MOST_BYTES = 16 * 2**20
MOST_ITEMS = 10_000
XMP_TYPE = b"application/rdf+xml"


def parts(file: BinaryIO) -> list[tuple[str, bytes]]:
    """`exif` and `xmp` items. Raises ValueError if there is no `meta` box."""
    size = file.seek(0, 2)
    meta = next((box for box in walk(file, 0, size) if box.name == b"meta"), None)
    if meta is None:
        raise ValueError("no meta box")
    boxes = {box.name: box for box in walk(file, meta.body + 4, min(meta.end, size))}
    if b"iinf" not in boxes or b"iloc" not in boxes:
        return []
    forms = _items(file, boxes[b"iinf"])
    data = boxes[b"idat"].body if b"idat" in boxes else 0
    blocks: list[tuple[str, bytes]] = []
    for item, places in _locations(_body(file, boxes[b"iloc"]), data).items():
        if item in forms:
            raw = b"".join(_at(file, start, length) for start, length in places)
            blocks.append(_part(forms[item], raw))
    return blocks


def _body(file: BinaryIO, box: Box) -> bytes:
    return _at(file, box.body, min(box.end - box.body, MOST_BYTES))


def _at(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(min(length, MOST_BYTES))


def _part(form: str, raw: bytes) -> tuple[str, bytes]:
    if form == "exif":  # the first four bytes are the offset of the TIFF header
        return form, raw[4 + int.from_bytes(raw[:4], "big") :]
    return form, raw


def _items(file: BinaryIO, box: Box) -> dict[int, str]:
    """Item number -> `exif` or `xmp`."""
    is_long = _body(file, box)[:1] != b"\x00"
    forms = {}
    for entry in walk(file, box.body + (8 if is_long else 6), box.end):
        data = _body(file, entry)
        if entry.name != b"infe" or data[0] not in (2, 3):
            continue
        at = 4 if data[0] == 2 else 6
        number, kind = int.from_bytes(data[4 : at + 2], "big"), data[at + 4 : at + 8]
        if kind == b"Exif":
            forms[number] = "exif"
        elif kind == b"mime" and XMP_TYPE in data[at + 8 :]:
            forms[number] = "xmp"
    return forms


def _locations(data: bytes, idat: int) -> dict[int, list[tuple[int, int]]]:
    """Item number -> (start, length) of its pieces in the file."""
    version = data[0]
    offsets, lengths = data[4] >> 4, data[4] & 15
    bases, indexes = data[5] >> 4, data[5] & 15 if version in (1, 2) else 0
    number_bytes = 4 if version == 2 else 2
    at = 6

    def number(width: int) -> int:
        nonlocal at
        value = int.from_bytes(data[at : at + width], "big")
        at += width
        return value

    locations: dict[int, list[tuple[int, int]]] = {}
    for _ in range(min(number(number_bytes), MOST_ITEMS)):
        item = number(number_bytes)
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)  # data reference: always this file
        base = number(bases) + (idat if method == 1 else 0)
        pieces = []
        for _ in range(min(number(2), 64)):
            number(indexes)
            start, length = number(offsets), number(lengths)
            pieces.append((base + start, length))
        if method in (0, 1):
            locations[item] = pieces
    return locations
