"""The part of ID3v2 tags in an MP3 file that FFmpeg does not read: an XMP packet in a PRIV frame."""

from collections.abc import Iterator
from typing import BinaryIO

XMP_OWNER = b"XMP\x00"
MOST_BYTES = 16 * 2**20
HEADER = 10


def parts(file: BinaryIO) -> list[tuple[str, bytes]]:
    """`xmp`, if there is one (XMP specification part 3, section 2.3.3)."""
    head = file.read(HEADER)
    if not head.startswith(b"ID3") or len(head) < HEADER:
        return []
    data = file.read(min(syncsafe(head[6:10]), MOST_BYTES))
    packets = (body for name, body in _frames(data, head[3]) if name == b"PRIV" and body.startswith(XMP_OWNER))
    return [("xmp", body[len(XMP_OWNER) :]) for body in packets][:1]


def syncsafe(four: bytes) -> int:
    """Decode a number with seven bits in each byte."""
    return four[0] << 21 | four[1] << 14 | four[2] << 7 | four[3]


def _frames(data: bytes, version: int) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + HEADER <= len(data) and data[at : at + 1] != b"\x00" and version >= 3:
        raw = data[at + 4 : at + 8]
        size = syncsafe(raw) if version >= 4 else int.from_bytes(raw, "big")
        yield data[at : at + 4], data[at + HEADER : at + HEADER + size]
        at += HEADER + size


def tag(texts: dict[str, str], comment: str, packet: bytes) -> bytes:
    """An ID3v2.4 tag with text frames in UTF-8, a comment and an XMP packet."""
    frames = b"".join(_frame(name.encode(), b"\x03" + text.encode()) for name, text in texts.items() if text)
    frames += _frame(b"COMM", b"\x03eng\x00" + comment.encode()) + _frame(b"PRIV", XMP_OWNER + packet)
    return b"ID3\x04\x00\x00" + _sized(len(frames)) + frames


def _frame(name: bytes, body: bytes) -> bytes:
    return name + _sized(len(body)) + b"\x00\x00" + body


def _sized(size: int) -> bytes:
    return bytes((size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127))


def without_tag(data: bytes) -> bytes:
    """The audio data without its ID3 tag."""
    return data[HEADER + syncsafe(data[6:10]) :] if data.startswith(b"ID3") else data
