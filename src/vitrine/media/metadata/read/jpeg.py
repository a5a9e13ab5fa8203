"""Segments of a JPEG file (ITU T.81 annex B) that carry metadata."""

from typing import BinaryIO

EXIF = b"Exif\x00\x00"
XMP = b"http://ns.adobe.com/xap/1.0/\x00"
MORE_XMP = b"http://ns.adobe.com/xmp/extension/\x00"
PHOTOSHOP = b"Photoshop 3.0\x00"
IPTC_RESOURCE = 0x0404
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
APP1, APP13 = 0xE1, 0xED
MOST_BYTES = 64 * 2**20


def segments(file: BinaryIO) -> list[tuple[int, bytes]]:
    """(marker, payload) of every segment before the image data. Raises ValueError if the file is not a JPEG."""
    if file.read(2) != b"\xff\xd8":
        raise ValueError("not a JPEG file")
    segment_list: list[tuple[int, bytes]] = []
    total = 0
    while True:
        byte = file.read(1)
        if byte != b"\xff":
            return segment_list
        while byte == b"\xff":
            byte = file.read(1)
        if not byte or byte[0] in (START_OF_SCAN, END_OF_IMAGE):
            return segment_list
        if 0xD0 <= byte[0] <= 0xD8 or byte[0] == 0x01:
            continue
        length = int.from_bytes(file.read(2), "big")
        if length < 2:
            raise ValueError("a segment without a length")
        total += length
        if total > MOST_BYTES:
            raise ValueError("too much metadata")
        segment_list.append((byte[0], file.read(length - 2)))


def parts(file: BinaryIO) -> list[tuple[str, bytes]]:
    """(form, bytes) of every block of metadata: `exif` (a TIFF file), `xmp` (a packet), `iptc` (IIM datasets)."""
    blocks: list[tuple[str, bytes]] = []
    resources = b""
    extension: dict[int, bytes] = {}
    for marker, data in segments(file):
        if marker == APP1 and data.startswith(EXIF):
            blocks.append(("exif", data[len(EXIF) :]))
        elif marker == APP1 and data.startswith(XMP):
            blocks.append(("xmp", data[len(XMP) :]))
        elif marker == APP1 and data.startswith(MORE_XMP):
            body = data[len(MORE_XMP) :]  # 32 of GUID, 4 of full length, 4 of offset, then the piece
            extension[int.from_bytes(body[36:40], "big")] = body[40:]
        elif marker == APP13 and data.startswith(PHOTOSHOP):
            resources += data[len(PHOTOSHOP) :]
    if extension:
        blocks.append(("xmp", b"".join(extension[offset] for offset in sorted(extension))))
    blocks += [("iptc", data) for number, data in photoshop_resources(resources) if number == IPTC_RESOURCE]
    # The order does not matter: tags of different groups never collide.
    return blocks


def photoshop_resources(data: bytes) -> list[tuple[int, bytes]]:
    """(number, bytes) of each 8BIM block of an image resource section."""
    resources = []
    at = 0
    while data[at : at + 4] == b"8BIM":
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        name = data[at + 6] + 1
        at += 6 + name + name % 2
        size = int.from_bytes(data[at : at + 4], "big")
        resources.append((number, data[at + 4 : at + 4 + size]))
        at += 4 + size + size % 2
    return resources
