"""Extensions of a GIF file (GIF89a, sections 23 to 26) that carry metadata."""

from typing import BinaryIO

from vitrine.media.metadata.tags import Tags

XMP = b"XMP DataXMP"
MAGIC_TRAILER = 258  # bytes that make readers who know no XMP skip the packet
COMMENT, APPLICATION, EXTENSION, IMAGE = 0xFE, 0xFF, 0x21, 0x2C
MOST_BYTES = 16 * 2**20


def parts(file: BinaryIO) -> list[tuple[str, bytes]]:
    """`comment` and `xmp`. Raises ValueError when the file is no GIF."""
    head = file.read(13)
    if not head.startswith((b"GIF87a", b"GIF89a")) or len(head) < 13:
        raise ValueError("not a GIF file")
    _skip_table(file, head[10])
    found: list[tuple[str, bytes]] = []
    while len(mark := file.read(1)) == 1:
        if mark[0] == IMAGE:
            _skip_table(file, file.read(9)[8])
            file.read(1)
            _blocks(file, keep=False)
        elif mark[0] == EXTENSION:
            found += _extension(file)
        else:
            break
    return found


def _skip_table(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        file.seek(3 << (flags & 7) + 1, 1)


def _extension(file: BinaryIO) -> list[tuple[str, bytes]]:
    label = file.read(1)[0]
    if label == APPLICATION:
        name = file.read(file.read(1)[0])
        if name == XMP:  # the packet stands there as it is, its bytes are not counted in blocks
            return [("xmp", _packet(file))]
        _blocks(file, keep=False)
        return []
    data = _blocks(file, keep=label == COMMENT)
    return [("comment", data)] if label == COMMENT else []


def _packet(file: BinaryIO) -> bytes:
    start = file.tell()
    data = file.read(MOST_BYTES)
    end = data.find(b"<?xpacket end=")
    stop = data.find(b"?>", end)
    if end < 0 or stop < 0:
        raise ValueError("an XMP packet without end")
    file.seek(start + stop + 2 + MAGIC_TRAILER)
    return data[: stop + 2]


def _blocks(file: BinaryIO, *, keep: bool) -> bytes:
    kept = b""
    while (size := file.read(1)) and size[0]:
        data = file.read(size[0])
        if keep and len(kept) < MOST_BYTES:
            kept += data
    return kept


def read_comment(data: bytes, tags: Tags) -> None:
    """The comment as `GIF:Comment`."""
    try:
        tags.put("GIF:Comment", [data.decode()])
    except UnicodeDecodeError:
        tags.put("GIF:Comment", [data.decode("cp1252", "replace")])
