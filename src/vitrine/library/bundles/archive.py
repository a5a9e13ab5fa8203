"""An archive that is nowhere: the layout of a ZIP of files whose sizes and checksums are known (APPNOTE.TXT 6.3).

Media are compressed already, so members are stored. Every byte of the archive then has its place before the first one
is sent: its length is known, a part of it can be asked for, and only the pieces that are sent are read from the store.
"""

import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO
from zlib import crc32

PIECE = 256 * 1024
_LIMIT, _MOST_MEMBERS = 0xFFFFFFFF, 0xFFFF
_UTF8 = 0x0800
_VERSION, _VERSION_64 = 20, 45
_BY_UNIX = 3 << 8
_READABLE = 0o100644 << 16
Opener = Callable[[str], BinaryIO]


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the archive: its bytes are *content*, or those of the blob *sha256*."""

    name: str
    size: int
    crc: int
    modified: datetime
    sha256: str = ""
    content: bytes = b""

    @classmethod
    def of(cls, name: str, content: bytes, modified: datetime) -> "Member":
        return cls(name, len(content), crc32(content), modified, content=content)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each piece of the archive begins: (offset, length, bytes or the digest of a blob)."""

    size: int
    _starts: list[int] = field(default_factory=list)
    _parts: list[tuple[int, bytes | str]] = field(default_factory=list)

    @classmethod
    def of(cls, members: Sequence[Member]) -> "Layout":
        starts: list[int] = []
        parts: list[tuple[int, bytes | str]] = []
        offset = 0

        def add(length: int, part: bytes | str) -> None:
            nonlocal offset
            if length:
                starts.append(offset)
                parts.append((length, part))
                offset += length

        directory = b""
        for member in members:
            directory += _directory_entry(member, offset)
            header = _local_header(member)
            add(len(header), header)
            add(member.size, member.sha256 or member.content)
        begin = offset
        add(len(directory), directory)
        end = _end(len(members), len(directory), begin)
        add(len(end), end)
        return cls(offset, starts, parts)

    def read(self, start: int, length: int, opened: Opener) -> Iterator[bytes]:
        """The bytes from *start* on, piece by piece. A blob is open only while it is read."""
        at = max(0, bisect_right(self._starts, start) - 1)
        while length > 0 and at < len(self._parts):
            size, part = self._parts[at]
            skip = start - self._starts[at]
            wanted = min(size - skip, length)
            if isinstance(part, bytes):
                yield part[skip : skip + wanted]
            else:
                yield from _blob(opened(part), skip, wanted)
            start, length, at = start + wanted, length - wanted, at + 1


def _blob(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    with file:
        if start:
            file.seek(start)
        while length > 0:
            piece = file.read(min(PIECE, length))
            if not piece:
                # The length was promised: an archive that is too short must not look whole.
                raise OSError("a file of the archive is shorter than it was")
            length -= len(piece)
            yield piece


def _moment(instant: datetime) -> tuple[int, int]:
    """Time and date of MS-DOS: from 1980 on, in steps of two seconds."""
    if instant.year < 1980:
        return 0, 1 << 5 | 1
    date = min(instant.year, 2107) - 1980 << 9 | instant.month << 5 | instant.day
    return instant.hour << 11 | instant.minute << 5 | instant.second // 2, date


def _local_header(member: Member) -> bytes:
    name = member.name.encode()
    is_large = member.size >= _LIMIT
    extra = struct.pack("<HHQQ", 1, 16, member.size, member.size) if is_large else b""
    size = _LIMIT if is_large else member.size
    version = _VERSION_64 if is_large else _VERSION
    fields = (version, _UTF8, 0, *_moment(member.modified), member.crc, size, size, len(name), len(extra))
    return struct.pack("<4sHHHHHIIIHH", b"PK\3\4", *fields) + name + extra


def _directory_entry(member: Member, offset: int) -> bytes:
    name = member.name.encode()
    large = [member.size, member.size] if member.size >= _LIMIT else []
    if offset >= _LIMIT:
        large.append(offset)
    extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    size = min(member.size, _LIMIT)
    version = _VERSION_64 if large else _VERSION
    fields = (
        _BY_UNIX | version, version, _UTF8, 0, *_moment(member.modified), member.crc, size, size, len(name),
        len(extra), 0, 0, 0, _READABLE, min(offset, _LIMIT),
    )  # fmt: skip
    return struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", *fields) + name + extra


def _end(count: int, size: int, offset: int) -> bytes:
    record = b""
    if count > _MOST_MEMBERS or size >= _LIMIT or offset >= _LIMIT:
        values = (44, _BY_UNIX | _VERSION_64, _VERSION_64, 0, 0, count, count, size, offset)
        record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", *values)
        record += struct.pack("<4sIQI", b"PK\6\7", 0, offset + size, 1)
    few = min(count, _MOST_MEMBERS)
    last = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, few, few, min(size, _LIMIT), min(offset, _LIMIT), 0)
    return record + last
