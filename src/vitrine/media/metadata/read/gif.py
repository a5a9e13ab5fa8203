"""Extensions of a GIF file (GIF89a, sections 23 to 26) that carry metadata."""

from typing import BinaryIO

from vitrine.media.metadata.read.tags import Tags

XMP = b"XMP DataXMP"
MAGIC_TRAILER = 258  # bytes that make readers without XMP support skip the packet
COMMENT, APPLICATION, EXTENSION, IMAGE = 0xFE, 0xFF, 0x21, 0x2C
MOST_BYTES = 16 * 2**20


def parts(file: BinaryIO) -> list[tuple[str, bytes]]:
    """`comment` and `xmp`. Raises ValueError if the file is not a GIF."""
    head = file.read(13)
    if not head.startswith((b"GIF87a", b"GIF89a")) or len(head) < 13:
        raise ValueError("not a GIF file")
    _skip_table(file, head[10])
    blocks: list[tuple[str, bytes]] = []
    while len(introducer := file.read(1)) == 1:
        if introducer[0] == IMAGE:
            _skip_table(file, file.read(9)[8])
            file.read(1)
            _blocks(file, keep=False)
        elif introducer[0] == EXTENSION:
            blocks += _extension(file)
        else:
            break
    return blocks


def _skip_table(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        file.seek(3 << (flags & 7) + 1, 1)


def _extension(file: BinaryIO) -> list[tuple[str, bytes]]:
    label = file.read(1)[0]
    if label == APPLICATION:
        name = file.read(file.read(1)[0])
        if name == XMP:  # the packet is stored raw, not in counted blocks
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
        raise ValueError("an XMP packet without an end")
    file.seek(start + stop + 2 + MAGIC_TRAILER)
    return data[: stop + 2]


def _blocks(file: BinaryIO, *, keep: bool) -> bytes:
    content = b""
    while (size := file.read(1)) and size[0]:
        data = file.read(size[0])
        if keep and len(content) < MOST_BYTES:
            content += data
    return content


def read_comment(data: bytes, tags: Tags) -> None:
    """The comment as `GIF:Comment`."""
    try:
        tags.put("GIF:Comment", [data.decode()])
    except UnicodeDecodeError:
        tags.put("GIF:Comment", [data.decode("cp1252", "replace")])
