"""Detect truncated files by the length in their container, before any decoder runs."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from vitrine.media.errors import Undecodable
from vitrine.media.metadata.read.boxes import walk

CUT_OFF = "The file is cut off: a part of it is missing."
SEGMENT = 0x18538067
UNKNOWN_32 = (0, 0xFFFFFFFF)
LONGEST_PAGE = 65_307  # an Ogg page: 27 bytes of header, 255 of table, 255 times 255 of body


def refuse_truncated(path: str, mime: str) -> None:
    """Raises Undecodable if the container says that more should follow."""
    check = _CHECKS.get(mime)
    if check is None:
        return
    with Path(path).open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        why = check(file, size)
    if why:
        raise Undecodable(CUT_OFF, field="file", why=why)


def _boxes(file: BinaryIO, size: int) -> str:
    return "a box ends beyond the file" if any(box.end > size for box in walk(file, 0, size)) else ""


def _riff(file: BinaryIO, size: int) -> str:
    declared = struct.unpack("<I", file.read(8)[4:])[0]
    if declared in UNKNOWN_32:  # written by a recorder that could not seek back
        return ""
    return f"RIFF of {declared} bytes in {size}" if declared + 8 > size + 1 else ""


def _aiff(file: BinaryIO, size: int) -> str:
    declared = struct.unpack(">I", file.read(8)[4:])[0]
    return f"FORM of {declared} bytes in {size}" if declared + 8 > size + 1 else ""


def _matroska(file: BinaryIO, size: int) -> str:
    """The segment, which contains everything, has a length unless it was written live (RFC 8794 section 6.2)."""
    _number(file, keep_marker=True)
    header = _number(file, keep_marker=False)
    if header is None:
        return "no header"
    file.seek(header, 1)
    for _ in range(8):  # Void elements may come between
        name, length = _number(file, keep_marker=True), _number(file, keep_marker=False)
        if name is None:
            return "no segment"
        if name == SEGMENT:
            return "" if length is None or file.tell() + length <= size else f"segment of {length} bytes in {size}"
        file.seek(length or 0, 1)
    return ""


def _number(file: BinaryIO, *, keep_marker: bool) -> int | None:
    """An EBML number; None at the end of the file and for an unknown length."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    width = 9 - first[0].bit_length()
    value = first[0] if keep_marker else first[0] & ((1 << (8 - width)) - 1)
    tail = file.read(width - 1)
    if len(tail) < width - 1:
        return None
    value = value << (8 * len(tail)) | int.from_bytes(tail, "big")
    return None if not keep_marker and value == (1 << (7 * width)) - 1 else value


def _ogg(file: BinaryIO, size: int) -> str:
    """The last page must be complete (RFC 3533 section 6)."""
    file.seek(max(0, size - 2 * LONGEST_PAGE))
    tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return "no last page"
    table = tail[at + 27 : at + 27 + tail[at + 26]] if len(tail) > at + 26 else b""
    if len(tail) <= at + 26 or len(table) < tail[at + 26] or at + 27 + len(table) + sum(table) > len(tail):
        return "the last page is incomplete"
    return ""


def _mp3(file: BinaryIO, size: int) -> str:
    """An encoder that knows the length writes it in the first frame (Xing or Info header)."""
    head = file.read(10)
    start = 0
    if head.startswith(b"ID3") and len(head) == 10:
        start = 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
        if start >= size:
            return "the tag ends beyond the file"
    file.seek(start)
    frame = file.read(256)
    header = max(frame.find(b"Xing"), frame.find(b"Info"))
    if header < 0 or len(frame) < header + 16 or not frame[header + 7] & 2:
        return ""
    at = header + 8 + 4 * (frame[header + 7] & 1)
    declared = int.from_bytes(frame[at : at + 4], "big")
    return f"sound of {declared} bytes in {size - start}" if declared > size - start + 4096 else ""


_CHECKS: dict[str, Callable[[BinaryIO, int], str]] = {
    **dict.fromkeys(
        ("video/mp4", "video/quicktime", "video/3gpp", "audio/mp4", "image/heic", "image/heif", "image/avif"), _boxes
    ),
    **dict.fromkeys(("image/webp", "audio/wav", "video/x-msvideo"), _riff),
    **dict.fromkeys(("video/webm", "video/x-matroska"), _matroska),
    **dict.fromkeys(("audio/ogg", "video/ogg"), _ogg),
    "audio/aiff": _aiff,
    "audio/mpeg": _mp3,
}
